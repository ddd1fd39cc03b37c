"""Sums of counts over cells and peaks in one read of any storage."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse

from .._settings import settings
from .._threads import available_threads
from .access import check_counts, native
from .blocks import bytes_per_thread, each_in_turn, iter_row_blocks
from .cluster import cluster_of
from .operator import ScaledOperator
from .row_block import COMPILED_NNZ, compilable
from .rows import canonical, even_cuts, view_rows

_MANY = 4_000_000  # stored counts from which on compiled sums pay
_PIECE = 500_000


def row_pieces(matrix: Any, block_bytes: int | None = None) -> Iterator[tuple[slice, Any]]:
    """Yield pieces of rows of a matrix of any storage, as they are stored but for types that scipy does not have.

    Arrays and stored matrices come in pieces of `block_bytes`, by default `settings.block_bytes`.
    """
    block_bytes = settings.block_bytes if block_bytes is None else block_bytes
    if isinstance(matrix, np.ndarray):
        step = max(1, block_bytes // max(1, matrix.shape[1] * matrix.itemsize))
        for start in range(0, len(matrix), step):
            yield slice(start, min(start + step, len(matrix))), native(matrix[start : start + step])
        return
    if sparse.issparse(matrix):
        csr = sparse.csr_matrix(native(matrix))
        for start, stop in even_cuts(csr.indptr):
            yield slice(start, stop), view_rows(csr, slice(start, stop))
        return
    yield from iter_row_blocks(matrix, block_bytes=block_bytes)


def csr_pieces(matrix: Any) -> Iterator[tuple[slice, sparse.csr_matrix]]:
    """Yield pieces of rows of a matrix of any storage as CSR; those of a sparse matrix are parts of it, not copies."""
    yield from row_pieces(canonical(matrix)) if sparse.issparse(matrix) else iter_row_blocks(matrix)


def count_statistics(matrix: Any) -> tuple[np.ndarray, np.ndarray, int]:
    """Check counts and return (depth per cell, open cells per peak, nonzeros) with one read.

    Raises
    ------
    TypeError
        If the values are not numeric.
    ValueError
        If a value is negative, NaN or infinite.
    """
    n, m = matrix.shape
    depth, n_threads = np.empty(n), available_threads()
    n_open = [np.zeros(m, dtype=np.int64) for _ in range(n_threads)]

    def add(thread: int, item: tuple[slice, tuple[np.ndarray, np.ndarray]]) -> None:
        rows, (sums, counts) = item
        depth[rows] = sums
        n_open[thread] += counts

    cluster = cluster_of(matrix)
    if cluster is not None and cluster.here is None:
        for item in cluster.map(_stored_block_statistics):
            add(0, item)
    else:
        pieces = row_pieces(matrix if cluster is None else cluster.here, bytes_per_thread(n_threads))
        each_in_turn(pieces, lambda thread, item: add(thread, (item[0], _block_statistics(item[1]))), n_threads)
    total = sum(n_open[1:], n_open[0])
    return depth, total, int(total.sum())


def _block_statistics(raw: Any) -> tuple[np.ndarray, np.ndarray]:
    """Check a block and return depth per cell and open cells per peak."""
    check_counts(raw, name="counts")
    csr = raw if isinstance(raw, sparse.csr_matrix) else sparse.csr_matrix(raw)  # which copies parts of a matrix
    if csr.nnz >= _MANY and csr.dtype.kind in "iub" and "numba" not in sys.modules:  # exact either way
        return _integer_statistics(csr)
    if csr.nnz >= _MANY:
        from .sum_kernels import count_rows

        sums, counts = np.empty(csr.shape[0]), np.zeros(csr.shape[1], dtype=np.int64)
        count_rows(csr.indptr, csr.indices, compilable(csr.data, np.dtype(np.float64)), sums, counts)
        return sums, counts
    nonzero = csr.data != 0
    indices = csr.indices if nonzero.all() else csr.indices[nonzero]
    depth = np.asarray(csr.sum(axis=1, dtype=np.float64)).ravel()
    return depth, np.bincount(indices, minlength=csr.shape[1])


def _integer_statistics(csr: sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """Return depth per cell and open cells per peak of integers, without the compiler, which takes a second to load."""
    depth, n_open = np.zeros(csr.shape[0]), np.zeros(csr.shape[1], dtype=np.int64)
    for start, stop in even_cuts(csr.indptr, _PIECE):
        first, last = csr.indptr[start], csr.indptr[stop]
        values, indices = csr.data[first:last], csr.indices[first:last]
        held = np.flatnonzero(np.diff(csr.indptr[start : stop + 1]))
        if len(held):
            begin = csr.indptr[start:stop][held] - first
            depth[start + held] = np.add.reduceat(values, begin, dtype=np.int64)
        n_open += np.bincount(indices if values.all() else indices[values != 0], minlength=csr.shape[1])
    return depth, n_open


def _stored_block_statistics(raw: Any) -> tuple[np.ndarray, np.ndarray]:
    """The same of a block as it is stored, where entries may repeat."""
    return _block_statistics(canonical(raw))


def open_cells(op: ScaledOperator) -> np.ndarray:
    """Return the cells with each peak open, int64 array of shape (n_vars,), counted once for all scalings."""
    if "n_open" not in op.memo:
        op.memo["n_open"] = _count_open(op)
    return op.memo["n_open"]


def _count_open(op: ScaledOperator) -> np.ndarray:
    counts = np.zeros(op.shape[1], dtype=np.int64)
    for _, block in op.iter_open():
        if block.nnz >= COMPILED_NNZ:
            from .sum_kernels import add_open

            add_open(block.indices, counts)
        else:
            counts += np.bincount(block.indices, minlength=op.shape[1])
    return counts
