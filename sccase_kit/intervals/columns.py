"""Checks of columns of names and positions, with messages that name the table and show the value."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

import numpy as np
import pandas as pd

from .names import NO_POSITION

_BARE = re.compile(r"^(\d{1,2}|[XYMWZ]|MT)$")


def check_columns(table: pd.DataFrame, columns: Iterable[str], *, name: str) -> None:
    """Raise ValueError if `table` has several columns of one of these names."""
    twice = set(table.columns[table.columns.duplicated()])
    if clash := [c for c in columns if c in twice]:
        msg = f"{name} has several columns called {clash[0]!r}; drop or rename all but one"
        raise ValueError(msg)


def check_names(values: pd.Series, *, name: str) -> np.ndarray:
    """Return names of chromosomes, genes or SNPs as text; missing or empty ones, tabs and line ends are refused."""
    if n_missing := int(values.isna().sum()):
        msg = f"{name} is missing in {n_missing} of {len(values)} rows"
        raise ValueError(msg)
    texts = values.astype(str).astype(object)
    bad = (texts.str.contains(r"[\t\r\n]") | (texts.str.strip() == "")).to_numpy(bool)
    if bad.any():
        first = f"{values[bad].iloc[0]!r:.80}"
        msg = f"{name} is empty or holds a tab or a line end in {int(bad.sum())} of {len(bad)} rows, first: {first}"
        raise ValueError(msg)
    return texts.to_numpy(object)


def integers(frame: pd.DataFrame, column: str, name: str) -> np.ndarray:
    """Return a column of positions as int64; missing, fractional and absurd values are refused."""
    values = frame[column]
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
    chroms = list(dict.fromkeys(chroms))
    prefixed = [c for c in chroms if c.startswith("chr")]
    bare = [c for c in chroms if _BARE.match(c)]
    if prefixed and bare:
        msg = (
            f"{name} mixes chromosome names with and without 'chr' ({prefixed[0]!r} and {bare[0]!r}); "
            "use one style, and make sure that the rows come from one genome build"
        )
        raise ValueError(msg)
    return "chr" if prefixed else "bare" if bare else "other"
