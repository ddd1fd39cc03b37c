from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from sccase_kit.metrics import Profiles, smoothing_scores


@pytest.fixture
def noisy():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [30, 20, 15])
    truth = rng.normal(size=(3, 400)) + rng.normal(size=400)
    return labels, truth[labels], truth[labels] + 2 * rng.normal(size=(65, 400))


def pair_means(x, labels):
    correlation = np.corrcoef(x)
    means = np.empty((3, 3))
    for c in range(3):
        for d in range(3):
            values = [
                correlation[i, j] for i in np.flatnonzero(labels == c) for j in np.flatnonzero(labels == d) if i != j
            ]
            means[c, d] = np.mean(values)
    return means


def test_against_loops_over_pairs(noisy):
    labels, truth, raw = noisy
    enhanced = 0.7 * truth + 0.1 * raw + 0.2 * truth.mean(axis=0)
    ours, base = pair_means(enhanced, labels), pair_means(raw, labels)
    within, raw_within = np.trace(ours) / 3, np.trace(base) / 3
    losses, room = [], []
    for c in range(3):
        for d in range(c):
            rho = ours[c, d] / np.sqrt(ours[c, c] * ours[d, d])
            raw_rho = base[c, d] / np.sqrt(base[c, c] * base[d, d])
            losses.append(max(0, rho - raw_rho))
            room.append(1 - raw_rho)
    found = smoothing_scores(labels, Profiles(enhanced), Profiles(raw))
    assert found["under"] == pytest.approx(1 - within)
    assert found["over"] == pytest.approx(np.mean(losses) / np.mean(room))
    assert found["smoothing"] == pytest.approx((within - raw_within) / (1 - raw_within))


def test_extremes(noisy):
    labels, truth, raw = noisy
    same = smoothing_scores(labels, Profiles(raw), Profiles(raw))
    assert same["smoothing"] == 0
    assert same["over"] == 0
    ideal = smoothing_scores(labels, Profiles(truth), Profiles(raw))
    assert ideal["smoothing"] == pytest.approx(1)
    assert ideal["under"] == pytest.approx(0, abs=1e-9)
    assert ideal["over"] < 0.1
    merged = smoothing_scores(labels, Profiles(np.tile(truth.mean(axis=0), (65, 1)) + 0.0), Profiles(raw))
    assert merged["over"] == pytest.approx(1)


def test_containers(noisy):
    labels, truth, raw = noisy
    counts = np.maximum(raw, 0)
    dense = smoothing_scores(labels, Profiles(truth), Profiles(counts))
    as_sparse = smoothing_scores(labels, Profiles(truth), Profiles(sparse.csr_matrix(counts)))
    np.testing.assert_allclose(dense, as_sparse)
