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
