"""Checks of columns of names and positions, with messages that name the table and show the value."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

import numpy as np
import pandas as pd

from .names import NO_POSITION

_LINE_OR_TAB = "\t\r\n"
_BARE = re.compile(r"^(\d{1,2}|[XYMWZ]|MT)$")


def check_columns(table: pd.DataFrame, columns: Iterable[str], *, name: str) -> None:
    """Raise ValueError if `table` has several columns of one of these names."""
    twice = set(table.columns[table.columns.duplicated()])
    if clash := [c for c in columns if c in twice]:
        msg = f"{name} has several columns called {clash[0]!r}; drop or rename all but one"
        raise ValueError(msg)


def name_codes(values: pd.Series, *, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return names of chromosomes, genes or SNPs as numbers, and the different ones as text in order of appearance.

    Raises
    ------
    ValueError
        If names are missing or empty, or hold tabs or line ends.
    """
    if _equal_is_same(values):
        codes, distinct = pd.factorize(values)
    else:  # True, 1 and 1.0 are one value and three names
        codes, distinct = np.where(values.isna(), -1, np.arange(len(values))), values
    if n_missing := int((codes < 0).sum()):
        msg = f"{name} is missing in {n_missing} of {len(values)} rows"
        raise ValueError(msg)
    texts = pd.Series(np.asarray(distinct), dtype=object).astype(str)
    if _holds(_LINE_OR_TAB, "".join(texts)) or not all(map(str.strip, texts)):  # looked at one by one to be named
        rows = np.array([not text.strip() or _holds(_LINE_OR_TAB, text) for text in texts], dtype=bool)[codes]
        first = f"{values[rows].iloc[0]!r:.80}"
        msg = f"{name} is empty or holds a tab or a line end in {int(rows.sum())} of {len(rows)} rows, first: {first}"
        raise ValueError(msg)
    again, names = pd.factorize(texts.to_numpy(object))
    return again[codes], names


def _holds(signs: str, text: str) -> bool:
    return any(sign in text for sign in signs)


def _equal_is_same(values: pd.Series) -> bool:
    """Return whether equal values of a column are written alike."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return _equal_is_same(values.cat.categories.to_series())
    if pd.api.types.is_integer_dtype(values) or isinstance(values.dtype, pd.StringDtype):
        return True
    return values.dtype == object and pd.api.types.infer_dtype(values, skipna=True) in ("string", "empty")


def check_names(values: pd.Series, *, name: str) -> np.ndarray:
    """Return names of chromosomes, genes or SNPs as text; missing or empty ones, tabs and line ends are refused."""
    codes, names = name_codes(values, name=name)
    return names[codes]


def plain_positions(values: pd.Series) -> np.ndarray | None:
    """Return a column as int64 if it holds NumPy integers of 0 to the largest position, else None: to be checked."""
    held = values.to_numpy() if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iu" else None
    if held is None or (len(held) and (held.min() < 0 or held.max() > NO_POSITION)):
        return None
    return held.astype(np.int64, copy=False)


def integers(frame: pd.DataFrame, column: str, name: str) -> np.ndarray:
    """Return a column of positions as int64; missing, fractional and absurd values are refused."""
    values = frame[column]
    if (held := plain_positions(values)) is not None:
        return held
    if values.isna().any():
        msg = f"{name}[{column!r}] is missing in {int(values.isna().sum())} of {len(values)} rows"
        raise ValueError(msg)
    kinds = pd.api.types
    if not kinds.is_numeric_dtype(values) or kinds.is_bool_dtype(values) or kinds.is_complex_dtype(values):
        msg = f"{name}[{column!r}] must hold integers, got dtype {values.dtype} (first value {values.iloc[0]!r})"
        raise TypeError(msg)
    beyond = (values.abs() > NO_POSITION).to_numpy(bool)
    if beyond.any():
        msg = f"{name}[{column!r}] must hold positions on chromosomes, found {values[beyond].iloc[0]!r:.40}"
        raise ValueError(msg)
    if kinds.is_float_dtype(values) and (values % 1 != 0).any():
        msg = f"{name}[{column!r}] must hold integers, found fractional values"
        raise ValueError(msg)
    return values.to_numpy(dtype=np.int64)


def natural_key(chrom: str) -> tuple[int, int, str]:
    """Return a sort key that puts chr2 before chr10, then X, Y, M, then the rest."""
    bare = chrom.removeprefix("chr")
    if bare.isdigit():
        return (0, int(bare), "")
    rank = {"X": 0, "Y": 1, "M": 2, "MT": 2}.get(bare)
    return (2, 0, bare) if rank is None else (1, rank, "")


def check_chrom_style(chroms: Iterable[str], *, name: str = "regions") -> Literal["chr", "bare", "other"]:
    """Return whether chromosomes are named ``chr1`` or ``1``.

    Raises
    ------
    ValueError
        If both styles occur.
    """
    chroms = list(dict.fromkeys(str(chrom) for chrom in chroms))
    prefixed = [c for c in chroms if c.startswith("chr")]
    bare = [c for c in chroms if _BARE.match(c)]
    if prefixed and bare:
        msg = (
            f"{name} mixes chromosome names with and without 'chr' ({prefixed[0]!r} and {bare[0]!r}); "
            "use one style, and make sure that the rows come from one genome build"
        )
        raise ValueError(msg)
    return "chr" if prefixed else "bare" if bare else "other"
