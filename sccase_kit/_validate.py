"""Checks of user input; each names the argument, shows the value and says what is accepted."""

from __future__ import annotations

import difflib
import numbers
from collections.abc import Iterable
from typing import Any, Literal, TypeVar, get_args

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from ._remedy import with_remedy

Choice = TypeVar("Choice", bound=Any)
_LARGEST_INT = 2**63 - 1  # of the arrays that numbers of things end in


def native_sparse(matrix: Any) -> Any:
    """Return a sparse matrix in this machine's byte order, without a copy where it is; others as they are.

    Scipy refuses to copy, cut, multiply or convert matrices in the other byte order, in which some files are stored.
    """
    if not sparse.issparse(matrix) or matrix.format not in ("csr", "csc") or matrix.dtype.isnative:
        return matrix
    values = matrix.data.astype(matrix.dtype.newbyteorder("="))
    return type(matrix)((values, matrix.indices, matrix.indptr), shape=matrix.shape)


def _put(adata: AnnData, layer: str | None, matrix: Any) -> None:
    if layer is None:
        adata.X = matrix
    else:
        adata.layers[layer] = matrix


def check_adata(value: object, *, name: str = "adata") -> AnnData:
    """Return `value` if it is an AnnData, else raise TypeError.

    Tables that anndata's read_lazy has left on disk are loaded: they are small beside the counts, which stay there.
    Sparse counts in another byte order, which anndata can neither copy nor cut, get this machine's.
    """
    if isinstance(value, AnnData):
        for axis in ("obs", "var"):
            table = getattr(value, axis)
            if not isinstance(table, pd.DataFrame) and hasattr(table, "to_memory"):
                setattr(value, axis, table.to_memory())
        for slot in (value.obsm, value.varm):
            for key in [key for key in slot if type(slot[key]).__name__ == "Dataset2D"]:
                slot[key] = slot[key].to_memory()
        if not value.is_view:  # nobody can make a view of them
            for name in [None, *(name for name in value.layers if name is not None)]:
                matrix = value.X if name is None else value.layers[name]
                if (sound := native_sparse(matrix)) is not matrix:
                    _put(value, name, sound)
        return value
    hint = " Read the file first: sccase_kit.read(path)." if isinstance(value, str) else ""
    msg = f"{name} must be an AnnData (cells × peaks), got {type(value).__name__} {str(value)[:80]!r}.{hint}"
    raise TypeError(msg)


def check_int(value: object, *, name: str, minimum: int | None = None, maximum: int | None = None) -> int:
    """Return `value` as int if it is integral and within bounds; True/False and 3.5 are refused."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Integral):
        msg = f"{name} must be an integer, got {value!r} ({type(value).__name__})"
        raise TypeError(msg)
    result = int(value)
    if minimum is not None and result < minimum:
        msg = f"{name} must be at least {minimum}, got {result}"
        raise ValueError(msg)
    largest = _LARGEST_INT if maximum is None else maximum
    if result > largest:
        msg = f"{name} must be at most {largest}, got {result}"
        raise ValueError(msg)
    return result


def check_number(
    value: object,
    *,
    name: str,
    minimum: float | None = None,
    maximum: float | None = None,
    exclusive: bool = False,
) -> float:
    """Return `value` as float if it is a finite real number within [minimum, maximum] (open if exclusive)."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        msg = f"{name} must be a number, got {value!r} ({type(value).__name__})"
        raise TypeError(msg)
    result = float(value)
    if not np.isfinite(result):
        msg = f"{name} must be finite, got {value!r}"
        raise ValueError(msg)
    if minimum is not None and (result < minimum or (exclusive and result == minimum)):
        msg = f"{name} must be {'greater than' if exclusive else 'at least'} {minimum}, got {result}"
        raise ValueError(msg)
    if maximum is not None and (result > maximum or (exclusive and result == maximum)):
        msg = f"{name} must be {'less than' if exclusive else 'at most'} {maximum}, got {result}"
        raise ValueError(msg)
    return result


def check_choice(value: Choice, options: Iterable[str], *, name: str) -> Choice:
    """Return `value` if it is one of `options`, else raise ValueError listing them (with the closest one)."""
    options = list(options)
    if isinstance(value, str) and value in options:
        return value
    close = difflib.get_close_matches(str(value), options, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    msg = f"{name} must be one of {options}, got {value!r}.{hint}"
    raise ValueError(msg)


#: Scalings of the enhanced matrix; None is the signal, a weighted mean of TF-IDF profiles.
Scale = Literal["counts", "accessibility", "minmax"]


def check_scale(value: object) -> None:
    """Raise ValueError unless `value` is a scaling of the enhanced matrix."""
    if not (value is None or (isinstance(value, str) and value in get_args(Scale))):
        msg = (
            "scale must be None (the TF-IDF signal), 'counts' (expected counts), 'accessibility' (expected counts per "
        )
        msg += f"10,000 of the cell) or 'minmax' (each peak, then each cell, to [0, 1]), got {value!r}"
        raise ValueError(msg)


def check_key(
    value: object, available: Iterable[object], *, name: str, where: str, hint: str = "", remedy: str = ""
) -> str:
    """Return `value` if it is among `available` keys of `where` (e.g. "adata.obs"), else raise KeyError."""
    keys = [str(k) for k in available]
    if isinstance(value, str) and value in keys:
        return value
    shown = keys if len(keys) <= 20 else [*keys[:20], "…"]
    msg = f"{name}={value!r} is not in {where}; available: {shown}.{' ' + hint if hint else ''}"
    raise with_remedy(KeyError(msg), remedy)


def check_slot(value: object, *, name: str = "key_added") -> str:
    """Return `value` if it can name a field of an AnnData in a file, else raise TypeError or ValueError."""
    if not isinstance(value, str):
        msg = f"{name} must be text, got {value!r} ({type(value).__name__})"
        raise TypeError(msg)
    if not value.strip() or "/" in value:
        msg = f"{name} must be a name without '/', which files read as a folder, got {value!r}"
        raise ValueError(msg)
    return value


def check_table(
    value: object,
    *,
    name: str = "table",
    labels: Iterable[str] = (),
    numbers: Iterable[str] = (),
    p_values: Iterable[str] = (),
    hint: str = "",
) -> pd.DataFrame:
    """Return a copy of a table whose columns hold what they should: `numbers` and `p_values` as float64.

    Raises
    ------
    TypeError
        If `value` is not a DataFrame, or a column of numbers holds something else.
    KeyError
        If a column is missing.
    ValueError
        If there is no row, names of columns repeat, a label is missing, or a p-value is not in [0, 1]; NaN is allowed.
    """
    hint = f" {hint}" if hint else ""
    if not isinstance(value, pd.DataFrame):
        msg = f"{name} must be a DataFrame, got {type(value).__name__} {str(value)[:80]!r}.{hint}"
        raise TypeError(msg)
    if not value.columns.is_unique:
        twice = list(value.columns[value.columns.duplicated()].unique())
        msg = f"{name} has several columns of one name, such as {twice[:5]}; drop or rename all but one"
        raise ValueError(msg)
    labels, p_values = list(labels), list(p_values)
    numeric = [*numbers, *p_values]
    for column in [*labels, *numeric]:
        check_key(column, value.columns, name="column", where=name, hint=hint.strip())
    if value.empty:
        msg = f"{name} is empty: there is not a single row.{hint}"
        raise ValueError(msg)
    for column in labels:
        if n_missing := int(value[column].isna().sum()):
            msg = f"{name}[{column!r}] is missing in {n_missing} of {len(value)} rows; drop or name them first"
            raise ValueError(msg)
    table = value.copy()
    for column in numeric:
        table[column] = check_column(table, column, name=name)
    for column in p_values:
        wrong = ~table[column].between(0, 1) & table[column].notna()
        if wrong.any():
            msg = f"{name}[{column!r}] must hold p-values from 0 to 1, found {table[column][wrong].iloc[0]:g}"
            raise ValueError(msg)
    return table


def check_column(table: pd.DataFrame, column: str, *, name: str) -> np.ndarray:
    """Return a column of numbers as a float64 array, NaN where it is missing, or raise TypeError."""
    values = table[column]
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_complex_dtype(values):
        first = values.iloc[0] if len(values) else None
        msg = f"{name}[{column!r}] must hold numbers, got dtype {values.dtype} (first value {first!r:.80})"
        raise TypeError(msg)
    return values.to_numpy(dtype=np.float64, na_value=np.nan)


def check_list(values: Any, *, name: str, what: str = "values") -> list:
    """Return `values` as a list, or raise TypeError where they are no list, array, column or the like of `what`."""
    listed = isinstance(values, Iterable) and not isinstance(values, (str, bytes, AnnData))
    listed = listed and getattr(values, "ndim", 1) > 0
    if not listed or sparse.issparse(values):
        shown = f"of shape {values.shape}" if sparse.issparse(values) else f"{str(values)[:60]!r}"
        msg = f"{name} must be a list of {what}, got {type(values).__name__} {shown}"
        raise TypeError(msg)
    return list(values)


def check_some(values: Iterable[object] | str, *, name: str) -> list:
    """Return `values` as a list (a text is one value), or raise ValueError if there is none."""
    found = [values] if isinstance(values, str) else check_list(values, name=name)
    if not found:
        msg = f"{name} is empty: name at least one"
        raise ValueError(msg)
    return found


def check_labels(
    adata: AnnData, groupby: object, *, name: str = "groupby", min_groups: int = 1, text: bool = False
) -> pd.Series:
    """Return `adata.obs[groupby]` as a categorical Series without unused categories or missing values.

    With `text` the categories are text, as results name them.

    Raises
    ------
    KeyError
        If the column is missing.
    ValueError
        If labels are missing (NaN) for some cells, there are fewer than `min_groups` groups, the column holds measured
        values and not groups, or (with `text`) groups such as 1 and "1" are the same as text.
    """
    key = check_key(groupby, adata.obs.columns, name=name, where="adata.obs", remedy="tl.cluster")
    labels = adata.obs[key].astype("category").cat.remove_unused_categories()
    _check_groups(labels, name=f"{name}={key!r}")
    if n_missing := int(labels.isna().sum()):
        msg = f"{name}={key!r} has no label for {n_missing} of {len(labels)} cells; drop or label them first"
        raise ValueError(msg)
    if len(labels.cat.categories) < min_groups:
        msg = f"{name}={key!r} has {len(labels.cat.categories)} group(s), at least {min_groups} are needed"
        raise ValueError(msg)
    if not text:
        return labels
    names = [str(group) for group in labels.cat.categories]
    if twice := sorted({group for group in names if names.count(group) > 1}):
        msg = f"{name}={key!r}: groups {twice} are not distinct as text; rename them"
        raise ValueError(msg)
    return labels.cat.rename_categories(names)


def _check_groups(labels: pd.Series, *, name: str) -> None:
    """Raise ValueError where categories are fractions, or (of 20 cells and more) most cells are alone in theirs."""
    groups = labels.cat.categories
    if pd.api.types.is_float_dtype(groups.dtype) and not np.array_equal(groups, np.rint(groups)):
        msg = f"{name} holds fractional numbers such as {groups[0]:g}, not groups of cells; pd.cut makes some of them"
        raise ValueError(msg)
    if len(labels) >= 20 and len(groups) > len(labels) / 2:
        msg = f"{name} has {len(groups)} values for {len(labels)} cells, so these are no groups of cells"
        raise ValueError(msg)
