"""Python → R values on rpy2's low level; inputs are never changed, R's memory is never shared."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from ._limits import EXACT_DOUBLE, INT32_MAX, check_r_size
from ._session import call_r, door

_NA_INTEGER = -(2**31)


def to_sexp(value: Any, *, name: str = "value") -> Any:
    """Convert a Python value to a low-level R value.

    ========================================  =======================================================================
    Python                                    R
    ========================================  =======================================================================
    None                                      NULL
    bool, int, float, complex, str, arrays    vector or array; 64-bit integers become integer if they fit, else double
    Series, Index, extension arrays           vector; missing values NA
    Categorical                               factor
    datetime64                                POSIXct (UTC)
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
    """
    ri = door().rinterface
    if value is None:
        return ri.NULL
    if hasattr(value, "__sexp__"):
        return value
    if isinstance(value, AnnData):
        from ._experiment import anndata_to_sexp

        return anndata_to_sexp(value)
    if sparse.issparse(value):
        return _sparse(value, name)
    if isinstance(value, pd.DataFrame):
        return _frame(value, name)
    if isinstance(value, (pd.Series, pd.Index, pd.api.extensions.ExtensionArray)):
        return _column(value, name)
    if isinstance(value, (np.ndarray, np.generic, str, bool, numbers.Number)):
        return _array(np.asarray(value), name)
    if isinstance(value, Mapping):
        return _list(list(value.values()), [str(key) for key in value], name)
    if isinstance(value, (list, tuple)):
        kinds = {_scalar_kind(item) for item in value}
        if (len(kinds) == 1 and None not in kinds) or kinds == {"int", "real"}:
            return _array(np.asarray(value, dtype=object if kinds == {"str"} else None), name)
        return _list(list(value), None, name)
    msg = f"{name}: no R counterpart for {type(value).__module__}.{type(value).__name__}"
    raise TypeError(msg)


def _scalar_kind(item: object) -> str | None:
    for kind, types in (("str", str), ("bool", (bool, np.bool_)), ("int", numbers.Integral), ("real", numbers.Real)):
        if isinstance(item, types):
            return kind
    return None


def _list(values: list[Any], names: list[str] | None, name: str) -> Any:
    ri = door().rinterface
    vector = ri.ListSexpVector([to_sexp(item, name=f"{name}[{k}]") for k, item in enumerate(values)])
    if names is not None:
        vector.names = ri.StrSexpVector(names)
    return vector


def _vector(kind: str, values: np.ndarray) -> Any:
    """Copy a one-dimensional array into an R vector with one move of memory."""
    ri = door().rinterface
    types = {"int": (ri.IntSexpVector, np.int32), "float": (ri.FloatSexpVector, np.float64)}
    types |= {"bool": (ri.BoolSexpVector, np.int32), "complex": (ri.ComplexSexpVector, np.complex128)}
    cls, dtype = types[kind]
    if values.size == 0 or kind == "complex":
        return cls([complex(item) for item in values] if kind == "complex" else [])
    return cls.from_memoryview(memoryview(np.ascontiguousarray(values, dtype=dtype)))


def _strings(values: np.ndarray) -> Any:
    ri = door().rinterface
    return ri.StrSexpVector([ri.NA_Character if pd.isna(item) else str(item) for item in values.tolist()])


def _integers(values: np.ndarray, name: str) -> Any:
    if values.size == 0 or (int(values.min()) > _NA_INTEGER and int(values.max()) <= INT32_MAX):
        return _vector("int", values)
    if max(-int(values.min()), int(values.max())) > EXACT_DOUBLE:
        msg = f"{name} holds integers beyond ±2**53, which neither R's integers nor its doubles hold exactly"
        raise OverflowError(msg)
    return _vector("float", values)


def _array(array: np.ndarray, name: str) -> Any:
    flat = array.ravel(order="F")
    kind = array.dtype.kind
    if kind == "b":
        vector = _vector("bool", flat)
    elif kind in "iu":
        vector = _integers(flat, name)
    elif kind == "f" and array.dtype.itemsize <= 8:
        vector = _vector("float", flat)
    elif kind == "c" and array.dtype.itemsize <= 16:
        vector = _vector("complex", flat)
    elif kind == "M":
        vector = _times(flat)
    elif kind in "UT" or (kind == "O" and all(isinstance(item, str) or pd.isna(item) for item in flat.tolist())):
        vector = _strings(flat)
    else:
        msg = f"{name}: no R vector for an array of dtype {array.dtype}"
        raise TypeError(msg)
    if array.ndim > 1:
        vector.do_slot_assign("dim", _vector("int", np.asarray(array.shape)))
    return vector


def _times(values: np.ndarray) -> Any:
    seconds = values.astype("datetime64[us]").astype(np.int64) / 1e6
    vector = _vector("float", np.where(np.isnat(values), np.nan, seconds))
    ri = door().rinterface
    vector.rclass = ri.StrSexpVector(["POSIXct", "POSIXt"])
    vector.do_slot_assign("tzone", ri.StrSexpVector(["UTC"]))
    return vector


def _column(values: Any, name: str) -> Any:
    """Convert a one-dimensional pandas object."""
    dtype = values.dtype
    ri = door().rinterface
    if isinstance(dtype, pd.CategoricalDtype):
        categorical = pd.Categorical(values)
        codes = np.asarray(categorical.codes, dtype=np.int64)
        vector = _vector("int", np.where(codes < 0, _NA_INTEGER, codes + 1))
        vector.do_slot_assign("levels", ri.StrSexpVector([str(level) for level in categorical.categories]))
        ordered = ["ordered", "factor"] if categorical.ordered else ["factor"]
        vector.rclass = ri.StrSexpVector(ordered)
        return vector
    if isinstance(dtype, pd.DatetimeTZDtype):
        return _times(pd.DatetimeIndex(values).tz_convert("UTC").tz_localize(None).to_numpy())
    if isinstance(dtype, np.dtype):
        return _array(np.asarray(values), name)
    missing = np.asarray(pd.isna(values))
    kind = getattr(dtype, "kind", "O")
    if pd.api.types.is_bool_dtype(dtype) or kind in "iu":
        filled = pd.Series(values).fillna(False if kind == "b" else 0).to_numpy(dtype=bool if kind == "b" else np.int64)
        if kind in "iu" and filled.size and max(int(filled.max()), -int(filled.min())) > INT32_MAX:
            _integers(filled, name)
            return _vector("float", np.where(missing, np.nan, filled))
        return _vector("bool" if kind == "b" else "int", np.where(missing, _NA_INTEGER, filled))
    if kind == "f":
        return _vector("float", pd.Series(values).to_numpy(dtype=np.float64, na_value=np.nan))
    return _array(np.asarray(values, dtype=object), name)


def _frame(frame: pd.DataFrame, name: str) -> Any:
    if not frame.columns.is_unique:
        repeated = frame.columns[frame.columns.duplicated()].unique().tolist()
        msg = f"{name} has repeated column names {repeated}; rename them first"
        raise ValueError(msg)
    ri = door().rinterface
    columns = columns_to_sexp(frame, name=name)
    if isinstance(frame.index, pd.RangeIndex) or not frame.index.is_unique:
        rows = _vector("int", np.arange(1, len(frame) + 1))
    else:
        rows = ri.StrSexpVector([str(item) for item in frame.index])
    columns.do_slot_assign("row.names", rows)
    columns.rclass = ri.StrSexpVector(["data.frame"])
    return columns


def columns_to_sexp(frame: pd.DataFrame, *, name: str) -> Any:
    """Convert the columns of a data frame to a named R list."""
    ri = door().rinterface
    columns = [_column(frame[key], f"{name}[{key!r}]") for key in frame.columns]
    vector = ri.ListSexpVector(columns)
    vector.names = ri.StrSexpVector([str(key) for key in frame.columns])
    return vector


def _sparse(matrix: Any, name: str) -> Any:
    csc = sparse.csc_matrix(matrix)
    if not csc.has_canonical_format:
        csc = csc.copy()
        csc.sum_duplicates()
    return compressed_to_sexp(csc.indptr, csc.indices, csc.data, csc.shape, name=name)


def transposed_to_sexp(matrix: sparse.csr_matrix, *, name: str) -> Any:
    """Convert canonical CSR (cells × peaks) to the dgCMatrix peaks × cells on the same arrays."""
    return compressed_to_sexp(matrix.indptr, matrix.indices, matrix.data, matrix.shape[::-1], name=name)


def compressed_to_sexp(indptr: Any, indices: Any, data: Any, shape: tuple[int, int], *, name: str) -> Any:
    """Build a dgCMatrix (lgCMatrix for bool data) from its three slots.

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
    here = door()
    return call_r(
        here.helper("make_sparse"),
        here.rinterface.StrSexpVector(["lgCMatrix" if kind == "b" else "dgCMatrix"]),
        _vector("int", indices),
        _vector("int", indptr),
        _vector("bool" if kind == "b" else "float", data),
        _vector("int", np.asarray(shape)),
    )
