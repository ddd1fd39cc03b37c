"""Compiled count of the cells of every group that are open at every peak."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def add_open(indptr: np.ndarray, indices: np.ndarray, data: np.ndarray, codes: np.ndarray, out: np.ndarray) -> None:
    """Add, for rows of CSR counts, 1 to ``out[group of the row, peak]`` for every value above 0.

    Parameters
    ----------
    indptr, indices, data
        CSR counts of a block of cells, every entry stored once.
    codes
        0-based group of each row; rows with a negative code are left out.
    out
        Shape (n_groups, n_peaks), int64; changed in place.
    """
    for i in range(len(indptr) - 1):
        g = codes[i]
        if g < 0:
            continue
        row = out[g]
        for j in range(indptr[i], indptr[i + 1]):
            if data[j] > 0:
                row[indices[j]] += 1
