from __future__ import annotations

import random

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from sccase_kit.metrics import cluster_to_k, neighbor_graph
from sccase_kit.neighbors.communities import CommunitySearch


@pytest.fixture
def blobs():
    rng = np.random.default_rng(0)
    truth = np.repeat(np.arange(5), 40)
    return rng.normal(scale=6, size=(5, 8))[truth] + rng.normal(size=(200, 8)), truth


@pytest.mark.parametrize("method", ["louvain", "leiden"])
def test_planted_clusters_are_found(blobs, method):
    points, truth = blobs
    found = cluster_to_k(points, 5, method)
    assert found.reached
    assert found.n_clusters == 5
    assert adjusted_rand_score(truth, found.labels) > 0.95


@pytest.mark.parametrize("method", ["louvain", "leiden"])
@pytest.mark.parametrize("k", [7, 12, 40])
def test_more_clusters_than_planted(blobs, method, k):
    found = cluster_to_k(blobs[0], k, method)
    assert found.n_clusters == k == len(np.unique(found.labels))
    sizes = np.bincount(found.labels)
    assert (np.diff(sizes) <= 0).all()


def test_same_seed_same_clusters_and_the_global_generator_is_left_alone(blobs):
    random.seed(3)
    before = random.getstate()
    a = cluster_to_k(blobs[0], 9, rng=4).labels
    assert random.getstate() == before
    np.testing.assert_array_equal(a, cluster_to_k(blobs[0], 9, rng=4).labels)


def test_fewer_clusters_than_components_are_reported(blobs):
    messages = []
    far = np.vstack([blobs[0][:40] + 1000 * i for i in range(3)])
    found = cluster_to_k(far, 2, n_neighbors=5, on_miss=messages.append)
    assert not found.reached
    assert found.n_clusters >= 3
    assert "connected components" in messages[0]
    assert "n_clusters=2" in messages[0]


@pytest.mark.parametrize("method", ["louvain", "leiden"])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_components_end_a_search_for_fewer(blobs, method, k):
    """No resolution joins them, so that trying on, at 30 resolutions and with other seeds, is in vain."""
    truth = np.repeat(np.arange(3), 40)
    graph = neighbor_graph(np.vstack([blobs[0][:40] + 1000 * i for i in range(3)]), 15)
    search = CommunitySearch(graph)
    assert search.n_islands == 3
    cached = {}
    found = search.search(k, method, cached=cached)
    assert found.reached == (k == 3)
    assert found.n_clusters == 3
    assert adjusted_rand_score(truth, found.labels) == 1
    assert len(found.trace) < 8
    assert search.search(k, method, cached=cached).resolution == found.resolution
    assert all(len(np.unique(search.partition(method, r))) >= 3 for r in (1e-3, 1e-6))


def test_modularity_gains_of_the_partition_are_those_of_igraph(blobs):
    import igraph

    graph = neighbor_graph(blobs[0])
    labels = CommunitySearch(graph, seed=1).partition("louvain", 1.0)
    coo = graph.tocoo()
    own = igraph.Graph(n=200, edges=[(i, j) for i, j in zip(coo.row, coo.col, strict=True) if i < j])
    weights = [v for i, j, v in zip(coo.row, coo.col, coo.data, strict=True) if i < j]
    dense = graph.toarray()
    degree, total = dense.sum(axis=0), dense.sum()
    same = labels[:, None] == labels[None, :]
    expected = ((dense - np.outer(degree, degree) / total) * same).sum() / total
    assert own.modularity(labels.tolist(), weights=weights) == pytest.approx(expected)
    assert expected > 0.6


def test_bad_arguments(blobs):
    with pytest.raises(ValueError, match="n_clusters must be at most 200"):
        cluster_to_k(blobs[0], 201)
    with pytest.raises(TypeError, match="n_clusters must be an integer"):
        cluster_to_k(blobs[0], 3.5)
    with pytest.raises(ValueError, match="Did you mean 'leiden'"):
        cluster_to_k(blobs[0], 3, "Leiden")
