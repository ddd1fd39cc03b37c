"""10x Genomics matrices in HDF5: filtered_peak_bc_matrix.h5 and its kin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from ..matrix.access import check_structure
from ._errors import FormatError
from ._hdf5_filters import prepare_filters


def read_10x_h5(path: Path) -> tuple[AnnData, list[str] | None]:
    """Read a Cell Ranger ATAC or ARC .h5 (features × barcodes), and the types of its features if it tells.

    Raises
    ------
    FormatError
        If the file is not HDF5 or lacks the 10x groups.
    """
    import h5py

    prepare_filters(path)
    try:
        with h5py.File(path, "r") as store:
            if "matrix" not in store:
                msg = f"{path}: no group 'matrix'; found {sorted(store)}. Is this a 10x filtered_peak_bc_matrix.h5?"
                raise FormatError(msg)
            group = store["matrix"]
            shape = tuple(int(v) for v in group["shape"][:])
            parts = (group["data"][:], group["indices"][:], group["indptr"][:])
            barcodes = group["barcodes"].asstr()[:]
            names = group["features"]["id"].asstr()[:]
            kinds = group["features"]["feature_type"].asstr()[:] if "feature_type" in group["features"] else None
    except FormatError:
        raise
    except KeyError as err:
        msg = f"{path}: the 10x matrix lacks {err.args[0]}"
        raise FormatError(msg) from err
    except Exception as err:  # damaged files fail in h5py with many types; each is named here
        msg = f"{path}: not a readable HDF5 file of 10x ({type(err).__name__}: {err})"
        raise FormatError(msg) from err
    if (
        len(shape) != 2
        or shape != (len(names), len(barcodes))
        or len(kinds if kinds is not None else names) != shape[0]
    ):
        msg = f"{path}: the matrix has shape {shape}, but there are {len(names)} peaks and {len(barcodes)} barcodes"
        raise FormatError(msg)
    counts = _compressed(parts, (shape[1], shape[0]), path)
    adata = AnnData(counts, obs=pd.DataFrame(index=barcodes), var=pd.DataFrame(index=names))
    return adata, None if kinds is None else [str(kind) for kind in kinds]


def _compressed(parts: tuple[np.ndarray, ...], shape: tuple[int, int], path: Path) -> sparse.csr_matrix:
    """Return CSR from stored data, indices and pointers, which are checked first."""
    data, indices, indptr = parts
    counts = sparse.csr_matrix(shape, dtype=data.dtype if data.dtype.kind in "biuf" else np.float64)
    if data.dtype.kind not in "biuf" or indices.dtype.kind not in "iu" or indptr.dtype.kind not in "iu":
        msg = f"{path}: data, indices and indptr must be numbers, got {data.dtype}, {indices.dtype}, {indptr.dtype}"
        raise FormatError(msg)
    if not data.ndim == indices.ndim == indptr.ndim == 1 or len(data) != len(indices):
        msg = f"{path}: truncated or inconsistent matrix (shape {shape}, {data.shape} values, {indices.shape} indices)"
        raise FormatError(msg)
    counts.data, counts.indices, counts.indptr = data, indices, indptr
    try:
        check_structure(counts, name=str(path))
    except ValueError as err:
        raise FormatError(str(err)) from None
    return sparse.csr_matrix((data, indices, indptr), shape=shape)
