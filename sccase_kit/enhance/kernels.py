"""Compiled inner loops; imported where they run, so that importing the package compiles nothing."""

from __future__ import annotations

import numba
import numpy as np

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
