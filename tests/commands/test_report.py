"""`report` writes one page or nothing."""

from __future__ import annotations

import pytest


def test_report(call_json, enhanced_file, tmp_path):
    result = call_json("report", enhanced_file, "-o", tmp_path / "r.html", "--max-cells", 100)
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert result["megabytes"] == round(len(text.encode()) / 1e6, 2)
    assert "<h1>enhanced</h1>" in text
    assert "sk.read(&#x27;enhanced.h5ad&#x27;)" in text
    assert "Not drawn" not in text


@pytest.mark.filterwarnings("ignore:left out of the held-out scores")
def test_held_out(call_json, enhanced_file, tmp_path):
    call_json("report", enhanced_file, "-o", tmp_path / "r.html", "--max-cells", 100, "--held-out")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Does enhancing help these data?" in text
    assert "nats over the peak mean" in text


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
