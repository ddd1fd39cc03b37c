"""What R has no types for, noted on the way in and restored on the way back.

R knows one kind of real number, sparse matrices of reals, and levels that are text. :func:`note_of` lists what an
AnnData had instead (int32 counts, CSR arrays, categories of numbers, names of columns that R cannot have); it travels
in ``metadata(x)$sccase_kit`` as JSON. What comes back gets its types again where nothing is lost by it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

KEY = "sccase_kit"
_CONTAINERS = ("csr_matrix", "csc_matrix", "csr_array", "csc_array")


def r_names(keys: Any) -> list[str]:
    """Return the names that columns have in R: text, not empty, not repeated."""
    taken: set[str] = set()
    names = []
    for key in keys:
        stem = str(key) or "unnamed"
        name, number = stem, 0
        while name in taken:
            number += 1
            name = f"{stem}.{number}"
        taken.add(name)
        names.append(name)
    return names


def _matrix_note(matrix: Any) -> list[str]:
    return [type(matrix).__name__ if sparse.issparse(matrix) else "ndarray", str(matrix.dtype)]


def _column_note(column: Any) -> str:
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return f"category:{dtype.categories.dtype}"
    if isinstance(dtype, pd.StringDtype):
        return f"string[{dtype.storage}]" if dtype.na_value is pd.NA else "str"
    return str(dtype)


def _frame_note(frame: pd.DataFrame, names: list[str]) -> dict[str, Any]:
    columns = [
        [name, key if isinstance(key, (str, int)) else str(key), _column_note(frame.iloc[:, k])]
        for k, (name, key) in enumerate(zip(names, frame.columns.tolist(), strict=True))
    ]
    return {"index": frame.index.name, "dtype": _column_note(frame.index), "columns": columns}


def note_of(adata: AnnData, matrices: Mapping[str, Any], *, x_name: str, obsm: Mapping[str, Any], raw: bool) -> str:
    """Return the note of an AnnData as JSON.

    Parameters
    ----------
    adata
        What is handed over.
    matrices
        The assays by their names in R.
    x_name
        The name of the assay that holds X.
    obsm
        The parts of `obsm` that are handed over.
    raw
        Whether `adata.raw` is handed over.
    """
    note: dict[str, Any] = {
        "x": x_name if adata.X is not None else None,
        "matrices": {name: _matrix_note(matrix) for name, matrix in matrices.items()},
        "obs": _frame_note(adata.obs, r_names(adata.obs.columns)),
        "var": _frame_note(adata.var, r_names(adata.var.columns)),
        "obsm": {
            key: _frame_note(value, r_names(value.columns))
            if isinstance(value, pd.DataFrame)
            else [*_matrix_note(value), list(value.shape)]
            for key, value in obsm.items()
        },
        "pairs": {
            name: {key: _matrix_note(value) for key, value in getattr(adata, name).items()} for name in ("obsp", "varp")
        },
    }
    if raw:
        note["raw"] = {
            "x": _matrix_note(adata.raw.X),
            "var": _frame_note(adata.raw.var, r_names(adata.raw.var.columns)),
        }
    return json.dumps(note)


def read_note(text: Any) -> dict[str, Any]:
    """Return a note, empty where there is none or it is not one."""
    try:
        note = json.loads(text)
    except (TypeError, ValueError):
        return {}
    return note if isinstance(note, dict) and {"matrices", "obs", "var"} <= set(note) else {}


def restore_matrix(matrix: Any, note: list[Any] | None) -> Any:
    """Give a matrix the container and dtype it had, if its values are the same in it."""
    if note is None or matrix is None:
        return matrix
    kind, dtype = note[:2]
    matrix = _as_dtype(matrix, dtype)
    if sparse.issparse(matrix) and kind in _CONTAINERS:
        return getattr(sparse, kind)(matrix)
    return matrix


def _as_dtype(matrix: Any, dtype: str) -> Any:
    values = matrix.data if sparse.issparse(matrix) else matrix
    try:
        wanted = np.dtype(dtype)
        with np.errstate(invalid="ignore", over="ignore"):
            cast = values.astype(wanted)
    except (TypeError, ValueError):
        return matrix
    return matrix.astype(wanted) if np.array_equal(cast, values, equal_nan=values.dtype.kind in "fc") else matrix


def restore_frame(frame: pd.DataFrame, note: dict[str, Any] | None) -> pd.DataFrame:
    """Give a data frame the order, names and dtypes of its columns and the name of its index back."""
    if not note:
        return frame
    known = {name: (key, dtype) for name, key, dtype in note["columns"]}
    here = list(frame.columns)
    order = [name for name in known if name in here]
    order += [name for name in here if name not in known]
    columns = [restore_column(frame[name], known[name][1]) if name in known else frame[name] for name in order]
    index = frame.index
    if isinstance(index, pd.Index) and note.get("dtype") not in (None, "object"):
        index = pd.Index(restore_column(pd.Series(index), note["dtype"]))
    restored = pd.DataFrame(dict(enumerate(columns)), index=frame.index)
    restored.index = index
    restored.columns = pd.Index([known[name][0] if name in known else name for name in order], dtype=object)
    restored.index.name = note["index"]
    return restored


def restore_column(column: pd.Series, dtype: str) -> pd.Series:
    """Give one column its dtype back where that changes no value."""
    if str(column.dtype) == dtype:
        return column
    try:
        if dtype.startswith("category:"):
            return _restore_categories(column, dtype.removeprefix("category:"))
        if dtype == "bool" and column.dtype.kind != "b":
            return column
        cast = column.astype("object" if dtype == "object" else dtype)
        if dtype.startswith("datetime64") or dtype.startswith("timedelta64"):
            return cast
        missing = column.isna().to_numpy()
        if not np.array_equal(cast.isna().to_numpy(), missing):
            return column
        same = np.asarray(cast[~missing], dtype=object) == np.asarray(column[~missing], dtype=object)
        return cast if bool(np.all(same)) else column
    except (TypeError, ValueError, OverflowError):
        return column


def _restore_categories(column: pd.Series, dtype: str) -> pd.Series:
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return column
    levels = column.cat.categories
    if dtype == "bool":
        values = pd.Index([level == "True" for level in levels])
    else:
        values = pd.Index(levels.astype(dtype))
    return column.cat.rename_categories(values) if [str(value) for value in values] == list(levels) else column
