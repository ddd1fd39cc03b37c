"""Compiled loop over the columns of counts; imported where it runs."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True, error_model="numpy")
def add_outer_products(
    indptr: np.ndarray, indices: np.ndarray, values: np.ndarray, weights: np.ndarray, out: np.ndarray
) -> None:
    """Add Σ_j weights_j · c_j c_jᵀ over the columns c_j of CSC counts to the lower triangle of `out`.

    Parameters
    ----------
    indptr, indices, values
        The columns, with sorted rows.
    weights
        One per column.
    out
        Output, (rows × rows), float64.
    """
    column, rows = np.empty(len(out)), np.empty(len(out), np.int64)  # a column is turned into these numbers once
    for j in range(len(indptr) - 1):
        if weights[j] == 0:
            continue
        start, n = indptr[j], indptr[j + 1] - indptr[j]
        for p in range(n):
            column[p], rows[p] = values[start + p], indices[start + p]
        for p in range(n):
            row, scaled = out[rows[p]], weights[j] * column[p]
            for q in range(p + 1):
                row[rows[q]] += scaled * column[q]
