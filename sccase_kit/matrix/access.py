"""Which matrix of an AnnData, and in what form: the only place that decides."""

from __future__ import annotations

from typing import Any

import numpy as np
from anndata import AnnData
from scipy import sparse

from .._logging import warn
from .._validate import check_key, native_sparse

_LARGEST = 2**53  # the integers that float64 holds exactly


def layer_names(adata: AnnData) -> list[str]:
    """Return the names of the layers; anndata 0.13 lists `X` among them as None."""
    return [name for name in adata.layers if name is not None]


def get_matrix(adata: AnnData, layer: str | None = None) -> Any:
    """Return `adata.X` (``layer=None``) or ``adata.layers[layer]`` as stored, without a copy.

    Sparse matrices in another byte order are the exception: see :func:`native`.

    Raises
    ------
    KeyError
        If the layer does not exist.
    ValueError
        If the matrix is absent (``adata.X is None``).
    TypeError
        If it holds objects.
    """
    if layer is None:
        matrix = adata.X
        if matrix is None:
            msg = f"adata.X is None; pass layer= with one of {layer_names(adata)}"
            raise ValueError(msg)
    else:
        check_key(layer, layer_names(adata), name="layer", where="adata.layers")
        matrix = adata.layers[layer]
    if getattr(matrix, "dtype", None) == np.dtype(object):
        msg = f"{'adata.X' if layer is None else f'layer {layer!r}'} must hold numbers, got dtype object"
        raise TypeError(msg)
    return native_sparse(matrix)


def warn_of_fractions(per_cell: np.ndarray, adata: AnnData, layer: str | None) -> None:
    """Warn where the sums per cell show that a matrix does not hold raw counts; name the layers that may."""
    if np.array_equal(per_cell, np.rint(per_cell)):
        return
    others = [name for name in layer_names(adata) if name != layer]
    hint = f"; pass layer= with the raw ones, the layers are {others}" if others else ""
    warn(
        f"{'adata.X' if layer is None else f'layer {layer!r}'} has fractional values, so these are not raw counts{hint}"
    )


def in_memory_copy(adata: AnnData) -> AnnData:
    """Return a copy that holds everything in memory."""
    return adata.to_memory() if adata.isbacked else adata.copy()


def native(matrix: Any) -> Any:
    """Return an array whose type scipy's sparse matrices have: float16 as float32, and this machine's byte order.

    Others are returned as they are. Sparse matrices keep the byte order of the file they come from, and scipy then
    refuses to cut, multiply or convert them.
    """
    matrix = native_sparse(matrix)
    dtype = getattr(matrix, "dtype", None)
    if not isinstance(matrix, np.ndarray) or dtype is None:
        return matrix
    if dtype.kind == "f" and dtype.itemsize == 2:
        return matrix.astype(np.float32)
    return matrix if dtype.isnative else matrix.astype(dtype.newbyteorder("="))


def summed(csr: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return a copy with sorted indices and repeated entries added, in a type that holds the sums of small integers."""
    wide = {"i": np.int64, "u": np.uint64}.get(csr.dtype.kind) if csr.dtype.itemsize < 4 else None
    out = csr.copy() if wide is None else csr.astype(wide)
    out.sum_duplicates()
    return out


def as_csr(matrix: Any) -> sparse.csr_matrix:
    """Return an in-memory matrix as CSR (cells × peaks) with sorted, summed entries; never changes the input.

    float16, which scipy has no sparse matrices of, becomes float32.
    """
    csr = sparse.csr_matrix(native(matrix))
    return csr if csr.has_canonical_format else summed(csr)


def check_structure(matrix: Any, *, name: str = "counts", fresh: bool = False) -> None:
    """Raise ValueError unless the pointers and indices of a CSR or CSC matrix agree with its shape.

    Damaged files give such matrices, and scipy's and compiled products read and write out of bounds with them.

    Parameters
    ----------
    matrix
        What is checked; others are not looked at.
    name
        Name used in the message.
    fresh
        Whether the matrix comes from a file, so that nobody told scipy that its indices are in order: they are then
        read once for the order and the range, and the matrix remembers the order.
    """
    if not sparse.issparse(matrix) or matrix.format not in ("csr", "csc"):
        return
    pointers, indices = matrix.indptr, matrix.indices
    n_major, n_minor = matrix.shape if matrix.format == "csr" else matrix.shape[::-1]
    n_values = np.size(matrix.data)
    reason = None
    if {np.ndim(part) for part in (pointers, indices, matrix.data)} != {1}:
        reason = "data, indices or pointers that are not one-dimensional"
    elif len(pointers) != n_major + 1 or pointers[0] != 0 or (np.diff(pointers) < 0).any():
        reason = f"row pointers that are not {n_major + 1} numbers rising from 0"
    elif pointers[-1] > min(n_values, len(indices)):
        reason = f"{min(n_values, len(indices))} values, where the pointers name {pointers[-1]}"
    elif n_values != len(indices):
        reason = f"{n_values} values and {len(indices)} indices"
    elif len(indices):
        ends = indices
        if fresh and pointers[-1] == len(indices) and matrix.has_canonical_format:
            ends = indices[np.concatenate([pointers[:-1], pointers[1:] - 1])[np.tile(np.diff(pointers) > 0, 2)]]
        if ends.min() < 0 or ends.max() >= n_minor:
            reason = f"indices from {ends.min()} to {ends.max()}, outside 0 to {n_minor - 1}"
    if reason is not None:
        msg = f"{name}: a damaged sparse matrix of shape {matrix.shape}, with {reason}"
        raise ValueError(msg)


def check_counts(matrix: Any, *, name: str = "counts", integer: bool = False) -> None:
    """Raise ValueError unless an in-memory matrix is well formed, and its values are finite and non-negative.

    Parameters
    ----------
    matrix
        ndarray or scipy sparse matrix/array of shape (n_obs, n_vars).
    name
        Name used in the message.
    integer
        Also require integral values.
    """
    check_structure(matrix, name=name)
    data = matrix.data if sparse.issparse(matrix) else np.asarray(matrix)
    if data.size == 0 or data.dtype.kind in "bu":
        return
    if data.dtype.kind not in "iuf":
        msg = f"{name} must be numeric, got dtype {data.dtype}"
        raise TypeError(msg)
    low = data.min()
    small = data.dtype.kind == "i" and data.dtype.itemsize <= 4  # neither infinite nor beyond what is exact
    if small and low >= 0:
        return
    if not np.isfinite(low) or not np.isfinite(data.max()):
        bad = int(np.count_nonzero(~np.isfinite(data)))
        msg = f"{name} has {bad} NaN or infinite value(s); remove or replace them first"
        raise ValueError(msg)
    if data.max() > _LARGEST:
        msg = f"{name} has a value of {data.max():.3g}; no count is above {_LARGEST:.3g} (is this another matrix?)"
        raise ValueError(msg)
    if low < 0:
        msg = f"{name} has {int(np.count_nonzero(data < 0))} negative value(s) (lowest {low:g}); counts must be >= 0"
        raise ValueError(msg)
    if integer and data.dtype.kind == "f" and not np.array_equal(data, np.rint(data)):
        msg = f"{name} must hold integers (raw counts), found fractional values"
        raise ValueError(msg)
