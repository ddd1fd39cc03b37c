"""Counts for the motif tools: one pass of sums, and row blocks from any storage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from ..matrix.access import check_counts, check_structure
from ..matrix.blocks import iter_row_blocks


@dataclass(frozen=True)
class Totals:
    """Sums of a cells × peaks matrix.

    Attributes
    ----------
    per_cell
        Reads per cell, shape (n_cells,).
    per_peak
        Reads per peak, shape (n_peaks,).
    """

    per_cell: np.ndarray
    per_peak: np.ndarray


def row_blocks(counts: Any, *, n_rows: int | None = None) -> Iterator[tuple[slice, sparse.csr_matrix]]:
    """Yield (rows, CSR block) of counts in memory, backed or dask."""
    yield from iter_row_blocks(counts, block_rows=n_rows)


def totals(counts: Any) -> Totals:
    """Return the sums over cells and peaks, in one pass; values are checked on the way.

    Raises
    ------
    ValueError
        If values are negative or not finite, or a sparse matrix is damaged.
    """
    check_structure(counts)
    n, m = counts.shape
    per_cell, per_peak = np.zeros(n), np.zeros(m)
    for rows, block in row_blocks(counts):
        check_counts(block)
        per_cell[rows] = np.asarray(block.sum(axis=1, dtype=np.float64)).ravel()
        per_peak += np.asarray(block.sum(axis=0, dtype=np.float64)).ravel()
    return Totals(per_cell, per_peak)
