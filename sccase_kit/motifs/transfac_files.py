"""TRANSFAC's format, as TRANSFAC, JASPAR, RSAT and STAMP write it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .file_parts import Lines, as_counts, build, fail, floats
from .motif import Motif


def is_transfac(lines: Lines) -> bool:
    """Return whether the first line, comments aside, begins with a tag of TRANSFAC."""
    first = next((line.split()[0] for _, line in lines if line.strip() and not line.startswith("#")), "")
    return first in {"AC", "ID", "VV", "XX", "NA", "P0", "PO", "DE", "//"}


def parse_transfac(path: Path, lines: Lines) -> Iterator[Motif]:
    """Yield the motifs of a TRANSFAC file; STAMP leaves out the line of the bases, which then are A, C, G, T."""
    fields: dict[str, str] = {}
    order: list[int] | None = None
    rows: list[list[float]] = []
    start = 1
    for number, line in [*lines, (len(lines) + 1, "//")]:
        words = line.split()
        if not words:
            continue
        tag = words[0]
        if tag == "//":
            if order is not None:
                ident = next((fields[tag] for tag in ("AC", "ID", "NA", "DE") if fields.get(tag)), "")
                if not ident:
                    raise fail(path, start, "a matrix without AC, ID or NA line")
                name = fields.get("NA") or fields.get("ID") or ident
                yield build(path, start, ident, name, as_counts(np.array(rows).reshape(-1, 4)).T)
            fields, order, rows = {}, None, []
        elif tag in {"P0", "PO"}:
            bases = [word.upper() for word in words[1:5]]
            if sorted(bases) != list("ACGT"):
                raise fail(path, number, f"expected the bases A C G T after {tag}, got {words[1:5]}")
            order, start = [bases.index(base) for base in "ACGT"], number
        elif tag.isdigit() and (order is not None or fields):
            order = [0, 1, 2, 3] if order is None else order
            values = floats(path, number, words[1:5])
            if len(values) != 4:
                raise fail(path, number, f"a row must have 4 counts, got {len(values)}")
            rows.append([values[k] for k in order])
        elif len(words) > 1 and len(tag) == 2 and tag.isupper():
            fields.setdefault(tag, " ".join(words[1:]))
