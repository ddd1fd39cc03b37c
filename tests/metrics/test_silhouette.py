from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.metrics import silhouette_samples as sklearn_silhouette

from sccase_kit.metrics import silhouette, silhouette_samples


def test_factors_equal_scikit_learn_on_the_product(thin):
    cells, peaks, labels = thin
    expected = sklearn_silhouette(cells @ peaks.T, labels, metric="correlation")
    np.testing.assert_allclose(silhouette_samples(labels, cells, peaks), expected, atol=1e-10)
    assert silhouette(labels, cells, peaks) == pytest.approx(expected.mean())


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array])
def test_matrices_equal_scikit_learn(container):
    x = sparse.random(60, 110, 0.1, random_state=0).toarray()
    labels = np.random.default_rng(0).integers(0, 4, 60).astype(str)
    expected = sklearn_silhouette(x, labels, metric="correlation")
    np.testing.assert_allclose(silhouette_samples(labels, container(x)), expected, atol=1e-10)


@settings(max_examples=40, deadline=None)
@given(st.integers(5, 25), st.integers(2, 5), st.integers(0, 10_000))
def test_any_sizes(n, n_groups, seed):
    rng = np.random.default_rng(seed)
    x, labels = rng.random((n, 12)), np.r_[np.arange(n_groups), rng.integers(0, n_groups, n)][:n]
    if len(np.unique(labels)) < 2 or len(np.unique(labels)) == n:
        return
    expected = sklearn_silhouette(x, labels, metric="correlation")
    np.testing.assert_allclose(silhouette_samples(labels, x), expected, atol=1e-9)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_constant_cells_have_distance_one_to_all_others(container):
    x = np.random.default_rng(0).random((8, 20))
    x[[2, 5]] = 0
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    distance = 1 - np.nan_to_num(np.corrcoef(np.where(x.any(axis=1, keepdims=True), x, np.arange(20))))
    distance[[2, 5], :], distance[:, [2, 5]] = 1, 1
    np.fill_diagonal(distance, 0)
    expected = sklearn_silhouette(distance, labels, metric="precomputed")
    np.testing.assert_allclose(silhouette_samples(labels, container(x)), expected, atol=1e-10)


def test_scaling_cells_changes_nothing(thin):
    cells, peaks, labels = thin
    factors = np.random.default_rng(0).random((60, 1)) + 0.1
    np.testing.assert_allclose(
        silhouette_samples(labels, cells * factors, peaks), silhouette_samples(labels, cells, peaks)
    )


def test_bad_labels(thin):
    cells, peaks, labels = thin
    with pytest.raises(ValueError, match=r"labels must have one value per cell \(60\), got 59"):
        silhouette(labels[:-1], cells, peaks)
    with pytest.raises(ValueError, match="at least 2 are needed"):
        silhouette(np.zeros(60), cells, peaks)
    with pytest.raises(ValueError, match="labels: 1 of 60 cells have no label"):
        silhouette([None, *labels[1:]], cells, peaks)


@pytest.mark.parametrize(
    ("cells", "peaks", "match"),
    [
        (list("aab"), None, "cell_factors must be a matrix of numbers .* got list"),
        (np.ones(3), None, r"cell_factors must have shape .* got \(3,\)"),
        (np.ones((3, 2)), np.ones(2), r"peak_factors must have shape .* got \(2,\)"),
        (np.ones((3, 2)), np.ones((5, 4)), "cell_factors and peak_factors have 2 and 4 columns"),
    ],
)
def test_arrays_that_do_not_fit(cells, peaks, match):
    with pytest.raises((TypeError, ValueError), match=match):
        silhouette(list("aab"), cells, peaks)
