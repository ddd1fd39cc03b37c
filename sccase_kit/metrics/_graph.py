"""Neighbour graph of the cells with UMAP's edge weights."""

from __future__ import annotations

import numpy as np
from scipy import sparse

EXACT_BELOW = 40_000


def nearest_neighbors(
    embedding: np.ndarray, n_neighbors: int, *, rng: np.random.Generator | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return indices and Euclidean distances of the nearest cells, both (n_obs, n_neighbors), itself first.

    Exact below :data:`EXACT_BELOW` cells, by pynndescent's approximate search above (with `rng`).
    """
    n = embedding.shape[0]
    data = np.ascontiguousarray(embedding, dtype=np.float32)
    if n <= EXACT_BELOW:
        return _exact_neighbors(embedding, n_neighbors)
    from pynndescent import NNDescent

    seed = int((rng or np.random.default_rng(0)).integers(2**31))
    indices, distances = NNDescent(data, n_neighbors=n_neighbors, random_state=seed).neighbor_graph
    return indices, distances.astype(np.float64)


def _exact_neighbors(embedding: np.ndarray, n_neighbors: int) -> tuple[np.ndarray, np.ndarray]:
    from ..enhance._kernels import smallest_per_row

    x = np.asarray(embedding, dtype=np.float64)
    n = len(x)
    squares = np.einsum("ij,ij->i", x, x)
    indices = np.empty((n, n_neighbors), dtype=np.int64)
    distances = np.empty((n, n_neighbors))
    rows = max(1, min(n, 2**22 // max(n, 1)))
    turned = -2 * x.T
    buffer = np.empty((rows, n))
    for start in range(0, n, rows):
        stop = min(n, start + rows)
        d = np.matmul(x[start:stop], turned, out=buffer[: stop - start])
        d += squares  # the row's own square changes nothing in the order
        d[np.arange(stop - start), np.arange(start, stop)] = -np.inf  # itself first, also among duplicates
        smallest_per_row(d, indices[start:stop], distances[start:stop])
    distances += squares[:, None]
    return indices, np.sqrt(np.maximum(distances, 0))


def fuzzy_weights(indices: np.ndarray, distances: np.ndarray, *, n_iter: int = 64) -> sparse.csr_matrix:
    r"""Return UMAP's symmetric edge weights (the fuzzy simplicial set).

    The weight of cell i's edge to j is :math:`\exp(-\max(0, d_{ij} - \rho_i) / \sigma_i)` with :math:`\rho_i` the
    smallest positive distance and :math:`\sigma_i` such that the weights of a cell sum to :math:`\log_2` of the
    number of neighbours; the two directions are joined by :math:`a + b - ab`.

    Parameters
    ----------
    indices, distances
        Arrays of shape (n_obs, n_neighbors), the cell itself first.
    n_iter
        Bisection steps for the widths.
    """
    n, k = indices.shape
    target = np.log2(k)
    positive = np.where(distances > 0, distances, np.inf).min(axis=1)
    rho = np.where(np.isfinite(positive), positive, 0.0)
    excess = np.maximum(distances[:, 1:] - rho[:, None], 0)
    low, high, sigma = np.zeros(n), np.full(n, np.inf), np.ones(n)
    for _ in range(n_iter):
        total = np.exp(-excess / sigma[:, None]).sum(axis=1)
        too_wide = total > target
        high = np.where(too_wide, sigma, high)
        low = np.where(too_wide, low, sigma)
        sigma = np.where(np.isinf(high), 2 * sigma, (low + np.where(np.isinf(high), sigma, high)) / 2)
    floor = np.where(rho > 0, distances.mean(axis=1), distances.mean())
    sigma = np.maximum(sigma, 1e-3 * floor)
    weights = np.exp(-excess / np.maximum(sigma, np.finfo(float).tiny)[:, None])
    graph = sparse.csr_matrix((weights.ravel(), (np.repeat(np.arange(n), k - 1), indices[:, 1:].ravel())), shape=(n, n))
    other = graph.T.tocsr()
    return (graph + other - graph.multiply(other)).tocsr()


def neighbor_graph(
    embedding: np.ndarray, n_neighbors: int = 15, *, rng: np.random.Generator | None = None
) -> sparse.csr_matrix:
    """Return the weighted neighbour graph of an embedding, CSR of shape (n_obs, n_obs), symmetric.

    Parameters
    ----------
    embedding
        Array of shape (n_obs, d).
    n_neighbors
        Neighbours per cell, the cell itself included (as in :func:`scanpy.pp.neighbors`); at most n_obs.
    rng
        Used by the approximate search of large data only.

    Returns
    -------
    CSR matrix of shape (n_obs, n_obs), float weights as in UMAP, zero on the diagonal.
    """
    n_neighbors = max(2, min(n_neighbors, embedding.shape[0]))
    return fuzzy_weights(*nearest_neighbors(embedding, n_neighbors, rng=rng))
