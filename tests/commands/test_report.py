"""`report` writes one page or nothing."""

from __future__ import annotations


def test_report(call_json, enhanced_file, tmp_path):
    result = call_json("report", enhanced_file, "-o", tmp_path / "r.html", "--max-cells", 100)
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert result["megabytes"] == round(len(text.encode()) / 1e6, 2)
    assert "<h1>enhanced</h1>" in text
    assert "sk.read(&#x27;enhanced.h5ad&#x27;)" in text
    assert "Not drawn" not in text


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
