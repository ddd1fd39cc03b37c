"""The XML that MEME, DREME and STREME write beside their text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from .file_parts import DEFAULT_SITES, Lines, build, fail, floats
from .motif import Motif

_ROOTS = ("MEME", "dreme", "STREME")
#: Attributes that hold the number of sites, by program.
_SITES = ("sites", "nsites", "total_sites")
_ROOT = re.compile(rf"^\s*<(?:{'|'.join(_ROOTS)})[\s>]", re.MULTILINE)


def is_xml(lines: Lines) -> bool:
    """Return whether the root element is that of one of the programs."""
    first = next((line.strip() for _, line in lines if line.strip()), "")
    return first.startswith("<") and any(_ROOT.match(line) for _, line in lines)


def parse_xml(path: Path, lines: Lines) -> Iterator[Motif]:
    """Yield the motifs of a file; probabilities are multiplied by the number of sites."""
    try:
        root = ElementTree.fromstring("\n".join(line for _, line in lines))
    except ElementTree.ParseError as err:
        raise fail(path, err.position[0], f"the XML is not whole: {err}") from None
    letters = _letters(path, root)
    for element in root.iter("motif"):
        # .txt calls motifs of DREME by their letters, of MEME by "name", of STREME by "id"; so does this.
        ident = element.get("seq") or element.get("name") or element.get("id") or ""
        rows = np.array(list(_rows(path, ident, element, letters)))
        if not rows.size:
            raise fail(path, 1, f"motif {ident!r} has no probabilities")
        if (bad := np.flatnonzero(abs(rows.sum(axis=1) - 1) > 0.05)).size:
            msg = f"motif {ident!r}: probabilities of position {bad[0] + 1} sum to {rows[bad[0]].sum():.4g}, not 1"
            raise fail(path, 1, msg)
        told = next((value for key in _SITES if (value := element.get(key))), "0")
        sites = floats(path, 1, [told])[0] or DEFAULT_SITES
        yield build(path, 1, ident, element.get("alt") or ident, rows.T * sites)


def _letters(path: Path, root: ElementTree.Element) -> Mapping[str, int]:
    """Return the row, in the order A, C, G, T, by the identifier of each letter.

    Raises
    ------
    ValueError
        If there are letters that stand for amino acids alone.
    """
    ids = {str(letter.get("symbol")): str(letter.get("id")) for letter in root.iter("letter")}
    if set("EFILPQ") & set(ids):
        raise fail(path, 1, f"only the alphabet ACGT is supported, got {''.join(ids)}")
    rows = {"A": 0, "C": 1, "G": 2, "T": 3, "U": 3}
    return {ids.get(symbol, symbol): row for symbol, row in rows.items()}


def _rows(path: Path, ident: str, element: ElementTree.Element, letters: Mapping[str, int]) -> Iterator[np.ndarray]:
    """Yield the probabilities of A, C, G, T, position by position."""
    matrix = element.find("probabilities/alphabet_matrix")
    if matrix is None:
        positions = [dict(position.attrib) for position in element.iter("pos")]
    else:
        positions = [
            {str(value.get("letter_id")): value.text or "" for value in array.iter("value")} for array in matrix
        ]
    for k, position in enumerate(positions, start=1):
        found = {letter: text for letter, text in position.items() if letter in letters}
        if len(found) != 4:
            raise fail(path, 1, f"motif {ident!r}: position {k} must have 4 probabilities, got {len(found)}")
        row = np.zeros(4)
        row[[letters[letter] for letter in found]] = floats(path, 1, list(found.values()))
        yield row
