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
_NAMES = (str, int, float, tuple, type(None), np.generic)
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


def _key_note(key: Any) -> Any:
    """Return the name of a column as JSON has it; a tuple as a list."""
    if isinstance(key, np.generic):
        key = key.item()
    if isinstance(key, tuple):
        return [_key_note(part) for part in key]
    return key if key is None or isinstance(key, (str, int, float)) else str(key)


def _key_from(noted: Any) -> Any:
    return tuple(_key_from(part) for part in noted) if isinstance(noted, list) else noted


def _frame_note(frame: pd.DataFrame) -> dict[str, Any]:
    columns = [
        [name, _key_note(key), _column_note(frame.iloc[:, k])]
        for k, (name, key) in enumerate(zip(r_names(frame.columns), frame.columns.tolist(), strict=True))
    ]
    index = {"index": _key_note(frame.index.name), "dtype": _column_note(frame.index)}
    note = {**index, "columns": columns, "columns_name": _key_note(frame.columns.name)}
    if frame.columns.is_unique and "chrom" in frame and isinstance(frame["chrom"].dtype, pd.CategoricalDtype):
        kept = frame["chrom"].dtype  # GRanges have the names that occur, not the categories
        note["levels"] = {"chrom": [[str(level) for level in kept.categories], bool(kept.ordered)]}
    return note


def changes(frame: pd.DataFrame, name: str) -> list[str]:
    """Return a sentence for everything of a data frame that R holds otherwise and :func:`restore_frame` cannot undo."""
    found = []
    odd = [key for key in frame.columns if str(_key_note(key)) == str(key) and not isinstance(key, _NAMES)]
    if odd:
        found.append(f"{name}: names of columns that are no text become text: {odd}")
    for k, key in enumerate(frame.columns.tolist()):
        column = frame.iloc[:, k]
        if isinstance(column.dtype, pd.CategoricalDtype):
            levels = column.cat.categories
            if isinstance(levels.dtype, pd.IntervalDtype):
                found.append(f"{name}[{key!r}]: its categories, intervals, become text")
            elif levels.dtype == object and not all(isinstance(level, str) for level in levels):
                found.append(f"{name}[{key!r}]: its categories, of several types, become text")
        elif column.dtype.kind in "mM" and not _exact(column):
            found.append(f"{name}[{key!r}]: times are rounded to what R's seconds hold")
    return found


def _exact(column: pd.Series) -> bool:
    """Return whether times survive as seconds in a double: whole microseconds, spans to the nanosecond."""
    known = column[column.notna()]
    if column.dtype.kind == "M":
        index = pd.DatetimeIndex(known)
        return index.unit != "ns" or not (index.asi8 % 1000).any()
    whole = known.to_numpy(dtype="timedelta64[ns]").astype(np.int64)
    return bool((np.round(whole / 1e9 * 1e9).astype(np.int64) == whole).all())


def note_of(
    adata: AnnData,
    matrices: Mapping[str, Any],
    *,
    x_name: str,
    obsm: Mapping[str, Any],
    names: Mapping[str, Mapping[str, str]],
    raw: bool,
) -> str:
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
    names
        Slot → name in R → key of a layer, an array or a graph, where they differ.
    raw
        Whether `adata.raw` is handed over.
    """
    note: dict[str, Any] = {
        "x": x_name if adata.X is not None else None,
        "matrices": {name: _matrix_note(matrix) for name, matrix in matrices.items()},
        "names": {slot: dict(found) for slot, found in names.items() if found},
        "obs": _frame_note(adata.obs),
        "var": _frame_note(adata.var),
        "obsm": {
            key: _frame_note(value) if isinstance(value, pd.DataFrame) else [*_matrix_note(value), list(value.shape)]
            for key, value in obsm.items()
        },
        "pairs": {
            name: {key: _matrix_note(value) for key, value in getattr(adata, name).items()} for name in ("obsp", "varp")
        },
    }
    if raw:
        note["raw"] = {
            "x": _matrix_note(adata.raw.X),
            "var": _frame_note(adata.raw.var),
        }
    return json.dumps(note)


def read_note(text: Any) -> dict[str, Any]:
    """Return a note, empty where there is none or it is not one."""
    try:
        note = json.loads(text)
    except (TypeError, ValueError):
        return {}
    return note if isinstance(note, dict) and {"matrices", "obs", "var"} <= set(note) else {}


def key_of(note: dict[str, Any], slot: str, name: str) -> str:
    """Return the key that a layer, an array or a graph had before it got a name for R."""
    return str(note.get("names", {}).get(slot, {}).get(name, name))


def restore_pairs(matrix: Any, note: list[Any] | None) -> Any:
    """Give a graph, which is sparse in R, the container and dtype it had."""
    restored = restore_matrix(matrix, note)
    return restored.toarray() if note is not None and note[0] == "ndarray" and sparse.issparse(restored) else restored


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
    known = {name: (_key_from(key), dtype) for name, key, dtype in note["columns"]}
    levels = note.get("levels", {})
    here = list(frame.columns)
    order = [name for name in known if name in here]
    order += [name for name in here if name not in known]
    columns = [
        _restore_chrom(frame[name], known[name][1], levels.get(name))
        if name == "chrom" and name in known
        else restore_column(frame[name], known[name][1])
        if name in known
        else frame[name]
        for name in order
    ]
    index = frame.index
    if isinstance(index, pd.Index) and note.get("dtype") not in (None, "object"):
        index = pd.Index(restore_column(pd.Series(index), note["dtype"]))
    restored = pd.DataFrame(dict(enumerate(columns)), index=frame.index)
    restored.index = index
    keys = [known[name][0] if name in known else name for name in order]
    named_by = _key_from(note.get("columns_name"))
    restored.columns = pd.Index(keys, dtype=object, tupleize_cols=False, name=named_by)
    restored.index.name = _key_from(note["index"])
    return restored


def _restore_chrom(column: pd.Series, dtype: str, levels: list[Any] | None) -> pd.Series:
    """Give chromosomes, which are text in GRanges, their categories or numbers back."""
    if levels is not None and column.dtype == object and set(column) <= set(levels[0]):
        column = pd.Series(pd.Categorical(column, categories=levels[0], ordered=levels[1]), index=column.index)
    elif column.dtype == object and dtype.startswith(("int", "uint", "float", "Int", "UInt")):
        cast = pd.to_numeric(column, errors="coerce")
        if cast.notna().all() and (cast.astype(dtype).astype(str) == column).all():
            return cast.astype(dtype)
    return restore_column(column, dtype)


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
