"""R values → Python."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ._values import NA_INTEGER, NULL, RValue

_UNITS = {"secs": 1.0, "mins": 60.0, "hours": 3600.0, "days": 86400.0, "weeks": 604800.0}
_NO_ZONE = ("", "UTC", "GMT")
_KNOWN = {"AsIs", "Date", "POSIXct", "POSIXt", "array", "character", "complex", "difftime", "factor", "hms", "integer"}
_KNOWN |= {"integer64", "logical", "matrix", "noquote", "numeric", "ordered", "table"}
"""Classes of vectors that say nothing more, or that are converted."""
_NA_INTEGER64 = np.iinfo(np.int64).min


def from_value(value: RValue, lost: list[str]) -> Any:
    """Convert an R value to Python.

    Vectors become numpy arrays without their names (integers and logicals with NA: float64 with NaN; strings: object
    with None), arrays keep their shape, factors become Categoricals, data frames (data.frame, DataFrame) DataFrames,
    sparse matrices CSC, experiments and Seurat objects AnnData, GRanges a DataFrame chrom/start/end/strand (0-based),
    named lists dicts, other lists lists, NULL None. Anything else is returned as the carrier has it.

    Parameters
    ----------
    value
        The R value.
    lost
        Takes a sentence for everything that is left out.
    """
    if value.kind == "NULL":
        return None
    if value.kind == "S4":
        from ._s4 import from_s4

        return from_s4(value, lost)
    if value.kind == "list":
        return _from_list(value, lost)
    if value.kind == "opaque":
        if value.origin is None:
            lost.append(f"a value of class {next(iter(value.data or []), 'unknown')!r}")
        return value.origin
    classes = value.classes
    if odd := [name for name in classes if name not in _KNOWN]:
        lost.append(f"the class {'/'.join(odd)!r} of a vector (its values are taken)")
    if "factor" in classes:
        return _factor(value, ordered="ordered" in classes)
    if "integer64" in classes and value.kind == "double":
        return _wide(value)
    array = plain(value)
    if "POSIXct" in classes:
        return _times(array, next(iter(value.text("tzone")), ""))
    if "Date" in classes:
        return pd.to_datetime(array, unit="D").to_numpy()
    if "difftime" in classes:
        scale = _UNITS.get(next(iter(value.text("units")), "secs"), 1.0)
        seconds = np.asarray(array, dtype=np.float64)
        known = np.round(np.where(np.isnan(seconds), 0, seconds) * scale * 1e9).astype(np.int64).astype("m8[ns]")
        return np.where(np.isnan(seconds), np.timedelta64("NaT", "ns"), known)
    dim = value.slot("dim")
    if dim.kind == "NULL":
        return array
    note_dimnames(value.slot("dimnames"), "a matrix" if len(dim) == 2 else "an array", lost)
    return array.reshape(tuple(int(size) for size in dim.data), order="F")


def _factor(value: RValue, *, ordered: bool) -> pd.Categorical:
    """Return a factor; a level that is NA (``addNA``) is a missing value."""
    codes = np.maximum(value.data.astype(np.int64) - 1, -1)
    levels = value.slot("levels").data or []
    kept = [k for k, level in enumerate(levels) if level is not None]
    if len(kept) < len(levels):
        place = np.full(len(levels) + 1, -1)
        place[kept] = np.arange(len(kept))
        codes = place[codes]
    return pd.Categorical.from_codes(codes, categories=[str(levels[k]) for k in kept], ordered=ordered)


def _wide(value: RValue) -> np.ndarray:
    """Return 64-bit integers (package bit64), which R keeps in the bytes of doubles; with NA as float64 with NaN."""
    whole = np.ascontiguousarray(value.data, dtype=np.float64).view(np.int64)
    missing = whole == _NA_INTEGER64
    return np.where(missing, np.nan, whole) if missing.any() else whole


def note_names(value: RValue, lost: list[str]) -> None:
    """Say that the names of a vector inside something are left out, if there are any."""
    if value.kind not in ("list", "NULL", "S4", "opaque") and value.slot("names").kind == "character":
        lost.append("the names of a vector (names(x) gives them)")


def note_dimnames(names: RValue, what: str, lost: list[str]) -> None:
    """Say that row or column names are left out, if there are any."""
    sides = [side for side, item in zip(("row", "column"), names.data or [], strict=False) if item.kind == "character"]
    if sides:
        lost.append(
            f"the {' and '.join(sides)} names of {what} (rownames(x), colnames(x) and as.data.frame(x) give them)"
        )


def plain(value: RValue) -> np.ndarray:
    """Return an atomic vector without its attributes."""
    if value.kind == "character":
        array = np.empty(len(value.data), dtype=object)
        array[:] = value.data
        return array
    if value.kind in ("integer", "logical"):
        missing = value.data == NA_INTEGER
        if missing.any():
            return np.where(missing, np.nan, value.data)
        return value.data.astype(bool) if value.kind == "logical" else value.data
    return value.data


def _times(seconds: np.ndarray, zone: str) -> Any:
    micro = np.round(np.where(np.isnan(seconds), 0, seconds) * 1e6).astype(np.int64).astype("datetime64[us]")
    times = pd.DatetimeIndex(np.where(np.isnan(seconds), np.datetime64("NaT", "us"), micro))
    if not len(times) or (times.year.min() > 1677 and times.year.max() < 2262):  # what nanoseconds reach
        times = times.as_unit("ns")
    if zone in _NO_ZONE:
        return times.to_numpy()
    try:
        return times.tz_localize("UTC").tz_convert("UTC" if zone == "Etc/UTC" else zone).array
    except (KeyError, ValueError, OSError):  # a zone that this system does not know
        return times.to_numpy()


def _from_list(value: RValue, lost: list[str]) -> Any:
    if "data.frame" in value.classes:
        return frame_from(value.items(), row_names(value), lost)
    items = [from_value(item, lost) for item in value.data]
    for item in value.data:
        note_names(item, lost)
    keys = value.text("names")
    if not keys and items:
        return items
    if not items:
        return {} if value.slot("names").kind == "character" else []
    return dict(zip(keys, items, strict=True)) if len(set(keys)) == len(keys) else items


def row_names(frame: RValue) -> list[str]:
    """Return the row names of a data.frame."""
    rows = frame.slot("row.names")
    if rows.kind == "character":
        return [str(item) for item in rows.data]
    codes = np.asarray(plain(rows), dtype=np.float64) if rows.kind != "NULL" else np.empty(0)
    if len(codes) == 2 and np.isnan(codes[0]):  # R's short form c(NA, -n)
        return [str(k) for k in range(1, int(abs(codes[1])) + 1)]
    return [str(int(k)) for k in codes]


def column_from(column: RValue, lost: list[str]) -> Any:
    """Convert one column; integers and logicals with NA become nullable. None where it cannot be a column."""
    if column.kind == "S4":
        from ._s4 import run_lengths

        return run_lengths(column, lost)
    if column.kind not in ("logical", "integer", "double", "complex", "character", "raw"):
        return None
    if len(column.slot("dim")) > 1:
        return None
    if len(column.slot("dim")) == 1:  # an array of one dimension, as rhdf5 reads and so ArchR keeps its columns
        column = replace(
            column, attributes={k: v for k, v in column.attributes.items() if k not in ("dim", "dimnames")}
        )
    if "integer64" in column.classes and column.kind == "double":
        whole = np.ascontiguousarray(column.data, dtype=np.float64).view(np.int64)
        missing = whole == _NA_INTEGER64
        return pd.arrays.IntegerArray(np.where(missing, 0, whole), missing) if missing.any() else whole
    converted = from_value(column, lost)
    if column.kind in ("integer", "logical") and isinstance(converted, np.ndarray) and converted.dtype.kind == "f":
        missing = np.isnan(converted)
        filled = np.where(missing, 0, converted)
        if column.kind == "logical":
            return pd.arrays.BooleanArray(filled.astype(bool), missing)
        return pd.arrays.IntegerArray(filled.astype(np.int32), missing)
    return converted


def frame_from(columns: Iterable[tuple[str, RValue]], rows: list[str] | None, lost: list[str]) -> pd.DataFrame:
    """Build a DataFrame from R columns. Row names "1", "2", … become a RangeIndex.

    Columns that are not plain vectors (lists, matrices, tables) are left out and named in `lost`.
    """
    names, data = [], []
    for name, column in columns:
        inner: list[str] = []
        converted = column_from(column, inner)
        lost.extend(f"of the column {name!r}: {sentence}" for sentence in inner)
        if converted is None:
            lost.append(f"the column {name!r} ({'/'.join(column.classes) or column.kind})")
            continue
        names.append(name)
        data.append(converted)
    count = len(rows) if rows is not None else len(data[0]) if data else 0
    plain_rows = rows is None or rows == [str(k) for k in range(1, count + 1)]
    index = pd.RangeIndex(count) if plain_rows else pd.Index(rows, dtype=object)
    frame = pd.DataFrame(dict(enumerate(data)), index=index)
    frame.columns = pd.Index(names, dtype=object)
    return frame


def summary(lost: list[str]) -> str:
    """Return what was left out as one sentence."""
    unique = list(dict.fromkeys(lost))
    shown = unique if len(unique) <= 10 else [*unique[:10], f"{len(unique) - 10} more"]
    return f"not taken along from R: {'; '.join(shown)}"


__all__ = [
    "NULL",
    "column_from",
    "frame_from",
    "from_value",
    "note_dimnames",
    "note_names",
    "plain",
    "row_names",
    "summary",
]
