"""Held-out scores kept with the data, and read again."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import sccase_kit as sk
from sccase_kit._record import recorded


@pytest.fixture
def study():
    """90 cells of two types, 120 peaks."""
    rng = np.random.default_rng(0)
    open_in = np.where(np.arange(120) % 2 == np.array([[0], [1]]), 0.4, 0.1)
    x = rng.random((90, 120)) < open_in[np.arange(90) % 2]
    return ad.AnnData(sparse.csr_matrix(x.astype(np.int32)))


def halves(adata):
    member = np.eye(2)[np.arange(adata.n_obs) % 2]
    return member, (adata.X > 0).T @ member + 0.1


def broken(adata):
    raise RuntimeError("no memory")


@pytest.mark.parametrize("stored", [False, True])
def test_what_was_stored_is_read_again(study, tmp_path, stored):
    methods = {"halves": halves, "broken": broken}
    result = sk.metrics.held_out(
        study, methods, n_splits=2, n_boot=10, on_error="record", rng=np.random.default_rng(3), key_added="judged"
    )
    adata = study
    if stored:
        study.write_h5ad(tmp_path / "a.h5ad")
        adata = ad.read_h5ad(tmp_path / "a.h5ad")
    again = sk.metrics.stored_held_out(adata, "judged")
    pd.testing.assert_frame_equal(again.table, result.table, check_names=False)
    columns = ["split", "method", "gain", "slope", "seconds"]
    pd.testing.assert_frame_equal(again.splits[columns], result.splits[columns], check_index_type=False)
    counts = ("n_cells", "n_peaks", "n_hidden", "share")
    assert [getattr(again, name) for name in counts] == [getattr(result, name) for name in counts]
    assert sk.metrics.held_out_verdict(again, "halves") == sk.metrics.held_out_verdict(result, "halves")
    made = recorded(adata.uns["judged"])
    assert (made.function, made.params["n_splits"], made.objects) == ("metrics.held_out", 2, ("methods",))
    assert made.params["rng"] == "default_rng(3)"


def test_nothing_is_stored_unasked_and_other_results_stay(study):
    sk.metrics.held_out(study, {"halves": halves}, n_splits=1, n_boot=5)
    assert not study.uns
    with pytest.raises(KeyError, match=r"run sccase_kit\.metrics.held_out first"):
        sk.metrics.stored_held_out(study)
    sk.tl.enhance(study, method="tfidf")
    with pytest.raises(ValueError, match=r"holds the result of sccase_kit.tl.enhance"):
        sk.metrics.held_out(study, {"halves": halves}, key_added="sccase")


@pytest.mark.parametrize(
    ("slope", "said"),
    [
        (1.0, "differences between cells have the right size (slope 1.00)."),
        (
            1.5,
            "come out too small: in the hidden fragments they are 1.50 times as large, so read which cells have more",
        ),
        (0.5, "come out too large: in the hidden fragments they are 0.50 times as large, so small ones may be noise."),
    ],
)
def test_what_a_slope_means_is_said(slope, said):
    table = pd.DataFrame({"gain": [0.1], "se": [0.01], "slope": [slope], "error": [""]}, index=["robust"])
    result = sk.metrics.HeldOut(table, pd.DataFrame(), 10, 20, 1000, 0.3)
    assert said in sk.metrics.held_out_verdict(result)[0]
