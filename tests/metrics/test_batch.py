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


def test_kbet_inside_labels_equals_a_loop_over_its_cells(mixed):
    points, labels, batches = mixed
    points, labels, batches = points[:150], labels[:150].copy(), batches[:150]
    labels[:9] = 3  # too few cells to judge
    labels[(labels == 2) & (batches == "x")] = 4  # one batch only
    rates = []
    for label in range(3):
        own = points[labels == label]
        names, counts = np.unique(batches[labels == label], return_counts=True)
        k = max(10, int(np.mean(counts) // 4))
        accepted = 0
        for point in own:
            near = np.argsort(((own - point) ** 2).sum(axis=1), kind="stable")[:k]
            observed = [(batches[labels == label][near] == name).sum() for name in names]
            accepted += chisquare(observed, k * counts / len(own)).pvalue >= 0.05
        rates.append(accepted / len(own))
    assert kbet(points, batches, labels=labels) == pytest.approx(np.mean(rates))
    assert kbet(points, batches, labels=np.full(150, "one"), n_neighbors=12) == kbet(points, batches, n_neighbors=12)


def test_noise_that_mixes_types_of_unequal_batches_raises_only_the_plain_rate():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 300)
    batches = rng.random(600) < np.where(labels == 0, 0.8, 0.2)
    noise = rng.normal(size=(600, 3))
    apart = noise + 50 * labels[:, None]
    assert kbet(noise, batches) > 0.8 > 0.3 > kbet(apart, batches)
    assert kbet(apart, batches, labels=labels) > 0.9


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
    with pytest.raises(ValueError, match="no label has 10 cells or more of two batches"):
        kbet(points, labels, labels=labels)
    with pytest.raises(ValueError, match="no label has cells of two batches"):
        batch_asw(points, labels, labels)
