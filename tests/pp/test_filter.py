"""Filters and binarisation against dense counting, in every storage."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import sccase_kit as sk


def dense_of(adata, layer=None):
    matrix = adata.X if layer is None else adata.layers[layer]
    return matrix.toarray() if sparse.issparse(matrix) else np.asarray(matrix)


@pytest.mark.parametrize("by", ["cells", "counts"])
@pytest.mark.parametrize("min_fraction", [0.0, 0.01, 0.3, 0.5])
def test_filter_peaks_counts_like_a_dense_loop(adata, stored, by, min_fraction):
    dense = adata.X.toarray()
    support = [(c > 0).sum() if by == "cells" else c.sum() for c in dense.T]
    expected = [n for n, s in zip(adata.var_names, support, strict=True) if s > 0 and s >= min_fraction * 30]
    result = sk.pp.filter_peaks(stored, min_fraction=min_fraction, by=by, copy=True)
    assert list(result.var_names) == expected
    np.testing.assert_array_equal(
        np.asarray(sparse.csr_matrix(result.to_memory().X).todense()), adata[:, expected].X.toarray()
    )
    assert stored.shape == (30, 12)


def test_filter_peaks_in_place_keeps_what_is_aligned(adata):
    assert sk.pp.filter_peaks(adata, min_fraction=0.3) is None
    assert adata.n_vars < 12
    assert adata.layers["double"].shape == adata.shape
    assert adata.obsm["X_pca"].shape == (30, 2)


def test_filter_peaks_reads_the_layer(adata):
    adata.X = sparse.csr_matrix(adata.shape, dtype=np.int32)
    assert sk.pp.filter_peaks(adata, layer="double", copy=True).n_vars == 12


@given(n_open=st.integers(1, 200), extra=st.integers(0, 400))
@settings(max_examples=100, deadline=None)
def test_a_peak_exactly_at_the_threshold_stays(n_open, extra):
    n = n_open + extra
    counts = np.zeros((n, 2))
    counts[:n_open] = 1
    adata = ad.AnnData(sparse.csr_matrix(counts))
    for by in ("cells", "counts"):
        assert sk.pp.filter_peaks(adata, min_fraction=n_open / n, by=by, copy=True).n_vars == 2
        if extra:
            with pytest.raises(ValueError, match="keeps no peak of 2"):
                sk.pp.filter_peaks(adata, min_fraction=(n_open + 0.5) / n, by=by, copy=True)


@pytest.mark.parametrize(("n_rare", "hint"), [(30, True), (9, False)])
def test_a_lower_limit_is_named_where_most_peaks_are_left_out(caplog, n_rare, hint):
    """10 peaks open in all of 1,000 cells, others in one cell, which is a tenth of 1 %."""
    counts = np.zeros((1000, 10 + n_rare), dtype=int)
    counts[:, :10] = 1
    counts[0] = 1
    adata = ad.AnnData(sparse.csr_matrix(counts))
    with caplog.at_level("INFO", logger="sccase_kit"):
        sk.pp.filter_peaks(adata)
    assert f"filter_peaks: kept 10 of {10 + n_rare} peaks" in caplog.text
    assert (f"(min_fraction=0.001 keeps {10 + n_rare}: more genes" in caplog.text) == hint


def test_seven_of_a_hundred_cells_are_seven_percent():
    counts = np.zeros((100, 1))
    counts[:7] = 1
    assert 0.07 * 100 > 7  # the trap
    assert sk.pp.filter_peaks(ad.AnnData(counts), min_fraction=0.07, copy=True).n_vars == 1


@pytest.mark.parametrize(("min_peaks", "min_counts"), [(1, 0), (0, 0), (5, 0), (0, 8), (4, 7.5)])
def test_filter_cells_counts_like_a_dense_loop(adata, stored, min_peaks, min_counts):
    dense = adata.X.toarray()
    keep = [(row > 0).sum() >= min_peaks and row.sum() >= min_counts for row in dense]
    result = sk.pp.filter_cells(stored, min_peaks=min_peaks, min_counts=min_counts, copy=True)
    assert list(result.obs_names) == list(adata.obs_names[keep])


def test_filter_cells_in_place(adata):
    assert sk.pp.filter_cells(adata, min_peaks=2) is None
    assert "cell4" not in adata.obs_names


def test_results_do_not_depend_on_block_size(adata):
    whole = [sk.pp.filter_peaks(adata, min_fraction=0.4, copy=True), sk.pp.filter_cells(adata, min_peaks=5, copy=True)]
    with sk.settings.override(block_bytes=100):
        parts = [
            sk.pp.filter_peaks(adata, min_fraction=0.4, copy=True),
            sk.pp.filter_cells(adata, min_peaks=5, copy=True),
        ]
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(a.X.toarray(), b.X.toarray())


def test_binarize(adata, stored, unchanged):
    expected = (adata.X.toarray() > 0).astype(int)
    check = None if stored.isbacked else unchanged(stored)
    result = sk.pp.binarize(stored, copy=True)
    np.testing.assert_array_equal(dense_of(result), expected)
    assert result.X.nnz == expected.sum()
    assert result.X.dtype == stored.X.dtype
    if check:
        check()


def test_binarize_in_place_and_layers(adata):
    before = adata.X.toarray()
    assert sk.pp.binarize(adata, layer="double") is None
    np.testing.assert_array_equal(adata.layers["double"].toarray(), before > 0)
    np.testing.assert_array_equal(adata.X.toarray(), before)


def test_entries_stored_twice_are_one_count():
    twice = sparse.csr_matrix((np.ones(3), np.array([1, 1, 0]), np.array([0, 2, 3])), shape=(2, 3))
    adata = ad.AnnData(twice)
    np.testing.assert_array_equal(sk.pp.binarize(adata, copy=True).X.toarray(), [[0, 1, 0], [1, 0, 0]])
    with pytest.raises(ValueError, match="1 open peaks and 2 counts"):
        sk.pp.filter_cells(adata, min_peaks=2, copy=True)


FUNCTIONS = [
    sk.pp.filter_cells,
    sk.pp.binarize,
    sk.pp.filter_peaks,
    lambda adata, **kw: sk.pp.filter_peaks(adata, by="counts", **kw),
]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("value", "message"), [(-1.0, "negative"), (np.nan, "NaN or infinite"), (np.inf, "NaN or infinite")]
)
def test_bad_counts_are_named_and_nothing_changes(adata, function, value, message):
    adata.X = adata.X.astype(np.float64)
    adata.X.data[5] = value
    before = adata.X.copy()
    with pytest.raises(ValueError, match=message):
        function(adata)
    assert adata.shape == (30, 12)
    np.testing.assert_array_equal(adata.X.data, before.data)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_backed_data_are_not_cut_in_place(adata, tmp_path, function):
    adata.write_h5ad(tmp_path / "a.h5ad")
    backed = ad.read_h5ad(tmp_path / "a.h5ad", backed="r")
    with pytest.raises(ValueError, match="copy=True"):
        function(backed)
    backed.file.close()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_wrong_inputs_are_named(adata, function):
    with pytest.raises(TypeError, match=r"got str .*sccase_kit\.read\(path\)"):
        function("counts.h5ad")
    with pytest.raises(KeyError, match=r"layer='raw' is not in adata.layers; available: \['double'\]"):
        function(adata, layer="raw")
    del adata.X
    with pytest.raises(ValueError, match=r"adata.X is None; pass layer= with one of \['double'\]"):
        function(adata)


BAD = [
    (sk.pp.filter_peaks, {"min_fraction": 1.5}, ValueError, "min_fraction must be at most 1"),
    (sk.pp.filter_peaks, {"min_fraction": -0.1}, ValueError, "min_fraction must be at least 0"),
    (sk.pp.filter_peaks, {"min_fraction": "1%"}, TypeError, "min_fraction must be a number, got '1%'"),
    (sk.pp.filter_peaks, {"min_fraction": True}, TypeError, "min_fraction must be a number"),
    (sk.pp.filter_peaks, {"by": "count"}, ValueError, "by must be one of .* Did you mean 'counts'"),
    (sk.pp.filter_peaks, {"min_fraction": 1.0}, ValueError, "keeps no peak of 12: the most open has cells = "),
    (sk.pp.filter_cells, {"min_peaks": 2.5}, TypeError, "min_peaks must be an integer, got 2.5"),
    (sk.pp.filter_cells, {"min_peaks": -1}, ValueError, "min_peaks must be at least 0"),
    (sk.pp.filter_cells, {"min_counts": float("nan")}, ValueError, "min_counts must be finite"),
    (sk.pp.filter_cells, {"min_counts": 1e6}, ValueError, "keep no cell of 30: the largest have"),
]


@pytest.mark.parametrize(("function", "arguments", "error", "message"), BAD)
def test_bad_arguments_are_named(adata, function, arguments, error, message):
    with pytest.raises(error, match=message):
        function(adata, **arguments)
    assert adata.shape == (30, 12)


def test_no_cells_and_no_peaks():
    with pytest.raises(ValueError, match="keeps no peak of 0"):
        sk.pp.filter_peaks(ad.AnnData(sparse.csr_matrix((4, 0))))
    with pytest.raises(ValueError, match="keep no cell of 0"):
        sk.pp.filter_cells(ad.AnnData(sparse.csr_matrix((0, 4))))
    with pytest.raises(ValueError, match="keeps no peak of 3"):
        sk.pp.filter_peaks(ad.AnnData(sparse.csr_matrix((4, 3))), min_fraction=0)
