"""Files of R's universalmotif (``write_motifs``): YAML, a document for every motif."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .file_parts import DEFAULT_SITES, Lines, as_counts, build, fail, floats
from .motif import Motif

_FIRST = "# universalmotif"


def is_universalmotif(lines: Lines) -> bool:
    """Return whether the file says so in its first line."""
    return bool(lines) and lines[0][1].startswith(_FIRST)


def parse_universalmotif(path: Path, lines: Lines) -> Iterator[Motif]:
    """Yield the motifs: counts (PCM) or shares (PPM, times the sites that are given)."""
    fields: dict[str, str] = {}
    rows: list[list[float]] = []
    start, inside = 1, False
    for number, line in [*lines, (len(lines) + 1, "---")]:
        text = line.strip()
        if text in {"---", "..."}:
            if rows:
                yield _motif(path, start, fields, rows)
            fields, rows, start, inside = {}, [], number, False
        elif inside and text.startswith("- "):
            rows.append(floats(path, number, text[2:].split()))
        elif text and not line.startswith((" ", "#")):
            key, _, value = text.partition(":")
            fields[key.strip()] = value.strip().strip("\"'")
            inside = key.strip() == "motif"


def _motif(path: Path, start: int, fields: dict[str, str], rows: list[list[float]]) -> Motif:
    name, kind = fields.get("name") or path.stem, fields.get("type", "PPM")
    if fields.get("alphabet", "DNA") not in {"DNA", "RNA"}:
        raise fail(path, start, f"motif {name[:40]!r}: the alphabet is {fields['alphabet']!r}, DNA is needed")
    if kind not in {"PCM", "PPM"}:
        raise fail(path, start, f"motif {name[:40]!r} is of type {kind!r}; write it as PCM or PPM (convert_type in R)")
    if {len(row) for row in rows} != {4}:
        raise fail(path, start, f"motif {name[:40]!r}: a row must have 4 numbers")
    try:
        sites = float(fields.get("nsites") or DEFAULT_SITES)
    except ValueError:
        sites = DEFAULT_SITES
    matrix = np.array(rows)
    alternative = fields.get("altname") or name
    return build(path, start, name, alternative, (matrix if kind == "PCM" else as_counts(matrix, sites)).T)
