"""TF-IDF variants against the formulas written out on dense arrays."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import sccase_kit as sk

VARIANTS = ["sccase", "paper", "signac", "log"]


def reference(dense, variant):
    """Value by value, straight from the formulas; empty cells and peaks are 0."""
    n, m = dense.shape
    out = np.zeros((n, m))
    for i in range(n):
        for j in range(m):
            c, d = float(dense[i, j]), float(dense[i].sum())
            open_cells, total = int((dense[:, j] > 0).sum()), float(dense[:, j].sum())
            if c == 0:
                continue
            if variant == "sccase":
                out[i, j] = c * np.log(n / open_cells)
            elif variant == "paper":
                out[i, j] = c / d * np.log(n / total)
            elif variant == "signac":
                out[i, j] = np.log(1 + c / d * n / total * 1e4)
            else:
                out[i, j] = np.log(1 + c / d * 1e4) * np.log(1 + n / open_cells)
        if variant == "sccase" and np.linalg.norm(out[i]) > 0:
            out[i] /= np.linalg.norm(out[i])
    return out


@pytest.mark.parametrize("variant", VARIANTS)
def test_tfidf_equals_the_formula_in_every_storage(adata, stored, variant):
    result = sk.pp.tfidf(stored, variant=variant, copy=True)
    layer = result.layers["tfidf"]
    assert isinstance(layer, sparse.csr_matrix)
    assert layer.dtype == np.float32
    np.testing.assert_allclose(layer.toarray(), reference(adata.X.toarray(), variant), rtol=2e-6, atol=1e-7)
    assert result.uns["tfidf"]["params"] == {"variant": variant}
    assert "tfidf" not in stored.layers


@given(
    n=st.integers(1, 12),
    m=st.integers(1, 10),
    density=st.floats(0, 1),
    seed=st.integers(0, 10**6),
    variant=st.sampled_from(VARIANTS),
)
@settings(max_examples=150, deadline=None)
def test_any_counts(n, m, density, seed, variant):
    rng = np.random.default_rng(seed)
    dense = (rng.random((n, m)) < density) * rng.integers(1, 9, (n, m))
    dense[:, 0] = 1
    dense[0] = np.maximum(dense[0], 1)
    scaling = sk.pp.tfidf_scaling(sparse.csr_matrix(dense), variant)
    values = scaling.apply(dense, dtype=np.float64).toarray()
    np.testing.assert_allclose(values, reference(dense, variant), rtol=1e-10, atol=1e-14)
    if variant in {"sccase", "paper"}:  # pure scalings
        np.testing.assert_allclose(values, np.diag(scaling.row_scale) @ dense @ np.diag(scaling.col_scale), atol=1e-14)


@pytest.mark.parametrize("variant", VARIANTS)
def test_empty_cells_warn_and_empty_peaks_stay_zero(adata, variant):
    counts = adata.X.tolil()
    counts[2], counts[7], counts[:, 3] = 0, 0, 0
    adata.X = sparse.csr_matrix(counts)
    with pytest.warns(UserWarning, match="2 of 30 cells have no counts; their TF-IDF is 0"):
        sk.pp.tfidf(adata, variant=variant)
    values = adata.layers["tfidf"].toarray()
    np.testing.assert_allclose(values, reference(adata.X.toarray(), variant), rtol=2e-6, atol=1e-7)
    assert not values[[2, 7]].any()
    assert not values[:, 3].any()


def test_the_enhancer_and_the_variant_agree(adata):
    op = sk.enhance.prepare(adata.X, dtype=np.float64).op
    np.testing.assert_allclose(
        op.matmul(np.eye(adata.n_vars)), sk.pp.tfidf_scaling(adata.X).apply(adata.X, dtype=np.float64).toarray()
    )


def test_layers_keys_and_copies(adata, unchanged):
    check = unchanged(adata)
    result = sk.pp.tfidf(adata, variant="signac", layer="double", key_added="signac", copy=True)
    check()
    np.testing.assert_allclose(
        result.layers["signac"].toarray(), reference(2 * adata.X.toarray(), "signac"), rtol=2e-6, atol=1e-7
    )
    assert result.uns["signac"]["params"]["layer"] == "double"
    assert sk.pp.tfidf(adata) is None
    assert [name for name in adata.layers if name is not None] == ["double", "tfidf"]


def test_entries_stored_twice_are_one_count():
    twice = sparse.csr_matrix(
        (np.array([1.0, 2.0, 1.0, 3.0]), np.array([1, 1, 0, 1]), np.array([0, 2, 4])), shape=(2, 2)
    )
    result = sk.pp.tfidf(ad.AnnData(twice), variant="log", copy=True)
    np.testing.assert_allclose(
        result.layers["tfidf"].toarray(), reference(np.array([[0, 3], [1, 3]]), "log"), rtol=1e-6
    )


def test_scalings_of_another_matrix_are_refused(adata):
    with pytest.raises(ValueError, match=r"counts have shape \(30, 5\), this TF-IDF is for \(30, 12\)"):
        sk.pp.tfidf_scaling(adata.X).apply(adata.X[:, :5])


@pytest.mark.parametrize(
    ("value", "message"), [(-2.0, "negative"), (np.nan, "NaN or infinite"), (-np.inf, "NaN or infinite")]
)
def test_bad_counts_are_named_and_nothing_is_written(adata, value, message):
    adata.X = adata.X.astype(np.float64)
    adata.X.data[0] = value
    with pytest.raises(ValueError, match=message):
        sk.pp.tfidf(adata)
    assert [name for name in adata.layers if name is not None] == ["double"]


def test_bad_arguments_are_named(adata):
    with pytest.raises(ValueError, match=r"variant must be one of .*got 'signal'\. Did you mean 'signac'"):
        sk.pp.tfidf(adata, variant="signal")
    with pytest.raises(KeyError, match=r"layer='counts' is not in adata\.layers"):
        sk.pp.tfidf(adata, layer="counts")
    with pytest.raises(TypeError, match="adata must be an AnnData"):
        sk.pp.tfidf(adata.X)
    adata.X = adata.X.toarray().astype(str)
    with pytest.raises(TypeError, match="must be numeric"):
        sk.pp.tfidf(adata)
