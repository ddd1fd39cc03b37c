from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from scipy.stats import chisquare
from sklearn.metrics import silhouette_samples as sklearn_silhouette

from sccase_kit.metrics import batch_asw, kbet

needs_scib = pytest.mark.skipif(
    importlib.util.find_spec("scib_metrics") is None,
    reason="scib-metrics is not installed: pip install 'sccase_kit[bench]'",
)


@pytest.fixture
def mixed():
    rng = np.random.default_rng(0)
    labels, batches = rng.integers(0, 3, 240), rng.choice(["x", "y", "z"], 240, p=[0.5, 0.3, 0.2])
    points = rng.normal(size=(240, 5)) + 3 * labels[:, None]
    points[(batches == "y") & (labels == 0)] += 1.5
    return points, labels, batches


def test_kbet_equals_a_loop_over_cells(mixed):
    points, _, batches = mixed
    accepted = 0
    names, counts = np.unique(batches, return_counts=True)
    for point in points:
        near = np.argsort(((points - point) ** 2).sum(axis=1), kind="stable")[:30]
        observed = [(batches[near] == name).sum() for name in names]
        accepted += chisquare(observed, 30 * counts / len(points)).pvalue >= 0.05
    assert kbet(points, batches, n_neighbors=30) == pytest.approx(accepted / len(points))


def test_batch_asw_equals_its_definition(mixed):
    points, labels, batches = mixed
    expected = np.mean(
        [(1 - abs(sklearn_silhouette(points[labels == t], batches[labels == t]))).mean() for t in range(3)]
    )
    assert batch_asw(points, labels, batches) == pytest.approx(expected)


def test_mixed_and_separated_batches():
    rng = np.random.default_rng(0)
    points, batches = rng.normal(size=(400, 4)), np.tile(["x", "y"], 200)
    shifted = points + 20 * (batches == "x")[:, None]
    labels = np.zeros(400)
    assert kbet(points, batches) > 0.85
    assert kbet(shifted, batches) == 0
    assert batch_asw(points, labels, batches) > 0.95
    assert batch_asw(shifted, labels, batches) < 0.2


@needs_scib
@pytest.mark.filterwarnings("ignore")
def test_equal_to_scib_metrics(mixed):
    import scib_metrics
    from scib_metrics.nearest_neighbors import NeighborsResults
    from sklearn.neighbors import NearestNeighbors

    points, labels, batches = mixed
    codes = np.unique(batches, return_inverse=True)[1]
    distances, indices = NearestNeighbors(n_neighbors=30).fit(points).kneighbors(points)
    theirs = scib_metrics.kbet(NeighborsResults(indices=indices, distances=distances), codes)[0]
    assert kbet(points, batches, n_neighbors=30) == pytest.approx(float(theirs), abs=1e-6)
    theirs = scib_metrics.silhouette_batch(points, labels, codes)
    assert batch_asw(points, labels, batches) == pytest.approx(float(theirs), abs=1e-4)


def test_errors(mixed):
    points, labels, _ = mixed
    with pytest.raises(ValueError, match="at least 2 are needed"):
        kbet(points, np.zeros(240))
    with pytest.raises(ValueError, match="no label has cells of two batches"):
        batch_asw(points, labels, labels)
