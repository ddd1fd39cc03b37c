"""Python ↔ R values: arrays, strings, factors, data frames, sparse matrices, experiments.

Conversions are plain functions on low-level rpy2 values, and one rpy2 ``Converter`` value (:func:`converter`) for
code that uses rpy2 itself. Inputs are never changed, R's memory never shared.
"""

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
_DTYPES = {
    "CPLXSXP": np.complex128,
    "INTSXP": np.int32,
    "LGLSXP": np.int32,
    "RAWSXP": np.uint8,
    "REALSXP": np.float64,
}


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


def converter() -> Any:
    """Return an rpy2 ``Converter`` value with these conversions on top of rpy2's default ones.

    For code that uses rpy2 itself::

        with sk.r.converter().context():
            rpy2.robjects.globalenv["counts"] = adata.X

    Returns
    -------
    The rpy2 ``Converter``.

    Raises
    ------
    ImportError
        If R or rpy2 is missing or they do not fit together.
    """
    door()
    import rpy2.robjects as ro

    rules = ro.conversion.Converter("sccase_kit", template=ro.default_converter)
    tables = (AnnData, pd.DataFrame, pd.Series, pd.Index, pd.api.extensions.ExtensionArray)
    arrays = (np.ndarray, np.generic, sparse.spmatrix, sparse.sparray)
    for cls in (*tables, *arrays, list, tuple, dict, type(None)):
        rules.py2rpy.register(cls, to_sexp)
    ri = door().rinterface
    vectors = (ri.IntSexpVector, ri.FloatSexpVector, ri.BoolSexpVector, ri.StrSexpVector, ri.ComplexSexpVector)
    for cls in (*vectors, ri.ListSexpVector, ri.SexpS4):  # rpy2 itself needs NULL as it is
        rules.rpy2py.register(cls, _high_level)
        rules.rpy2py_nc_map.pop(cls, None)
    return rules


def _high_level(value: Any) -> Any:
    """Convert to Python, or to rpy2's usual object where there is no Python counterpart."""
    import rpy2.robjects as ro

    converted = from_sexp(value)
    return ro.default_converter.rpy2py(converted) if converted is value else converted
