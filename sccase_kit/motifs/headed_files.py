"""Matrices below a line that starts with ``>``: HOMER, HOCOMOCO, Cluster-Buster, and JASPAR's without letters.

Only HOMER's header and JASPAR's letters say whether a row is a position or a base. Elsewhere the shape tells; of a
matrix of four positions it does not, and then the other matrices of the file, the sums or the ending of its name must,
or an error asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .file_parts import DEFAULT_SITES, Lines, as_counts, build, fail, floats
from .jaspar_files import parse_jaspar
from .motif import Motif

_BY_POSITION = {".pcm", ".pwm", ".ppm", ".cb", ".cbust", ".motif", ".homer"}
_BY_BASE = {".jaspar"}
_LETTERS = re.compile(r"[ACGTacgt]\s*[\[|:\d\s-]")
_CONSENSUS = re.compile(r"[ACGTURYSWKMBDHVN]", re.IGNORECASE)
_SITES = re.compile(r"T:(\d+(?:\.\d+)?)")


@dataclass(slots=True)
class _Block:
    """The lines of one motif."""

    number: int
    header: str
    rows: list[tuple[int, list[float]]] = field(default_factory=list)

    def matrix(self) -> np.ndarray:
        return np.array([values for _, values in self.rows])


def is_headed(lines: Lines) -> bool:
    """Return whether the first line, comments aside, starts with ``>``."""
    return next((line.lstrip() for _, line in lines if line.strip() and not line.startswith("#")), "").startswith(">")


def parse_headed(path: Path, lines: Lines) -> Iterator[Motif]:
    """Yield the motifs of a file with ``>`` lines, whichever program wrote it."""
    bodies = [line.strip() for _, line in lines if line.strip() and not line.lstrip().startswith((">", "#"))]
    if bodies and re.fullmatch(r"[ACGTUNacgtun]{2,}", bodies[0]):
        number = next(n for n, line in lines if line.strip() == bodies[0])
        raise fail(path, number, f"sequences (FASTA), not matrices: {bodies[0][:40]!r}")
    if any(_LETTERS.match(body) for body in bodies) and not _is_encode(bodies):
        yield from parse_jaspar(path, lines)
        return
    blocks = _blocks(path, lines)
    if blocks and all(_is_homer(block.header) for block in blocks):
        yield from (_homer(path, block) for block in blocks)
        return
    by_position = _along_positions(path, blocks)
    if by_position:
        yield from (_by_position(path, block) for block in blocks)
    else:
        yield from parse_jaspar(path, lines)


def _is_encode(bodies: list[str]) -> bool:
    """Return whether rows are a letter of the consensus and four shares, in more letters than JASPAR's four."""
    cells = [body.split() for body in bodies]
    if not all(len(row) == 5 and _CONSENSUS.fullmatch(row[0]) for row in cells):
        return False
    try:
        return all(abs(sum(map(float, row[1:])) - 1) < 0.02 for row in cells)
    except ValueError:
        return False


def parse_homer(path: Path, lines: Lines) -> Iterator[Motif]:
    """Yield HOMER's motifs: consensus, name, threshold in the header; rows are positions, shares of A, C, G, T."""
    yield from (_homer(path, block) for block in _blocks(path, lines))


def parse_positions(path: Path, lines: Lines) -> Iterator[Motif]:
    """Yield the motifs of HOCOMOCO and Cluster-Buster: rows are positions; counts, shares or log ratios."""
    yield from (_by_position(path, block) for block in _blocks(path, lines))


def _blocks(path: Path, lines: Lines) -> list[_Block]:
    blocks: list[_Block] = []
    for number, line in lines:
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if text.startswith(">"):
            blocks.append(_Block(number, text[1:].strip()))
            if not blocks[-1].header:
                raise fail(path, number, "a '>' line without an identifier")
        elif not blocks:
            raise fail(path, number, "expected a line that starts with '>'")
        else:
            cells = text.split()
            lettered = len(cells) == 5 and _CONSENSUS.fullmatch(cells[0])  # ENCODE's, with the base of the consensus
            blocks[-1].rows.append((number, floats(path, number, cells[1:] if lettered else cells)))
    for block in blocks:
        widths = {len(values) for _, values in block.rows}
        if len(widths) != 1:
            reason = f"rows of different lengths {sorted(widths)}" if widths else "no matrix"
            raise fail(path, block.number, f"motif {block.header[:40]!r}: {reason}")
    return blocks


def _along_positions(path: Path, blocks: list[_Block]) -> bool:
    """Return whether rows are positions.

    Raises
    ------
    ValueError
        If a matrix is neither, matrices disagree, or nothing tells.
    """
    told: dict[bool, _Block] = {}
    for block in blocks:
        height, width = block.matrix().shape
        if 4 not in (height, width):
            raise fail(
                path, block.number, f"motif {block.header[:40]!r} has {height} rows of {width} numbers; 4 is needed"
            )
        if height != width:
            told.setdefault(width == 4, block)
    if not told:
        for block in blocks:
            matrix = block.matrix()
            rows, columns = (_alike(matrix.sum(axis=axis)) for axis in (1, 0))
            if rows != columns:
                told.setdefault(rows, block)
    if len(told) > 1:
        numbers = " and ".join(str(block.number) for block in told.values())
        raise fail(path, blocks[0].number, f"rows are positions in one matrix and bases in another (lines {numbers})")
    if told:
        return next(iter(told))
    endings = {suffix.lower() for suffix in path.suffixes}
    if endings & _BY_POSITION or endings & _BY_BASE:
        return bool(endings & _BY_POSITION)
    raise fail(
        path,
        blocks[0].number,
        f"the rows of {blocks[0].header[:40]!r}, 4 × 4, may be positions or bases; say so: format='hocomoco' "
        "(positions) or format='jaspar' (bases)",
    )


def _alike(sums: np.ndarray) -> bool:
    """Return whether all sums are the same but for rounding, as those of the positions of a matrix of counts are."""
    return bool(np.ptp(sums) <= 0.02 * np.abs(sums).max())


def _by_position(path: Path, block: _Block) -> Motif:
    matrix = block.matrix()
    if matrix.shape[1] != 4:
        raise fail(
            path, block.rows[0][0], f"motif {block.header[:40]!r}: a row must have 4 numbers, got {matrix.shape[1]}"
        )
    ident, *name = block.header.split("\t") if "\t" in block.header else block.header.split(None, 1)
    if name and _is_score(name[0]):
        name = []
    if (matrix < 0).any():
        matrix = _of_log_ratios(path, block, matrix)
    return build(path, block.number, ident, name[0].strip() if name else ident, as_counts(matrix).T)


def _is_score(text: str) -> bool:
    """Return whether what stands after the id is a threshold and no name."""
    try:
        return "." in text and bool(np.isfinite(float(text)))
    except ValueError:
        return False


def _of_log_ratios(path: Path, block: _Block, weights: np.ndarray) -> np.ndarray:
    """Return shares of weights log(share / 0.25), natural or base 2, as HOCOMOCO's .pwm files have them."""
    for base in (np.e, 2.0):
        shares = 0.25 * base**weights
        sums = shares.sum(axis=1, keepdims=True)
        if (np.abs(sums - 1) < 0.05).all():
            return shares / sums
    raise fail(
        path,
        block.number,
        f"motif {block.header[:40]!r} holds weights (negative numbers) that are not log ratios to an even background; "
        "take the file of counts (.pcm) or shares",
    )


def _is_homer(header: str) -> bool:
    cells = header.split("\t")
    try:
        return len(cells) > 2 and np.isfinite(float(cells[2]))
    except ValueError:
        return False


def _homer(path: Path, block: _Block) -> Motif:
    cells = block.header.split("\t")
    ident = cells[1].strip() if len(cells) > 1 and cells[1].strip() else cells[0].strip()
    matrix = block.matrix()
    if matrix.shape[1] != 4:
        raise fail(path, block.rows[0][0], f"motif {ident[:40]!r}: a row must have 4 numbers, got {matrix.shape[1]}")
    sites = _SITES.search(cells[5]) if len(cells) > 5 else None
    n = float(sites[1]) if sites and float(sites[1]) > 0 else DEFAULT_SITES
    name = re.split(r"[(/,]", ident)[0] or ident
    return build(path, block.number, ident, name, as_counts(matrix, n).T)
