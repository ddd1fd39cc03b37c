"""JASPAR's format: a line ``>id name``, then a row per base, with its letter or in the order A, C, G, T."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .file_parts import Lines, build, fail, floats
from .motif import Motif


def parse_jaspar(path: Path, lines: Lines) -> Iterator[Motif]:
    """Yield the motifs of a JASPAR file; rows are the bases."""
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
            raise fail(path, number, "expected a line that starts with '>'")
        match = re.match(r"([ACGTacgt])\s*[|:]?\s*\[?\s*([^\]]*)\]?\s*$", text)
        if match:
            base, numbers = match.group(1).upper(), match.group(2)
        else:
            base, numbers = "ACGT"[len(rows)] if len(rows) < 4 else "?", text
        if base in rows or base == "?":
            raise fail(path, number, f"motif {' '.join(header[1])!r}: more rows than A, C, G, T")
        rows[base] = (number, floats(path, number, numbers.split()))


def _jaspar_motif(path: Path, header: tuple[int, list[str]], rows: dict[str, tuple[int, list[float]]]) -> Motif:
    number, words = header
    if not words:
        raise fail(path, number, "a '>' line without an identifier")
    if set(rows) != set("ACGT"):
        raise fail(path, number, f"motif {words[0]!r}: rows A, C, G, T are needed, got {sorted(rows)}")
    widths = {base: len(values) for base, (_, values) in rows.items()}
    if len(set(widths.values())) != 1:
        raise fail(path, number, f"motif {words[0]!r}: rows of different lengths {widths}")
    name = words[1].strip() if len(words) > 1 else words[0]
    return build(path, number, words[0], name, np.array([rows[base][1] for base in "ACGT"]))
