"""Text matrices: which columns say where a peak is, which are cells, and whether there is a header."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..intervals.chromosomes import is_chromosome
from ..intervals.coordinates import find_columns
from ..intervals.names import split_name, whole_number

#: Other columns that describe a peak, as bedtools, featureCounts, MACS and R name them.
_DESCRIBING = {
    *[
        "strand",
        "length",
        "width",
        "name",
        "score",
        "id",
        "peak",
        "peakid",
        "peakname",
        "geneid",
        "gene",
        "gc",
        "annotation",
    ],
    *["abssummit", "pileup", "summit", "distancetotss", "nearestgene", "featureid", "interval", "region"],
}
#: Names of a column of names, which may be numbers.
_INDEX = {*"index peak peaks peakid name names id row rows rownames cell cells barcode barcodes".split()}
_BED_EXTRA = ("name", "score", "strand")
_LOOKED_AT = 12
_UNNAMED = re.compile(r"^(?:[VX.]?\d*|Unnamed: \d+)$")


#: Quotes, and ASCII's blanks, which are taken off fields.
_STRIPPED = "\"' \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f"


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns of a text matrix.

    Attributes
    ----------
    header
        Whether the first line is one.
    names
        Field with the names of the rows, or None where they are made from coordinates.
    describing
        Field → column of `var`, in order.
    cells
        First field of the values.
    labels
        Names of the values' columns.
    coordinates
        Whether `describing` holds chromosome, start and end.
    """

    header: bool
    names: int | None
    describing: dict[int, str]
    cells: int
    labels: list[str]
    coordinates: bool


def split_line(line: str, sep: str) -> list[str]:
    """Return the fields of a line, without quotes; a separator inside double quotes belongs to its field."""
    line = line.rstrip("\r\n")
    if line.isascii() and not any(sign in line for sign in _STRIPPED if sign != sep):
        return line.split(sep)  # as nearly every line is, and four times as fast
    fields = next(csv.reader([line], delimiter=sep)) if '"' in line else line.split(sep)
    return [field.strip().strip("'") for field in fields]


def choose_separator(path_suffix: str, header: str) -> str:
    """Return the separator: the one that the file's ending says, unless the first line has none of it."""
    known = {".csv": ",", ".tsv": "\t"}.get(path_suffix)
    if known is not None and known in header:
        return known
    counts = {sep: header.count(sep) for sep in ("\t", ",", ";", " ")}
    best = max(counts, key=lambda sep: counts[sep])
    return best if counts[best] else known or "\t"


def triplet_columns(rows: Sequence[Sequence[str]]) -> tuple[int, int] | None:
    """Return the columns of peak and cell where rows are peak, cell (in either order) and count, or None."""
    if not rows or not all(len(row) == 3 and _is_number(row[2]) for row in rows):
        return None
    for peak, cell in ((0, 1), (1, 0)):
        if all(split_name(row[peak]) is not None for row in rows) and not any(_is_number(row[cell]) for row in rows):
            return (peak, cell) if not any(split_name(row[cell]) for row in rows) else None
    return None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_region(fields: Sequence[str], at: int) -> bool:
    """Return whether three fields from `at` are chromosome, start and end."""
    if len(fields) < at + 3 or not is_chromosome(fields[at]) or split_name(fields[at]) is not None:
        return False
    start, end = whole_number(fields[at + 1]), whole_number(fields[at + 2])
    return start is not None and end is not None and start < end


def _are_regions(rows: Sequence[Sequence[str]], at: int, labels: Sequence[str] | None) -> bool:
    """Return whether chromosome, start and end stand in three fields of every row, and a value after them.

    Under a header that does not say so, small counts look like that too: then chromosomes must be called chr…, or the
    header be R's (V1, V2, …) or empty.
    """
    least = at + 3 if labels is None else at + 4
    if not rows or not all(len(row) >= least and _is_region(row, at) for row in rows):
        return False
    if labels is None or all(row[at].lower().startswith("chr") for row in rows):
        return True
    return all(_UNNAMED.match(label) for label in labels[at : at + 3])


def find_layout(first: Sequence[str], body: Sequence[Sequence[str]]) -> Layout:
    """Return what the columns are, from the first line and some of the lines that follow.

    Parameters
    ----------
    first
        Fields of the first line.
    body
        Fields of lines after it.

    Raises
    ------
    ValueError
        If the header lacks more than the name of the first column.
    """
    first = [first[0].lstrip("#").strip("'\"") if first else "", *first[1:]]
    header = not _is_data(first)
    rows = [list(first), *body] if not header else list(body)
    width = len(rows[0]) if rows else len(first)
    labels = list(first) if header else [""] * width
    if header and len(labels) == width - 1:
        labels = ["", *labels]  # R leaves out the name of the row names
    if len(labels) < width:
        msg = f"the header has {len(labels)} columns, and the lines after it have {width}"
        raise ValueError(msg)
    at = next((a for a in (0, 1) if _are_regions(rows, a, labels if header else None)), None)
    named = _by_header(labels, rows) if header else None
    if named is not None:
        positions = named
    elif at is not None:
        positions = (at, at + 1, at + 2)
    elif _has_no_names(first, body, labels if header else None):
        header = not all(_is_number(field) for field in first)
        cells = labels if header else [f"cell{i}" for i in range(1, width + 1)]
        return Layout(header=header, names=None, describing={}, cells=0, labels=cells, coordinates=False)
    else:
        cells = labels[1:] if header else [f"cell{i}" for i in range(1, width)]
        return Layout(header=header, names=0, describing={}, cells=1, labels=cells, coordinates=False)
    describing = {i: labels[i] or f"column{i}" for i in range(max(positions) + 1) if i not in positions}
    describing |= dict(
        zip(positions, [labels[i] for i in positions] if named else ["chrom", "start", "end"], strict=True)
    )
    last = max(positions) + 1
    while header and last < width and _plain(labels[last]) in _DESCRIBING:
        describing[last] = labels[last]
        last += 1
    if not header:
        for i in _bed_extra(rows, last):
            describing[i] = _BED_EXTRA[i - last]
        last += len(_bed_extra(rows, last))
    cells = labels[last:] if header else [f"cell{i}" for i in range(1, width - last + 1)]
    described = dict(sorted(describing.items()))
    return Layout(header=header, names=None, describing=described, cells=last, labels=cells, coordinates=True)


def _has_no_names(first: Sequence[str], body: Sequence[Sequence[str]], labels: Sequence[str] | None) -> bool:
    """Return whether the first column holds counts like the others, and no names of rows.

    It does if the header names it as it names the others, and its numbers neither count the rows nor all differ.
    """
    if labels is None or len(labels) != len(first) or not body or len(first) < 2:
        return False
    column = [row[0] for row in body]
    if not all(len(row) == len(first) and _is_number(row[0]) for row in body):
        return False
    if all(_is_number(field) for field in first):
        counter = [str(i) for i in range(len(first))]
        return list(first) not in (counter, [str(i + 1) for i in range(len(first))])
    if list(first) == [f"V{i}" for i in range(1, len(first) + 1)]:  # R's names of columns without names
        return True
    return not _UNNAMED.match(first[0]) and _plain(first[0]) not in _INDEX and len(set(column)) < len(column)


def _plain(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def _is_data(fields: Sequence[str]) -> bool:
    """Return whether a first line is no header: a region, or the name of one, and numbers."""
    if len(fields) > 1 and split_name(fields[0]) is not None:
        return all(_is_number(f) for f in fields[1:])
    for at in (0, 1):
        if _is_region(fields, at):
            rest = fields[at + 3 :]
            return sum(_is_number(f) for f in rest) >= len(rest) - 2
    return False


def _by_header(labels: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[int, int, int] | None:
    """Return the fields that the header calls chromosome, start and end, if the first lines agree."""
    given = {i: label for i, label in enumerate(labels[:_LOOKED_AT]) if label}
    columns = find_columns(given.values())
    if columns is None:
        return None
    place = {label: i for i, label in reversed(given.items())}
    chrom, start, end = (place[str(c)] for c in columns)
    numbers = [(whole_number(row[start]), whole_number(row[end])) for row in rows if len(row) == len(labels)]
    if not numbers or any(a is None or b is None or a > b for a, b in numbers):
        return None
    return chrom, start, end


def _bed_extra(rows: Sequence[Sequence[str]], last: int) -> range:
    """Return the fields after chrom, start, end that are BED's name, score and strand, where there is no header."""
    if all(len(row) > last + 2 and row[last + 2] in {"+", "-", "."} for row in rows):
        return range(last, last + 3)
    if all(len(row) > last and not _is_number(row[last]) for row in rows):
        return range(last, last + 1)
    return range(0)
