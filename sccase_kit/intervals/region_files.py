"""Files of regions, whatever program wrote them: BED and its kin, GFF, tables with a header, lists of names."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from .._arguments import checked
from .._logging import warn
from .._tables import read_table
from .._text_files import check_file, open_text, unquoted
from .chromosomes import is_chromosome
from .coordinates import find_columns, find_coordinates
from .names import NO_POSITION, places_table, split_name, whole_number

Kind = Literal["bed", "table", "gff", "interval_list", "names", "ucsc"]
_LOOKED_AT = 20
_SAF = {"geneid", "chr", "start", "end", "strand"}


def _data_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (number, line) of what is no comment, track line, header of SAM (@) or blank."""
    with open_text(path) as handle:
        for number, line in enumerate(handle, 1):
            if line.strip() and not line.startswith(("#", "track", "browser", "@")):
                yield number, line.rstrip("\r\n")


def _cells(line: str) -> list[str]:
    cells = line.split("\t")
    if len(cells) < 3:
        cells = line.split(",") if "," in line and split_name(line.strip()) is None else line.split()
    return [unquoted(cell.strip(), "\"'") for cell in cells]


def file_kind(path: str | os.PathLike[str]) -> Kind:
    """Return what a file of regions is, by its first lines: BED, a table with a header, GFF, interval_list or names."""
    path = check_file(path)
    with open_text(path) as handle:
        top = [line.rstrip("\r\n") for line in islice(handle, 2000)]
    if any(line.startswith("@SQ") or line.startswith("@HD") for line in top):
        return "interval_list"
    data = [line for line in top if line.strip() and not line.startswith(("#", "track", "browser"))][:_LOOKED_AT]
    if not data:
        return "bed"
    rows = [_cells(line) for line in data]
    comments = [line for line in top if line.startswith("#")]
    hashed = _cells(comments[-1].lstrip("#")) if comments else []
    if find_columns(rows[0]) is not None or (len(hashed) == len(rows[0]) and find_columns(hashed) is not None):
        return "table"
    if all(_is_gff(row) for row in rows):
        return "gff"
    titled = len(rows) > 1 and len(rows[0]) == 1 and split_name(rows[0][0]) is None
    if all(len(row) < 3 and split_name(row[0]) is not None for row in rows[titled:]):
        return "names"
    if all(_is_ucsc(row) for row in rows):
        return "ucsc"
    return "bed"


def _is_ucsc(row: Sequence[str]) -> bool:
    """Return whether a row is one of UCSC's tables, which has the number of a bin before the BED columns."""
    if len(row) < 4 or whole_number(row[0]) is None or whole_number(row[1]) is not None:
        return False
    return is_chromosome(row[1]) and whole_number(row[2]) is not None and whole_number(row[3]) is not None


def _is_gff(row: Sequence[str]) -> bool:
    if len(row) < 8 or whole_number(row[1]) is not None:
        return False
    return whole_number(row[3]) is not None and whole_number(row[4]) is not None and row[6] in {"+", "-", ".", "?"}


@checked()
def read_bed(path: str | os.PathLike[str], *, one_based: bool | None = None) -> pd.DataFrame:
    """Read a file of regions: BED and its kin (narrowPeak, broadPeak), or what else programs write.

    Blank lines and lines that start with ``#``, ``track`` or ``browser`` are skipped; numbers may be written
    ``1e+05``. Tables with a header that names chromosome, start and end (MACS .xls, SAF, R's GRanges, csv), GFF and
    GTF, Picard's interval_list, UCSC's tables (with a bin before the columns of BED) and lists of names
    (``chr1:100-600``) are read too.

    Parameters
    ----------
    path
        The file, packed or not.
    one_based
        Whether starts are 1-based (and ends closed). None decides: GFF, interval_list, SAF and R's ``seqnames`` are,
        and tables with a width of end − start + 1; BED and names are not. A warning says so where 1 is taken from
        every start.

    Returns
    -------
    DataFrame with columns chrom (str), start, end (int64, 0-based half-open) and, where every line has one, name
    (str); a table with a header keeps its other columns.

    Raises
    ------
    ValueError
        If a line has fewer than three columns, a coordinate is not an integer, or start is not below end; the
        message gives the file and the line.
    """
    path = check_file(path)
    kind = file_kind(path)
    if kind == "table":
        return _read_table(path, one_based=one_based)
    if kind == "names":
        return _read_names(path, one_based=bool(one_based))
    fields = {"bed": (0, 1, 2, 3), "gff": (0, 3, 4, None), "interval_list": (0, 1, 2, 4), "ucsc": (1, 2, 3, 4)}[kind]
    closed = kind not in ("bed", "ucsc") if one_based is None else one_based
    if closed and one_based is None:
        _say_closed(path, {"gff": "GFF", "interval_list": "interval_list"}[kind])
    return _read_lines(path, fields, closed=closed)


def _say_closed(path: Path, what: str) -> None:
    warn(f"{path}: {what} is 1-based and closed, so 1 is taken from every start")


def _read_lines(path: Path, fields: tuple[int, int, int, int | None], *, closed: bool) -> pd.DataFrame:
    at_chrom, at_start, at_end, at_name = fields
    chrom, start, end, name = [], [], [], []
    for number, line in _data_lines(path):
        cells = _cells(line)
        low, high = (whole_number(cells[i]) if i < len(cells) else None for i in (at_start, at_end))
        if low is None or high is None:
            msg = f"{path}, line {number}: expected chrom, start, end (integers), got {line[:80]!r}"
            raise ValueError(msg)
        low -= closed
        if not 0 <= low < high < NO_POSITION:
            msg = f"{path}, line {number}: expected 0 <= start < end, got {line[:80]!r}"
            raise ValueError(msg)
        chrom.append(cells[at_chrom])
        start.append(low)
        end.append(high)
        if at_name is not None and len(cells) > at_name:
            name.append(cells[at_name])
    frame = pd.DataFrame({"chrom": np.array(chrom, dtype=object)})
    frame["start"], frame["end"] = np.array(start, np.int64), np.array(end, np.int64)
    if name and len(name) == len(chrom):
        frame["name"] = name
    return frame


def _read_names(path: Path, *, one_based: bool) -> pd.DataFrame:
    lines = list(_data_lines(path))
    if len(lines) > 1 and split_name(_cells(lines[0][1])[0]) is None and split_name(_cells(lines[1][1])[0]) is not None:
        lines = lines[1:]  # a title
    table = places_table(_cells(line)[0] for _, line in lines)
    bad = (table["start"] < 0).to_numpy(bool)
    if bad.any():
        number, line = lines[int(bad.argmax())]
        msg = f"{path}, line {number}: expected a name such as chr1:100-200, got {line[:80]!r}"
        raise ValueError(msg)
    names = table.index.to_numpy(object)
    return table.reset_index(drop=True).assign(start=table["start"].to_numpy() - one_based, name=names)


def _read_table(path: Path, *, one_based: bool | None) -> pd.DataFrame:
    table = read_table(path)
    columns = find_columns(table.columns)
    if columns is None:
        msg = f"{path}: the header {list(table.columns)[:8]} names no chromosome, start and end"
        raise ValueError(msg)
    if one_based is None and {str(c).lower() for c in table.columns} == _SAF:
        _say_closed(path, "SAF")
        one_based = True
    if one_based is None and str(table.columns[0]).lower().startswith("peakid"):
        _say_closed(path, "HOMER's list of peaks")
        one_based = True
    table[columns[0]] = read_table(path, text=[str(columns[0])])[columns[0]]
    try:
        found = find_coordinates(table, name=str(path), names=[""] * len(table), one_based=one_based)
    except TypeError as err:
        raise ValueError(str(err)) from err
    if found.missing.any():
        row = table.loc[found.missing, list(columns)].astype(str).iloc[0].tolist()
        msg = f"{path}: {int(found.missing.sum())} rows have no 0 <= start < end, the first: {row}"
        raise ValueError(msg)
    if found.note and one_based is None:
        warn(found.note)
    rest = table.drop(columns=list(columns))
    return pd.concat([found.table, rest.drop(columns=[c for c in found.table if c in rest])], axis=1)
