"""Counts in memory, whatever they were stored in."""

from __future__ import annotations

from typing import Any

import numpy as np
from anndata import AnnData
from scipy import sparse

from ..matrix.access import as_csr, check_counts, get_matrix
from ..matrix.blocks import iter_row_blocks


def load_counts(adata: AnnData, layer: str | None) -> sparse.csr_matrix:
    """Return the counts as canonical CSR in memory; backed and lazy storage is read, the input never changed.

    Raises
    ------
    KeyError
        If the layer does not exist.
    ValueError
        If a value is negative, NaN or infinite.
    """
    matrix = get_matrix(adata, layer)
    if not (isinstance(matrix, np.ndarray) or sparse.issparse(matrix)):
        parts = [block for _, block in iter_row_blocks(matrix)]
        matrix = sparse.vstack(parts, format="csr") if parts else sparse.csr_matrix(matrix.shape)
    check_counts(matrix)
    return as_csr(matrix)


def put_matrix(adata: AnnData, layer: str | None, matrix: Any) -> None:
    """Store a matrix as `X` (``layer=None``) or as a layer."""
    if layer is None:
        adata.X = matrix
    else:
        adata.layers[layer] = matrix
