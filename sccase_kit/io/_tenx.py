"""10x Genomics matrices: filtered_peak_bc_matrix.h5 and the mtx folder."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from ..matrix.access import check_structure


class FormatError(ValueError):
    """A file does not have the format it should have; the message names the file and, for text, the line."""


def read_10x_h5(path: Path) -> AnnData:
    """Read a Cell Ranger ATAC .h5 (peaks × barcodes); from a multiome file the peaks are kept.

    Raises
    ------
    FormatError
        If the file is not HDF5 or lacks the 10x groups.
    """
    import h5py

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
    if kinds is not None and (kinds == "Peaks").any() and not (kinds == "Peaks").all():
        adata = adata[:, kinds == "Peaks"].copy()
    return adata


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


def _first(folder: Path, names: list[str]) -> Path:
    for name in names:
        for candidate in (folder / name, folder / f"{name}.gz"):
            if candidate.is_file():
                return candidate
    msg = f"{folder}: none of {names} (or .gz) found; files there: {sorted(p.name for p in folder.iterdir())[:10]}"
    raise FileNotFoundError(msg)


def _lines(path: Path) -> list[list[str]]:
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as handle:
            return [line.rstrip("\r\n").split("\t") for line in handle if line.strip()]
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as err:
        msg = f"{path}: cannot be read ({err})"
        raise FormatError(msg) from err


def _read_matrix_market(path: Path) -> sparse.coo_matrix:
    """Read a coordinate Matrix Market file; every entry is checked, which SciPy's parser does not do."""
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as handle:
            banner = handle.readline().lower().split()
            if banner[:3] != ["%%matrixmarket", "matrix", "coordinate"] or banner[4:] != ["general"]:
                msg = f"{path}, line 1: expected '%%MatrixMarket matrix coordinate ... general', got {banner[:6]}"
                raise FormatError(msg)
            line = handle.readline()
            while line.startswith("%"):
                line = handle.readline()
            n_rows, n_cols, n_entries = (int(v) for v in line.split())
            kind = np.int64 if banner[3] == "integer" else np.float64
            types = {0: np.int64, 1: np.int64} if banner[3] == "pattern" else {0: np.int64, 1: np.int64, 2: kind}
            body = pd.read_csv(handle, sep=" ", header=None, names=list(types), dtype=types, na_filter=False)
    except FormatError:
        raise
    except (OSError, EOFError, zlib.error, ValueError, IndexError) as err:  # pandas' and unicode errors are ValueErrors
        msg = f"{path}: not a valid Matrix Market file ({err})"
        raise FormatError(msg) from err
    if len(body) != n_entries:
        msg = f"{path}: {len(body)} entries, the header says {n_entries}; the file is truncated or damaged"
        raise FormatError(msg)
    rows, cols = body[0].to_numpy() - 1, body[1].to_numpy() - 1
    if n_entries and (rows.min() < 0 or cols.min() < 0 or rows.max() >= n_rows or cols.max() >= n_cols):
        msg = f"{path}: an entry lies outside the {n_rows} × {n_cols} matrix"
        raise FormatError(msg)
    values = np.ones(n_entries, dtype=np.int64) if len(types) == 2 else body[2].to_numpy()
    return sparse.coo_matrix((values, (rows, cols)), shape=(n_rows, n_cols))


def read_10x_mtx(folder: Path) -> AnnData:
    """Read a 10x folder: matrix.mtx, barcodes.tsv and peaks.bed or features.tsv, each gzipped or not.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    FormatError
        If the files do not agree, or one cannot be parsed.
    """
    matrix_path = _first(folder, ["matrix.mtx"])
    barcodes = [row[0] for row in _lines(_first(folder, ["barcodes.tsv"]))]
    peaks_path = _first(folder, ["peaks.bed", "features.tsv"])
    rows = _lines(peaks_path)
    keep = None
    if peaks_path.name.startswith("peaks.bed"):
        if bad := next((i for i, row in enumerate(rows, 1) if len(row) < 3), None):
            msg = f"{peaks_path}, line {bad}: a BED line has at least 3 columns"
            raise FormatError(msg)
        names = [f"{row[0]}:{row[1]}-{row[2]}" for row in rows]
    else:
        names = [row[0] for row in rows]
        if all(len(row) > 2 for row in rows):
            keep = np.array([row[2] == "Peaks" for row in rows])
    counts = _read_matrix_market(matrix_path)
    if counts.shape != (len(names), len(barcodes)):
        msg = f"{folder}: the matrix is {counts.shape}, but there are {len(names)} peaks and {len(barcodes)} barcodes"
        raise FormatError(msg)
    adata = AnnData(
        sparse.csr_matrix(counts.T), obs=pd.DataFrame(index=barcodes), var=pd.DataFrame(index=pd.Index(names))
    )
    if keep is not None and keep.any() and not keep.all():
        adata = adata[:, keep].copy()
    return adata
