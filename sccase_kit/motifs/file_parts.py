"""What the readers of motif files share: numbered lines, errors that name them, and motifs of counts or shares."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from .motif import Motif

#: Sites by which shares are multiplied where a file does not say how many there were.
DEFAULT_SITES = 20.0
Lines = list[tuple[int, str]]
_HOCOMOCO = re.compile(r"(?P<tf>.+?)(_HUMAN|_MOUSE)?\.H\d+(MO|DI|CORE|RSNP|INVITRO|INVIVO)?\..+")


def fail(path: Path, number: int, reason: str) -> ValueError:
    """Return the error to raise for a line."""
    return ValueError(f"{path}, line {number}: {reason:.300}")


def floats(path: Path, number: int, words: list[str]) -> list[float]:
    """Return words as numbers.

    Raises
    ------
    ValueError
        If one is none.
    """
    try:
        return [float(word) for word in words]
    except ValueError:
        raise fail(path, number, f"expected numbers, got {' '.join(words)[:60]!r}") from None


def build(path: Path, number: int, ident: str, name: str, counts: Any) -> Motif:
    """Return a motif; its errors name the line. Ids of HOCOMOCO lend their first part where there is no other name."""
    if name == ident and (match := _HOCOMOCO.fullmatch(ident)):
        name = match["tf"]
    try:
        return Motif(ident, name, counts)
    except ValueError as err:
        raise fail(path, number, str(err)) from None


def as_counts(rows: np.ndarray, sites: float = DEFAULT_SITES) -> np.ndarray:
    """Return positions × bases as counts: shares, which add up to 1, are multiplied by the number of sites."""
    sums = rows.sum(axis=1)
    return rows * sites if ((sums > 0.9) & (sums < 1.1)).all() else rows
