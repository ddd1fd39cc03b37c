"""Results that are sparse layers (of the baselines) are read by blocks in every scale."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pytest
from scipy import sparse

import sccase_kit as sk
from sccase_kit.enhance import minmax_scale
from sccase_kit.get.thin import dense_matrix


@pytest.fixture(scope="module", params=["knn", "tfidf"])
def fitted(request):
    adata = sk.datasets.toy_study(n_cells=70, n_peaks=200).adata
    sk.pp.filter_peaks(adata)
    if request.param == "knn":  # a peak that is open in every cell of the result
        counts = adata.X.tolil()
        counts[::2, 0] = 3
        adata.X = counts.tocsr()
    sk.tl.enhance(adata, method=request.param)
    assert sparse.issparse(adata.layers["sccase"])
    return adata


SCALES = [None, "minmax", "accessibility", "counts"]


@pytest.mark.parametrize("scale", SCALES)
def test_blocks_are_those_of_the_dense_result(fitted, scale):
    dense = fitted.copy()
    dense.layers["sccase"] = fitted.layers["sccase"].toarray()
    rows, cols = [3, 0, 41], slice(0, 90)
    expected = sk.get.enhanced(dense, scale=scale)
    found = sk.get.enhanced(fitted, obs_names=rows, var_names=cols, scale=scale)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected[rows][:, cols], rtol=1e-5, atol=1e-6)
    if scale == "minmax":
        np.testing.assert_allclose(expected, minmax_scale(dense.layers["sccase"]), atol=1e-6)


@pytest.mark.parametrize("scale", SCALES)
def test_the_whole_is_written(fitted, tmp_path, scale):
    sk.io.write_enhanced(fitted, tmp_path / "e.h5ad", scale=scale)
    np.testing.assert_allclose(ad.read_h5ad(tmp_path / "e.h5ad").X, sk.get.enhanced(fitted, scale=scale), rtol=1e-6)


def test_the_similarity_gives_the_result(fitted):
    tfidf = sk.metrics.raw_tfidf(fitted).toarray()
    z = sk.get.similarity(fitted)
    np.testing.assert_allclose(z.T @ tfidf, sk.get.enhanced(fitted), atol=1e-6)
    np.testing.assert_allclose(z.sum(axis=0), 1, rtol=1e-5)
    np.testing.assert_array_equal(sk.get.similarity(fitted, obs_names=[2], to=slice(0, 5)), z[[2]][:, :5])


def test_a_subset_says_what_it_lacks(fitted):
    part = fitted[:, :50].copy()
    np.testing.assert_array_equal(sk.get.enhanced(part), sk.get.enhanced(fitted)[:, :50])
    for slot in ("obsm", "varm"):
        getattr(part, slot).pop("sccase_range", None)
    with pytest.raises(ValueError, match="were not computed before adata was cut"):
        sk.get.enhanced(part, scale="minmax")
    with pytest.raises(KeyError, match="a method without thin factors"):
        sk.get.factors(fitted)


def test_it_is_clustered_and_evaluated_as_others(fitted):
    sk.tl.cluster(fitted, 5)
    assert fitted.obs["louvain"].nunique() == 5
    assert sk.metrics.evaluate(fitted, "cell_type", n_clusters=5)["ari"] >= 0


def test_what_needs_the_whole_gets_it_dense(fitted):
    whole = dense_matrix(fitted, "sccase", None)
    assert isinstance(whole, np.ndarray)
    np.testing.assert_array_equal(whole, fitted.layers["sccase"].toarray())
