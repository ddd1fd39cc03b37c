"""Landmarks of scABC against the R package, scipy's rank correlation and exhaustive k-medoids."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import sparse, stats

from sccase_kit.motifs.landmarks import assign_landmarks, cell_weights, scabc_landmarks, spearman, weighted_k_medoids


@pytest.mark.parametrize("k", [2, 4])
def test_equals_r(golden, k):
    data = np.load(golden / "r" / "scabc_testData_true2.npz")
    counts = sparse.csc_matrix((data["FG_data"], data["FG_indices"], data["FG_indptr"]), shape=data["FG_shape"]).T
    ref = np.load(golden / "r" / f"scabc_landmarks_K{k}.npz")
    result = scabc_landmarks(counts, k, depth=ref["background_medians"], n_top=300, slope=1)
    np.testing.assert_allclose(result.weights, ref["weights"], rtol=1e-12)
    np.testing.assert_array_equal(result.medoids[result.clusters] + 1, ref["medoid_index"])
    np.testing.assert_array_equal(result.landmarks.T, ref["landmarks"])
    np.testing.assert_array_equal(result.assignments + 1, ref["assignments"])
    if ref["dist"].size:
        np.testing.assert_allclose(1 - spearman(counts, counts), ref["dist"], atol=1e-6)


def test_spearman_equals_scipy():
    rng = np.random.default_rng(0)
    a, b = rng.poisson(0.7, (8, 40)), rng.poisson(3.0, (5, 40)) + 1
    expected = np.array([[stats.spearmanr(x, y).statistic for y in b] for x in a])
    np.testing.assert_allclose(spearman(sparse.csr_matrix(a), b), expected, atol=1e-13)


@pytest.mark.parametrize("row", [np.zeros(37), np.full(37, 3)])
def test_constant_rows_have_no_correlation(row):
    other = np.random.default_rng(1).poisson(1.0, (3, 37))
    assert np.isnan(spearman(row[None], other)).all()
    landmarks = np.abs(other) + 1.0
    assert assign_landmarks(np.vstack([row, landmarks]), landmarks).tolist() == [-1, 0, 1, 2]


@pytest.mark.parametrize("seed", range(6))
def test_k_medoids_on_separated_points_is_the_optimum(seed):
    rng = np.random.default_rng(seed)
    points = np.vstack([rng.normal(centre, 0.3, (6, 2)) for centre in ((0, 0), (5, 0), (0, 5))])
    points = points[rng.permutation(len(points))]
    weights = rng.uniform(0.1, 1, len(points))
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    best = min(combinations(range(len(points)), 3), key=lambda m: weights @ distances[:, m].min(axis=1))
    np.testing.assert_array_equal(weighted_k_medoids(distances, 3, weights=weights), best)


def test_k_medoids_stops_where_no_swap_helps():
    rng = np.random.default_rng(9)
    points, weights = rng.normal(size=(40, 3)), rng.uniform(size=40)
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    medoids = weighted_k_medoids(distances, 4, weights=weights)
    cost = weights @ distances[:, medoids].min(axis=1)
    for slot in range(4):
        for other in range(40):
            swapped = medoids.copy()
            swapped[slot] = other
            assert weights @ distances[:, swapped].min(axis=1) >= cost - 1e-12


def test_weights_and_errors():
    np.testing.assert_allclose(cell_weights([8, 8, 100], slope=1), [0.5, 0.5, 1 / (1 + np.exp(-92 / 8))])
    assert cell_weights([1e6, 1.0, 1e6])[1] < 1e-3
    with pytest.raises(ValueError, match="positive median"):
        cell_weights([0, 0, 1])
    counts = np.random.default_rng(0).poisson(1.0, (10, 30))
    with pytest.raises(ValueError, match="n_clusters must be at most 10"):
        scabc_landmarks(counts, 11)
    with pytest.raises(ValueError, match="depth must have one value per cell"):
        scabc_landmarks(counts, 2, depth=np.ones(9))
    counts[3] = 0
    with pytest.raises(ValueError, match=r"same count in every peak, at positions \[3\]"):
        scabc_landmarks(counts, 2)
    with pytest.raises(ValueError, match="landmarks must have shape"):
        assign_landmarks(counts, np.ones((2, 5)))


def test_keeps_all_peaks_when_n_top_is_large():
    counts = np.random.default_rng(4).poisson(1.0, (20, 30))
    result = scabc_landmarks(counts, 3, n_top=10**6)
    np.testing.assert_array_equal(result.landmarks.sum(axis=0), counts.sum(axis=0))
