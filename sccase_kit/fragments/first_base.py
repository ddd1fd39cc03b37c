"""Whether the starts of a fragment file count from 0 or from 1: its header tells, or the fragments themselves.

Tn5 cuts a molecule once and leaves a fragment on either side. With the usual shift of both ends (+4, −5) the end of one
is the start of the next in files that are 0-based and half-open, as BED; where starts are 1-based it is one less.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from .inflate import first_lines

#: Fragments that are looked at, at the beginning of a file.
SAMPLE = 50_000
_WINDOW = range(-12, 13)
_FROM_0, _FROM_1 = (0, -9), (1, -8)  # with the usual shift of the ends, and without one
_LEAST, _TIMES = 30, 4
_DIGITS = 10  # of a position; a longer one is refused by what counts
_CLOSED = {"seqnames", "seqname", "width"}


def gaps_to_the_next(
    cell: npt.ArrayLike, chrom: npt.ArrayLike, start: npt.ArrayLike, end: npt.ArrayLike
) -> dict[int, int]:
    """Return distance → fragments with one of the same cell that starts so far from their end, −12 to 12.

    Parameters
    ----------
    cell, chrom
        Names, of shape (n,).
    start, end
        Positions, of shape (n,).
    """
    cells, chroms = (pd.factorize(np.asarray(names, object))[0].astype(np.int64) for names in (cell, chrom))
    code = (cells * (chroms.max(initial=0) + 1) + chroms) << 33
    starts = np.unique(code + np.asarray(start, np.int64))
    ends = code + np.asarray(end, np.int64)
    found = {}
    for distance in _WINDOW:
        at = np.minimum(np.searchsorted(starts, ends + distance), max(0, len(starts) - 1))
        found[distance] = int((starts[at] == ends + distance).sum()) if len(starts) else 0
    return found


def counts_from_1(gaps: dict[int, int]) -> bool | None:
    """Return whether gaps of :func:`gaps_to_the_next` are those of 1-based starts, or None where they do not tell."""
    best = max(gaps, key=lambda distance: gaps[distance])
    usual = float(np.median(list(gaps.values())))
    if gaps[best] < _LEAST or gaps[best] < _TIMES * max(1.0, usual):
        return None
    return True if best in _FROM_1 else False if best in _FROM_0 else None


def is_one_based(path: str | os.PathLike[str]) -> bool:
    """Return whether the starts of a file are 1-based, by its first fragments; False where nothing tells."""
    rows = [line.split("\t") for line in first_lines(path, SAMPLE)]
    if rows and _header_says(rows[0]):
        return True
    rows = [row for row in rows if len(row) >= 4 and all(c.isdecimal() and len(c) <= _DIGITS for c in row[1:3])]
    if not rows:
        return False
    chrom, start, end, cell = zip(*(row[:4] for row in rows), strict=True)
    gaps = gaps_to_the_next(cell, chrom, [int(s) for s in start], [int(e) for e in end])
    return counts_from_1(gaps) is True


def _header_says(cells: Sequence[str]) -> bool:
    return bool({cell.strip().strip('"').lower() for cell in cells} & _CLOSED)
