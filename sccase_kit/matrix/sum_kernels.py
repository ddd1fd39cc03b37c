"""Compiled sums over the stored counts of CSR rows, and the same counts by columns; imported where they run."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def count_rows(
    indptr: np.ndarray, indices: np.ndarray, values: np.ndarray, depth: np.ndarray, n_open: np.ndarray
) -> None:
    """Write the sum of every row, and add the rows with a nonzero value to every column.

    Parameters
    ----------
    indptr, indices, values
        CSR rows.
    depth
        Output, (rows,), float64.
    n_open
        Output, (columns,), int64, added to.
    """
    for i in range(len(indptr) - 1):
        total = 0.0
        for p in range(indptr[i], indptr[i + 1]):
            value = values[p]
            total += value
            n_open[indices[p]] += value != 0
        depth[i] = total


@numba.njit(cache=True, nogil=True)
def add_open(indices: np.ndarray, n_open: np.ndarray) -> None:
    """Add 1 to `n_open` (columns,), int64, for every index."""
    for p in range(len(indices)):
        n_open[indices[p]] += 1


@numba.njit(cache=True, nogil=True)
def squared_rows(
    indptr: np.ndarray, indices: np.ndarray, values: np.ndarray | None, weights: np.ndarray, out: np.ndarray
) -> None:
    """Write Σ_j weights_j · x_ij² of every row.

    Parameters
    ----------
    indptr, indices, values
        CSR rows; `values` None for ones.
    weights
        (columns,), float64.
    out
        Output, (rows,), float64.
    """
    for i in range(len(indptr) - 1):
        total = 0.0
        for p in range(indptr[i], indptr[i + 1]):
            if values is None:
                total += weights[indices[p]]
            else:
                total += weights[indices[p]] * np.float64(values[p]) ** 2
        out[i] = total


@numba.njit(cache=True, nogil=True)
def turn_rows(
    indptr: np.ndarray,
    indices: np.ndarray,
    values: np.ndarray,
    places: np.ndarray,
    rows: np.ndarray,
    turned: np.ndarray,
) -> None:
    """Write the counts of CSR rows by columns, each with its rows in ascending order.

    Parameters
    ----------
    indptr, indices, values
        CSR rows.
    places
        Where every column begins, int64; where it ends afterwards.
    rows, turned
        Outputs, one per stored count: row, and value.
    """
    for i in range(len(indptr) - 1):
        for p in range(indptr[i], indptr[i + 1]):
            column = indices[p]
            rows[places[column]] = i
            turned[places[column]] = values[p]
            places[column] += 1
