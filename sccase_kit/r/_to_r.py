"""Python → R values; inputs are never changed."""

from __future__ import annotations

import datetime
import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from ._limits import EXACT_DOUBLE, INT32_MAX, check_r_size
from ._values import NA_INTEGER, NULL, RValue, atomic, check_text, listed, make
from ._values import text as text_value

_INFERRED = {
    "integer": "Int64",
    "boolean": "boolean",
    "floating": "float64",
    "mixed-integer-float": "float64",
    "decimal": None,
}


def to_value(value: Any, *, name: str = "value") -> RValue:
    """Convert a Python value to an R value.

    ========================================  =======================================================================
    Python                                    R
    ========================================  =======================================================================
    None                                      NULL
    bool, int, float, complex, str, arrays    vector or array; 64-bit integers become integer if they fit, else double
    Series, Index, extension arrays           vector; missing values NA
    Categorical                               factor
    datetime64, datetime                      POSIXct, in UTC or the zone of the values
    date                                      Date
    timedelta64, timedelta                    difftime in seconds
    DataFrame                                 data.frame
    scipy sparse                              dgCMatrix (bool: lgCMatrix), canonical
    list, tuple                               vector if all elements are scalars of one kind, else list
    mapping                                   named list
    AnnData                                   SummarizedExperiment (see :func:`~sccase_kit.r.to_r`)
    R values of rpy2                          as they are
    ========================================  =======================================================================

    Parameters
    ----------
    value
        What to convert.
    name
        Name used in messages.

    Raises
    ------
    OverflowError
        If an integer is not exact as a double, or a sparse matrix is too large for R's 32-bit indices.
    TypeError
        If there is no R counterpart.
    ValueError
        If text holds a NUL character, or a data frame has repeated column names.
    """
    if value is None:
        return NULL
    if isinstance(value, RValue):
        return value
    if hasattr(value, "__sexp__"):
        return RValue("opaque", origin=value)
    if isinstance(value, AnnData):
        from ._experiment import experiment_value

        return experiment_value(value)
    if sparse.issparse(value):
        return sparse_value(value, name)
    if isinstance(value, pd.DataFrame):
        return _frame(value, name)
    if isinstance(value, (pd.Series, pd.Index, pd.api.extensions.ExtensionArray)):
        return column_value(value, name)
    if value is pd.NaT or value is pd.NA:
        return atomic("logical", [NA_INTEGER])
    if isinstance(value, (datetime.date, datetime.timedelta)):
        return column_value(pd.Series([value]), name)
    if isinstance(value, (np.ndarray, np.generic, str, bool, numbers.Number)):
        return _array(np.asarray(value), name)
    if isinstance(value, Mapping):
        keys = [str(key) for key in value]
        check_text(keys, f"a name in {name}")
        return listed([to_value(item, name=f"{name}[{key!r}]") for key, item in value.items()], keys)
    if isinstance(value, (list, tuple)):
        kinds = {_scalar_kind(item) for item in value}
        if (len(kinds) == 1 and None not in kinds) or kinds == {"int", "real"}:
            return _array(np.asarray(value, dtype=object if kinds == {"str"} else None), name)
        return listed([to_value(item, name=f"{name}[{k}]") for k, item in enumerate(value)])
    msg = f"{name}: no R counterpart for {type(value).__module__}.{type(value).__name__}"
    raise TypeError(msg)


def _scalar_kind(item: object) -> str | None:
    for kind, types in (("str", str), ("bool", (bool, np.bool_)), ("int", numbers.Integral), ("real", numbers.Real)):
        if isinstance(item, types):
            return kind
    return None


def strings(values: Any, name: str) -> RValue:
    """Make a character vector; missing values become NA.

    Raises
    ------
    ValueError
        If a string holds a NUL character, which ends a string in R, or half a surrogate pair.
    """
    return RValue("character", check_text([None if pd.isna(item) else str(item) for item in values], name))


def _integers(values: np.ndarray, name: str) -> RValue:
    if values.size == 0 or (int(values.min()) > NA_INTEGER and int(values.max()) <= INT32_MAX):
        return atomic("integer", values)
    if max(-int(values.min()), int(values.max())) > EXACT_DOUBLE:
        msg = f"{name} holds integers beyond ±2**53, which neither R's integers nor its doubles hold exactly"
        raise OverflowError(msg)
    return atomic("double", values)


def _array(array: np.ndarray, name: str) -> RValue:
    flat = array.ravel(order="F")
    kind = array.dtype.kind
    if kind == "b":
        value = atomic("logical", flat)
    elif kind in "iu":
        value = _integers(flat, name)
    elif kind == "f" and array.dtype.itemsize <= 8:
        value = atomic("double", flat)
    elif kind == "c" and array.dtype.itemsize <= 16:
        value = atomic("complex", flat)
    elif kind == "M":
        value = _times(flat, "UTC")
    elif kind == "m":
        value = _spans(flat)
    elif kind in "UT" or (kind == "O" and all(isinstance(item, str) or pd.isna(item) for item in flat.tolist())):
        value = strings(flat.tolist(), name)
    else:
        msg = f"{name}: no R vector for an array of dtype {array.dtype}"
        raise TypeError(msg)
    if array.ndim > 1:
        value.attributes = {**value.attributes, "dim": atomic("integer", array.shape)}
    return value


def _times(values: np.ndarray, zone: str) -> RValue:
    seconds = values.astype("datetime64[us]").astype(np.int64) / 1e6
    value = atomic("double", np.where(np.isnat(values), np.nan, seconds))
    value.attributes = {"class": text_value("POSIXct", "POSIXt"), "tzone": text_value(zone)}
    return value


def _spans(values: np.ndarray) -> RValue:
    seconds = values.astype("timedelta64[ns]").astype(np.int64) / 1e9
    value = atomic("double", np.where(np.isnat(values), np.nan, seconds))
    value.attributes = {"class": text_value("difftime"), "units": text_value("secs")}
    return value


def _zone(zone: datetime.tzinfo) -> str:
    """Return R's name of a time zone: UTC where it has none; ``Etc/UTC`` tells zoned UTC from times without a zone."""
    key = getattr(zone, "key", None) or getattr(zone, "zone", None) or str(zone)
    return key if "/" in key else "Etc/UTC"


def column_value(values: Any, name: str) -> RValue:
    """Convert a one-dimensional pandas object.

    Raises
    ------
    TypeError
        If its values have no R counterpart.
    """
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _factor(pd.Categorical(values), name)
    if isinstance(dtype, pd.DatetimeTZDtype):
        return _times(pd.DatetimeIndex(values).tz_convert("UTC").tz_localize(None).to_numpy(), _zone(dtype.tz))
    if isinstance(dtype, pd.SparseDtype):
        return column_value(pd.Series(np.asarray(values)), name)
    if isinstance(dtype, (pd.PeriodDtype, pd.IntervalDtype)):
        msg = f"{name}: R has no column of dtype {dtype}"
        raise TypeError(msg)
    if isinstance(dtype, np.dtype):
        return _objects(values, name) if dtype.kind == "O" else _array(np.asarray(values), name)
    missing = np.asarray(pd.isna(values))
    kind = getattr(dtype, "kind", "O")
    if pd.api.types.is_bool_dtype(dtype) or kind in "iu":
        kind = "b" if pd.api.types.is_bool_dtype(dtype) else kind
        filled = pd.Series(values).fillna(False if kind == "b" else 0).to_numpy(dtype=bool if kind == "b" else np.int64)
        if kind != "b" and filled.size and (int(filled.max()) > INT32_MAX or int(filled.min()) <= NA_INTEGER):
            return atomic("double", np.where(missing, np.nan, _integers(filled, name).data))
        return atomic("logical" if kind == "b" else "integer", np.where(missing, NA_INTEGER, filled))
    if kind == "f":
        return atomic("double", pd.Series(values).to_numpy(dtype=np.float64, na_value=np.nan))
    return _objects(pd.Series(np.asarray(values, dtype=object)), name)


def _factor(categorical: pd.Categorical, name: str) -> RValue:
    codes = np.asarray(categorical.codes, dtype=np.int64)
    levels = [str(level) for level in categorical.categories]
    if len(set(levels)) < len(levels):
        msg = f"{name}: two categories have the same text, such as 1 and '1'; R's levels are text"
        raise TypeError(msg)
    value = atomic("integer", np.where(codes < 0, NA_INTEGER, codes + 1))
    value.attributes = {
        "levels": strings(levels, name),
        "class": text_value(*(["ordered", "factor"] if categorical.ordered else ["factor"])),
    }
    return value


def _objects(values: Any, name: str) -> RValue:
    """Convert a column of Python objects by what they are: text, or numbers, dates and so on with missing values."""
    series = pd.Series(np.asarray(values, dtype=object))
    kind = pd.api.types.infer_dtype(series, skipna=True)
    if kind in ("string", "empty"):
        return strings(series.tolist(), name)
    try:
        if _INFERRED.get(kind):
            return column_value(series.astype(_INFERRED[kind]), name)
        if kind == "date":
            times = pd.to_datetime(series).to_numpy(dtype="datetime64[us]")
            days = times.astype("datetime64[D]").astype(np.float64)
            value = atomic("double", np.where(np.isnat(times), np.nan, days))
            value.attributes = {"class": text_value("Date")}
            return value
        if kind in ("datetime", "datetime64", "timedelta", "timedelta64"):
            inferred = series.infer_objects()
            if inferred.dtype != object:
                return column_value(inferred, name)
    except (ValueError, TypeError) as err:
        msg = f"{name}: {err}"
        raise TypeError(msg) from err
    msg = f"{name}: no R vector for values of the kind {kind!r}"
    raise TypeError(msg)


def _frame(frame: pd.DataFrame, name: str) -> RValue:
    if not frame.columns.is_unique:
        repeated = frame.columns[frame.columns.duplicated()].unique().tolist()
        msg = f"{name} has repeated column names {repeated}; rename them first"
        raise ValueError(msg)
    keys = list(frame.columns)
    columns = [column_value(frame.iloc[:, k], f"{name}[{key!r}]") for k, key in enumerate(keys)]
    if isinstance(frame.index, pd.RangeIndex) or not frame.index.is_unique:
        rows = atomic("integer", np.arange(1, len(frame) + 1))
    else:
        rows = strings(frame.index, f"{name}.index")
    value = listed(columns, strings([str(key) for key in keys], f"{name}.columns").data)
    value.attributes = {**value.attributes, "class": text_value("data.frame"), "row.names": rows}
    return value


def sparse_value(matrix: Any, name: str) -> RValue:
    """Make a dgCMatrix (lgCMatrix for booleans) of the same shape."""
    csc = sparse.csc_matrix(matrix)
    if not csc.has_canonical_format:
        csc = csc.copy()
        csc.sum_duplicates()
    return compressed_value(csc.indptr, csc.indices, csc.data, csc.shape, name=name)


def transposed_value(matrix: Any, *, name: str) -> RValue:
    """Make canonical CSR (cells × peaks) the dgCMatrix peaks × cells on the same arrays."""
    return compressed_value(matrix.indptr, matrix.indices, matrix.data, matrix.shape[::-1], name=name)


def compressed_value(indptr: Any, indices: Any, data: Any, shape: tuple[int, int], *, name: str) -> RValue:
    """Make a dgCMatrix (lgCMatrix for bool data) of its three slots.

    Raises
    ------
    OverflowError
        If there are more rows, columns or entries than R's 32-bit integers count, or inexact 64-bit values.
    TypeError
        If the values are not boolean, integer or real.
    """
    check_r_size(sparse.csc_matrix((data, indices, indptr), shape=shape, copy=False), name=name)
    kind = data.dtype.kind
    if kind not in "biuf" or data.dtype.itemsize > 8:
        msg = f"{name}: R has no sparse matrix of dtype {data.dtype}"
        raise TypeError(msg)
    wide = kind in "iu" and data.dtype.itemsize == 8 and data.size
    if wide and max(int(data.max()), -int(data.min())) > EXACT_DOUBLE:
        msg = f"{name} holds integers beyond ±2**53, which R's doubles do not hold exactly"
        raise OverflowError(msg)
    return make(
        "make_sparse",
        kind=text_value("lgCMatrix" if kind == "b" else "dgCMatrix"),
        i=atomic("integer", indices),
        p=atomic("integer", indptr),
        x=atomic("logical" if kind == "b" else "double", data),
        dim=atomic("integer", shape),
    )
