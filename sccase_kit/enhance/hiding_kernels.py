"""Compiled loops that hide some of the stored counts; imported where they run."""

from __future__ import annotations

import numba
import numpy as np

from .kernels import mixed_bits

LEFT, GONE, APART, ABSENT = 0, 1, 2, 3  # states of a stored count: not hidden, hidden, hidden and not judged, zero


@numba.njit(inline="always", cache=True, nogil=True)
def _number(cell, peak, salt):
    """Return the number in (0, 1) of an entry, :func:`sccase_kit.enhance.keys.uniform` of the two keys together."""
    bits = mixed_bits(cell ^ (peak << np.uint64(1)), salt) >> np.uint64(11)
    return np.float64(bits) * 2.0**-53 + 2.0**-54


@numba.njit(cache=True, nogil=True)
def hide_entries(
    indptr: np.ndarray,
    indices: np.ndarray,
    values: np.ndarray,
    cells: np.ndarray,
    peaks: np.ndarray,
    salt: np.uint64,
    low: float,
    high: float,
    state: np.ndarray,
) -> int:
    """Write LEFT, GONE or ABSENT for every stored count, and return how many are GONE.

    Parameters
    ----------
    indptr, indices, values
        The counts (CSR).
    cells, peaks
        Keys, uint64.
    salt
        Of the numbers.
    low, high
        Numbers between which entries are hidden.
    state
        Output, uint8, one per stored count.
    """
    n_hidden = 0
    for i in range(len(indptr) - 1):
        for p in range(indptr[i], indptr[i + 1]):
            if values[p] == 0:
                state[p] = ABSENT
                continue
            number = _number(cells[i], peaks[indices[p]], salt)
            hide = low <= number < high
            state[p] = GONE if hide else LEFT
            n_hidden += hide
    return n_hidden


@numba.njit(cache=True, nogil=True)
def keep_hidden(
    indptr: np.ndarray,
    indices: np.ndarray,
    cells: np.ndarray,
    peaks: np.ndarray,
    salt: np.uint64,
    high: float,
    state: np.ndarray,
) -> None:
    """Set entries that are GONE to APART whose number is not below `high`; the parameters are as before."""
    for i in range(len(indptr) - 1):
        for p in range(indptr[i], indptr[i + 1]):
            if state[p] == GONE and _number(cells[i], peaks[indices[p]], salt) >= high:
                state[p] = APART


@numba.njit(cache=True, nogil=True)
def open_columns(indices: np.ndarray, state: np.ndarray, n_open: np.ndarray) -> None:
    """Add to `n_open`, (n_vars,), how many entries of every column are left."""
    for p in range(len(indices)):
        n_open[indices[p]] += state[p] == LEFT


@numba.njit(cache=True, nogil=True)
def count_entries(
    indptr: np.ndarray, indices: np.ndarray, state: np.ndarray, which: int, column: np.ndarray, starts: np.ndarray
) -> None:
    """Write where the rows of the entries of one state start, (rows + 1,), of columns that are not -1."""
    starts[0] = 0
    for i in range(len(indptr) - 1):
        total = 0
        for p in range(indptr[i], indptr[i + 1]):
            total += state[p] == which and column[indices[p]] >= 0
        starts[i + 1] = starts[i] + total


@numba.njit(cache=True, nogil=True)
def take_entries(
    indptr: np.ndarray,
    indices: np.ndarray,
    state: np.ndarray,
    which: int,
    column: np.ndarray,
    values: np.ndarray | None,
    taken: np.ndarray,
    data: np.ndarray,
) -> None:
    """Write the new columns of the entries of one state and, unless `values` is None, their counts, row after row."""
    at = 0
    for p in range(indptr[len(indptr) - 1]):
        if state[p] == which and column[indices[p]] >= 0:
            taken[at] = column[indices[p]]
            if values is not None:
                data[at] = values[p]
            at += 1


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def add_values(
    indptr: np.ndarray,
    indices: np.ndarray,
    theta: np.ndarray,
    phi: np.ndarray,
    mean: np.ndarray,
    inside: np.ndarray,
    squares: np.ndarray,
) -> None:
    """Add P = θ φᵀ at the stored entries to that of their cells, and P² by the mean of the peak.

    Parameters
    ----------
    indptr, indices
        Where the cells of every peak start, and the cells (CSC).
    theta, phi
        (cells × r), float64, and (peaks × r).
    mean
        One per peak, positive where it has entries.
    inside, squares
        Outputs, one per cell, float64.
    """
    own = np.empty(theta.shape[1])
    for j in range(len(phi)):
        for k in range(len(own)):
            own[k] = phi[j, k]
        for p in range(indptr[j], indptr[j + 1]):
            row, total = theta[indices[p]], 0.0
            for k in range(len(own)):
                total += row[k] * own[k]
            inside[indices[p]] += total
            squares[indices[p]] += total * total / mean[j]
