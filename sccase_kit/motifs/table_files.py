"""Tables of positions (CIS-BP) or bases (UniPROBE), and bare numbers (JASPAR's files of one matrix)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .file_parts import Lines, as_counts, build, fail, floats
from .headed_files import parse_headed
from .motif import Motif

_BASES = re.compile(r"(?:Pos|PO|Position)?\s*([ACGTU])\s+([ACGTU])\s+([ACGTU])\s+([ACGTU])\s*$", re.IGNORECASE)
_PROBABILITIES = "probability matrix"  # of UniPROBE's full files
_UNIPROBE_MOTIF = re.compile(r"#\s*Motif:\s*(\S+)")
_ROW = re.compile(r"\s*([ACGTUacgtu])\s*[:|=]\s*(.*)$")


def is_cisbp(lines: Lines) -> bool:
    """Return whether a line ``Pos A C G T`` heads the rows."""
    return any(_BASES.match(line.strip()) for _, line in lines[:50])


def parse_cisbp(path: Path, lines: Lines) -> Iterator[Motif]:
    """Yield CIS-BP's motifs: a file of one matrix, or several, each below lines such as ``Motif`` and ``TF Name``.

    Matrices without positions (CIS-BP may not give those of TRANSFAC) are left out, unless there is no other.
    """
    fields: dict[str, str] = {}
    order: list[int] = []
    rows: list[list[float]] = []
    start, found, empty = 0, 0, []

    def made() -> Motif:
        ident = fields.get("motif") or Path(path.name.removesuffix(".gz")).stem
        return build(path, start, ident, fields.get("tf name") or ident, as_counts(np.array(rows)).T)

    for number, line in [*lines, (len(lines) + 1, "Pos A C G T")]:
        words = line.split()
        if not words:
            continue
        heading = _BASES.match(line.strip())
        if order and (heading or not words[0].isdigit()):
            if rows:
                yield made()
                found += 1
            else:
                empty.append(start)
            order, rows = [], []
            if not heading or "motif" in fields:
                fields = {}
        if heading:
            bases = [base.upper().replace("U", "T") for base in heading.groups()]
            if sorted(bases) != list("ACGT"):
                raise fail(path, number, f"expected the bases A C G T, got {line.strip()[:40]!r}")
            order, start = [bases.index(base) for base in "ACGT"], number
        elif order:
            values = floats(path, number, words[1:])
            if len(values) != 4:
                raise fail(path, number, f"a position must have 4 numbers, got {len(values)}")
            rows.append([values[k] for k in order])
        else:
            key, _, value = line.partition("\t")
            fields[key.strip().lower()] = value.strip()
    if empty and not found:
        raise fail(path, empty[0], "a matrix without positions (CIS-BP does not give those of TRANSFAC)")


def is_uniprobe(lines: Lines) -> bool:
    """Return whether rows start with ``A:``, ``C:``, ``G:``, ``T:``."""
    letters = {match[1].upper() for _, line in lines[:50] if (match := _ROW.match(line))}
    return len(letters) == 4


def parse_uniprobe(path: Path, lines: Lines) -> Iterator[Motif]:
    """Yield UniPROBE's motifs: a line with the name, then a row per base.

    Full files give a motif by scores, energies and probabilities, each below its heading: the last are taken.
    """
    name, start = "", 1
    rows: dict[str, list[float]] = {}
    full = any(line.strip().lower() == _PROBABILITIES for _, line in lines)
    wanted = not full
    for number, line in lines:
        if full and (title := _UNIPROBE_MOTIF.match(line)):
            name, start = title[1], number
            continue
        if full and not _ROW.match(line):
            wanted = line.strip().lower() == _PROBABILITIES or (wanted and not line.strip())
            continue
        if not wanted:
            continue
        if match := _ROW.match(line):
            base = match[1].upper().replace("U", "T")
            if base in rows:
                raise fail(path, number, f"motif {name[:40]!r}: a second row {base}")
            rows[base] = floats(path, number, match[2].split())
            if len(rows) == 4:
                widths = {b: len(values) for b, values in rows.items()}
                if len(set(widths.values())) != 1:
                    raise fail(path, number, f"motif {name[:40]!r}: rows of different lengths {widths}")
                ident = name or Path(path.name.removesuffix(".gz")).stem
                matrix = np.array([rows[b] for b in "ACGT"]).T
                yield build(path, start, ident, ident, as_counts(matrix).T)
                rows, name = {}, ""
        elif text := line.strip().lstrip("#").strip():
            if rows:
                raise fail(path, number, f"motif {name[:40]!r}: rows A, C, G, T are needed, got {sorted(rows)}")
            protein = re.match(r"Protein:\s*([^\t]+?)\s*(?:\t|Seed|$)", text)
            name, start = protein[1] if protein else text, number
    if rows:
        raise fail(path, start, f"motif {name[:40]!r}: rows A, C, G, T are needed, got {sorted(rows)}")


def is_bare(lines: Lines) -> bool:
    """Return whether the file is four rows of numbers, or rows of four."""
    cells = [line.split() for _, line in lines if line.strip() and not line.startswith("#")]
    numbers = all(re.fullmatch(r"[-+]?[\d.]+(?:[eE][-+]?\d+)?", word) for row in cells for word in row)
    return len(cells) >= 4 and numbers and len({len(row) for row in cells}) == 1 and 4 in (len(cells), len(cells[0]))


def parse_bare(path: Path, lines: Lines) -> Iterator[Motif]:
    """Yield the matrix of a file without any name: that is the name of the file."""
    stem = Path(path.name.removesuffix(".gz")).stem
    yield from parse_headed(path, [(0, f">{stem}"), *lines])
