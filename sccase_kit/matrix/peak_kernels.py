"""Compiled passes of non-negative factorisations over the peaks; imported where they run.

What is compiled with fastmath and called by compiled code is put into the caller (``inline="always"``). Else the
process that compiles and those that load from numba's cache run differently optimised copies of it, and round
differently (seen with numba 0.68.1: 1e-4 in the embedding and two clusters more on Granja 2k).
"""

from __future__ import annotations

import numba
import numpy as np

from .products import add_to_rows, sum_of_rows

_TILE = 128


@numba.njit(inline="always", cache=True, nogil=True, fastmath=True, error_model="numpy")
def sweep_tile(tile, target, rest, grams, cuts, n_sweeps, m):
    """Coordinate sweeps on `m` rows that stand as the columns of `tile`, (r, at least m); see :func:`peak_pass`."""
    for c in range(len(cuts) - 1):
        for _ in range(n_sweeps):
            for j in range(cuts[c], cuts[c + 1]):
                diagonal = grams[j, j]
                if diagonal <= 0:
                    tile[j, :m] = 0
                    continue
                for i in range(m):
                    rest[i] = target[j, i]
                stop = cuts[c + 1] - (cuts[c + 1] - cuts[c]) % 4
                for t in range(cuts[c], stop, 4):  # by four: the rest is read and written less often
                    w0, w1, w2, w3 = grams[j, t], grams[j, t + 1], grams[j, t + 2], grams[j, t + 3]
                    for i in range(m):
                        rest[i] -= (w0 * tile[t, i] + w1 * tile[t + 1, i]) + (w2 * tile[t + 2, i] + w3 * tile[t + 3, i])
                for t in range(stop, cuts[c + 1]):
                    weight = grams[j, t]
                    for i in range(m):
                        rest[i] -= weight * tile[t, i]
                step = 1 / diagonal
                for i in range(m):
                    tile[j, i] = max(tile[j, i] + rest[i] * step, 0)


@numba.njit(inline="always", cache=True, nogil=True, fastmath=True, error_model="numpy")
def _add_gram(tile, cuts, m, gram):
    for c in range(len(cuts) - 1):
        for j in range(cuts[c], cuts[c + 1]):
            for t in range(cuts[c], j + 1):
                total = tile[j, 0] * tile[t, 0]
                for i in range(1, m):
                    total += tile[j, i] * tile[t, i]
                gram[j, t] += total


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def peak_pass(
    indptr: np.ndarray,
    indices: np.ndarray,
    values: np.ndarray | None,
    scale: np.ndarray,
    left: np.ndarray,
    grams: np.ndarray,
    cuts: np.ndarray,
    start: np.ndarray,
    w: np.ndarray,
    n_sweeps: int,
    momentum: float,
    image: np.ndarray,
    gram: np.ndarray,
    back: np.ndarray,
) -> None:
    """Update W of several factorisations X̃ ≈ H Wᵀ, and sum X̃ W and Wᵀ W of what comes next, one peak read once.

    Parameters
    ----------
    indptr, indices, values
        The counts by peaks (CSC); `values` None for ones.
    scale
        Factor of every peak.
    left
        H times the factors of the cells, (cells × width), columns filled up with zeros to a multiple of 16.
    grams
        Hᵀ H, (r × r), of which the blocks of each factorisation on the diagonal are used.
    cuts
        Where the columns of each factorisation start, and r at the end.
    start
        Where the sweeps start, (peaks × r); becomes where the next ones do.
    w
        The last W, (peaks × r); becomes the new one.
    n_sweeps
        Sweeps; with 0 nothing is updated.
    momentum
        The next start is the new W and so much of its step from the last.
    image, gram
        Outputs, (cells × width) and (r × r), added to: of the next start. Empty if there is none.
    back
        Output, (peaks × r): X̃ᵀ H. Empty if it is not wanted.
    """
    m, r = w.shape
    width = left.shape[1]
    tile, target = np.empty((r, _TILE), w.dtype), np.empty((r, _TILE), w.dtype)
    rest, rows = np.empty(_TILE, w.dtype), np.zeros((_TILE, width), w.dtype)
    for low in range(0, m, _TILE):
        n = min(_TILE, m - low)
        for i in range(n):
            for j in range(r):
                tile[j, i] = start[low + i, j]
        if n_sweeps > 0:
            rows[:] = 0
            for i in range(n):
                sum_of_rows(values, indices, indptr[low + i], indptr[low + i + 1], left, width, rows, i * width)
                for j in range(r):
                    rows[i, j] *= scale[low + i]
            for i in range(n):
                for j in range(r):
                    target[j, i] = rows[i, j]
            if len(back) > 0:
                for i in range(n):
                    for j in range(r):
                        back[low + i, j] = rows[i, j]
            sweep_tile(tile, target, rest, grams, cuts, n_sweeps, n)
            for i in range(n):
                for j in range(r):
                    new = tile[j, i]
                    further = max(new + momentum * (new - w[low + i, j]), 0)
                    w[low + i, j] = new
                    rows[i, j] = further
        else:
            for i in range(n):
                for j in range(r):
                    rows[i, j] = tile[j, i]
        if len(image) == 0:
            continue
        if momentum != 0:
            for i in range(n):
                for j in range(r):
                    tile[j, i] = rows[i, j]
        _add_gram(tile, cuts, n, gram)
        for i in range(n):
            for j in range(r):
                start[low + i, j] = rows[i, j]
                rows[i, j] *= scale[low + i]
            add_to_rows(values, indices, indptr[low + i], indptr[low + i + 1], image, width, rows, i * width)


@numba.njit(cache=True, nogil=True)
def times_columns(
    indptr: np.ndarray,
    indices: np.ndarray,
    values: np.ndarray | None,
    scale: np.ndarray,
    left: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write Cᵀ @ left, rows times their scale, into `out`: every row of it once.

    Parameters
    ----------
    indptr, indices, values
        The counts by peaks (CSC); `values` None for ones.
    scale
        Factor of every peak.
    left
        (cells × width), columns filled up with zeros to a multiple of 16.
    out
        Output, (peaks × r), r at most the width.
    """
    width = left.shape[1]
    row = np.empty(width, left.dtype)
    for j in range(len(out)):
        row[:] = 0
        sum_of_rows(values, indices, indptr[j], indptr[j + 1], left, width, row, 0)
        for c in range(out.shape[1]):
            out[j, c] = row[c] * scale[j]
