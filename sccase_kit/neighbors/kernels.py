"""Compiled inner loops of the neighbour search."""

from __future__ import annotations

import numba
import numpy as np

_GROUPS = 64  # of every row, whose minima tell below what the smallest entries lie
_RUN = 32  # entries that are passed over together
_HALVINGS = 6


@numba.njit(cache=True, nogil=True)
def _bound(row, k, minima):
    """Return a number that k entries of a row at least are not above, and few more.

    Each of the k smallest minima of groups of its entries is one; a number near to the largest of them is found by
    halving.
    """
    infinite, half = row.dtype.type(np.inf), row.dtype.type(0.5)
    if k > _GROUPS or len(row) < 2 * _GROUPS:
        return infinite
    minima[:] = infinite
    for low in range(0, len(row) - _GROUPS + 1, _GROUPS):
        part = row[low : low + _GROUPS]
        for j in range(_GROUPS):
            minima[j] = part[j] if part[j] < minima[j] else minima[j]
    low, high = infinite, -infinite
    for m in minima:
        low, high = (m if -infinite < m < low else low), (m if m > high else high)
    if not low <= high < infinite:
        return high
    for _ in range(_HALVINGS):
        middle, n = half * (low + high), np.int32(0)
        for j in range(_GROUPS):
            n += np.int32(1) if minima[j] <= middle else np.int32(0)
        low, high = (low, middle) if n >= k else (middle, high)
    return high


@numba.njit(cache=True, nogil=True)
def smallest_per_row(values: np.ndarray, indices: np.ndarray, smallest: np.ndarray) -> None:
    """Write the positions and values of the smallest entries of every row, ascending, ties by position.

    Parameters
    ----------
    values
        Array of shape (rows, n).
    indices, smallest
        Outputs of shape (rows, k), k ≤ n.
    """
    k, minima = indices.shape[1], np.empty(_GROUPS, values.dtype)
    for i in range(values.shape[0]):
        best, where, row = smallest[i], indices[i], values[i]
        best[:] = np.inf
        bound = _bound(row, k, minima)
        for low in range(0, len(row), _RUN):
            part = row[low : low + _RUN]
            n_above = np.int32(0)
            for j in range(len(part)):
                n_above += np.int32(1) if part[j] > bound else np.int32(0)
            if n_above == len(part):
                continue
            for j in range(len(part)):
                v = part[j]
                if v > bound or v >= best[k - 1]:
                    continue
                t = k - 1
                while t > 0 and best[t - 1] > v:
                    best[t], where[t] = best[t - 1], where[t - 1]
                    t -= 1
                best[t], where[t] = v, low + j


@numba.njit(cache=True, nogil=True)
def nearest_candidates(
    queries: np.ndarray,
    points: np.ndarray,
    rows: np.ndarray,
    own: np.ndarray,
    candidates: np.ndarray,
    indices: np.ndarray,
    distances: np.ndarray,
) -> None:
    """Write the nearest of some candidates, itself first, then by Euclidean distance, computed in double, and position.

    Parameters
    ----------
    queries, points
        Arrays of shape (·, d), float32 or float64.
    rows
        The queries that are looked at.
    own
        Position of every query among the points, or −1.
    candidates
        Positions among the points, (rows × c).
    indices, distances
        Outputs, (queries × k), k ≤ c, of which the rows looked at are written.
    """
    n_candidates, k = candidates.shape[1], indices.shape[1]
    key, exact, where = np.empty(n_candidates), np.empty(n_candidates), np.empty(n_candidates, np.int64)
    for i in range(len(rows)):
        query, itself = queries[rows[i]], own[rows[i]]
        for c in range(n_candidates):
            p = candidates[i, c]
            point, total = points[p], 0.0
            for t in range(len(query)):
                total += (np.float64(query[t]) - np.float64(point[t])) ** 2
            distance = np.sqrt(total)
            first = -1.0 if p == itself else distance
            t = c
            while t > 0 and (key[t - 1] > first or (key[t - 1] == first and where[t - 1] > p)):
                key[t], exact[t], where[t] = key[t - 1], exact[t - 1], where[t - 1]
                t -= 1
            key[t], exact[t], where[t] = first, distance, p
        for c in range(k):
            indices[rows[i], c], distances[rows[i], c] = where[c], exact[c]
