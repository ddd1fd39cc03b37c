"""Neighbours searched in the parts of a partition, against a comparison with all points."""

from __future__ import annotations

import numpy as np
import pytest

from sccase_kit.neighbors import lists
from sccase_kit.neighbors.nearest import nearest_neighbors


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(lists, "PART", 20)
    monkeypatch.setattr(lists, "CANDIDATES", 150)


def clustered(n=3000, d=8, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) + 4 * rng.integers(0, 2, (n, 3)) @ rng.normal(size=(3, d))


def found(ours, exact):
    return np.mean([len(np.intersect1d(a, b)) for a, b in zip(ours, exact, strict=True)]) / exact.shape[1]


def test_nearly_all_neighbours_are_found(small):
    points = clustered()
    exact, lengths = nearest_neighbors(points, 12)
    ours, distances = nearest_neighbors(points, 12, exact_below=100)
    np.testing.assert_array_equal(ours[:, 0], np.arange(3000))
    assert 0.9 < found(ours, exact) < 1
    same = (ours == exact).all(axis=1)
    np.testing.assert_allclose(distances[same], lengths[same])
    assert (np.diff(distances[:, 1:], axis=1) >= 0).all()


def test_all_parts_are_an_exact_search(small, monkeypatch):
    monkeypatch.setattr(lists, "CANDIDATES", 10_000)
    points = clustered()
    for one, other in zip(nearest_neighbors(points, 12), nearest_neighbors(points, 12, exact_below=100), strict=True):
        np.testing.assert_allclose(one, other)


def test_a_partition_holds_every_point_once_at_its_nearest_centre(small):
    points = clustered().astype(np.float32)
    found = lists.partition(points)
    np.testing.assert_array_equal(np.sort(found.order), np.arange(3000))
    assert 3000 / len(found.centres) == pytest.approx(lists.PART, rel=0.6)
    for part in range(len(found.centres)):
        members = found.order[found.bounds[part] : found.bounds[part + 1]]
        assert (found.part[members] == part).all()
    d = np.linalg.norm(points[:, None] - found.centres, axis=2)
    np.testing.assert_allclose(d[np.arange(3000), found.part], d.min(axis=1), rtol=1e-5)


def test_duplicates_come_first_themselves(small):
    points = np.repeat(np.random.default_rng(0).normal(size=(3, 4)), 200, axis=0)
    indices, distances = nearest_neighbors(points, 6, exact_below=10)
    np.testing.assert_array_equal(indices[:, 0], np.arange(600))
    np.testing.assert_allclose(distances, 0, atol=1e-6)


def test_queries_that_are_no_points_are_searched_too(small):
    points = clustered().astype(np.float32)
    points -= points.mean(axis=0)
    queries = points[:50] + np.float32(0.01)
    ours = np.empty((50, 10), dtype=int)
    lists.listed_candidates(queries, points, np.full(50, -1), 10, ours.__setitem__)
    wanted = np.argsort(np.linalg.norm(queries[:, None] - points, axis=2), axis=1)[:, :10]
    assert found(ours, wanted) > 0.9


def test_order_does_not_matter(small):
    points, order = clustered(), np.random.default_rng(5).permutation(3000)
    ours, _ = nearest_neighbors(points, 8, exact_below=100)
    moved, _ = nearest_neighbors(points[order], 8, exact_below=100)
    assert found(order[moved], ours[order]) > 0.99
