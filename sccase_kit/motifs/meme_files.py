"""MEME's formats: minimal (versions 1 to 5), and the text that MEME, DREME, STREME and XSTREME write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .file_parts import DEFAULT_SITES, Lines, build, fail, floats
from .motif import Motif


def is_meme(lines: Lines) -> bool:
    """Return whether the file says which version of MEME wrote it, after whatever banner and comments."""
    return any(line.strip().lstrip("# ").upper().startswith("MEME VERSION") for _, line in lines[:200])


def parse_meme(path: Path, lines: Lines) -> Iterator[Motif]:
    """Yield the motifs of a MEME file; probabilities are multiplied by ``nsites``."""
    header: tuple[int, str, str] | None = None
    k = 0
    while k < len(lines):
        number, line = lines[k]
        words = line.split()
        k += 1
        if not words:
            continue
        if words[0].upper().startswith("ALPHABET"):
            _check_alphabet(path, number, line)
        elif words[0] == "MOTIF":
            if len(words) < 2:
                raise fail(path, number, "MOTIF without an identifier")
            other = len(words) > 2 and "=" not in "".join(words[2:4]) and words[2] != "width"
            full = len(words) > 3 and words[3].startswith("width")  # MOTIF ACGT MEME-1 width = 6 sites = 20
            header = (number, words[1], words[2] if other or full else words[1])
        elif line.lstrip().lower().startswith("letter-probability matrix"):
            if header is None:
                raise fail(path, number, "a matrix before any MOTIF line")
            motif, k = _matrix(path, lines, k - 1, header)
            yield motif
            header = None
    if header is not None:
        raise fail(path, header[0], f"motif {header[1]!r} has no letter-probability matrix")


def _check_alphabet(path: Path, number: int, line: str) -> None:
    """Raise ValueError unless the letters are those of DNA or RNA, written out or called by name."""
    told = line.upper().replace(" ", "")
    if not any(known in told for known in ("ACGT", "ACGU", "DNA-LIKE", "RNA-LIKE", '"DNA"', '"RNA"')):
        raise fail(path, number, f"only the alphabet ACGT is supported, got {line.strip()!r}")


def _matrix(path: Path, lines: Lines, at: int, header: tuple[int, str, str]) -> tuple[Motif, int]:
    """Return the motif whose matrix is announced in line `at`, and the next line."""
    number, line = lines[at]
    width = re.search(r"\bw\s*=\s*(\d+)", line)
    sites = re.search(r"\bn(?:sites)?\s*=\s*([\d.eE+]+)", line)
    values: list[list[float]] = []
    k = at + 1
    while k < len(lines) and not lines[k][1].strip():
        k += 1
    while width is None or len(values) < int(width.group(1)):
        where, words = (lines[k][0], lines[k][1].split()) if k < len(lines) else (number, [])
        if not words or not re.match(r"[\d.+-]", words[0]) or set(words[0]) == {"-"}:
            if width is None and values:
                break
            expected = width.group(1) if width else "some"
            raise fail(path, where, f"motif {header[1]!r}: {len(values)} row(s) of probabilities, expected {expected}")
        row = floats(path, where, words)
        if len(row) != 4:
            raise fail(path, where, f"motif {header[1]!r}: a row must have 4 probabilities, got {len(row)}")
        if abs(sum(row) - 1) > 0.05:
            raise fail(path, where, f"motif {header[1]!r}: probabilities sum to {sum(row):.4g}, not 1")
        values.append(row)
        k += 1
    n = float(sites.group(1)) if sites else DEFAULT_SITES
    return build(path, number, header[1], header[2], np.array(values).T * (n or DEFAULT_SITES)), k
