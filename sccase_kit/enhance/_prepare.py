"""From counts to the scaled operator: one pass of checks and sums, TF-IDF as diagonal scalings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from .._logging import warn
from .._matrix import check_counts
from .._settings import settings
from ._operator import ScaledOperator


@dataclass(frozen=True)
class Prepared:
    """The data of one fit.

    Attributes
    ----------
    op
        TF-IDF scaled operator, cells × peaks.
    depth
        Total counts per cell, float64 array of shape (n_obs,).
    n_cells_open
        Cells with the peak open, int64 array of shape (n_vars,).
    nnz
        Number of nonzero counts.
    """

    op: ScaledOperator
    depth: np.ndarray
    n_cells_open: np.ndarray
    nnz: int


def _blocks(matrix: Any):
    if isinstance(matrix, np.ndarray) or sparse.issparse(matrix):
        yield slice(0, matrix.shape[0]), matrix
        return
    from ..io._blocks import iter_row_blocks

    yield from iter_row_blocks(matrix, block_bytes=settings.block_bytes)


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
    depth, n_open, nnz = np.empty(n), np.zeros(m, dtype=np.int64), 0
    for rows, raw in _blocks(matrix):
        check_counts(raw, name="counts")
        csr = sparse.csr_matrix(raw)
        depth[rows] = np.asarray(csr.sum(axis=1, dtype=np.float64)).ravel()
        nonzero = csr.data != 0
        indices = csr.indices if nonzero.all() else csr.indices[nonzero]
        n_open += np.bincount(indices, minlength=m)
        nnz += len(indices)
    return depth, n_open, nnz


def prepare(matrix: Any, *, dtype: Any = np.float32, binary: bool = False) -> Prepared:
    """Check the counts and return them as the published program's TF-IDF (diagonal scalings, nothing formed).

    Each count is multiplied by ln(n / cells with the peak), then each cell is divided by its L2 norm.
    Empty cells and peaks keep scale 0 (with a warning), where the published program returns NaN for everything.
    """
    depth, n_open, nnz = count_statistics(matrix)
    if nnz == 0:
        msg = f"counts of shape {tuple(matrix.shape)} have no nonzero value; nothing can be enhanced"
        raise ValueError(msg)
    n = matrix.shape[0]
    if empty_peaks := int((n_open == 0).sum()):
        warn(f"{empty_peaks} of {len(n_open)} peaks are closed in every cell and stay 0; see pp.filter_peaks")
    col_scale = np.where(n_open > 0, np.log(n / np.maximum(n_open, 1)), 0)
    op = ScaledOperator(matrix, None, col_scale, dtype=dtype, binary=binary)
    norms = np.sqrt(op.row_sq_norms())
    if empty_cells := int((depth == 0).sum()):
        warn(f"{empty_cells} of {n} cells have no counts; their enhanced values are 0; see pp.filter_cells")
    row_scale = np.where(norms > 0, 1 / np.where(norms > 0, norms, 1), 0)
    return Prepared(op.with_scales(row_scale, col_scale), depth, n_open, nnz)
