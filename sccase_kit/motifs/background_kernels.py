"""Compiled inner loops of the background peaks."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def normalise(values: np.ndarray) -> None:
    """Divide `values` by their sum in place, summed as Armadillo does (even and odd positions apart)."""
    even, odd = 0.0, 0.0
    n = len(values)
    for i in range(0, n - 1, 2):
        even += values[i]
        odd += values[i + 1]
    if n % 2:
        even += values[n - 1]
    total = even + odd
    for i in range(n):
        values[i] /= total


@numba.njit(cache=True, nogil=True)
def alias_draw(probability: np.ndarray, uniforms: np.ndarray, out: np.ndarray) -> None:
    """Draw indices with replacement by Walker's alias method, the table filled in R's order.

    Parameters
    ----------
    probability
        Probabilities that sum to 1, shape (n,); overwritten.
    uniforms
        One uniform per draw, shape (m,).
    out
        Output: indices, shape (m,).
    """
    n = len(probability)
    alias = np.zeros(n, dtype=np.int64)
    work = np.empty(n, dtype=np.int64)
    low, high = 0, n
    for i in range(n):
        probability[i] *= n
        if probability[i] < 1.0:
            work[low] = i
            low += 1
        else:
            high -= 1
            work[high] = i
    if low > 0 and high < n:
        for k in range(n):
            small, large = work[k], work[high]
            alias[small] = large
            probability[large] += probability[small] - 1.0
            if probability[large] < 1.0:
                high += 1
            if high == n:
                break
    for i in range(n):
        probability[i] += i
    for d in range(len(uniforms)):
        scaled = uniforms[d] * n
        index = int(scaled)
        out[d] = index if scaled < probability[index] else alias[index]
