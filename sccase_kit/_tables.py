"""Delimited tables as people hold them: packed or not, with any of the usual separators, with a header or without.

Every reader of tables goes through here, so that what one takes all take: :func:`table_layout` tells how a table is
written, :func:`read_columns` reads some of its columns, :func:`read_table` all of them.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd

from ._text_files import check_file, naming, open_text, unquoted

_AS_ONE = str.maketrans(" -.", "___")
#: Lines of genome browsers before the data of a table.
BROWSER = re.compile(r"track\s+\w+=|browser\s+\w+")
_LOOKED_AT = 30  # data lines by which separator and header are told
_SEPARATORS = ("\t", ",", ";", "|")
MISSING = ("", ".", "NA", "N/A", "#N/A", "n/a", "NaN", "nan", "-nan", "NULL", "null", "None", "<NA>")  # in numbers


@dataclass(frozen=True, slots=True)
class Layout:
    r"""How a table is written.

    Attributes
    ----------
    path
        The file.
    names
        Cells of the header, without quotes and the leading ``#``; empty if there is none.
    rows
        Cells of the first data lines.
    separator
        ``"\t"``, ``","``, ``";"``, ``"|"`` or ``""`` for any number of blanks and tabs.
    n_above
        Number of lines before the first data line.
    comments
        The lines before it that start with ``#``, as they are; at most 1,000.
    shift
        1 if every row starts with a name of its own that the header does not count (R's write.table), else 0.
    """

    path: Path
    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    separator: str
    n_above: int
    comments: tuple[str, ...]
    shift: int

    @property
    def width(self) -> int:
        """Number of cells of a row."""
        return self.shift + len(self.names) if self.names else len(self.rows[0])


def plain_name(column: object) -> str:
    """Return the name of a column in upper case, without a leading ``#``, blanks, dashes and points as ``_``."""
    return str(column).strip().lstrip("#").upper().translate(_AS_ONE)


def split_cells(line: str, separator: str) -> list[str]:
    """Return the cells of a line, without blanks and quotes around them."""
    cells = _cut(line.strip("\r\n"), separator) if separator else line.split()
    return [unquoted(cell.strip()) for cell in cells]


def _cut(line: str, separator: str) -> list[str]:
    """Cut a line; commas and the like inside double quotes belong to their cell, as spreadsheets write them."""
    if separator == "\t" or '"' not in line:
        return line.split(separator)
    return next(csv.reader([line], delimiter=separator), [""])


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def looks_like_header(cells: Sequence[str]) -> bool:
    """Return whether no cell is a number, a missing value or empty."""
    return bool(cells) and not any(_is_number(c) or c.upper() in {"", ".", "NA", "NAN"} for c in cells)


def _separator_of(lines: list[str]) -> str:
    """Return the separator that cuts the first line and most others into equally many cells (one more with names)."""
    for sep in _SEPARATORS:
        width = len(_cut(lines[0].rstrip("\r\n"), sep))
        if width < 2:
            continue
        others = [len(_cut(line.rstrip("\r\n"), sep)) for line in lines[1:]]
        if sep == "\t":
            alike = [n > 1 for n in others]
        else:
            alike = [n in (width, width + 1) for n in others]
        if 2 * sum(alike) >= len(others):
            return sep
    return " " if _by_single_blanks(lines) else ""


def _by_single_blanks(lines: list[str]) -> bool:
    """Return whether cells are separated by one blank each, of which some are empty: SAIGE writes such lines."""
    rows = [line.rstrip("\r\n") for line in lines]
    widths = {len(row.split(" ")) for row in rows}
    return len(widths) == 1 and "" not in rows[0].split(" ") and any("  " in row for row in rows)


def table_layout(
    path: str | os.PathLike[str], *, is_header: Callable[[Sequence[str]], bool] = looks_like_header
) -> Layout:
    """Return how a table is written: its separator, header and first rows.

    Lines before the data that start with ``#`` are comments, unless the last of them has as many cells as the data and
    passes `is_header` (as in VCF, PLINK 2, UCSC); blank lines are skipped.

    Parameters
    ----------
    path
        The file, plain or packed.
    is_header
        Says of the cells of a line whether it is the header; by default if none is a number, missing or empty.

    Raises
    ------
    ValueError
        If the file is empty, has only comments, or is not text.
    """
    path = check_file(path)
    comments: list[str] = []
    above, n_above = "", 0
    lines: list[str] = []
    with open_text(path) as handle:
        for line in islice(handle, 10_000_000):
            blank = not line.strip()
            aside = line.startswith("#") or (not lines and BROWSER.match(line) is not None)
            if lines and not blank and not aside:
                lines.append(line)
            elif not lines:
                if not blank and not aside:
                    lines.append(line)
                    continue
                n_above += 1
                if not blank:
                    above = line
                    comments += [line.rstrip("\r\n")] if len(comments) < 1000 else []
            if len(lines) > _LOOKED_AT:
                break
    hashed = above.lstrip("#").strip("\r\n") if above and not above.startswith("##") else ""
    if not lines:
        msg = f"{path} is empty" if not comments else f"{path} holds comments (lines that start with #) but no data"
        raise ValueError(msg)
    if any("\0" in line for line in lines):
        msg = f"{path} holds NUL characters; is it a table of text?"
        raise ValueError(msg)
    separator = _separator_of(lines)
    head, up = split_cells(lines[0], separator), split_cells(hashed, separator)
    if len(up) == len(head) > 1 and is_header(up) and not is_header(head):
        names, rows = up, lines
    elif is_header(head):
        names, rows, n_above = [head[0].lstrip("#"), *head[1:]], lines[1:], n_above + 1
    else:
        names, rows = [], lines
    cells = [tuple(split_cells(row, separator)) for row in rows]
    extra = [len(row) - len(names) for row in cells]
    named = bool(names and extra and all(n == 1 for n in extra) and any(row[-1] for row in cells))
    return Layout(path, tuple(names), tuple(cells), separator, n_above, tuple(comments), int(named))


def read_columns(
    layout: Layout, columns: Mapping[str, int], *, text: Sequence[str] = (), rows_at_once: int = 1_000_000
) -> Iterator[pd.DataFrame]:
    """Yield some columns of a table, some rows at once; the order of the rows is kept.

    Parameters
    ----------
    layout
        From :func:`table_layout`.
    columns
        Name in the result → number of the column in `layout.names` (of the cells, if there is no header).
    text
        Names of the columns that are text (str; "" where a cell is empty). The others are numbers (float64; NaN where
        a cell is empty, ``.``, ``NA`` or the like).
    rows_at_once
        Largest number of rows of a DataFrame.

    Raises
    ------
    ValueError
        If a row has too many cells, or too few where empty ones cannot be seen (blanks as separators), or a cell of a
        column of numbers is none; the message gives file, line and value.
    """
    at = {name: number + layout.shift for name, number in columns.items()}
    for block in _blocks(layout, at.values(), [at[name] for name in text], rows_at_once):
        values = {
            name: _plain_text(block[n], layout)
            if name in text
            else numbers(block[n], name=f"{layout.path}, column {name!r}")
            for name, n in at.items()
        }
        yield pd.DataFrame(values)


def read_table(path: str | os.PathLike[str], *, text: Sequence[str] = ()) -> pd.DataFrame:
    """Read a whole table whose first line is its header, plain or packed; the separator is the header's.

    Parameters
    ----------
    path
        The file.
    text
        Columns that are text whatever they look like (ids, chromosomes); the type of the others is told from their
        cells. Empty cells, ``.`` and ``NA`` are NaN.

    Raises
    ------
    ValueError
        If names repeat or a row has another number of cells than the header; names the file.
    """
    layout = table_layout(path)
    if not layout.names:  # names that look like numbers
        layout = table_layout(path, is_header=lambda cells: True)
    if twice := [name for name in layout.names if layout.names.count(name) > 1]:
        msg = f"{path} has several columns called {twice[0]!r}; drop or rename all but one"
        raise ValueError(msg)
    at = [k + layout.shift for k in range(len(layout.names))]
    strings = [n for n, name in zip(at, layout.names, strict=True) if name in text]
    blocks = list(_blocks(layout, at, strings, rows_at_once=1_000_000))
    table = pd.concat(blocks, ignore_index=True) if blocks else pd.DataFrame(columns=at)
    table.columns = list(layout.names)
    for name in set(text) & set(table.columns):
        plain = _plain_text(table[name], layout)
        table[name] = plain.where(~plain.isin(MISSING))
    return table


#: From pandas 3.1 on the default is exact, and the argument is deprecated.
_EXACT = {"float_precision": "round_trip"} if tuple(map(int, pd.__version__.split(".")[:2])) < (3, 1) else {}


def _blocks(layout: Layout, kept: Iterable[int], strings: Iterable[int], rows_at_once: int) -> Iterator[pd.DataFrame]:
    """Yield some columns by number; the last one is looked at as well, for rows of another length."""
    kept, strings, width = list(kept), set(strings), layout.width
    by_blanks = layout.separator == ""
    looked_at = {width} | ({width - 1} if by_blanks else set())
    names = [f"c{k}" for k in range(width + 1)]  # with numbers as names pandas fails on a table without rows
    read = sorted({*kept, *looked_at})
    options: dict[str, Any] = {
        "sep": layout.separator or r"\s+",
        "header": 0,
        "names": names,
        "usecols": [names[n] for n in read],
        "dtype": {names[n]: str for n in strings | looked_at},
        "keep_default_na": False,
        "na_values": {names[n]: [""] if n in strings | looked_at else list(MISSING) for n in read},
        "index_col": False,
        "quoting": csv.QUOTE_NONE if layout.separator == "\t" else csv.QUOTE_MINIMAL,
        "low_memory": False,
        **_EXACT,
    }
    with naming(layout.path), open_text(layout.path) as handle:
        for _ in range(layout.n_above):
            handle.readline()
        n_read = 0
        # without this line pandas refuses a table in which no row has the cell too many that is looked for
        header = (layout.separator or " ").join(names)
        for block in pd.read_csv(_Prefixed(f"{header}\n", handle), chunksize=rows_at_once, **options):
            block.columns = pd.Index(read)
            wrong = block[width].notna()
            if by_blanks:
                wrong |= block[width - 1].isna()
                if width - 1 in kept and width - 1 not in strings:
                    block[width - 1] = _inferred(block[width - 1])
            if wrong.any():
                raise _ragged(layout, n_read + int(wrong.to_numpy(bool).argmax()))
            n_read += len(block)
            yield block[kept]


class _Prefixed(io.TextIOBase):
    """A text file with something before it."""

    def __init__(self, prefix: str, handle: TextIO) -> None:
        self._prefix, self._handle = prefix, handle

    def read(self, size: int | None = -1, /) -> str:
        if self._prefix:
            prefix, self._prefix = self._prefix, ""
            return prefix
        return self._handle.read(-1 if size is None else size)


def _ragged(layout: Layout, row: int) -> ValueError:
    """Return what to raise for a data row (its number from 0) with too many or too few cells."""
    with open_text(layout.path) as handle:
        lines = ((k, line) for k, line in enumerate(handle, 1) if k > layout.n_above and line.strip())
        number, line = next(islice(lines, row, None), (0, ""))
    found = len(split_cells(line, layout.separator))
    sign = {"": "blanks", "\t": "tabs"}.get(layout.separator, repr(layout.separator))
    hint = " Is a cell empty, or are there blanks in one? Separate the cells by tabs." if not layout.separator else ""
    return ValueError(
        f"{layout.path}, line {number}: {found} cells separated by {sign}, expected {layout.width}: "
        f"{line.strip()[:80]!r}.{hint}"
    )


def _plain_text(values: pd.Series, layout: Layout) -> pd.Series:
    """Return text without blanks around it, and without the quotes that pandas has left where tabs separate."""
    plain = values.astype(object).where(values.notna(), "").str.strip()
    quoted = plain.str.startswith('"') if layout.separator == "\t" else np.zeros(len(plain), dtype=bool)
    return plain.mask(quoted, plain.map(unquoted)) if quoted.any() else plain


def _inferred(values: pd.Series) -> pd.Series:
    """Return text as numbers where all of it is, as pandas would have read it."""
    plain = values.where(~values.isin(MISSING))
    try:
        return pd.to_numeric(plain)
    except (TypeError, ValueError):
        return plain


def numbers(values: pd.Series, *, name: str) -> pd.Series:
    """Return values of any type as float64; empty cells, ``.``, ``NA`` and the like become NaN.

    Raises
    ------
    ValueError
        If a value is no number; the first one is shown with their number.
    """
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return values.astype(np.float64)
    texts = values.astype(object).where(values.notna(), "").astype(str).str.strip().str.strip('"')
    known = ~texts.isin(MISSING)
    result = pd.to_numeric(texts.where(known), errors="coerce").astype(np.float64)
    bad = (known & result.isna()).to_numpy(bool)
    if bad.any():
        first = texts[bad].iloc[0]
        hint = " Decimal commas? Write points." if first.replace(",", "", 1).lstrip("-").isdigit() else ""
        msg = f"{name}: {int(bad.sum())} of {len(bad)} values are no numbers, the first is {first!r:.80}.{hint}"
        raise ValueError(msg)
    return result
