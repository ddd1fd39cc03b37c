"""Counts of (cell, peak) pairs that come block by block, and the sparse matrix they make."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse


class PairStore:
    """Counts by peak and cell, five bytes an entry, until they become one CSR matrix.

    Parameters
    ----------
    order
        Column of the matrix for every peak in sorted order; see :attr:`sccase_kit.fragments.layout.Layout.order`.
    """

    def __init__(self, order: npt.NDArray[np.int64]) -> None:
        self._order = order
        self._blocks: list[tuple[int, Any]] = []

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return sum(array.nbytes for _, block in self._blocks for array in block)

    def add(self, block: tuple[Any, ...], *, first_row: int = 0) -> None:
        """Keep what :func:`sccase_kit.fragments.count_kernels.pack_pairs` returned for cells from `first_row` on."""
        if len(block[2]):
            self._blocks.append((first_row, block))

    def to_csr(self, n_cells: int) -> sparse.csr_matrix:
        """Return the counts, cells × peaks (int32, indices sorted), and forget the blocks one by one."""
        from .count_kernels import add_lengths, place

        last = np.full(n_cells, -1, dtype=np.int32)
        lengths = np.zeros(n_cells, dtype=np.int64)
        back = False
        for shift, (peaks, first, cells, _) in self._blocks:
            back |= add_lengths(peaks, first, cells, shift, last, lengths)
        nnz = int(lengths.sum())
        indptr = np.zeros(n_cells + 1, dtype=np.int64 if nnz > np.iinfo(np.int32).max else np.int32)
        np.cumsum(lengths, out=indptr[1:])
        at = indptr[:-1].astype(np.int64)
        indices, data = np.empty(nnz, dtype=indptr.dtype), np.empty(nnz, dtype=np.int32)
        last[:] = -1
        self._blocks.reverse()
        while self._blocks:
            shift, (peaks, first, cells, counts) = self._blocks.pop()
            place(peaks, first, cells, counts, shift, last, at, indices, data)
        n_peaks = len(self._order)
        if not np.array_equal(self._order, np.arange(n_peaks)):
            indices = self._order.astype(indices.dtype)[indices]
            back = True
        matrix = sparse.csr_matrix((data, indices, indptr), shape=(n_cells, n_peaks))
        if back:
            matrix.sort_indices()
            matrix.sum_duplicates()
        else:
            matrix.has_sorted_indices = matrix.has_canonical_format = True
        return matrix
