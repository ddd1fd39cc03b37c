"""engine="r" end to end, with no skip where R is there: small R packages of our own stand in for the three.

They are built here by R CMD INSTALL from ``packages/``, have the names, functions and classes of the packages, and
follow the published formulas; the packages themselves are tested where they are installed (test_engines.py).
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk

pytestmark = pytest.mark.r("SummarizedExperiment", "TFBSTools", "BiocParallel")


@pytest.fixture(scope="module", autouse=True)
def library(stand_ins):
    """Put the stand-ins before all other R libraries."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("R_LIBS", os.pathsep.join(filter(None, [str(stand_ins), os.environ.get("R_LIBS")])))
        yield stand_ins


@pytest.fixture(scope="module")
def study():
    return sk.datasets.toy_study(n_cells=60, n_peaks=300)


@pytest.fixture(scope="module")
def adata(study):
    adata = study.adata.copy()
    sk.pp.filter_peaks(adata, min_fraction=0.01)
    sk.tl.match_motifs(adata, study.motifs, sequences=study.sequences, compat=True, scores=True)
    return adata


def test_the_three_are_available():
    assert sk.r.available("chromVAR", "motifmatchr", "scABC")
    table = sk.r.status_table().set_index("component")
    assert table.version[["chromVAR", "motifmatchr", "scABC"]].tolist() == ["0.0.1"] * 3
    assert table.note[["chromVAR", "motifmatchr", "scABC"]].tolist() == [""] * 3


def test_match_motifs(adata, study):
    options = {"sequences": study.sequences, "scores": True, "copy": True}
    through_r = sk.tl.match_motifs(adata, study.motifs, engine="r", **options)
    assert adata.varm["motifs"].nnz > 20
    for key in ("motifs", "motifs_counts"):
        assert (adata.varm[key] != through_r.varm[key]).nnz == 0
    assert abs(adata.varm["motifs_scores"] - through_r.varm["motifs_scores"]).max() < 1e-12
    native, theirs = (found.uns["motifs"] for found in (adata, through_r))
    np.testing.assert_allclose(native["thresholds"], theirs["thresholds"], rtol=1e-12)
    assert set(native) == set(theirs)


def test_chromvar(adata):
    native = sk.tl.chromvar(adata, r_seed=3, n_background=10, n_bootstrap=20, copy=True)
    theirs = sk.tl.chromvar(adata, r_seed=3, n_background=10, n_bootstrap=20, engine="r", copy=True)
    np.testing.assert_array_equal(native.varm["chromvar_background"], theirs.varm["chromvar_background"])
    for name in ("deviations", "z"):
        one, other = native.obsm[f"chromvar_{name}"], theirs.obsm[f"chromvar_{name}"]
        pd.testing.assert_frame_equal(one, other, atol=1e-9, rtol=1e-9)
    one, other = (found.uns["chromvar"]["variability"] for found in (native, theirs))
    assert list(one.columns) == list(other.columns)
    exact = [name for name in one.columns if not name.startswith("bootstrap")]
    pd.testing.assert_frame_equal(one[exact], other[exact], rtol=1e-9)
    bounds = other[["bootstrap_lower_bound", "bootstrap_upper_bound"]].dropna()
    assert (bounds.iloc[:, 0] <= bounds.iloc[:, 1]).all()


def test_scabc(adata):
    part = adata[:, np.argsort(-np.asarray(adata.X.sum(axis=0)).ravel())[:40]].copy()
    native = sk.tl.scabc(part, "cell_type", compat=True, n_top=5, copy=True)
    theirs = sk.tl.scabc(part, "cell_type", engine="r", n_top=5, copy=True)
    for key in ("scabc_pvalues", "scabc_padj", "scabc_beta"):
        pd.testing.assert_frame_equal(native.varm[key], theirs.varm[key], atol=1e-9, rtol=1e-9)
    pd.testing.assert_frame_equal(native.uns["scabc"]["top"], theirs.uns["scabc"]["top"], atol=1e-9, rtol=1e-9)
    assert set(native.uns["scabc"]) == set(theirs.uns["scabc"])


def test_errors_of_the_packages_carry_their_calls(adata):
    counts = np.asarray(adata.X[:, :30].toarray())
    counts[:, 4] = 0
    with pytest.raises(sk.r.RError, match="singular") as caught:
        sk.r.scabc(counts, np.ones(len(counts)), adata.obs["cell_type"])
    assert any("getbetaMAP" in frame for frame in caught.value.r_traceback)
    assert "scABC" in caught.value.session_info


@pytest.mark.slow
def test_the_notebook():
    nbclient = pytest.importorskip("nbclient", reason="nbclient (extra test) is not installed")
    import nbformat

    path = Path(__file__).parents[2] / "notebooks" / "07_motifs_in_r.ipynb"
    if not path.is_file():
        pytest.skip("notebooks are not part of an installed package")
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    outputs = [output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", [])]
    text = "".join(outputs)
    assert "hits identical: True" in text
    assert "skipped" not in text
