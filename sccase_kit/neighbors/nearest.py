"""Neighbour graph of the cells with UMAP's edge weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from .._arguments import Generator, Numbers, Whole, checked
from ..matrix.rows import row_slices
from .lists import MANY, Found, listed_candidates

EXACT_BELOW = 40_000
GRAPHS_EXACT_BELOW = 10_000  # for the mean of several graphs, which single neighbours matter less to
_SPARE = 8  # candidates beyond those wanted, against rounding


def nearest_neighbors(
    embedding: np.ndarray,
    n_neighbors: int,
    *,
    exact_below: int = EXACT_BELOW,
) -> tuple[np.ndarray, np.ndarray]:
    """Return indices and Euclidean distances of the nearest cells, both (n_obs, n_neighbors), itself first.

    Parameters
    ----------
    embedding
        Array of shape (n_obs, d).
    n_neighbors
        Neighbours per cell, itself included.
    exact_below
        Cells up to which the search is exact, :data:`EXACT_BELOW` at most. Above them it is by parts
        (:mod:`sccase_kit.neighbors.lists`, with some .95 of the neighbours).
    """
    n = embedding.shape[0]
    return _neighbors(embedding, embedding, np.arange(n), n_neighbors, by_parts=n > min(exact_below, EXACT_BELOW))


def nearest_of_batches(embedding: np.ndarray, codes: np.ndarray, n_neighbors: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest cells of every batch, each batch as many as its share of the cells, by distance.

    Batch-balanced neighbours (Polański et al., Bioinformatics 36, 2020), with at least three of a batch.

    Parameters
    ----------
    embedding
        Array of shape (n_obs, d).
    codes
        Integer batch codes 0..B−1, shape (n_obs,).
    n_neighbors
        Neighbours per cell in all, itself included.

    Returns
    -------
    Indices and Euclidean distances, both (n_obs, about n_neighbors), the cell itself first.
    """
    n = len(embedding)
    found = []
    for members in (np.flatnonzero(codes == batch) for batch in range(int(codes.max()) + 1)):
        k = min(len(members), max(3, round(n_neighbors * len(members) / n)))
        own = np.full(n, -1)
        own[members] = np.arange(len(members))
        near, distances = _neighbors(embedding, embedding[members], own, k, by_parts=n > EXACT_BELOW)
        found.append((members[near], distances))
    indices, distances = (np.hstack(parts) for parts in zip(*found, strict=True))
    itself = indices == np.arange(n)[:, None]
    order = np.argsort(np.where(itself, -1, distances), axis=1, kind="stable")
    return np.take_along_axis(indices, order, axis=1), np.take_along_axis(distances, order, axis=1)


def _neighbors(
    queries: np.ndarray, points: np.ndarray, own: np.ndarray, n_neighbors: int, *, by_parts: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return positions in `points` and distances for every query; `own` is a query's own position there, or −1.

    Candidates, a few more than wanted, come from products in single precision; their distances are computed in double.
    """
    from .kernels import nearest_candidates

    x, y = _real(queries), _real(points)
    centre = y.mean(axis=0, dtype=np.float64)
    right = _centred(y, centre)
    left = right if queries is points else _centred(x, centre)
    shape = len(x), min(len(y), n_neighbors)
    indices = np.empty(shape, dtype=np.int32 if len(x) > MANY else np.int64)
    distances = np.empty(shape, dtype=np.float32 if len(x) > MANY else np.float64)

    def found(rows: Any, candidates: np.ndarray) -> None:
        positions = np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows
        nearest_candidates(x, y, positions, own, candidates, indices, distances)

    find = listed_candidates if by_parts else _all_candidates
    find(left, right, own, min(len(y), n_neighbors + _SPARE), found)
    return indices, distances


def _real(values: np.ndarray) -> np.ndarray:
    """Return an array of many points in float32 as it is, others in float64."""
    return np.ascontiguousarray(values, dtype=None if len(values) > MANY and values.dtype == np.float32 else np.float64)


def _centred(values: np.ndarray, centre: np.ndarray) -> np.ndarray:
    out = np.empty(values.shape, dtype=np.float32)
    for rows in row_slices(len(values), 100_000):
        out[rows] = values[rows] - centre
    return out


def _all_candidates(queries: np.ndarray, points: np.ndarray, own: np.ndarray, n_candidates: int, found: Found) -> None:
    """Find the nearest points from a comparison with all; see :func:`listed_candidates`."""
    from .kernels import smallest_per_row

    n, m = len(queries), len(points)
    turned = -2 * points.T
    squares = np.einsum("ij,ij->j", turned, turned) / 4
    rows = max(1, min(n, 2**22 // max(m, 1)))
    buffer, near = np.empty((rows, m), dtype=np.float32), np.empty((rows, n_candidates))
    for start in range(0, n, rows):
        chunk = slice(start, min(n, start + rows))
        size = chunk.stop - start
        d = np.matmul(queries[chunk], turned, out=buffer[:size])
        d += squares  # the query's own square changes nothing in the order
        known = np.flatnonzero(own[chunk] >= 0)
        d[known, own[start + known]] = -np.inf  # itself first, also among duplicates
        candidates = np.empty((size, n_candidates), dtype=np.int64)
        smallest_per_row(d, candidates, near[:size])
        found(chunk, candidates)


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


@checked(embedding=Numbers("cells dimensions", empty=False, finite=True), n_neighbors=Whole(1), rng=Generator())
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
        Nothing is drawn any more.

    Returns
    -------
    CSR matrix of shape (n_obs, n_obs), float weights as in UMAP, zero on the diagonal.
    """
    n_neighbors = max(2, min(n_neighbors, embedding.shape[0]))
    return fuzzy_weights(*nearest_neighbors(embedding, n_neighbors))
