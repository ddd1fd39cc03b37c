"""R → Python values on rpy2's low level: copies, never R's memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from ._session import call_r, door

_NA_INTEGER = -(2**31)
_DTYPES = {
    "CPLXSXP": np.complex128,
    "INTSXP": np.int32,
    "LGLSXP": np.int32,
    "RAWSXP": np.uint8,
    "REALSXP": np.float64,
}


def from_sexp(value: Any) -> Any:
    """Convert a low-level R value to Python.

    Vectors become numpy arrays (integers and logicals with NA: float64 with NaN; strings: object with None), arrays
    keep their shape, factors become Categoricals, data frames (data.frame, DataFrame) DataFrames, sparse matrices CSC,
    SummarizedExperiments AnnData, GRanges a DataFrame chrom/start/end/strand (0-based), named lists dicts, other
    lists lists, NULL None. Anything else is returned as it is.
    """
    kind = value.typeof.name if hasattr(value, "typeof") else ""
    if kind == "NILSXP":
        return None
    if kind == "S4SXP":
        return _from_s4(value)
    if kind == "VECSXP":
        return _from_list(value)
    if kind not in ("LGLSXP", "INTSXP", "REALSXP", "CPLXSXP", "STRSXP", "RAWSXP"):
        return value
    classes = _attribute(value, "class")
    if classes is not None and "factor" in list(classes):
        codes = np.maximum(_raw(value).astype(np.int64) - 1, -1)
        levels = list(_attribute(value, "levels"))
        return pd.Categorical.from_codes(codes, categories=levels, ordered="ordered" in list(classes))
    array = _plain(value)
    if classes is not None and "POSIXct" in list(classes):
        return pd.to_datetime(array, unit="s").to_numpy()
    if classes is not None and "Date" in list(classes):
        return pd.to_datetime(array, unit="D").to_numpy()
    dim = _attribute(value, "dim")
    return array if dim is None else array.reshape(tuple(dim), order="F")


def _attribute(value: Any, name: str) -> Any:
    return value.do_slot(name) if name in value.list_attrs() else None


def _raw(value: Any) -> np.ndarray:
    """Copy the memory of an atomic R vector."""
    if len(value) == 0:
        return np.empty(0, dtype=_DTYPES[value.typeof.name])
    if value.typeof.name in ("CPLXSXP", "RAWSXP"):
        return np.array(list(value), dtype=_DTYPES[value.typeof.name])
    return np.array(value.memoryview())


def _plain(value: Any) -> np.ndarray:
    kind = value.typeof.name
    if kind == "STRSXP":
        from rpy2.rinterface_lib.sexp import NACharacterType

        items = [None if isinstance(item, NACharacterType) else str(item) for item in value]
        array = np.empty(len(items), dtype=object)
        array[:] = items
        return array
    array = _raw(value)
    if kind in ("INTSXP", "LGLSXP"):
        missing = array == _NA_INTEGER
        if missing.any():
            return np.where(missing, np.nan, array)
        return array.astype(bool) if kind == "LGLSXP" else array
    return array


def _from_list(value: Any) -> Any:
    classes = _attribute(value, "class")
    names = _attribute(value, "names")
    if classes is not None and "data.frame" in list(classes):
        rows = list(door().rinterface.baseenv["row.names"](value))
        return frame_from(dict(zip(names if names is not None else [], value, strict=True)), rows)
    items = [from_sexp(item) for item in value]
    if names is None:
        return items
    keys = list(names)
    return dict(zip(keys, items, strict=True)) if len(set(keys)) == len(keys) else items


def frame_from(columns: Mapping[str, Any], rows: list[str] | None) -> pd.DataFrame:
    """Build a DataFrame from R columns; integers and logicals with NA become nullable columns.

    Row names "1", "2", … become a RangeIndex.
    """
    data = {}
    for name, column in columns.items():
        converted = from_sexp(column)
        kind = column.typeof.name
        if isinstance(converted, np.ndarray) and converted.dtype.kind == "f" and kind in ("INTSXP", "LGLSXP"):
            converted = pd.array(
                [None if np.isnan(item) else (bool(item) if kind == "LGLSXP" else int(item)) for item in converted],
                dtype="boolean" if kind == "LGLSXP" else "Int32",
            )
        data[name] = converted
    count = len(rows) if rows is not None else None
    plain = rows is None or rows == [str(k) for k in range(1, count + 1)]
    index = None if count is None else pd.RangeIndex(count) if plain else pd.Index(rows, dtype=object)
    return pd.DataFrame(data, index=index)


def sparse_from(parts: Mapping[str, Any]) -> sparse.csc_matrix:
    """Build CSC from the slots that ``matrix_parts()`` in R returns (low-level values)."""
    indices, indptr = _raw(parts["i"]), _raw(parts["p"])
    data = _plain(parts["x"])
    return sparse.csc_matrix((data, indices, indptr), shape=tuple(_raw(parts["dim"]).tolist()))


def named(value: Any) -> dict[str, Any]:
    """Return the elements of a named R list as low-level values."""
    return dict(zip(value.names, value, strict=True)) if len(value) else {}


def _from_s4(value: Any) -> Any:
    here = door()
    classes = set(here.helper("classes")(value))
    if "Matrix" in classes or "DelayedArray" in classes:
        return matrix_from(call_r(here.helper("matrix_parts"), value))
    if "SummarizedExperiment" in classes:
        from ._experiment import sexp_to_anndata

        return sexp_to_anndata(value)
    if "DataFrame" in classes or "DFrame" in classes:
        parts = named(call_r(here.helper("frame_parts"), value))
        rows = None if parts["names"].typeof.name == "NILSXP" else list(parts["names"])
        frame = frame_from(named(parts["columns"]), rows)
        return frame
    if "GRanges" in classes:
        return frame_from(named(call_r(here.helper("ranges_parts"), value)), None)
    return value


def matrix_from(parts: Any) -> Any:
    """Build CSC or ndarray from what ``matrix_parts()`` in R returns."""
    slots = named(parts)
    if bool(slots["sparse"][0]):
        return sparse_from(slots)
    return from_sexp(slots["values"])
