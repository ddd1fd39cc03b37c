"""Damaged heaps of HDF5 files, before HDF5 meets them.

Texts lie in global heaps, chains of objects of which each says where the next one begins. One that points to itself is
followed by HDF5 for ever (seen with 2.0), and one that points beyond the heap is read there.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ._errors import FormatError
from ._stored_arrays import Layout, layout_of

_HDF5 = b"\x89HDF\r\n\x1a\n"
_HEAP = b"GCOL\x01\0\0\0"  # with its version; these bytes come about by chance once in 1.8e19
_FIRST = 5  # bytes of it that are looked for: zeros at the end make a search slow
_HEADER = 16
_SMALLEST = 4096
_PIECE = 1 << 20  # read at once


def check_heaps(path: Path) -> Layout:
    """Look at every global heap of an HDF5 file: all bytes are searched but those of large arrays of numbers.

    Returns
    -------
    What the tree tells of these arrays; nothing where it cannot be walked.

    Raises
    ------
    FormatError
        If an object of a heap does not end inside of it.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        if not _begins(file, size):
            return Layout()
        layout = layout_of(path)
        for start in _heaps(file, _between(layout.blocks, size)):
            if not _is_sound(file, start, size):
                msg = f"{path}: damaged: the texts at byte {start} have lost their order; copy or download it again"
                raise FormatError(msg)
    return layout


def _at(file: Any, start: int, length: int) -> bytes:
    file.seek(start)
    return bytes(file.read(length))


def _begins(file: Any, size: int) -> bool:
    """Return whether this is HDF5: it begins at 0, or after a block of 512 bytes (MuData has one), 1024, and so on."""
    place = 0
    while place < size:
        if _at(file, place, len(_HDF5)) == _HDF5:
            return True
        place = 2 * place or 512
    return False


def _between(blocks: Mapping[str, np.ndarray], size: int) -> Iterator[tuple[int, int]]:
    """Yield the parts of [0, size) where no array of numbers lies."""
    at = 0
    for start, end in _taken(blocks).tolist():
        if start > at:
            yield at, min(start, size)
        at = max(at, end)
    if at < size:
        yield at, size


def _taken(blocks: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return where the blocks of arrays lie, as rows of start and end in their order, those that touch as one."""
    starts, lengths = np.concatenate([np.empty((0, 3), np.int64), *blocks.values()])[:, 1:].T
    order = np.argsort(starts)
    start, end = starts[order], np.maximum.accumulate((starts + lengths)[order])
    apart = np.flatnonzero(start[1:] > end[:-1]) + 1
    return np.stack([start[np.append(0, apart)], np.append(end[apart - 1], end[-1])], axis=1) if len(start) else start


def _heaps(file: Any, parts: Iterator[tuple[int, int]]) -> Iterator[int]:
    """Yield where heaps begin."""
    more = len(_HEAP) - 1  # of a heap that begins in one piece and goes on in the next
    for first, last in parts:
        for start in range(first, last, _PIECE):
            length = min(_PIECE, last - start)
            piece = _at(file, start, length + more)
            at = piece.find(_HEAP[:_FIRST])
            while 0 <= at < length:
                if piece[at : at + len(_HEAP)] == _HEAP:
                    yield start + at
                at = piece.find(_HEAP[:_FIRST], at + 1)


def _is_sound(file: Any, start: int, whole: int) -> bool:
    """Return whether the objects of a heap follow each other to its end; HDF5 itself refuses heaps of a wrong size."""
    if start + _HEADER > whole:
        return True
    size = int(struct.unpack("<Q", _at(file, start + 8, 8))[0])
    if size < _SMALLEST or start + size > whole:
        return True
    words = np.frombuffer(_at(file, start, size // 8 * 8), "<u8")  # all begins at multiples of 8
    step = np.minimum((np.minimum(words[1:], size) + 23) >> 3, 0xFF).astype(np.uint8)  # of an object with its header
    step[(words[:-1] & 0xFFFF == 0) | (step == 0xFF)] = 0  # looked at below
    steps, at, end, many = step.tobytes(), _HEADER // 8, len(words), 1
    while at + 2 <= end:
        if steps[at]:  # objects of one length follow each other, as a rule: many are passed at once
            run = steps[at : at + many * steps[at] : steps[at]]
            same = len(run) - len(run.lstrip(run[:1]))
            at += same * steps[at]
            many = 2 * many if same == many else 1
            continue
        number, length = int(words[at]) & 0xFFFF, int(words[at + 1])
        if not number and (not length or length % 8):
            return False
        at += (length + 23) // 8 if number else length // 8  # number 0: what is free, its length with its header
    return at <= end
