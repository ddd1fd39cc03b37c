"""Compiled inner loops; imported where they run, so that importing the package compiles nothing."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def hals_rows(factor: np.ndarray, product: np.ndarray, gram: np.ndarray, n_sweeps: int) -> None:
    """Coordinate sweeps of ‖X − factor · otherᵀ‖² over the columns, row by row, in place (rows are independent)."""
    k = factor.shape[1]
    for i in range(factor.shape[0]):
        row = factor[i]
        for _ in range(n_sweeps):
            for j in range(k):
                diagonal = gram[j, j]
                if diagonal <= 0:
                    row[j] = 0
                    continue
                total = product[i, j]
                column = gram[j]
                for t in range(k):
                    total -= row[t] * column[t]
                row[j] = max(row[j] + total / diagonal, 0)


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
