"""Compiled loop of the deviations of plain sets from integer counts: many sets of a peak are added at once."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True, error_model="numpy")
def deviate_plain_sets(
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
    """Compute what :func:`deviate_sets` does, for counts that are integers and sets whose weights are 1.

    The sets of a peak are a row of small integers, which the compiler adds to the sums of a cell in vector registers.

    Parameters
    ----------
    counts
        indptr, indices, data of the block's counts by peak (CSC of cells × peaks), uint32 data.
    depth, sets, background, expectation, min_expected, first, last, deviations, z
        As in :func:`deviate_sets`; the weights of the sets are not read.
    """
    indptr, indices, data = counts
    set_indptr, set_indices, _ = sets
    n, m, n_peaks = len(depth), last - first, len(indptr) - 1
    n_backgrounds = background.shape[0]
    member = np.zeros((n_peaks, m), dtype=np.uint16)
    reads = np.zeros((n, m), dtype=np.uint32)
    expected, sampled = np.zeros(m), np.zeros(m)
    observed, shift, total, square = (np.zeros((n, m)), np.zeros((n, m)), np.zeros((n, m)), np.zeros((n, m)))
    for b in range(-1, n_backgrounds):
        member[:] = 0
        sampled[:] = 0
        for k in range(m):
            for e in range(set_indptr[first + k], set_indptr[first + k + 1]):
                p = set_indices[e] if b < 0 else background[b, set_indices[e]]
                member[p, k] += 1
                sampled[k] += expectation[p]
        reads[:] = 0
        for p in range(n_peaks):
            row = member[p]
            for t in range(indptr[p], indptr[p + 1]):
                x = data[t]
                into = reads[indices[t]]
                for k in range(m):
                    into[k] += np.uint32(x * np.uint32(row[k]))
        if b < 0:
            expected[:] = sampled
        for i in range(n):
            for k in range(m):
                if not expected[k] > 0:
                    continue
                mean = depth[i] * sampled[k]
                value = (reads[i, k] - mean) / mean
                if b < 0:
                    observed[i, k] = value
                elif b == 0:
                    shift[i, k] = value
                else:
                    value -= shift[i, k]
                    total[i, k] += value
                    square[i, k] += value * value
    for k in range(m):
        for i in range(n):
            mean = depth[i] * expected[k]
            if mean < min_expected or not mean > 0:
                deviations[first + k, i] = np.nan
                z[first + k, i] = np.nan
                continue
            centre = total[i, k] / n_backgrounds
            variance = (square[i, k] - total[i, k] * centre) / (n_backgrounds - 1)
            deviation = observed[i, k] - (shift[i, k] + centre)
            deviations[first + k, i] = deviation
            z[first + k, i] = deviation / np.sqrt(max(variance, 0.0))
