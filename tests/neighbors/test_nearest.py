from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from sccase_kit.metrics import neighbor_graph
from sccase_kit.neighbors import lists as lists_module
from sccase_kit.neighbors import nearest as graph_module


@pytest.fixture
def points():
    rng = np.random.default_rng(0)
    return rng.normal(size=(150, 6)) + rng.integers(0, 3, 150)[:, None]


def test_neighbors_equal_scikit_learn(points):
    distances, indices = NearestNeighbors(n_neighbors=10).fit(points).kneighbors(points)
    ours, our_distances = graph_module.nearest_neighbors(points, 10)
    np.testing.assert_array_equal(ours, indices)
    np.testing.assert_allclose(our_distances, distances, atol=1e-6)


def test_duplicated_cells_come_first_themselves():
    points = np.repeat(np.random.default_rng(0).normal(size=(5, 3)), 4, axis=0)
    indices, distances = graph_module.nearest_neighbors(points, 6)
    np.testing.assert_array_equal(indices[:, 0], np.arange(20))
    assert np.isfinite(neighbor_graph(points, 6).data).all()
    assert (distances[:, :4] < 1e-6).all()


def reference_weights(distances, indices):
    """UMAP's fuzzy simplicial set, edge by edge."""
    n, k = indices.shape
    weights = np.zeros((n, n))
    for i in range(n):
        rho = distances[i][distances[i] > 0].min()
        low, high = 0.0, 1e4
        for _ in range(200):
            sigma = (low + high) / 2
            total = sum(np.exp(-max(0, d - rho) / sigma) for d in distances[i, 1:])
            low, high = (low, sigma) if total > np.log2(k) else (sigma, high)
        for j, d in zip(indices[i, 1:], distances[i, 1:], strict=True):
            weights[i, j] = np.exp(-max(0, d - rho) / sigma)
    return weights + weights.T - weights * weights.T


def test_weights_equal_a_slow_reference(points):
    indices, distances = graph_module.nearest_neighbors(points, 12)
    ours = neighbor_graph(points, 12).toarray()
    np.testing.assert_allclose(ours, reference_weights(distances, indices), atol=1e-6)
    np.testing.assert_allclose(ours, ours.T)
    assert (np.diag(ours) == 0).all()


@pytest.fixture
def many(monkeypatch):
    """Search as among more points than most data have."""
    monkeypatch.setattr(graph_module, "EXACT_BELOW", 10)
    for module, name, value in ((graph_module, "MANY", 100), (lists_module, "MANY", 100), (lists_module, "PART", 8)):
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(lists_module, "CANDIDATES", 60)


def test_a_search_among_many_finds_nearly_the_same(points, many, monkeypatch):
    monkeypatch.setattr(graph_module, "EXACT_BELOW", 1000)
    exact = neighbor_graph(points, 10)
    monkeypatch.setattr(graph_module, "EXACT_BELOW", 10)
    approximate = neighbor_graph(points, 10)
    shared = (exact > 0).multiply(approximate > 0).nnz
    assert shared > 0.95 * exact.nnz


def test_neighbors_of_batches_equal_a_search_in_every_batch(points):
    codes = np.random.default_rng(1).choice(3, size=150, p=[0.6, 0.3, 0.1])
    indices, distances = graph_module.nearest_of_batches(points, codes, 15)
    shares = [max(3, round(15 * (codes == b).sum() / 150)) for b in range(3)]
    assert indices.shape == distances.shape == (150, sum(shares))
    np.testing.assert_array_equal(indices[:, 0], np.arange(150))
    for i in range(150):
        for batch, k in enumerate(shares):
            members = np.flatnonzero(codes == batch)
            d = np.linalg.norm(points[members] - points[i], axis=1)
            assert set(indices[i][codes[indices[i]] == batch]) == set(members[np.argsort(d)[:k]])
    np.testing.assert_allclose(distances, np.linalg.norm(points[indices] - points[:, None], axis=2), atol=1e-6)
    assert (np.diff(distances[:, 1:], axis=1) >= 0).all()


def test_a_batch_of_one_cell_gives_that_cell(points):
    codes = np.zeros(150, dtype=int)
    codes[7] = 1
    indices, _ = graph_module.nearest_of_batches(points, codes, 15)
    assert (indices == 7).sum(axis=1).tolist() == [1] * 150


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_search_among_many_in_batches_finds_nearly_the_same(points, many, monkeypatch, dtype):
    codes, points = np.arange(150) % 2, points.astype(dtype)
    monkeypatch.setattr(graph_module, "EXACT_BELOW", 1000)
    exact, _ = graph_module.nearest_of_batches(points, codes, 10)
    monkeypatch.setattr(graph_module, "EXACT_BELOW", 10)
    near, distances = graph_module.nearest_of_batches(points, codes, 10)
    assert distances.dtype == np.float32
    np.testing.assert_array_equal(near[:, 0], np.arange(150))
    assert np.mean([len(set(a) & set(b)) for a, b in zip(exact, near, strict=True)]) > 0.95 * exact.shape[1]
    np.testing.assert_allclose(distances, np.linalg.norm(points[near] - points[:, None], axis=2), atol=1e-4)


def test_between_the_sizes_cells_are_searched_in_parts(monkeypatch):
    """Alone and in batches: most neighbours of the exact search, itself first, and the same whenever it runs."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(4200, 8))
    codes = np.arange(len(points)) % 2
    exact = graph_module.nearest_neighbors(points, 10)[0], graph_module.nearest_of_batches(points, codes, 10)[0]
    monkeypatch.setattr(graph_module, "EXACT_BELOW", 1000)
    monkeypatch.setattr(lists_module, "CANDIDATES", 1200)

    def parts():
        return graph_module.nearest_neighbors(points, 10)[0], graph_module.nearest_of_batches(points, codes, 10)[0]

    for whole, found, again in zip(exact, parts(), parts(), strict=True):
        np.testing.assert_array_equal(found, again)
        np.testing.assert_array_equal(found[:, 0], np.arange(len(points)))
        shared = np.mean([len(set(a) & set(b)) for a, b in zip(whole, found, strict=True)]) / whole.shape[1]
        assert 0.8 < shared < 1
