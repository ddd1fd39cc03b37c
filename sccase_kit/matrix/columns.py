"""Counts of few cells by peaks (CSC): each peak's numbers are read and written once."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from .._threads import in_threads
from .row_block import compilable
from .rows import even_cuts

TILE = 128  # peaks whose factors stand turned between passes, (r × 128) in the memory of (128 × r)
_MIN_NNZ_PER_THREAD = 500_000


def sorted_columns(counts: Any) -> sparse.csc_matrix:
    """Return counts by peaks, with sorted cells."""
    columns = sparse.csc_matrix(counts)
    columns.sort_indices()
    return columns


def column_values(columns: sparse.csc_matrix, dtype: np.dtype, *, binary: bool) -> np.ndarray:
    """Return the stored counts, or 1 and 0 if `binary`, in a type that compiled loops take."""
    return (columns.data != 0).view(np.uint8) if binary else compilable(columns.data, dtype)


def transposed_times(
    columns: sparse.csc_matrix, left: np.ndarray, scale: np.ndarray, *, dtype: np.dtype, binary: bool
) -> np.ndarray:
    """Return the transpose of the counts times `left`, rows times their scale, (peaks × r), in threads.

    Parameters
    ----------
    columns
        The counts, (cells × peaks).
    left
        (cells × r).
    scale
        Factor of every peak.
    dtype
        Type of the product.
    binary
        Take every nonzero count as 1.
    """
    from .peak_kernels import times_columns
    from .products import to_rows

    values = None if binary and columns.data.all() else column_values(columns, dtype, binary=binary)
    rows, factor = to_rows(left, dtype), scale.astype(dtype)
    out = np.empty((columns.shape[1], left.shape[1]), dtype=dtype)

    def multiply(cut: tuple[int, int]) -> None:
        part = slice(*cut)
        indptr = columns.indptr[part.start : part.stop + 1]
        times_columns(indptr, columns.indices, values, factor[part], rows, out[part])

    in_threads(multiply, even_cuts(columns.indptr, _MIN_NNZ_PER_THREAD))
    return out
