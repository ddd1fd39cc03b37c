"""Compiled inner loops of the neighbour search."""

from __future__ import annotations

import numba
import numpy as np


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
    k = indices.shape[1]
    for i in range(values.shape[0]):
        best, where = smallest[i], indices[i]
        best[:] = np.inf
        for j in range(values.shape[1]):
            v = values[i, j]
            if v >= best[k - 1]:
                continue
            t = k - 1
            while t > 0 and best[t - 1] > v:
                best[t], where[t] = best[t - 1], where[t - 1]
                t -= 1
            best[t], where[t] = v, j


@numba.njit(cache=True, nogil=True)
def distances_to(queries: np.ndarray, points: np.ndarray, indices: np.ndarray, distances: np.ndarray) -> None:
    """Write the Euclidean distances of every query to some points.

    Parameters
    ----------
    queries, points
        Arrays of shape (·, d), float32 or float64.
    indices, distances
        Positions among the points, and the output, (queries × k).
    """
    for i in range(len(indices)):
        for c in range(indices.shape[1]):
            point, total = points[indices[i, c]], 0.0
            for t in range(queries.shape[1]):
                total += (np.float64(queries[i, t]) - np.float64(point[t])) ** 2
            distances[i, c] = np.sqrt(total)
