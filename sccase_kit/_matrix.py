"""Which matrix of an AnnData, and in what form: the only place that decides."""

from __future__ import annotations

from typing import Any

import numpy as np
from anndata import AnnData
from scipy import sparse

from ._validate import check_key


def get_matrix(adata: AnnData, layer: str | None = None) -> Any:
    """Return `adata.X` (``layer=None``) or ``adata.layers[layer]`` as stored, without a copy.

    Raises
    ------
    KeyError
        If the layer does not exist.
    ValueError
        If the matrix is absent (``adata.X is None``).
    """
    if layer is None:
        matrix = adata.X
        if matrix is None:
            msg = f"adata.X is None; pass layer= with one of {list(adata.layers)}"
            raise ValueError(msg)
        return matrix
    check_key(layer, adata.layers.keys(), name="layer", where="adata.layers")
    return adata.layers[layer]


def as_csr(matrix: Any) -> sparse.csr_matrix:
    """Return an in-memory matrix as CSR (cells × peaks) with sorted, summed entries; never changes the input."""
    csr = sparse.csr_matrix(matrix)
    if csr.has_canonical_format:
        return csr
    csr = csr.copy()
    csr.sum_duplicates()
    return csr


def check_counts(matrix: Any, *, name: str = "counts", integer: bool = False) -> None:
    """Raise ValueError unless the values of an in-memory matrix are finite and non-negative.

    Parameters
    ----------
    matrix
        ndarray or scipy sparse matrix/array of shape (n_obs, n_vars).
    name
        Name used in the message.
    integer
        Also require integral values.
    """
    data = matrix.data if sparse.issparse(matrix) else np.asarray(matrix)
    if data.size == 0 or data.dtype.kind in "bu":
        return
    if data.dtype.kind not in "iuf":
        msg = f"{name} must be numeric, got dtype {data.dtype}"
        raise TypeError(msg)
    low = data.min()
    if not np.isfinite(low) or not np.isfinite(data.max()):
        bad = int(np.count_nonzero(~np.isfinite(data)))
        msg = f"{name} has {bad} NaN or infinite value(s); remove or replace them first"
        raise ValueError(msg)
    if low < 0:
        msg = f"{name} has {int(np.count_nonzero(data < 0))} negative value(s) (lowest {low}); counts must be >= 0"
        raise ValueError(msg)
    if integer and data.dtype.kind == "f" and not np.array_equal(data, np.rint(data)):
        msg = f"{name} must hold integers (raw counts), found fractional values"
        raise ValueError(msg)
