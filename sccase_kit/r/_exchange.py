"""Arrays in and out of a folder of binary files; the Python half of ``r_scripts/lib/exchange.R``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from ._limits import check_r_size

_BLOCK = 1 << 22
_NA_INTEGER = np.iinfo(np.int32).min


def _dump(values: np.ndarray, path: Path, dtype: str) -> None:
    with path.open("wb") as file:
        for first in range(0, len(values), _BLOCK):
            values[first : first + _BLOCK].astype(dtype).tofile(file)


def _kind(values: np.ndarray, name: str) -> str:
    kind = {"b": "logical", "f": "double", "U": "character", "O": "character"}.get(values.dtype.kind)
    if kind is None and values.dtype.kind in "iu":
        fits = values.size == 0 or (values.min() > _NA_INTEGER and values.max() <= np.iinfo(np.int32).max)
        kind = "integer" if fits else "double"
    if kind is None:
        msg = f"{name} has dtype {values.dtype}, which R has no vector for"
        raise TypeError(msg)
    return kind


def write_bundle(values: dict[str, Any], folder: Path) -> None:
    """Write named values to `folder` for ``read_bundle()`` in R.

    Parameters
    ----------
    values
        Scalars, strings, lists of strings, arrays of one or two dimensions, scipy CSC matrices. None is left out.
    folder
        Folder, created if needed.

    Raises
    ------
    OverflowError
        If a sparse matrix is too large for R's 32-bit indices.
    """
    folder.mkdir(exist_ok=True)
    index = ["name\tkind\trows\tcols\tfile"]
    for number, (name, value) in enumerate((n, v) for n, v in values.items() if v is not None):
        stem = str(folder / str(number))
        if sparse.issparse(value):
            check_r_size(value, name=name)
            kind = "lgCMatrix" if value.dtype == bool else "dgCMatrix"
            rows, cols = value.shape
            _dump(value.indices, Path(f"{stem}.i.bin"), "<i4")
            _dump(value.indptr, Path(f"{stem}.p.bin"), "<i4")
            _dump(value.data, Path(f"{stem}.x.bin"), "<i4" if kind == "lgCMatrix" else "<f8")
        else:
            array = np.atleast_1d(np.asarray(value))
            kind = _kind(array, name)
            rows, cols = (len(array), -1) if array.ndim == 1 else array.shape
            flat = array.ravel(order="F")
            path = Path(f"{stem}.x.bin")
            if kind == "character":
                path.write_bytes(b"".join(str(text).encode() + b"\0" for text in flat))
            else:
                _dump(flat, path, "<f8" if kind == "double" else "<i4")
        index.append(f"{name}\t{kind}\t{rows}\t{cols}\t{number}")
    (folder / "index.tsv").write_text("\n".join(index) + "\n")


def _load(path: Path, kind: str, count: int) -> Any:
    if kind == "character":
        return path.read_bytes().decode().split("\0")[:count] if count else []
    values = np.fromfile(path, dtype="<f8" if kind == "double" else "<i4", count=count) if count else np.empty(0)
    if kind == "double":
        return values.astype(np.float64, copy=False)
    if count and (values == _NA_INTEGER).any():
        return np.where(values == _NA_INTEGER, np.nan, values)
    return values.astype(bool if kind == "logical" else np.int32, copy=False)


def read_bundle(folder: Path) -> dict[str, Any]:
    """Read what ``write_bundle()`` in R wrote: arrays, lists of strings, CSC matrices, data frames.

    Integers and logicals that contain NA come as float64 with NaN.
    """
    values: dict[str, Any] = {}
    frames: dict[str, dict[str, Any]] = {}
    for line in (folder / "index.tsv").read_text().splitlines()[1:]:
        name, kind, rows, cols, number = line.split("\t")
        n_rows, n_cols = int(rows), int(cols)
        stem = str(folder / number)
        if kind.endswith("gCMatrix"):
            indptr = _load(Path(f"{stem}.p.bin"), "integer", n_cols + 1)
            data_kind = "logical" if kind == "lgCMatrix" else "double"
            data = _load(Path(f"{stem}.x.bin"), data_kind, int(indptr[-1]))
            indices = _load(Path(f"{stem}.i.bin"), "integer", int(indptr[-1]))
            value: Any = sparse.csc_matrix((data, indices, indptr), shape=(n_rows, n_cols))
        elif n_cols < 0:
            value = _load(Path(f"{stem}.x.bin"), kind, n_rows)
        else:
            value = _load(Path(f"{stem}.x.bin"), kind, n_rows * n_cols).reshape(n_cols, n_rows).T
        if "/" in name:
            frame, column = name.split("/", 1)
            frames.setdefault(frame, {})[column] = value
        else:
            values[name] = value
    return values | {name: pd.DataFrame(columns) for name, columns in frames.items()}
