r"""Gene activity of cells from the enhanced factors or the counts, for the genes that are asked for.

With cell and peak factors C and P (enhanced = :math:`C P^\top`), weights W (peaks × genes) and s open peaks in the
median cell, the activity is :math:`\log(1 + s\, C (P^\top W) / (C P^\top 1))`: a share of the cell's accessibility,
brought to the depth of the median cell. Only cells × (genes asked for) is ever held.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from .._arguments import Matrix, Number, Numbers, checked


@checked(
    cell_factors=Numbers("cells components"),
    peak_factors=Numbers("peaks components"),
    weights=Matrix("peaks genes", form="csr"),
    scale=Number(minimum=0),
)
def factor_activity(
    cell_factors: np.ndarray, peak_factors: np.ndarray, weights: sparse.spmatrix, *, scale: float
) -> np.ndarray:
    """Compute the activity of genes in cells from thin factors.

    Parameters
    ----------
    cell_factors, peak_factors
        Shapes (n_cells, r) and (n_peaks, r).
    weights
        Sparse, (n_peaks, n_genes).
    scale
        Open peaks of the median cell.

    Returns
    -------
    Array of shape (n_cells, n_genes), float32; 0 for cells without any accessibility.
    """
    peak_factors = np.asarray(peak_factors, dtype=np.float64)
    gene_factors = np.asarray(weights.T @ peak_factors)
    total = np.asarray(cell_factors, dtype=np.float64) @ peak_factors.sum(axis=0)
    return _log_share(cell_factors @ gene_factors.T, total, scale)


@checked(counts=Matrix("cells peaks", form="csr"), weights=Matrix("peaks genes", form="csr"), scale=Number(minimum=0))
def count_activity(counts: sparse.csr_matrix, weights: sparse.spmatrix, *, scale: float) -> np.ndarray:
    """Compute the activity of genes in cells from counts, each taken as open or closed.

    Parameters
    ----------
    counts
        CSR, (n_cells, n_peaks).
    weights
        Sparse, (n_peaks, n_genes).
    scale
        Open peaks of the median cell.

    Returns
    -------
    Array of shape (n_cells, n_genes), float32; 0 for cells without a read.
    """
    opens = (counts > 0).astype(np.float32)
    total = np.asarray(opens.sum(axis=1)).ravel()
    return _log_share((opens @ weights).toarray(), total, scale)


def _log_share(values: np.ndarray, total: np.ndarray, scale: float) -> np.ndarray:
    share = np.maximum(values, 0) * (scale / np.where(total > 0, total, 1))[:, None]
    return np.log1p(np.where(total[:, None] > 0, share, 0)).astype(np.float32)
