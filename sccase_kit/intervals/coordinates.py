"""Where a table keeps its coordinates: columns by any of their usual names, a column of names, or the index."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .names import (
    MISSING,
    NO_POSITION,
    places_table,
    share_of_places,
    split_name,
    table_of_places,
    texts_of,
    whole_number,
)

Columns = tuple[Hashable, Hashable, Hashable]

#: Usual names of the three columns, best first, without case and punctuation. Of R and GFF are those of `_CLOSED`.
OTHER_NAMES: dict[str, tuple[str, ...]] = {
    "chrom": tuple("chrom chr chromosome seqnames seqname seqid chromosomename contig chrname".split()),
    "start": tuple("start chromstart chrstart begin startposition startpos txstart genomicstart starts".split()),
    "end": tuple("end chromend chrend stop endposition endpos txend genomicend ends".split()),
}
_BEFORE = ("peak", "region", "rowranges", "ranges", "granges", "bin", "tile", "interval", "feature", "x")
#: Columns that may hold names such as ``chr1:100-600``, best first.
_NAMED = tuple("interval region peak peaks peakname peakid coordinates coord location locus geneids id name".split())
#: Columns of R (GRanges) and GFF, whose intervals are 1-based and closed.
_CLOSED = frozenset({"seqnames", "seqname", "seqid"})
#: Texts that stand for no name.
NOT_NAMES = ("nan", "None", "NA", "<NA>")
_WIDTHS = ("width", "length", "len")
_LEAST_SHARE = 0.5
_LONGEST_NUMBER = 18  # digits that fit int64


def _plain(column: Hashable) -> str:
    """Return the name of a column without case, punctuation, quotes and a leading #."""
    return re.sub(r"[^a-z0-9]", "", str(column).lower())


def find_columns(columns: Iterable[Hashable]) -> Columns | None:
    """Return the columns of chromosome, start and end, or None where one of them is missing.

    Parameters
    ----------
    columns
        Names of columns. Case, punctuation and a word before (``peak_chr``, ``ranges.start``) do not matter; of
        several that fit, ``chrom``, ``start``, ``end`` come first.

    Examples
    --------
    >>> from sccase_kit.intervals.coordinates import find_columns
    >>> find_columns(["name", "Chromosome", "Start", "End"])
    ('Chromosome', 'Start', 'End')
    """
    given = list(columns)
    exact = {str(c): c for c in reversed(given)}
    if {"chrom", "start", "end"} <= set(exact):
        return exact["chrom"], exact["start"], exact["end"]
    for before in ("", *_BEFORE):
        plain: dict[str, Hashable] = {}
        for column in given:
            name = _plain(column)
            if name.startswith(before) and len(name) > len(before):
                plain.setdefault(name[len(before) :], column)
        if before:
            for column in given:
                plain.setdefault(_plain(column), column)
        found = [next((plain[s] for s in names if s in plain), None) for names in OTHER_NAMES.values()]
        if all(column is not None for column in found):
            chrom, start, end = found
            return chrom, start, end
    return None


def as_positions(values: pd.Series, *, name: str) -> np.ndarray:
    """Return a column of positions as int64, −1 where there is none; text and categories of numbers are read.

    Parameters
    ----------
    values
        Numbers, or texts such as ``100``, ``1e+05``, ``1,000``.
    name
        What the column is called in messages.

    Raises
    ------
    TypeError
        If a value is a text that is no number; the message says which column holds text.
    ValueError
        If a position is fractional or absurd.
    """
    plain = values.astype(object) if isinstance(values.dtype, pd.CategoricalDtype) else values
    kinds = pd.api.types
    if kinds.is_bool_dtype(plain) or kinds.is_complex_dtype(plain) or kinds.is_datetime64_any_dtype(plain):
        msg = f"{name} must hold positions, got dtype {values.dtype} (first value {values.iloc[0]!r})"
        raise TypeError(msg)
    if kinds.is_numeric_dtype(plain):
        numbers = plain.to_numpy(dtype=np.float64, na_value=np.nan) if kinds.is_float_dtype(plain) else plain
        return _checked(pd.Series(numbers), name)
    if (digits := _of_digits(plain)) is not None:
        return digits
    missing = plain.isna().to_numpy(bool) | plain.isin(["", "nan", "NaN", "NA", "None", "."]).to_numpy(bool)
    out = np.full(len(plain), MISSING, dtype=np.int64)
    for row, value in zip(np.flatnonzero(~missing), plain[~missing], strict=True):
        number = _number(value)
        if number is None:
            msg = f"{name} holds text that is no position, such as {value!r:.60}"
            raise TypeError(msg)
        out[row] = number
    return out


def _of_digits(values: pd.Series) -> np.ndarray | None:
    """Return texts that all are plain numbers as int64, all at once, or None for others."""
    if values.dtype != object or pd.api.types.infer_dtype(values, skipna=False) != "string":
        return None
    texts = values.tolist()
    joined, lengths = "".join(texts), list(map(len, texts))
    if not (joined.isascii() and joined.isdigit()) or min(lengths) < 1 or max(lengths) > _LONGEST_NUMBER:
        return None
    return np.array(texts, dtype=f"S{max(lengths)}").astype(np.int64)


def _number(value: object) -> int | None:
    if isinstance(value, str):
        text = value.strip().strip("\"'")
        return -(whole_number(text[1:]) or 0) or None if text.startswith("-") else whole_number(text)
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return int(value)
    return int(value) if isinstance(value, (float, np.floating)) and float(value).is_integer() else None


def _checked(numbers: pd.Series, name: str) -> np.ndarray:
    known = numbers.notna().to_numpy(bool)
    values = numbers[known]
    if (values % 1 != 0).any():
        msg = f"{name} must hold integers, found fractional values such as {values[values % 1 != 0].iloc[0]!r}"
        raise ValueError(msg)
    if (values.abs() > NO_POSITION).any():
        msg = f"{name} must hold positions on chromosomes, found {values[values.abs() > NO_POSITION].iloc[0]!r:.40}"
        raise ValueError(msg)
    out = np.full(len(numbers), MISSING, dtype=np.int64)
    out[known] = values.to_numpy(dtype=np.int64)
    return out


@dataclass(frozen=True, slots=True)
class Coordinates:
    """The coordinates of the rows of a table.

    Attributes
    ----------
    table
        chrom (str, empty where a row has no coordinates), start, end (int64, 0-based half-open; −1 there), on the
        table's index.
    source
        Where they come from, for messages: ``columns chr, start, end``, ``column interval`` or ``names``.
    columns
        The columns they come from: three, one (of names), or none.
    one_based
        Whether 1-based, closed intervals were read, so that 1 was taken from every start.
    """

    table: pd.DataFrame
    source: str
    columns: tuple[Hashable, ...]
    one_based: bool

    @property
    def missing(self) -> np.ndarray:
        """Return which rows have no coordinates, bool of shape (n_rows,)."""
        return (self.table["start"] < 0).to_numpy(bool)  # chrom is empty there and nowhere else

    @property
    def note(self) -> str:
        """Return what to say of 1-based input, or an empty text."""
        if not self.one_based:
            return ""
        return (
            f"{self.source} are read as 1-based and closed, as R and GFF write them: 1 is taken from every start. "
            "If they are 0-based, call them chrom, start, end"
        )


def find_coordinates(
    table: pd.DataFrame, *, name: str = "adata.var", names: Sequence[str] | None = None, one_based: bool | None = None
) -> Coordinates:
    """Find the coordinates of the rows of a table; nothing is written into it.

    Looked at are, in this order, until one has coordinates: columns of chromosome, start and end
    (:func:`find_columns`), the names of the rows, and a column of names such as muon's ``interval``.

    Parameters
    ----------
    table
        Such as `adata.var`.
    name
        What it is called in messages.
    names
        Names of the rows; by default the index.
    one_based
        Whether starts are 1-based (and ends closed). None decides by the data: a column ``width`` that is end − start
        + 1, or columns called as in R or GFF (``seqnames``, ``seqname``, ``seqid``), mean 1-based, unless there is a
        start of 0, or the names of the rows spell the same numbers (names are read as they are written).

    Returns
    -------
    :class:`Coordinates`; rows without coordinates are marked in it.

    Raises
    ------
    TypeError, ValueError
        If the columns hold text that is no number, or fractional positions; the message names the column.
    """
    columns = find_columns(table.columns)
    by_columns = None
    if columns is not None:
        by_columns = _from_columns(table, columns, name, one_based=one_based)
        if not len(table) or not by_columns.missing.all():
            return by_columns
    rows = texts_of(table.index) if names is None else list(map(str, names))
    by_names = _from_places(table_of_places(rows, table.index), "names", (), one_based=one_based)
    if len(table) and by_names.missing.all():
        for column in _named_columns(table):
            texts = table[column].astype(object).where(table[column].notna(), "").astype(str).tolist()
            places = table_of_places(texts, table.index)
            found = _from_places(places, f"column {column}", (column,), one_based=one_based)
            if not found.missing.all():
                return found
    return by_columns if by_columns is not None and by_names.missing.all() else by_names


def _from_columns(table: pd.DataFrame, columns: Columns, name: str, *, one_based: bool | None) -> Coordinates:
    if twice := [c for c in columns if (table.columns == c).sum() > 1]:
        msg = f"{name} has several columns called {twice[0]!r}; drop or rename all but one"
        raise ValueError(msg)
    chrom_column, start_column, end_column = columns
    chrom = table[chrom_column].astype(object).where(table[chrom_column].notna(), "").astype(str).str.strip()
    chrom = chrom.where(~chrom.isin(NOT_NAMES), "")
    start, end = (as_positions(table[c], name=f"{name}[{c!r}]") for c in (start_column, end_column))
    known = (start >= 0) & (end >= 0) & (chrom != "").to_numpy(bool)
    closed = is_closed(table, columns, start, end, known) if one_based is None else bool(one_based)
    start = np.where(known & closed, start - 1, start)
    good = known & (start >= 0) & (end > start)
    out = pd.DataFrame({"chrom": chrom.to_numpy(object), "start": start, "end": end}, index=table.index)
    out.loc[~good, "chrom"] = ""
    out.loc[~good, ["start", "end"]] = MISSING
    source = f"columns {', '.join(str(c) for c in columns)}"
    return Coordinates(out, f"{name}: {source}" if closed else source, columns, closed)


def is_closed(table: pd.DataFrame, columns: Columns, start: np.ndarray, end: np.ndarray, known: np.ndarray) -> bool:
    """Return whether columns hold 1-based, closed intervals, by what the table shows."""
    if not known.any() or (start[known] == 0).any():
        return False
    closed = _plain(columns[0]) in _CLOSED
    for column in table.columns:
        if _plain(column) in _WIDTHS and pd.api.types.is_numeric_dtype(table[column]):
            width = table[column].to_numpy(dtype=np.float64, na_value=np.nan)[known]
            for more in (1, 0):
                if np.array_equal(width, (end - start)[known] + more):
                    closed = bool(more)
    return closed and not _spelt_by_names(table.index, start, end)


def _spelt_by_names(index: pd.Index, start: np.ndarray, end: np.ndarray) -> bool:
    """Return whether the names of the rows are these very coordinates; names are read as they are written."""
    if split_name(str(index[0])) is None:
        return False
    names = places_table(index)
    return bool(np.array_equal(names["start"], start) and np.array_equal(names["end"], end))


def _from_places(
    out: pd.DataFrame, source: str, columns: tuple[Hashable, ...], *, one_based: bool | None
) -> Coordinates:
    if one_based:
        out["start"] = np.where(out["start"] > 0, out["start"] - 1, out["start"])
    return Coordinates(out, source, columns, bool(one_based))


def _named_columns(table: pd.DataFrame) -> list[Hashable]:
    """Return the columns whose values are places, the usual ones first."""
    texts = []
    for column in table.columns:
        values = table[column]
        if isinstance(values, pd.DataFrame) or pd.api.types.is_numeric_dtype(values):
            continue
        if share_of_places([str(v) for v in values.astype(object)], on_chromosomes=False) > _LEAST_SHARE:
            texts.append(column)
    rank = {name: i for i, name in enumerate(_NAMED)}
    return sorted(texts, key=lambda c: rank.get(_plain(c), len(rank)))
