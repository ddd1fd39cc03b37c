"""Motifs from MEME, JASPAR and TRANSFAC files."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np

from .._validate import check_choice
from .motif import Motif

FORMATS = ("meme", "jaspar", "transfac")
_DEFAULT_SITES = 20.0
Lines = list[tuple[int, str]]


def read_motifs(
    path: str | os.PathLike[str], *, format: Literal["meme", "jaspar", "transfac"] | None = None
) -> list[Motif]:
    """Read motifs from a MEME, JASPAR or TRANSFAC file.

    Probabilities of MEME files are multiplied by their ``nsites`` (20 where it is missing).

    Parameters
    ----------
    path
        The file.
    format
        Its format; recognised from the content by default.

    Returns
    -------
    List of :class:`Motif` in file order.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If the format is unknown or a line cannot be read; the message has file and line.
    """
    path = Path(path)
    lines = list(enumerate(path.read_text(encoding="utf-8-sig", errors="replace").splitlines(), start=1))
    if format is None:
        format = _recognise(path, lines)
    else:
        check_choice(format, FORMATS, name="format")
    parsers: dict[str, Callable] = {"meme": _parse_meme, "jaspar": _parse_jaspar, "transfac": _parse_transfac}
    motifs = list(parsers[format](path, lines))
    if not motifs:
        msg = f"{path}: no motif found in {format} format"
        raise ValueError(msg)
    return motifs


def _recognise(path: Path, lines: Lines) -> str:
    for _, line in lines:
        text = line.strip()
        if text.upper().startswith("MEME VERSION"):
            return "meme"
        if text.startswith(">"):
            return "jaspar"
        if re.match(r"(AC|ID|VV|XX|NA|P0|PO|DE)(\s|$)", text):
            return "transfac"
        if text and not text.startswith("#"):
            break
    msg = f"{path}: not recognised as MEME, JASPAR or TRANSFAC; pass format= with one of {list(FORMATS)}"
    raise ValueError(msg)


def _fail(path: Path, number: int, reason: str) -> ValueError:
    return ValueError(f"{path}, line {number}: {reason:.300}")


def _floats(path: Path, number: int, words: list[str]) -> list[float]:
    try:
        return [float(word) for word in words]
    except ValueError:
        raise _fail(path, number, f"expected numbers, got {' '.join(words)[:60]!r}") from None


def _build(path: Path, number: int, ident: str, name: str, counts: Any) -> Motif:
    try:
        return Motif(ident, name, counts)
    except ValueError as err:
        raise _fail(path, number, str(err)) from None


def _parse_meme(path: Path, lines: Lines) -> Iterator[Motif]:
    rows = iter(lines)
    header: tuple[int, str, str] | None = None
    for number, line in rows:
        words = line.split()
        if not words:
            continue
        if words[0].upper().startswith("ALPHABET") and "ACGT" not in line.upper().replace(" ", ""):
            raise _fail(path, number, f"only the alphabet ACGT is supported, got {line.strip()!r}")
        if words[0] == "MOTIF":
            if len(words) < 2:
                raise _fail(path, number, "MOTIF without an identifier")
            header = (number, words[1], words[2] if len(words) > 2 else words[1])
        elif line.lstrip().lower().startswith("letter-probability matrix"):
            if header is None:
                raise _fail(path, number, "a matrix before any MOTIF line")
            yield _meme_matrix(path, (number, line), rows, header)
            header = None
    if header is not None:
        raise _fail(path, header[0], f"motif {header[1]!r} has no letter-probability matrix")


def _meme_matrix(path: Path, first: tuple[int, str], rows: Iterator, header: tuple[int, str, str]) -> Motif:
    number, line = first
    width = re.search(r"\bw\s*=\s*(\d+)", line)
    sites = re.search(r"\bnsites\s*=\s*([\d.eE+]+)", line)
    values: list[list[float]] = []
    while width is None or len(values) < int(width.group(1)):
        entry = next(rows, None)
        words = entry[1].split() if entry is not None else []
        if len(words) == 0 or not re.match(r"[\d.+-]", words[0]):
            if width is None and values:
                break
            where = entry[0] if entry is not None else number
            expected = width.group(1) if width else "some"
            raise _fail(path, where, f"motif {header[1]!r}: {len(values)} row(s) of probabilities, expected {expected}")
        row = _floats(path, entry[0], words)
        if len(row) != 4:
            raise _fail(path, entry[0], f"motif {header[1]!r}: a row must have 4 probabilities, got {len(row)}")
        if abs(sum(row) - 1) > 0.05:
            raise _fail(path, entry[0], f"motif {header[1]!r}: probabilities sum to {sum(row):.4g}, not 1")
        values.append(row)
    n = float(sites.group(1)) if sites else _DEFAULT_SITES
    return _build(path, number, header[1], header[2], np.array(values).T * (n or _DEFAULT_SITES))


def _parse_jaspar(path: Path, lines: Lines) -> Iterator[Motif]:
    header: tuple[int, list[str]] | None = None
    rows: dict[str, tuple[int, list[float]]] = {}
    for number, line in [*lines, (len(lines) + 1, ">")]:
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if text.startswith(">"):
            if header is not None:
                yield _jaspar_motif(path, header, rows)
            header, rows = (number, text[1:].split(None, 1)), {}
            continue
        if header is None:
            raise _fail(path, number, "expected a line that starts with '>'")
        match = re.match(r"([ACGTacgt])\s*\[?\s*([^\]]*)\]?\s*$", text)
        if match:
            base, numbers = match.group(1).upper(), match.group(2)
        else:
            base, numbers = "ACGT"[len(rows)] if len(rows) < 4 else "?", text
        if base in rows or base == "?":
            raise _fail(path, number, f"motif {' '.join(header[1])!r}: more rows than A, C, G, T")
        rows[base] = (number, _floats(path, number, numbers.split()))


def _jaspar_motif(path: Path, header: tuple[int, list[str]], rows: dict[str, tuple[int, list[float]]]) -> Motif:
    number, words = header
    if not words:
        raise _fail(path, number, "a '>' line without an identifier")
    if set(rows) != set("ACGT"):
        raise _fail(path, number, f"motif {words[0]!r}: rows A, C, G, T are needed, got {sorted(rows)}")
    widths = {base: len(values) for base, (_, values) in rows.items()}
    if len(set(widths.values())) != 1:
        raise _fail(path, number, f"motif {words[0]!r}: rows of different lengths {widths}")
    name = words[1].strip() if len(words) > 1 else words[0]
    return _build(path, number, words[0], name, np.array([rows[base][1] for base in "ACGT"]))


def _parse_transfac(path: Path, lines: Lines) -> Iterator[Motif]:
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
                ident = fields.get("AC") or fields.get("ID") or fields.get("NA")
                if not ident:
                    raise _fail(path, start, "a matrix without AC, ID or NA line")
                name = fields.get("NA") or fields.get("ID") or ident
                yield _build(path, start, ident, name, np.array(rows).reshape(-1, 4).T)
            fields, order, rows = {}, None, []
        elif tag in {"P0", "PO"}:
            bases = [word.upper() for word in words[1:5]]
            if sorted(bases) != list("ACGT"):
                raise _fail(path, number, f"expected the bases A C G T after {tag}, got {words[1:5]}")
            order, start = [bases.index(base) for base in "ACGT"], number
        elif order is not None and tag.isdigit():
            values = _floats(path, number, words[1:5])
            if len(values) != 4:
                raise _fail(path, number, f"a row must have 4 counts, got {len(values)}")
            rows.append([values[k] for k in order])
        elif len(words) > 1 and len(tag) == 2 and tag.isupper():
            fields.setdefault(tag, " ".join(words[1:]))
