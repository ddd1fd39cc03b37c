"""Compiled loops over the open entries of a cells × peaks matrix; imported where they run."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def values_at(indptr: np.ndarray, indices: np.ndarray, left: np.ndarray, right: np.ndarray, out: np.ndarray) -> None:
    """Write ``left @ right.T`` at the stored entries of a CSR structure.

    Parameters
    ----------
    indptr, indices
        The structure, (rows × columns).
    left, right
        Arrays of shapes (rows, r) and (columns, r), one dtype.
    out
        Output, one value per stored entry.
    """
    rank = left.shape[1]
    for i in range(len(indptr) - 1):
        row = left[i]
        for p in range(indptr[i], indptr[i + 1]):
            column = right[indices[p]]
            total = row[0] * column[0]
            for k in range(1, rank):
                total += row[k] * column[k]
            out[p] = total


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def soft_counts(
    indptr: np.ndarray,
    indices: np.ndarray,
    theta: np.ndarray,
    phi: np.ndarray,
    cuts: np.ndarray,
    tiny: float,
    cells: np.ndarray,
    peaks: np.ndarray,
) -> None:
    """Add the expectation step of several mixtures at once: their entries' responsibilities, without θ and φ.

    For the columns K of one mixture, with s = Σ_K θ_ik φ_jk at an open entry: `cells` gets Σ_j φ_jk / s and `peaks`
    Σ_i θ_ik / s. Multiplied by θ and φ they are the soft counts.

    Parameters
    ----------
    indptr, indices
        Structure of the open entries, (rows × columns).
    theta, phi
        Arrays of shapes (rows, r) and (columns, r).
    cuts
        Where the columns of each mixture start, and r at the end.
    tiny
        Least value of s.
    cells, peaks
        Outputs of shapes (rows, r) and (columns, r), added to.
    """
    for i in range(len(indptr) - 1):
        for p in range(indptr[i], indptr[i + 1]):
            j = indices[p]
            for c in range(len(cuts) - 1):
                low, high = cuts[c], cuts[c + 1]
                total = theta[i, low] * phi[j, low]
                for k in range(low + 1, high):
                    total += theta[i, k] * phi[j, k]
                share = 1 / max(total, tiny)
                for k in range(low, high):
                    cells[i, k] += share * phi[j, k]
                    peaks[j, k] += share * theta[i, k]
