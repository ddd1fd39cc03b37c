"""Matrix Market files, and the files of names that lie next to them: 10x folders, GEO's prefixes, SciPy's mmwrite."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
import pandas as pd
from scipy import sparse

from .._text_files import open_text
from ..intervals.coordinates import find_columns
from ..intervals.names import share_of_places, split_name, whole_number
from ._errors import FormatError

_BANNER = "%%matrixmarket"
_SIDE = r"\.(?:bed|tsv|txt|csv|narrowpeak|broadpeak)$"
#: File names (without .gz and what stands before) that hold the names of the peaks and of the cells, best first.
_PEAKS = tuple(
    re.compile(pattern + _SIDE)
    for pattern in (
        r"peaks?",
        r"features?",
        r"genes?",
        r"(?:peaks?|regions?|bins?|tiles?|features?|genes?|rows?|row_?names|var_?names)[^/]*",
        r"var",
    )
)
_CELLS = tuple(
    re.compile(pattern + _SIDE)
    for pattern in (r"barcodes?", r"(?:barcodes?|cells?|index_?table|cols?|col_?names|obs_?names)[^/]*", r"obs")
)
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Bundle:
    """A matrix with the names of its two axes.

    Attributes
    ----------
    counts
        CSR, cells × peaks.
    cells
        Names of the cells.
    var
        Table of the features, indexed by name; columns as in the file where it has any.
    kinds
        Types of the features (third column of 10x's features.tsv), or None.
    notes
        What was recognised, for messages.
    """

    counts: sparse.csr_matrix
    cells: list[str]
    var: pd.DataFrame
    kinds: list[str] | None
    notes: dict[str, str]


@contextmanager
def open_or_format_error(path: Path) -> Iterator[TextIO]:
    """Open a text, packed or not; what is wrong with it is a FormatError that names it."""
    try:
        with open_text(path) as handle:
            yield handle
    except FormatError:
        raise
    except OSError as err:
        msg = f"{path}: cannot be read ({err})"
        raise FormatError(msg) from err
    except ValueError as err:
        msg = f"{path}: cannot be read ({err})"
        raise FormatError(msg) from err


def is_matrix_market(path: Path) -> bool:
    """Return whether a file begins as Matrix Market does, whatever its name."""
    try:
        with open_or_format_error(path) as handle:
            return handle.read(len(_BANNER)).lower() == _BANNER
    except FormatError:
        return False


def read_matrix_market(path: Path) -> sparse.coo_matrix:
    """Read a coordinate Matrix Market file; every entry is checked, which SciPy's parser does not do.

    Raises
    ------
    FormatError
        If it is not such a file, is truncated, or an entry lies outside.
    """
    with open_or_format_error(path) as handle:
        try:
            banner = handle.readline().lower().split()
            if banner[:3] != [_BANNER, "matrix", "coordinate"] or banner[4:] != ["general"]:
                msg = f"{path}, line 1: expected '%%MatrixMarket matrix coordinate ... general', got {banner[:6]}"
                raise FormatError(msg)
            line = handle.readline()
            while line.startswith("%") or (line and not line.strip()):
                line = handle.readline()
            n_rows, n_cols, n_entries = (int(v) for v in line.split())
            kind = np.int64 if banner[3] == "integer" else np.float64
            types = {0: np.int64, 1: np.int64} if banner[3] == "pattern" else {0: np.int64, 1: np.int64, 2: kind}
            body = pd.read_csv(handle, sep=r"\s+", header=None, names=list(types), dtype=types, na_filter=False)
        except FormatError:
            raise
        except (OSError, EOFError, UnicodeError, zlib.error):
            raise
        except (ValueError, IndexError, OverflowError, pd.errors.EmptyDataError) as err:
            if "n_entries" in locals() and n_entries == 0 and isinstance(err, pd.errors.EmptyDataError):
                return sparse.coo_matrix((n_rows, n_cols), dtype=np.int64)
            msg = f"{path}: not a valid Matrix Market file ({err})"
            raise FormatError(msg) from err
    if len(body) != n_entries:
        msg = f"{path}: {len(body)} entries, the header says {n_entries}; the file is truncated or damaged"
        raise FormatError(msg)
    rows, cols = body[0].to_numpy() - 1, body[1].to_numpy() - 1
    if n_entries and (rows.min() < 0 or cols.min() < 0 or rows.max() >= n_rows or cols.max() >= n_cols):
        msg = f"{path}: an entry lies outside the {n_rows} × {n_cols} matrix"
        raise FormatError(msg)
    values = np.ones(n_entries, dtype=np.int64) if len(types) == 2 else body[2].to_numpy()
    return sparse.coo_matrix((values, (rows, cols)), shape=(n_rows, n_cols))


def _without_gz(path: Path) -> str:
    return path.name.lower().removesuffix(".gz")


def _find_matrix(folder: Path) -> Path:
    files = sorted(p for p in folder.iterdir() if p.is_file())
    found = [p for p in files if _without_gz(p).endswith(".mtx")]
    found = found or [p for p in files if _without_gz(p).endswith(".txt") and is_matrix_market(p)]
    exact = [p for p in found if _without_gz(p) == "matrix.mtx"]
    if len(exact or found) == 1:
        return (exact or found)[0]
    names = [p.name for p in (found or sorted(folder.iterdir()))][:_SHOWN]
    if not found:
        msg = f"{folder}: none of ['matrix.mtx'] (or .gz, or with a prefix) found; files there: {names}"
        raise FileNotFoundError(msg)
    msg = f"{folder} holds several matrices: {names}. Give the path of one of them, and put samples together afterwards"
    raise FormatError(msg)


def _side_file(matrix: Path, patterns: Sequence[re.Pattern[str]], what: str, argument: str) -> Path:
    """Return the file of names of a matrix: with the same prefix, or the only one that no other matrix claims."""
    files = sorted(p for p in matrix.parent.iterdir() if p.is_file() and p != matrix)
    others = [_without_gz(p) for p in files if _without_gz(p).endswith(".mtx")]
    name = _without_gz(matrix)
    loose: list[Path] = []
    for pattern in patterns:
        best: tuple[int, Path] | None = None
        for path in files:
            found = pattern.search(_without_gz(path))
            if found is None or _without_gz(path).endswith(".mtx"):
                continue
            before = _without_gz(path)[: found.start()]
            if name.startswith(before):
                if best is None or len(before) > best[0]:
                    best = (len(before), path)
            elif not any(other.startswith(before) for other in others):
                loose.append(path)
        if best is not None:
            return best[1]
    if len(set(loose)) == 1:
        return loose[0]
    usual = ["peaks.bed", "features.tsv"] if argument == "peaks" else ["barcodes.tsv"]
    seen = [p.name for p in files][:_SHOWN]
    msg = f"{matrix}: none of {usual} (or .gz, or with the matrix's prefix) with the names of the {what} is there; "
    msg += f"files there: {seen}. Put it there, or name it: sccase_kit.read(path, {argument}=...)"
    raise FileNotFoundError(msg)


def _rows(path: Path) -> list[list[str]]:
    """Return the fields of all lines but comments; by tabs, commas in a .csv, else blanks in a BED file."""
    comma = _without_gz(path).endswith(".csv")
    with open_or_format_error(path) as handle:
        lines = [line.rstrip("\r\n") for line in handle]
    lines = [line for line in lines if line.strip() and not line.startswith(("#", "track ", "browser "))]
    sep = "\t" if any("\t" in line for line in lines[:5]) else "," if comma else None
    if sep is None and not _without_gz(path).endswith(".bed"):
        return [[line.strip().strip("\"'")] for line in lines]
    return [[field.strip().strip("\"'") for field in line.split(sep)] for line in lines]


def read_features(path: Path, sizes: Sequence[int]) -> tuple[pd.DataFrame, list[str] | None, str]:
    """Read names of peaks: a BED file, 10x's features.tsv or genes.tsv, a table with a header, or one name a line.

    Parameters
    ----------
    path
        The file, gzipped or not; lines that start with # are comments.
    sizes
        Numbers of names that would fit; one more line is taken as a header.

    Returns
    -------
    Table indexed by name, types of the features or None, and what was recognised.
    """
    rows = _rows(path)
    header: list[str] | None = None
    if rows and len(rows) - 1 in sizes and (len(rows) not in sizes or _is_titled(rows)):
        header, rows = rows[0], rows[1:]
    if not rows:
        return pd.DataFrame(index=pd.Index([], dtype=object)), None, "an empty list"
    width = min(len(row) for row in rows)
    if header is not None and len(header) == width and (columns := find_columns(header)) is not None:
        table = pd.DataFrame([row[:width] for row in rows], columns=header)
        return _named(table, columns), None, f"a table with the columns {', '.join(map(str, columns))}"
    if width >= 3 and all(_is_bed(row) for row in rows):
        table = pd.DataFrame([row[:3] for row in rows], columns=["chrom", "start", "end"])
        return _named(table, ("chrom", "start", "end")), None, "BED"
    if _without_gz(path).endswith(".bed"):
        bad = next(i for i, row in enumerate(rows, 1) if not _is_bed(row))
        shown = " ".join(rows[bad - 1])[:80]
        msg = f"{path}, line {bad}: a BED line has at least 3 columns: chrom, start, end, got {shown!r}"
        raise FormatError(msg)
    first = 0
    if width > 1 and not share_of_places([row[0] for row in rows]) and share_of_places([row[1] for row in rows]) > 0.5:
        first = 1
    names = pd.Index([row[first] for row in rows], dtype=object)
    kinds = [row[2] for row in rows] if width >= 3 and first == 0 else None
    var = pd.DataFrame(index=names)
    if width >= 6 and all(_is_bed(row[3:]) or not row[3] for row in rows):
        var = pd.DataFrame([row[3:6] for row in rows], columns=["chrom", "start", "end"], index=names)
    return var, kinds, "10x features" if kinds is not None else "names"


def _is_titled(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first of several lines is no place, and all others are."""
    placed = [_is_bed(row) or split_name(row[0]) is not None for row in rows]
    return len(rows) > 1 and not placed[0] and all(placed[1:])


def _is_bed(row: Sequence[str]) -> bool:
    if len(row) < 3:
        return False
    start, end = whole_number(row[1]), whole_number(row[2])
    return start is not None and end is not None and start < end and split_name(row[0]) is None


def _named(table: pd.DataFrame, columns: tuple[object, object, object]) -> pd.DataFrame:
    """Return a table of regions indexed by names such as chr1:100-600."""
    chrom, start, end = (table[c] for c in columns)
    numbers = [[whole_number(v) for v in part] for part in (start, end)]
    if any(v is None for part in numbers for v in part):
        msg = f"the columns {columns[1]!r} and {columns[2]!r} of the peaks do not hold positions"
        raise FormatError(msg)
    names = [f"{c}:{a}-{b}" for c, a, b in zip(chrom, *numbers, strict=True)]
    table = table.assign(**{str(columns[1]): numbers[0], str(columns[2]): numbers[1]})
    return table.set_axis(pd.Index(names, dtype=object), axis=0)


def read_cells(path: Path, sizes: Sequence[int]) -> list[str]:
    """Read names of cells: the first column, or the second where the first numbers the rows; there may be a header."""
    rows = _rows(path)
    if len(rows) not in sizes and len(rows) - 1 in sizes:
        rows = rows[1:]
    first = [row[0] for row in rows]
    if rows and min(len(row) for row in rows) > 1:
        counted = [[str(i + start) for i in range(len(rows))] for start in (0, 1)]
        if first in counted:
            return [row[1] for row in rows]
    return first


def read_bundle(path: Path, *, peaks: Path | None = None, cells: Path | None = None) -> Bundle:
    """Read a matrix in Matrix Market format with the names of peaks and cells next to it.

    Parameters
    ----------
    path
        A folder with one such matrix, or the matrix itself.
    peaks, cells
        Files of names; by default those next to the matrix, with the same prefix before ``peaks.bed``,
        ``features.tsv``, ``genes.tsv`` and ``barcodes.tsv`` (and the like).

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    FormatError
        If there are several matrices, the files do not agree, or one cannot be parsed.
    """
    matrix = _find_matrix(path) if path.is_dir() else path
    if peaks is None and any(_without_gz(p) == "motifs.tsv" for p in matrix.parent.iterdir()):
        msg = f"{matrix.parent} holds motifs (motifs.tsv), not counts of peaks: give the folder of peaks"
        raise FormatError(msg)
    peaks_path = _side_file(matrix, _PEAKS, "peaks", "peaks") if peaks is None else peaks
    cells_path = _side_file(matrix, _CELLS, "cells", "cells") if cells is None else cells
    counts = read_matrix_market(matrix)
    var, kinds, what = read_features(peaks_path, counts.shape)
    others = [n for n, other in (counts.shape, counts.shape[::-1]) if other == len(var)]
    names = read_cells(cells_path, others or counts.shape)
    if counts.shape == (len(var), len(names)):
        turned, axes = sparse.csr_matrix(counts.T), "peaks × cells"
    elif counts.shape == (len(names), len(var)):
        turned, axes = sparse.csr_matrix(counts), "cells × peaks"
    else:
        msg = (
            f"{matrix}: the matrix is {counts.shape}, but there are {len(var)} peaks and {len(names)} barcodes "
            f"({peaks_path.name}, {cells_path.name})"
        )
        raise FormatError(msg)
    notes = {
        "format": "Matrix Market",
        "orientation": axes,
        "peaks from": f"{peaks_path.name} ({what})",
        "cells from": cells_path.name,
    }
    return Bundle(turned, names, var, kinds, notes)
