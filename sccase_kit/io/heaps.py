"""Damaged heaps of HDF5 files, before HDF5 meets them.

Texts lie in global heaps, chains of objects of which each says where the next one begins. One that points to itself is
followed by HDF5 for ever (seen with 2.0), and one that points beyond the heap is read there.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

from ._errors import FormatError

_HDF5 = b"\x89HDF\r\n\x1a\n"
_HEAP = b"GCOL\x01\0\0\0"  # with its version; these bytes come about by chance once in 1.8e19
_HEADER = _OBJECT = 16
_SMALLEST = 4096


def check_heaps(path: Path) -> None:
    """Look at every global heap of an HDF5 file, which takes a look at all of its bytes.

    Raises
    ------
    FormatError
        If an object of a heap does not end inside of it.
    """
    if not path.stat().st_size:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if _begins(data):
            for start in _heaps(data):
                if not _is_sound(data, start):
                    msg = f"{path}: damaged: the texts at byte {start} have lost their order; copy or download it again"
                    raise FormatError(msg)


def _begins(data: mmap.mmap) -> bool:
    """Return whether this is HDF5: it begins at 0, or after a block of 512 bytes (MuData has one), 1024, and so on."""
    place = 0
    while place < len(data):
        if data[place : place + len(_HDF5)] == _HDF5:
            return True
        place = 2 * place or 512
    return False


def _heaps(data: mmap.mmap) -> Iterator[int]:
    start = data.find(_HEAP)
    while start >= 0:
        yield start
        start = data.find(_HEAP, start + len(_HEAP))


def _is_sound(data: mmap.mmap, start: int) -> bool:
    """Return whether the objects of a heap follow each other to its end; HDF5 itself refuses heaps of a wrong size."""
    if start + _HEADER > len(data):
        return True
    size = int(struct.unpack_from("<Q", data, start + 8)[0])
    if size < _SMALLEST or start + size > len(data):
        return True
    at, end = start + _HEADER, start + size
    while at + _OBJECT <= end:
        number, length = struct.unpack_from("<H6xQ", data, at)
        step = _OBJECT + -(-length // 8) * 8 if number else length  # number 0: what is free, with its header
        if step < 8 or at + step > end:
            return False
        at += step
    return True
