"""Compiled passes of non-negative factorisations over the peaks; imported where they run.

Between passes the factors of some peaks stand turned (:data:`~sccase_kit.matrix.columns.TILE`), so that loops run over
neighbouring numbers.

What is compiled with fastmath and called by compiled code is put into the caller (``inline="always"``). Else the
process that compiles and those that load from numba's cache run differently optimised copies of it, and round
differently (seen with numba 0.68.1: 1e-4 in the embedding and two clusters more on Granja 2k).
"""

from __future__ import annotations

import numba
import numpy as np

from .columns import TILE
from .products import add_to_rows, sum_of_rows


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


@numba.njit(cache=True, nogil=True)
def turn_tiles(values: np.ndarray) -> None:
    """Turn the factors of every TILE peaks, (peaks × r), in place: (r × TILE) in the same memory."""
    m, r = values.shape
    flat, rows = values.reshape(m * r), np.empty((TILE, r), values.dtype)
    for low in range(0, m, TILE):
        n = min(TILE, m - low)
        rows[:n] = values[low : low + n]
        tile = flat[low * r : (low + n) * r].reshape((r, n))
        for j in range(r):
            for i in range(n):
                tile[j, i] = rows[i, j]


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
    target: np.ndarray,
    rest: np.ndarray,
    rows: np.ndarray,
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
        Where the sweeps start, (peaks × r), in tiles (:func:`turn_tiles`); becomes where the next ones do.
    w
        The last W, (peaks × r), in tiles; becomes the new one, which with `back` is not in tiles.
    n_sweeps
        Sweeps; with 0 nothing is updated.
    momentum
        The next start is the new W and so much of its step from the last.
    image, gram
        Outputs, (cells × width) and (r × r), added to: of the next start. Not used with `back`.
    back
        Output, (peaks × r): X̃ᵀ H. Empty if it is not wanted.
    target, rest, rows
        Room to work in, (r × TILE), (TILE,) and (TILE × width): zeros that start at cache lines.
    """
    m, r = w.shape
    width = left.shape[1]
    flat_start, flat_w = start.reshape(m * r), w.reshape(m * r)
    for low in range(0, m, TILE):
        n = min(TILE, m - low)
        tile = flat_start[low * r : (low + n) * r].reshape((r, n))
        last = flat_w[low * r : (low + n) * r].reshape((r, n))
        if n_sweeps > 0:
            rows[:] = 0
            for i in range(n):
                sum_of_rows(values, indices, indptr[low + i], indptr[low + i + 1], left, width, rows, i * width)
            for i in range(n):
                for j in range(r):
                    target[j, i] = rows[i, j] * scale[low + i]
            sweep_tile(tile, target, rest, grams, cuts, n_sweeps, n)
        if len(back) > 0:
            for i in range(n):
                for j in range(r):
                    back[low + i, j] = target[j, i]
                    w[low + i, j] = tile[j, i]
            continue
        if n_sweeps > 0:
            for j in range(r):
                for i in range(n):
                    new = tile[j, i]
                    tile[j, i] = max(new + momentum * (new - last[j, i]), 0)
                    last[j, i] = new
        _add_gram(tile, cuts, n, gram)
        for i in range(n):
            for j in range(r):
                rows[i, j] = tile[j, i] * scale[low + i]
        for i in range(n):
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
