"""Louvain and Leiden with a search of the resolution that gives a wanted number of clusters."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from scipy import sparse

from .._arguments import Generator, Numbers, checked
from .._rng import check_rng
from .._validate import check_choice, check_int
from .nearest import neighbor_graph

METHODS = ("louvain", "leiden")
MAX_RESOLUTION = 1e4
_IGRAPH_LOCK = threading.Lock()


@dataclass(frozen=True)
class Clustering:
    """Clusters of the cells.

    Attributes
    ----------
    labels
        Integer array of shape (n_obs,), 0 for the largest cluster.
    n_clusters
        Number of clusters found.
    resolution
        Resolution that gave them.
    reached
        Whether the wanted number of clusters was found.
    trace
        (resolution, number of clusters) of every trial.
    """

    labels: np.ndarray
    n_clusters: int
    resolution: float
    reached: bool = True
    trace: tuple[tuple[float, int], ...] = field(default=(), repr=False)


@contextmanager
def _igraph_seed(seed: int) -> Iterator[None]:
    """Give igraph its own seeded generator for a while; its default (Python's `random`) is put back."""
    import igraph

    with _IGRAPH_LOCK:
        igraph.set_random_number_generator(random.Random(seed))
        try:
            yield
        finally:
            igraph.set_random_number_generator(random)


def _by_size(labels: np.ndarray) -> np.ndarray:
    sizes = np.bincount(labels)
    rank = np.empty_like(sizes)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    return rank[labels]


class CommunitySearch:
    """One neighbour graph, prepared once and partitioned at many resolutions.

    Parameters
    ----------
    graph
        Symmetric weighted graph of shape (n_obs, n_obs).
    seed
        Every partition starts from this seed, so a resolution always gives the same clusters.
    """

    def __init__(self, graph: sparse.spmatrix, seed: int = 0) -> None:
        import igraph

        upper = sparse.triu(graph, k=1).tocoo()
        edges = np.column_stack([upper.row, upper.col])
        self._graph = igraph.Graph(n=graph.shape[0], edges=edges, directed=False)
        self._weights = upper.data.tolist()
        self.seed = seed
        self.n_islands = int(sparse.csgraph.connected_components(graph, directed=False)[0])

    def partition(self, method: str, resolution: float, *, seed: int | None = None) -> np.ndarray:
        """Return the clusters at a resolution, integer array of shape (n_obs,)."""
        with _igraph_seed(self.seed if seed is None else seed):
            if method == "louvain":
                found = self._graph.community_multilevel(weights=self._weights, resolution=resolution)
            else:
                found = self._graph.community_leiden(
                    objective_function="modularity", weights=self._weights, resolution=resolution, n_iterations=2
                )
        return np.asarray(found.membership)

    def at(self, resolution: float, method: str) -> Clustering:
        """Return the clusters at a resolution."""
        labels = self.partition(method, resolution)
        n_clusters = int(labels.max()) + 1
        return Clustering(_by_size(labels), n_clusters, resolution, trace=((resolution, n_clusters),))

    def search(
        self,
        n_clusters: int,
        method: str,
        *,
        max_steps: int = 30,
        precision: float = 1e-6,
        n_retries: int = 10,
        cached: dict[float, np.ndarray] | None = None,
        on_trial: Callable[[float, int], None] | None = None,
    ) -> Clustering:
        """Return the clusters with the number nearest to `n_clusters`, by bisection of the resolution.

        The interval starts at [0, 3] and its upper end doubles until it gives enough clusters. The number of clusters
        is not exactly monotone in the resolution; the search stops at the first resolution that gives the number, and
        otherwise tries other seeds at the two ends of the last interval. Fewer clusters than the graph has components
        are never found: one that gives a cluster for each ends the search as well.

        Parameters
        ----------
        n_clusters
            Wanted number.
        method
            One of :data:`METHODS`.
        max_steps
            Bisection steps.
        precision
            Width of the interval, relative to its upper end, at which the bisection gives up.
        n_retries
            Other seeds tried where the bisection did not reach the number.
        cached
            Partitions by resolution, read and filled: searches for several numbers share their trials and start
            from the narrowest interval known.
        on_trial
            Called with the resolution and the number of clusters after every trial.
        """
        cached = {} if cached is None else cached
        fewest = max(n_clusters, self.n_islands)
        trace: list[tuple[float, int]] = []
        tried: list[tuple[int, float, np.ndarray]] = []

        def trial(resolution: float, seed: int | None = None) -> int:
            if seed is None and resolution in cached:
                labels = cached[resolution]
            else:
                labels = self.partition(method, resolution, seed=seed)
                if seed is None:
                    cached[resolution] = labels
            found = int(labels.max()) + 1
            trace.append((resolution, found))
            tried.append((found, resolution, labels))
            if on_trial is not None:
                on_trial(resolution, found)
            return found

        def best() -> tuple[int, float, np.ndarray]:
            return min(tried, key=lambda one: abs(one[0] - n_clusters))

        counts = sorted((resolution, int(labels.max()) + 1) for resolution, labels in cached.items())
        high = min((r for r, found in counts if found >= n_clusters), default=3.0)
        while trial(high) < n_clusters and high < MAX_RESOLUTION:
            high = 2 * high
        low = max((r for r, found in counts if found <= n_clusters and r < high), default=0.0)
        if low > 0:
            trial(low)
        for _ in range(max_steps):
            if best()[0] == fewest or high - low < precision * high:
                break
            middle = (low + high) / 2
            found = trial(middle)
            low, high = (low, middle) if found > n_clusters else (middle, high)
        for extra in range(1, n_retries + 1):
            if best()[0] == fewest:
                break
            for resolution in (low, high):
                trial(resolution, seed=self.seed + extra)
        found, resolution, labels = best()
        return Clustering(_by_size(labels), found, resolution, found == n_clusters, tuple(trace))


def community_search(
    embedding: np.ndarray, n_neighbors: int = 15, *, rng: int | np.random.Generator | None = 0
) -> CommunitySearch:
    """Return the search on the neighbour graph of an embedding, the two with seeds of one generator."""
    generator = check_rng(rng)
    graph = neighbor_graph(embedding, n_neighbors, rng=generator)
    return CommunitySearch(graph, seed=int(generator.integers(2**31)))


@checked(embedding=Numbers("cells dimensions", empty=False, finite=True), rng=Generator(draw=False))
def cluster_to_k(
    embedding: np.ndarray,
    n_clusters: int,
    method: Literal["louvain", "leiden"] = "louvain",
    *,
    n_neighbors: int = 15,
    rng: int | np.random.Generator | None = 0,
    on_miss: Callable[[str], None] | None = None,
) -> Clustering:
    """Cluster cells into a given number of clusters: neighbour graph, then a search of the resolution.

    Parameters
    ----------
    embedding
        Array of shape (n_obs, d).
    n_clusters
        Wanted number of clusters.
    method
        Louvain or Leiden (modularity), both of igraph on UMAP's edge weights.
    n_neighbors
        Neighbours per cell, itself included.
    rng
        Seed or generator.
    on_miss
        Called with a message when the number could not be reached.

    Returns
    -------
    A :class:`Clustering`; its `reached` tells whether the number was found. The graph's connected components are a
    lower bound: a number below them is never reached.

    Raises
    ------
    ValueError
        If `n_clusters` is below 1 or above the number of cells, or the method is unknown.
    """
    check_choice(method, METHODS, name="method")
    n_clusters = check_int(n_clusters, name="n_clusters", minimum=1, maximum=embedding.shape[0])
    search = community_search(embedding, n_neighbors, rng=rng)
    found = search.search(n_clusters, method)
    if not found.reached and on_miss is not None:
        on_miss(explain_miss(found, n_clusters, method, search.n_islands))
    return found


def explain_miss(found: Clustering, n_clusters: int, method: str, n_islands: int) -> str:
    """Return the report of a search that did not reach its number."""
    reason = (
        f"the neighbour graph has {n_islands} connected components, and clusters never join components; "
        "raise n_neighbors"
        if n_islands > n_clusters
        else "no resolution tried gives it; another rng, n_neighbors or method may"
    )
    return (
        f"{method} did not reach n_clusters={n_clusters}; the nearest is {found.n_clusters} clusters at resolution "
        f"{found.resolution:.4g} after {len(found.trace)} trials: {reason}"
    )
