"""Compiled inner loops of the deviations."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True, error_model="numpy")
def deviate_sets(
    counts: tuple,
    depth: np.ndarray,
    sets: tuple,
    background: np.ndarray,
    expectation: np.ndarray,
    min_expected: float,
    first: int,
    last: int,
    deviations: np.ndarray,
    z: np.ndarray,
) -> None:
    """Compute deviations and z of the sets ``first`` to ``last`` for a block of cells.

    Parameters
    ----------
    counts
        indptr, indices, data of the block's counts by peak (CSC of cells × peaks), float64 data.
    depth
        Reads per cell, shape (n,).
    sets
        indptr, indices, data of the annotations by set (CSC of peaks × sets), float64 data.
    background
        Background peaks, shape (B, n_peaks).
    expectation
        Expected fraction of reads per peak.
    min_expected
        Cells that expect fewer reads in a set get NaN.
    first, last
        Range of sets.
    deviations, z
        Outputs of shape (n_sets, n).
    """
    indptr, indices, data = counts
    set_indptr, set_indices, set_data = sets
    n = len(depth)
    n_backgrounds = background.shape[0]
    reads = np.empty(n)
    observed, shift, total, square = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    for k in range(first, last):
        start, stop = set_indptr[k], set_indptr[k + 1]
        expected = 0.0
        for e in range(start, stop):
            expected += set_data[e] * expectation[set_indices[e]]
        if not expected > 0:
            deviations[k] = np.nan
            z[k] = np.nan
            continue
        reads[:] = 0
        for e in range(start, stop):
            p, weight = set_indices[e], set_data[e]
            for t in range(indptr[p], indptr[p + 1]):
                reads[indices[t]] += weight * data[t]
        for i in range(n):
            mean = depth[i] * expected
            observed[i] = (reads[i] - mean) / mean
            total[i] = 0
            square[i] = 0
        for b in range(n_backgrounds):
            drawn = background[b]
            reads[:] = 0
            sampled = 0.0
            for e in range(start, stop):
                p, weight = drawn[set_indices[e]], set_data[e]
                sampled += weight * expectation[p]
                for t in range(indptr[p], indptr[p + 1]):
                    reads[indices[t]] += weight * data[t]
            for i in range(n):
                mean = depth[i] * sampled
                value = (reads[i] - mean) / mean
                if b == 0:
                    shift[i] = value
                value -= shift[i]
                total[i] += value
                square[i] += value * value
        for i in range(n):
            mean = depth[i] * expected
            if mean < min_expected or not mean > 0:
                deviations[k, i] = np.nan
                z[k, i] = np.nan
                continue
            centre = total[i] / n_backgrounds
            variance = (square[i] - total[i] * centre) / (n_backgrounds - 1)
            deviation = observed[i] - (shift[i] + centre)
            deviations[k, i] = deviation
            z[k, i] = deviation / np.sqrt(max(variance, 0.0))
