"""Names of regions in every common spelling, and numbers as programs write them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import pandas as pd

from .._validate import check_list
from .chromosomes import is_chromosome
from .plain_names import plain_places

NO_POSITION = 2**40  # beyond every chromosome; sums of a million of them fit int64
#: Coordinates of what has none.
MISSING = -1

_GROUPED = r"\d{1,3}(?:,\d{3})+"
_POWER = r"\d(?:\.\d{1,15})?[eE]\+?\d{1,2}"
_NUMBER = rf"(?:{_POWER}|{_GROUPED}|\d{{1,18}}(?:\.0+)?)"
_STRAND = r"(?:\([+.*-]\)|:[+.*-])?"
_COLON = re.compile(
    rf"^(?P<chrom>\S*?[^\s:_|-])[:_|-](?P<start>{_NUMBER})(?:\.\.|[-_:|/\u2013])(?P<end>{_NUMBER}){_STRAND}$", re.ASCII
)
#: R's make.names writes dots for all that is no letter, digit or dot: chr1.100.600, chr1.1e.05.100500.
_DOTS = re.compile(
    r"^(?P<chrom>\S*?[^\s:_.-])\.(?P<start>\d{1,18}|\d(?:\.\d{1,15})?[eE]\.\d{2})"
    r"\.(?P<end>\d{1,18}|\d(?:\.\d{1,15})?[eE]\.\d{2})$",
    re.ASCII,
)
_TABS = re.compile(r"^(?P<chrom>[^\s]+)\t(?P<start>\d{1,18})\t(?P<end>\d{1,18})(?:\t|$)", re.ASCII)
_MODALITY = re.compile(r"^(?:atac|peaks?|cre|dhs)[:|](?=\S+[:_-]\d)", re.IGNORECASE)
_R_NUMBERED = re.compile(r"^X(?P<number>\d{1,2})$")
_PLAIN_NUMBER = re.compile(rf"^{_NUMBER}$", re.ASCII)


class Place(NamedTuple):
    """Where a region lies, as written."""

    chrom: str
    start: int
    end: int


def whole_number(text: str) -> int | None:
    """Return the integer that a text means: ``100``, ``1e+05``, ``1,000``, ``100.0``; None for other texts.

    Examples
    --------
    >>> from sccase_kit.intervals.names import whole_number
    >>> [whole_number(t) for t in ("100", "1e+05", "1,000", "100.0", "1,00", "1.5")]
    [100, 100000, 1000, 100, None, None]
    """
    if text.isascii() and text.isdigit():
        return int(text) if len(text) < 19 else None
    if not _PLAIN_NUMBER.match(text):
        return None
    value = Decimal(text.replace(",", ""))
    return int(value) if value == value.to_integral_value() and value < NO_POSITION else None


def split_name(name: str) -> Place | None:
    """Return chromosome, start and end of a name, as written, or None for other names.

    Read are ``chr1:100-600``, ``chr1_100_600``, ``chr1-100-600``, ``chr1:100..600``, ``chr1.100.600`` (R's
    make.names), without ``chr`` too; numbers as ``1e+05``, ``1,000`` or ``100.0``; a strand at the end
    (``chr1:1-2:+``, ``chr1:1-2(+)``). Names of contigs may hold underscores, dots and dashes: the last two numbers are
    the coordinates.
    """
    text = _MODALITY.sub("", name.strip())
    found = _COLON.match(text) or _TABS.match(text)
    if found is not None:
        numbers = [whole_number(found[part]) for part in ("start", "end")]
    else:
        found = _DOTS.match(text)
        if found is None:
            return None
        numbers = [whole_number(re.sub(r"([eE])\.", r"\1+", found[part])) for part in ("start", "end")]
    start, end = numbers
    return None if start is None or end is None else Place(found["chrom"], start, end)


def split_names(names: Iterable[str]) -> list[Place | None]:
    """Return the place of every name, by :func:`split_name`.

    R writes ``X`` before names that start with a digit (``X1.100.600``): it is taken off where all numbered
    chromosomes have it.
    """
    places = [split_name(name) for name in names]
    numbered = {p.chrom for p in places if p is not None and _R_NUMBERED.match(p.chrom)}
    if not numbered or (len(numbered) < 2 and numbered != {"X1"}):
        return places
    if any(p is not None and (p.chrom.isdigit() or p.chrom.startswith("chr")) for p in places):
        return places
    return [p if p is None or p.chrom not in numbered else p._replace(chrom=p.chrom[1:]) for p in places]


def texts_of(index: pd.Index) -> list[str]:
    """Return the names of an index as texts."""
    names: list[str] = index.tolist()
    return names if index.inferred_type == "string" else list(map(str, names))


def places_table(names: Iterable[str]) -> pd.DataFrame:
    """Return the places of names as a table.

    Returns
    -------
    DataFrame indexed by name: chrom (str, empty where a name has no coordinates), start, end (int64, as written; −1
    there).
    """
    texts = list(map(str, check_list(names, name="names", what="texts")))
    return table_of_places(texts, pd.Index(texts, dtype=object))


def table_of_places(texts: list[str], index: pd.Index) -> pd.DataFrame:
    """Return what :func:`places_table` does, on an index of one's own."""
    chrom, start, end = plain_places(texts) or _places_one_by_one(texts)
    bad = end <= start
    chrom[bad], start[bad], end[bad] = "", MISSING, MISSING
    return pd.DataFrame({"chrom": chrom, "start": start, "end": end}, index=index)


def _places_one_by_one(names: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = [Place("", MISSING, MISSING) if place is None else place for place in split_names(names)]
    chrom, start, end = ([row[i] for row in rows] for i in range(3))
    return np.array(chrom, dtype=object), np.array(start, dtype=np.int64), np.array(end, dtype=np.int64)


def share_of_places(names: Sequence[str], *, on_chromosomes: bool = True) -> float:
    """Return the share of names that are places (on what looks like a chromosome)."""
    if not len(names):
        return 0.0
    plain = plain_places([str(name) for name in names])
    if plain is not None:
        chroms = plain[0][plain[1] < plain[2]].tolist()
    else:
        places = [p for p in split_names(str(name) for name in names) if p is not None and p.start < p.end]
        chroms = [place.chrom for place in places]
    good = {chrom: not on_chromosomes or is_chromosome(chrom) for chrom in set(chroms)}
    return sum(good[chrom] for chrom in chroms) / len(names)
