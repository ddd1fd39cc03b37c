"""Compiled inner loops; imported where they run, so that importing the package compiles nothing."""

from __future__ import annotations

import numba
import numpy as np

from ..matrix.peak_kernels import sweep_tile

_TILE = 128


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def hals_rows(factor: np.ndarray, product: np.ndarray, gram: np.ndarray, n_sweeps: int) -> None:
    """Coordinate sweeps of ‖X − factor · otherᵀ‖² over the columns, in place; rows are independent of each other.

    Tiles of rows are turned, so that the inner loop runs over neighbouring numbers. All arrays have one dtype.
    """
    n, k = factor.shape
    tile = np.empty((k, _TILE), factor.dtype)
    target = np.empty((k, _TILE), factor.dtype)
    rest = np.empty(_TILE, factor.dtype)
    for low in range(0, n, _TILE):
        m = min(_TILE, n - low)
        for i in range(m):
            for j in range(k):
                tile[j, i] = factor[low + i, j]
                target[j, i] = product[low + i, j]
        for _ in range(n_sweeps):
            for j in range(k):
                diagonal = gram[j, j]
                if diagonal <= 0:
                    tile[j, :m] = 0
                    continue
                for i in range(m):
                    rest[i] = target[j, i]
                for t in range(k):
                    weight = gram[j, t]
                    for i in range(m):
                        rest[i] -= weight * tile[t, i]
                step = 1 / diagonal
                for i in range(m):
                    tile[j, i] = max(tile[j, i] + rest[i] * step, 0)
        for i in range(m):
            for j in range(k):
                factor[low + i, j] = tile[j, i]


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def hals_parts(factor: np.ndarray, product: np.ndarray, grams: np.ndarray, cuts: np.ndarray, n_sweeps: int) -> None:
    """Coordinate sweeps as :func:`hals_rows`, of several factorisations whose columns stand next to each other.

    Parameters
    ----------
    factor, product
        Arrays of shape (rows, r), one dtype.
    grams
        Array of shape (r, r), of which the blocks of each factorisation on the diagonal are used.
    cuts
        Where the columns of each start, and r at the end.
    n_sweeps
        Sweeps.
    """
    n, r = factor.shape
    tile = np.empty((r, _TILE), factor.dtype)
    target = np.empty((r, _TILE), factor.dtype)
    rest = np.empty(_TILE, factor.dtype)
    for low in range(0, n, _TILE):
        m = min(_TILE, n - low)
        for i in range(m):
            for j in range(r):
                tile[j, i] = factor[low + i, j]
                target[j, i] = product[low + i, j]
        sweep_tile(tile, target, rest, grams, cuts, n_sweeps, m)
        for i in range(m):
            for j in range(r):
                factor[low + i, j] = tile[j, i]


@numba.njit(cache=True, nogil=True)
def sum_hashes(indptr: np.ndarray, indices: np.ndarray, hashes: np.ndarray, out: np.ndarray) -> None:
    """Write the sum, modulo 2⁶⁴, of the hashes of the columns stored in every row of a CSR structure.

    Parameters
    ----------
    indptr, indices
        The structure.
    hashes
        One per column, uint64.
    out
        Output, one per row, uint64.
    """
    for i in range(len(indptr) - 1):
        total = np.uint64(0)
        for p in range(indptr[i], indptr[i + 1]):
            total += hashes[indices[p]]
        out[i] = total


@numba.njit(cache=True, nogil=True)
def add_hashes(indptr: np.ndarray, indices: np.ndarray, hashes: np.ndarray, out: np.ndarray) -> None:
    """Add, modulo 2⁶⁴, the hash of every row of a CSR structure to the columns stored in it.

    Parameters
    ----------
    indptr, indices
        The structure.
    hashes
        One per row, uint64.
    out
        Output, one per column, uint64.
    """
    for i in range(len(indptr) - 1):
        for p in range(indptr[i], indptr[i + 1]):
            out[indices[p]] += hashes[i]


@numba.njit(inline="always", cache=True, nogil=True)
def mixed_bits(value, start):
    """Return the hash of :func:`sccase_kit.enhance.keys.mixed`, whose salt is `start`."""
    z = value * np.uint64(0x9E3779B97F4A7C15) + start
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@numba.njit(cache=True, nogil=True)
def survey_rows(
    indptr: np.ndarray,
    indices: np.ndarray,
    values: np.ndarray | None,
    hashes: np.ndarray,
    weights: np.ndarray,
    start: np.uint64,
    squares: np.ndarray,
    open_squares: np.ndarray,
    cells: np.ndarray,
    peaks: np.ndarray,
    sums: np.ndarray,
) -> None:
    """Write norms and keys of the rows of a CSR matrix, and add what they give the keys and sums of the columns.

    Parameters
    ----------
    indptr, indices, values
        CSR rows; `values` None for ones.
    hashes
        One per column, uint64, of which the sum over the open ones is the key of a row.
    weights
        One per column, float64.
    start
        Salt of the hash of a row's key, which its open columns get.
    squares, open_squares
        Outputs, one per row: Σ_j weights_j x_ij², and Σ_j weights_j over the open columns.
    cells
        Output: keys of the rows, uint64.
    peaks, sums
        Outputs, one per column, added to: hashes of the keys of the rows, and 1 / √open_squares.
    """
    for i in range(len(indptr) - 1):
        total, square, open_square = np.uint64(0), 0.0, 0.0
        for p in range(indptr[i], indptr[i + 1]):
            value = 1.0 if values is None else np.float64(values[p])
            if value != 0:
                weight = weights[indices[p]]
                total += hashes[indices[p]]
                square += weight * value**2
                open_square += weight
        squares[i], open_squares[i], cells[i] = square, open_square, total
        own, unit = mixed_bits(total, start), 1 / np.sqrt(open_square) if open_square > 0 else 0.0
        for p in range(indptr[i], indptr[i + 1]):
            if values is None or values[p] != 0:
                peaks[indices[p]] += own
                sums[indices[p]] += unit


@numba.njit(cache=True, nogil=True, error_model="numpy")
def spread_rows(values: np.ndarray, source: np.ndarray, factor: np.ndarray, out: np.ndarray) -> None:
    """Write row ``source[i]`` of `values`, times its factor, into row i of `out`; zeros where it is -1.

    Parameters
    ----------
    values
        (rows × r); may be the first rows of `out`, as no row comes from one behind it and the last are written first.
    source
        Row of every row of `out`, i at most for row i.
    factor
        One per row of `values`, in its type.
    out
        Output, (any × r).
    """
    for i in range(len(out) - 1, -1, -1):
        row = source[i]
        if row < 0:
            out[i] = 0
            continue
        for j in range(out.shape[1]):
            out[i, j] = values[row, j] * factor[row]


@numba.njit(cache=True, nogil=True)
def start_rows(
    array: np.ndarray,
    factor: np.ndarray,
    fills: np.ndarray,
    cuts: np.ndarray,
    tiny: float,
    dead: int,
    out: np.ndarray,
) -> None:
    """Write the sides of singular vectors that several starts take, zeros filled.

    Parameters
    ----------
    array
        Singular vectors, (rows × components).
    factor
        Of every component, negative where its negative side is taken; of the first both sides are.
    fills
        What stands in for values below `tiny`, for each start.
    cuts
        Where the columns of each start begin in `out`, and their number at the end.
    tiny
        Limit.
    dead
        1 where rows of zeros stay zeros, 0 where they are filled as well.
    out
        Output, (rows × columns).
    """
    own = np.empty(array.shape[1], array.dtype)
    for i in range(len(out)):
        alive = dead == 0
        for j in range(len(own)):
            value = array[i, j] * factor[j]
            own[j] = abs(value) if j == 0 else max(value, 0)
            alive = alive or value != 0
        for c in range(len(fills)):
            for j in range(cuts[c], cuts[c + 1]):
                value = own[j - cuts[c]]
                out[i, j] = (fills[c] if value < tiny else value) if alive else 0
