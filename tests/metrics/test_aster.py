from __future__ import annotations

import numpy as np
import pytest

from sccase_kit.matrix.operator import ScaledOperator
from sccase_kit.metrics.aster import embeddings, estimate, find_knee


def test_knee_of_a_hyperbola_and_of_a_kink():
    x = np.arange(1, 11)
    assert find_knee(x, 1 / x) == 3
    assert find_knee(x, np.maximum(10 - 3 * x, 1)) == 3


def test_no_knee():
    x = np.arange(3, 15)
    assert find_knee(x, -x.astype(float)) is None
    assert find_knee(x, np.ones(12)) is None
    assert find_knee([1, 2], [2, 1]) is None


# first x, y, and what kneed 0.8 returned for S=1, curve="convex", direction="decreasing"
KNEED = [
    (2, [0.275, 0.244, 0.361, 0.183, 0.177, 0.058, -0.014, 0.171, 0.114], 2),
    (2, [0.53, 0.367, 0.277, 0.229, 0.183, 0.172, 0.146, 0.12, 0.126], 4),
    (2, [0.792, 0.745, 0.633, 0.598, 0.564, 0.567, 0.492, 0.535, 0.489], 4),
    (2, [0.851, 0.766, 0.711, 0.685, 0.647, 0.629, 0.605, 0.594, 0.574], 6),
    (2, [0.76, 0.46, 0.418, 0.527, 0.481, 0.302, 0.209, 0.309, 0.142], 3),
    (2, [0.707, 0.695, 0.76, 0.772, 0.581, 0.672, 0.408, 0.629, 0.706], 2),
    (2, [0.63, 0.452, 0.383, 0.332, 0.31, 0.242, 0.233], None),
    (2, [0.634, 0.528, 0.413, 0.302, 0.242, 0.162, 0.157], None),
]


@pytest.mark.parametrize(("start", "y", "knee"), KNEED)
def test_noisy_curves_as_kneed(start, y, knee):
    assert find_knee(np.arange(start, start + len(y)), y) == knee


def test_embeddings_are_the_components_of_the_two_weightings():
    from sklearn.decomposition import PCA

    rng = np.random.default_rng(0)
    counts = rng.poisson(rng.random((3, 120))[rng.integers(0, 3, 80)])
    counts[7] = 0
    n_open = (counts > 0).sum(axis=0)
    op = ScaledOperator(counts, binary=True)
    first, second, keep = embeddings(op, n_open, min_fraction=0.3, n_components=4, rng=rng)
    assert keep.sum() == 79
    x = (counts[keep] > 0)[:, n_open >= 24].astype(float)
    df = x.sum(axis=0)
    unit = x * np.log(79 / df)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    frequency = x / x.sum(axis=1, keepdims=True) * np.log(1 + 79 / df)
    for ours, weighted in ((first, unit), (second, frequency)):
        expected = PCA(4, svd_solver="full").fit_transform(weighted)
        np.testing.assert_allclose(np.abs(ours), np.abs(expected), atol=2e-5 * np.abs(expected).max())


@pytest.fixture
def blobs():
    rng = np.random.default_rng(0)
    return rng.normal(scale=5, size=(6, 10))[np.repeat(np.arange(6), 40)] + rng.normal(size=(240, 10))


def test_planted_number(blobs):
    result = estimate(blobs, blobs, range(2, 13))
    assert result.silhouette == 6
    assert abs(result.davies_bouldin - 6) <= 1
    assert abs(result.n_types - 6) <= 1
    assert list(result.curves.index) == list(range(2, 13))


def test_curves_equal_scikit_learn(blobs):
    from sklearn.cluster import KMeans
    from sklearn.metrics import davies_bouldin_score

    result = estimate(blobs, blobs + 1, [4, 5], n_draws_before=7, seed=3)
    stream = np.random.RandomState(3)
    stream.random_sample(7)
    for k in (4, 5):
        model = KMeans(k, n_init=1, random_state=stream).fit(blobs + 1)
        assert result.curves.loc[k, "davies_bouldin"] == pytest.approx(davies_bouldin_score(blobs + 1, model.labels_))
