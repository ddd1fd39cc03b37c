"""Inner products of all cells, n × n: for few cells they cost less than some products with the data."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from .columns import column_values, sorted_columns
from .operator import ScaledOperator
from .sums import open_cells

MOST_CELLS = 1_500  # their counts are held in memory for it, however they are stored
_MOST_PER_COUNT = 150  # multiply-adds per stored count that still cost less than the products they stand for


def gram_pays(op: ScaledOperator) -> bool:
    """Return whether X̃ X̃ᵀ costs less than a dozen products with some 20 columns."""
    if op.shape[0] > MOST_CELLS:
        return False
    per_peak = open_cells(op).astype(np.float64)
    return float(per_peak @ per_peak) <= _MOST_PER_COUNT * max(1.0, per_peak.sum())


def gram(op: ScaledOperator) -> np.ndarray:
    """Return X̃ X̃ᵀ, (n_obs × n_obs), float64, from one read.

    The time follows the sum over peaks of the squared number of cells with the peak; nothing of size cells × peaks, nor
    peaks × components, is formed.
    """
    from .gram_kernels import add_outer_products

    if op.in_memory:
        columns = op.columns()
    else:
        columns = sorted_columns(sparse.vstack([block for _, block in op.iter_blocks()], format="csr"))
    values = column_values(columns, op.dtype, binary=op.binary)
    out = np.zeros((op.shape[0],) * 2)
    add_outer_products(columns.indptr, columns.indices, values, op.col_scale**2, out)
    out += np.tril(out, -1).T
    return out * op.row_scale[:, None] * op.row_scale
