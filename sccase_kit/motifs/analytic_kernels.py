"""Compiled inner loop of the analytic deviations."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def sum_blocks(
    counts: tuple,
    first: int,
    last: int,
    sets: tuple,
    member: np.ndarray,
    expectation: np.ndarray,
    observed: np.ndarray,
    moments: np.ndarray,
) -> None:
    """Add up the counts of cells ``first`` to ``last`` over sets, and over bins with their squares and expectations.

    Parameters
    ----------
    counts
        indptr, indices, data of the counts by cell (CSR), float64 data.
    first, last
        Range of cells.
    sets
        indptr, indices, data of the annotations by peak (CSR of peaks × sets), float64 data; no data where every weight
        is 1.
    member
        Bin of every peak.
    expectation
        Expected fraction of reads per peak.
    observed
        Output, shape (n_cells, n_sets): sums over sets.
    moments
        Output, shape (3, n_cells, n_bins): sums over bins of x, x² and x E.
    """
    indptr, indices, data = counts
    set_indptr, set_indices, set_data = sets
    plain = len(set_data) == 0
    for i in range(first, last):
        row = observed[i]
        for t in range(indptr[i], indptr[i + 1]):
            p, x = indices[t], data[t]
            k = member[p]
            moments[0, i, k] += x
            moments[1, i, k] += x * x
            moments[2, i, k] += x * expectation[p]
            if plain:
                for e in range(set_indptr[p], set_indptr[p + 1]):
                    row[set_indices[e]] += x
            else:
                for e in range(set_indptr[p], set_indptr[p + 1]):
                    row[set_indices[e]] += set_data[e] * x
