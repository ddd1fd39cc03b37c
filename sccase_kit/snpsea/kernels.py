"""Compiled inner loop of SNPsea; imported where it runs, so that importing the package compiles nothing."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def count_reached(table, rows, threshold, counts):
    """Add to `counts` how many of the null sets (rows: sets × loci) score at least `threshold` in every column."""
    n_columns = table.shape[1]
    total = np.empty(n_columns)
    for r in range(rows.shape[0]):
        total[:] = 0.0
        for k in range(rows.shape[1]):
            row = table[rows[r, k]]
            for c in range(n_columns):
                total[c] += row[c]
        for c in range(n_columns):
            if not np.isfinite(total[c]):
                total[c] = 0.0
            if total[c] >= threshold[c]:
                counts[c] += 1
