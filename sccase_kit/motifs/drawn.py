"""Deviations over drawn background peaks, block by block of cells: by bits where all are integers, else one by one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse

Work = Callable[[int, int, np.ndarray, np.ndarray], None]

_BLOCK_BLOCK = 4096
_LEAST_BITS = 0.0015  # share of the cells below which adding one by one is faster than adding bits


class DrawnSets:
    """Sets and their background peaks, ready for blocks of cells.

    Attributes
    ----------
    n_rows
        Cells per block.
    """

    def __init__(self, sets: sparse.csc_matrix, background: np.ndarray, expectation: np.ndarray, minimum: float):
        from .bit_kernels import BLOCK

        self._sets, self._background, self._expectation, self._minimum = sets, background, expectation, minimum
        self._plain = _are_plain(sets)
        self._ordered: tuple[np.ndarray, ...] | None = None
        self.n_rows = BLOCK if self._plain else _BLOCK_BLOCK
        self._drawn = np.ascontiguousarray(background.T)

    def work(self, block: sparse.csr_matrix, depth: np.ndarray) -> Work:
        """Return the function that writes deviations and z of a range of sets, by set, for a block of cells."""
        by_peak = block.astype(np.float64).tocsc()
        if self._plain and _are_small_integers(by_peak.data):
            return self._by_bits(by_peak, depth)
        from .chromvar_kernels import deviate_sets

        stored = (by_peak.indptr.astype(np.int64), by_peak.indices.astype(np.int32), by_peak.data)
        columns = (self._sets.indptr, self._sets.indices, self._sets.data)
        given = (stored, depth, columns, self._drawn, self._expectation, self._minimum)

        def run(first: int, last: int, out: np.ndarray, out_z: np.ndarray) -> None:
            deviate_sets(*given, first, last, out, out_z)

        return run

    def _by_bits(self, by_peak: sparse.csc_matrix, depth: np.ndarray) -> Work:
        from .bit_kernels import deviate_plain_sets, pack_counts

        if self._ordered is None:
            self._ordered = self._put_in_order()
        order, indptr, indices, drawn, shares = self._ordered
        by_peak = by_peak[:, order]
        least = max(1, int(_LEAST_BITS * by_peak.shape[0]))
        pointers, values = by_peak.indptr.astype(np.int64), by_peak.data.astype(np.uint32)
        stored = pack_counts(pointers, by_peak.indices.astype(np.int32), values, by_peak.shape[0], least)
        given = (stored, depth, (indptr, indices), drawn, shares, self._minimum)

        def run(first: int, last: int, out: np.ndarray, out_z: np.ndarray) -> None:
            deviate_plain_sets(*given, first, last, out, out_z)

        return run

    def _put_in_order(self) -> tuple[np.ndarray, ...]:
        """Return an order of the peaks in which background peaks lie near, sets and backgrounds in it, and shares.

        Background peaks are about as accessible as the peak itself, so peaks are sorted by what is expected of them.
        """
        from .bit_kernels import sum_expectations

        sets, drawn = self._sets, self._drawn
        shares = np.empty((sets.shape[1], 1 + len(drawn)))
        sum_expectations(sets.indptr, sets.indices, drawn, self._expectation, shares)
        order = np.argsort(self._expectation, kind="stable")
        rank = np.empty(len(order), dtype=np.int32)
        rank[order] = np.arange(len(order), dtype=np.int32)
        members = sparse.csc_matrix((np.ones(sets.nnz, bool), rank[sets.indices], sets.indptr), shape=sets.shape)
        members.sort_indices()
        return order, members.indptr, members.indices, np.ascontiguousarray(rank[drawn[:, order]]), shares


def _are_plain(sets: sparse.csc_matrix) -> bool:
    """Return whether all weights are 1, and so few per set that no sum overflows."""
    return bool(np.diff(sets.indptr).max(initial=0) < 2**16 and (sets.data == 1).all())


def _are_small_integers(values: np.ndarray) -> bool:
    """Return whether counts are integers below 2¹⁶, so that 2¹⁶ of them fit into 32 bits."""
    return not values.size or bool(values.max() < 2**16 and (values == np.floor(values)).all())
