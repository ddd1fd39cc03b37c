"""`report` writes one page or nothing."""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import sccase_kit as sk


def test_report(call_json, enhanced_file, tmp_path):
    result = call_json("report", enhanced_file, "-o", tmp_path / "r.html", "--max-cells", 100)
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert result["megabytes"] == round(len(text.encode()) / 1e6, 2)
    assert re.search(r"<h1>enhanced: \d+ cells in \d+ groups</h1>", text)
    assert "peaks · enhanced.h5ad · 20" in text
    assert "sk.read(&#x27;enhanced.h5ad&#x27;)" in text
    assert "Not drawn" not in text


@pytest.mark.filterwarnings("ignore:left out of the held-out scores")
def test_held_out(call_json, enhanced_file, tmp_path):
    call_json("report", enhanced_file, "-o", tmp_path / "r.html", "--max-cells", 100, "--held-out")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Does enhancing help these data?" in text
    assert "nats over the peak mean" in text


def parts(text):
    """Return title, headings and captions of tables of a page."""
    found = re.findall(r"<(h1|h2|h3)>(.*?)</\1>|class=\"caption\">(.*?)</span>", text)
    return [heading or caption for _, heading, caption in found]


def test_refusals(call, counts_file, enhanced_file, tmp_path):
    cases = [
        ([enhanced_file, "-o", tmp_path / "r.pdf"], "--output must end in .html"),
        ([enhanced_file, "-o", tmp_path / "none" / "r.html"], "the folder of --output does not exist"),
        ([enhanced_file, "-o", tmp_path / "r.html", "-g", "donor"], "groupby='donor' is not in adata.obs"),
        ([counts_file, "-o", tmp_path / "r.html"], "sccase"),
    ]
    for argv, message in cases:
        code, out, err = call("report", *argv)
        assert (code, out) == (1, ""), argv
        assert message in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore")  # of few cells, peaks and genes
def test_the_code_on_the_page_repeats_the_shell(call_json, counts_file, tmp_path, monkeypatch):
    """From the counts over every command of the README to the page, and from its code to the same results."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(counts_file, "counts.h5ad")
    Path("terms.gmt").write_text("TERM_A\tdoc\tTAL1\tCD3E\tGATA1\tLCK\nTERM_B\tdoc\tPAX5\tCD19\tMS4A1\n")
    Path("markers.csv").write_text("type,gene,weight\none,TAL1,1\none,LCK,1\ntwo,PAX7,1\ntwo,CD52,1\n")
    call_json("enhance", "counts.h5ad", "-o", "study.h5ad", "--batch-key", "batch")
    call_json("cluster", "study.h5ad", "-n", 3, "-o", "study.h5ad")
    call_json("annotate", "study.h5ad", "--markers", "markers.csv", "--genome", "hg38", "-o", "study.h5ad")
    call_json("peaks", "study.h5ad", "--groupby", "louvain", "--genome", "hg38", "-o", "study.h5ad")
    call_json("held-out", "study.h5ad", "--splits", 1, "-o", "study.h5ad")
    great = ["--gene-sets", "terms.gmt", "--background", "peaks"]
    call_json("interpret", "study.h5ad", "-g", "louvain", "--genome", "hg38", *great, "-n", 40, "-o", "meaning")
    call_json("report", "study.h5ad", "-g", "louvain", "--tables", "meaning", "-o", "study.html")
    text = Path("study.html").read_text(encoding="utf-8")
    script = html.unescape(text.split("<pre><code>")[1].split("</code>")[0])
    lines = script.splitlines()
    assert lines[4].startswith("adata = sk.read('counts.h5ad')")
    assert "methods={'robust': partial(sk.tl.enhance, method='robust', batch_key='batch')}" in script
    assert lines[-2:] == [
        "sk.report.write_report(adata, 'study.html', 'louvain', source='counts.h5ad', tables=tables)",
        "# from a shell: sccase-kit report study.h5ad -o study.html -g louvain --tables meaning",
    ]
    assert lines[-3] == (
        "tables = sk.tl.interpret(adata, 'louvain', 'meaning', genome='hg38', great={'background': "
        "adata.var[['chrom', 'start', 'end']], 'gene_sets': 'terms.gmt'}, n_top=40)"
    )
    Path("again").mkdir()
    space = {}
    script = script.replace("'meaning'", "'again'").replace("'study.html'", "'again/study.html'")
    exec(script, space)  # the script is ours, made above
    adata, study = space["adata"], sk.read("study.h5ad")
    assert adata.obs["louvain"].tolist() == study.obs["louvain"].tolist()
    assert adata.obs["annotation"].tolist() == study.obs["annotation"].tolist()
    held_out = [sk.metrics.stored_held_out(one).table["gain"].to_numpy() for one in (adata, study)]
    np.testing.assert_array_equal(*held_out)
    for step in ("peaks", "great"):
        assert Path("again", step, "result.tsv").read_text() == Path("meaning", step, "result.tsv").read_text()
    page = Path("again/study.html").read_text(encoding="utf-8")
    assert parts(page.replace("(folder again)", "(folder meaning)")) == parts(text)
