"""Tracks to look through in a notebook: what is in them, where they lead, and that they reach nothing."""

from __future__ import annotations

import base64
import gzip
import html
import json
import re

import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk
from sccase_kit.pages.tracks import STEPS, Tracks
from sccase_kit.report._browse import _gene_places, _nearest_peak


def unpack(text):
    packed = re.search(r'<script type="text/plain">(.*?)</script>', text).group(1)
    return json.loads(gzip.decompress(base64.b64decode(packed)))


@pytest.fixture(scope="module")
def study():
    study = sk.datasets.toy_study(n_cells=120, n_peaks=400)
    sk.tl.enhance(study.adata, 4, method="sccase")
    sk.tl.specific_peaks(study.adata, "cell_type", n_top=20, genome=study.genes)
    return study


def test_values_are_counts_per_million(study):
    adata = study.adata
    data = unpack(sk.browse(adata, "cell_type", genes=study.genes).html)
    labels = adata.obs["cell_type"]
    order = np.lexsort((adata.var["end"], adata.var["start"], adata.var["chrom"].astype(str)))
    assert (np.cumsum(data["starts"]) == adata.var["start"].to_numpy()[order]).all()
    assert data["groups"] == list(labels.cat.categories)
    for side, matrix in zip(data["sides"], (adata.X, sk.get.enhanced(adata, scale="counts")), strict=True):
        sums = np.array([np.asarray(matrix[(labels == g).to_numpy()].sum(axis=0)).ravel() for g in data["groups"]])
        expected = (1e6 * sums / sums.sum(axis=1, keepdims=True))[:, order]
        steps = np.array([[STEPS.index(c) for c in row] for row in side["rows"]])
        drawn = (steps / (len(STEPS) - 1)) ** 2 * side["top"]
        np.testing.assert_allclose(np.sqrt(drawn), np.sqrt(expected), atol=np.sqrt(side["top"]) / len(STEPS))
        assert "counts per million" in side["title"]


def test_places_are_marker_genes_or_what_was_asked(study):
    adata = study.adata
    data = unpack(sk.browse(adata, "cell_type", genes=study.genes, show="raw").html)
    assert len(data["sides"]) == 1
    peaks = adata.uns["specific_peaks"]["peaks"]
    for label, chrom, start, end in data["places"]:
        group, gene = label.split(": ")
        of_gene = peaks[(peaks["group"] == group) & (peaks["nearest_gene"] == gene)].iloc[0]
        assert (chrom, True, True) == (of_gene["chrom"], start <= of_gene["start"], end >= of_gene["end"])
    gene = study.genes.iloc[5]
    asked = unpack(sk.browse(adata, "cell_type", [gene["symbol"], "chr1:1-90,000"], genes=study.genes, flank=7).html)
    assert asked["places"][0] == [gene["symbol"], gene["chrom"], int(gene["start"]) - 7, int(gene["end"]) + 7]
    assert asked["places"][1] == ["chr1:1-90,000", "chr1", 1, 90_000]
    without = unpack(sk.browse(adata, "cell_type").html)
    assert without["genes"]["symbols"] == []
    assert without["places"][0][0].split(": ")[1] in set(adata.var_names)


def test_the_surroundings_of_a_gene_hold_its_nearest_peak():
    where = pd.DataFrame({"chrom": ["chr1", "chr1", "chr2"], "start": [1000, 60_000, 5], "end": [1500, 60_500, 9]})
    bodies = [("A", "chr1", 1_200, 9_000), ("B", "chr1", 20_000, 40_000), ("C", "chr1", 160_501, 170_000)]
    bodies += [("D", "chr3", 1, 2)]
    genes = pd.DataFrame(bodies, columns=["symbol", "chrom", "start", "end"]).assign(gene_id=list("abcd"))

    def places(names, flank):
        return _gene_places(names, genes, where, flank=flank)

    assert places(["A", "none"], 100) == {"A": ("chr1", 1_100, 9_100)}
    assert places(["B"], 25_000) == {"B": ("chr1", 0, 65_000)}
    assert places(["B"], 100) == {"B": ("chr1", 900, 40_100)}  # 18.5 kb to the first peak, 20 kb to the other
    assert places(["C", "D"], 100) == {}
    assert _nearest_peak(where, "chr1", 1_200, 9_000) == (1000, 1500, 0)
    assert _nearest_peak(where, "chr1", 160_501, 170_000) is None
    assert _nearest_peak(where, "chr3", 1, 2) is None


def test_genes_with_a_peak_of_their_own_come_first():
    where = pd.DataFrame({"chrom": "chr1", "start": [100_000, 400_000], "end": [100_500, 400_500]})
    rows = [("FAR", 10_000, 20_000), ("NEXT", 104_000, 120_000), ("ALONE", 430_000, 450_000), ("BY", 90_000, 99_000)]
    genes = pd.DataFrame(rows, columns=["symbol", "start", "end"]).assign(chrom="chr1", gene_id=list("abcd"))
    # 80 kb from FAR the peak is next to BY and NEXT; ALONE is 29.5 kb from its peak, with no other gene nearer
    found = _gene_places(["FAR", "ALONE", "NEXT"], genes, where, flank=10)
    assert list(found) == ["NEXT", "ALONE", "FAR"]
    assert found["FAR"] == ("chr1", 9_990, 100_510)


def test_groups_colours_and_counts_alone(study):
    adata = study.adata[:, :].copy()
    adata.uns["cell_type_colors"] = ["red"] * adata.obs["cell_type"].nunique()
    names = list(adata.obs["cell_type"].cat.categories)[::-1][:2]
    data = unpack(sk.browse(adata, "cell_type", groups=names).html)
    assert (data["groups"], data["colors"]) == (names, ["#ff0000"] * 2)
    bare = sk.datasets.toy_study(n_cells=60, n_peaks=300).adata
    assert len(unpack(sk.browse(bare, "cell_type", show="raw").html)["sides"]) == 1


def test_more_than_fit_are_cut_around_the_places(study, monkeypatch):
    monkeypatch.setattr(sk.report._browse, "MOST_VALUES", 100)
    peak = study.adata.var.iloc[100]
    with pytest.warns(UserWarning, match="only the .* peaks within 250 kb of the loci are shown"):
        data = unpack(sk.browse(study.adata, "cell_type", f"{peak['chrom']}:{peak['start']}-{peak['end']}").html)
    assert data["chroms"] == [peak["chrom"]]
    assert 0 < sum(data["sizes"]) < study.adata.n_vars
    bare = sk.datasets.toy_study(n_cells=60, n_peaks=300).adata
    with pytest.raises(ValueError, match="too many to show at once; name loci"):
        sk.browse(bare, "cell_type", show="raw")


def test_a_frame_that_runs_in_a_notebook_and_nowhere_else(study, tmp_path, browser):
    shown = sk.browse(study.adata, "cell_type", genes=study.genes)
    assert repr(shown).startswith(f"Browser({len(shown.html) / 1e3:.0f} kB of HTML; show it in a notebook")
    assert shown.save(tmp_path / "tracks.html").read_text(encoding="utf-8") == shown.html
    frame = shown._repr_html_()
    assert html.unescape(re.search(r'srcdoc="(.*?)"', frame, re.DOTALL).group(1)) == shown.html
    assert 'sandbox="allow-scripts"' in frame
    (tmp_path / "notebook.html").write_text(f"<!DOCTYPE html><body>{frame}</body>", encoding="utf-8")
    browser.get_log("browser")
    browser.get((tmp_path / "notebook.html").as_uri())
    browser.switch_to.frame(0)
    ready = "const done = arguments[0]; const at = setInterval(() => { if (document.querySelector('[data-ready]')) {"
    browser.execute_async_script(ready + "clearInterval(at); done(1); } }, 20)")
    assert browser.execute_script("return document.querySelectorAll('figure.tracks [data-group]').length") == 10
    browser.switch_to.default_content()
    assert browser.get_log("browser") == []


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"groupby": "donor"}, KeyError, "groupby='donor' is not in adata.obs"),
        ({"loci": "TAL1"}, ValueError, "locus must look like"),
        ({"loci": []}, ValueError, "loci"),
        ({"groups": ["none"]}, ValueError, r"groups: \['none'\] are not in obs\['cell_type'\]"),
        ({"show": "all"}, ValueError, "show must be one of"),
        ({"key": "other"}, KeyError, "other"),
        ({"flank": -1}, ValueError, "flank must be at least 0"),
        ({"genes": 5}, TypeError, "genes"),
    ],
)
def test_bad_input(study, arguments, error, message):
    given = {"groupby": "cell_type"} | arguments
    with pytest.raises(error, match=message):
        sk.browse(study.adata, given.pop("groupby"), **given)


def test_no_peak_and_no_place():
    import pandas as pd

    peaks = pd.DataFrame({"chrom": ["chr1"], "start": [5], "end": [9]})
    text = Tracks(peaks, {"counts": np.zeros((1, 1))}, {"a": "#000000"}, []).html()
    assert "go to" not in text
    assert unpack(text)["sides"][0]["rows"] == [STEPS[0]]
