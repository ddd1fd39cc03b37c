"""`demo` leaves figures and data that show the planted truth."""

from __future__ import annotations

import os

import anndata as ad
import pytest
from sklearn.metrics import adjusted_rand_score

import sccase_kit as sk


@pytest.mark.slow
def test_demo(call_json, tmp_path):
    result = call_json("demo", "-o", tmp_path / "demo", "--cells", 150, "--peaks", 800)
    assert result["folder"] == str(tmp_path / "demo")
    for path in result["figures"]:
        with open(path, "rb") as image:
            assert image.read(8) == b"\x89PNG\r\n\x1a\n"
    with open(result["report"], encoding="utf-8") as page:
        assert "Not drawn" not in page.read()
    adata = ad.read_h5ad(result["enhanced data"])
    assert "sccase" in adata.uns
    enhanced = result["ARI of clusters and planted types, enhanced"]
    assert enhanced >= result["ARI of clusters and planted types, raw"]
    assert adata.obs["louvain"].nunique() == adata.obs["cell_type"].nunique()
    assert round(adjusted_rand_score(adata.obs["louvain"], adata.obs["cell_type"]), 3) == enhanced
    with open(result["report"], encoding="utf-8") as page:
        assert "sk.read(&#x27;enhanced.h5ad&#x27;)" in page.read()


def test_demo_refuses_sizes_it_cannot_plan(call, tmp_path):
    code, out, err = call("demo", "-o", tmp_path / "demo", "--cells", 2)
    assert (code, out) == (1, "")
    assert "n_cells" in err
    assert not (tmp_path / "demo").exists()


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="no /proc here")
def test_demo_into_a_folder_that_takes_no_file(call, monkeypatch):
    monkeypatch.setattr(sk.datasets, "toy_study", lambda *_, **__: pytest.fail("worked before the folder was tried"))
    code, out, err = call("demo", "-o", "/proc/demo")
    assert (code, out) == (1, "")
    assert "'demo' cannot be written in '/proc'" in err


def test_demo_onto_a_file(call, tmp_path):
    (tmp_path / "demo").write_text("mine")
    code, _, err = call("demo", "-o", tmp_path / "demo")
    assert code == 1
    assert "demo" in err
    assert (tmp_path / "demo").read_text() == "mine"
