"""Checks of user input; each names the argument, shows the value and says what is accepted."""

from __future__ import annotations

import difflib
import numbers
from collections.abc import Iterable

import numpy as np
from anndata import AnnData


def check_adata(value: object, *, name: str = "adata") -> AnnData:
    """Return `value` if it is an AnnData, else raise TypeError."""
    if isinstance(value, AnnData):
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
    if maximum is not None and result > maximum:
        msg = f"{name} must be at most {maximum}, got {result}"
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


def check_choice(value: object, options: Iterable[str], *, name: str) -> str:
    """Return `value` if it is one of `options`, else raise ValueError listing them (with the closest one)."""
    options = list(options)
    if isinstance(value, str) and value in options:
        return value
    close = difflib.get_close_matches(str(value), options, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    msg = f"{name} must be one of {options}, got {value!r}.{hint}"
    raise ValueError(msg)


def check_key(value: object, available: Iterable[object], *, name: str, where: str, hint: str = "") -> str:
    """Return `value` if it is among `available` keys of `where` (e.g. "adata.obs"), else raise KeyError."""
    keys = [str(k) for k in available]
    if isinstance(value, str) and value in keys:
        return value
    shown = keys if len(keys) <= 20 else [*keys[:20], "…"]
    msg = f"{name}={value!r} is not in {where}; available: {shown}.{' ' + hint if hint else ''}"
    raise KeyError(msg)


def check_labels(adata: AnnData, groupby: object, *, name: str = "groupby", min_groups: int = 1):
    """Return `adata.obs[groupby]` as a categorical Series without unused categories or missing values.

    Raises
    ------
    KeyError
        If the column is missing.
    ValueError
        If labels are missing (NaN) for some cells or there are fewer than `min_groups` groups.
    """
    key = check_key(groupby, adata.obs.columns, name=name, where="adata.obs")
    labels = adata.obs[key].astype("category").cat.remove_unused_categories()
    if n_missing := int(labels.isna().sum()):
        msg = f"{name}={key!r} has no label for {n_missing} of {len(labels)} cells; drop or label them first"
        raise ValueError(msg)
    if len(labels.cat.categories) < min_groups:
        msg = f"{name}={key!r} has {len(labels.cat.categories)} group(s), at least {min_groups} are needed"
        raise ValueError(msg)
    return labels
