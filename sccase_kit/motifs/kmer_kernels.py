"""Compiled inner loops of the k-mer annotations."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def canonical_words(k: int) -> np.ndarray:
    """Return for every word of length k the smaller of its number and that of its reverse complement."""
    n = 4**k
    out = np.empty(n, dtype=np.int64)
    for word in range(n):
        rest, other = word, 0
        for _ in range(k):
            other = (other << 2) | (3 - (rest & 3))
            rest >>= 2
        out[word] = min(word, other)
    return out


@numba.njit(cache=True, nogil=True)
def words_of_sequences(codes: np.ndarray, starts: np.ndarray, k: int, column: np.ndarray, n_columns: int) -> tuple:
    """List the distinct columns of the words in every sequence.

    Parameters
    ----------
    codes, starts
        Encoded sequences.
    k
        Word length.
    column
        Column of every word, −1 for none; shape (4^k,).
    n_columns
        Number of columns.

    Returns
    -------
    indptr (int64) and indices (int32) of a CSR matrix of sequences × columns; indices are not sorted.
    """
    n = len(starts) - 1
    mask = 4**k - 1
    last = np.full(n_columns, -1, dtype=np.int64)
    indptr = np.zeros(n + 1, dtype=np.int64)
    indices = np.empty(max(16, len(codes) // 4), dtype=np.int32)
    found = 0
    for i in range(n):
        word, length = 0, 0
        for t in range(starts[i], starts[i + 1]):
            base = codes[t]
            if base > 3:
                word, length = 0, 0
                continue
            word = ((word << 2) | base) & mask
            length += 1
            if length < k:
                continue
            c = column[word]
            if c >= 0 and last[c] != i:
                last[c] = i
                if found == len(indices):
                    grown = np.empty(2 * found, dtype=np.int32)
                    grown[:found] = indices
                    indices = grown
                indices[found] = c
                found += 1
        indptr[i + 1] = found
    return indptr, indices[:found].copy()
