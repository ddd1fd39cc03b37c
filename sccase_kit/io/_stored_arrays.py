"""Where the values of an HDF5 file's arrays of numbers lie, and reading them from there, a piece at a time.

HDF5 takes half as long again as bare reads for the chunks of 75 KiB that anndata writes, and returns whole arrays,
which are then read again by what checks them. A piece is looked at while it lies in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import h5py

_LARGE = 1 << 16  # bytes; where smaller arrays lie is not noted
_PIECE = 1 << 18  # bytes that are read and looked at together


@dataclass(frozen=True, slots=True)
class Layout:
    """What the tree of an HDF5 file tells of its arrays.

    Attributes
    ----------
    blocks
        Name of a large array of numbers → its blocks in the file, int64 of shape (n_blocks, 3): the place in the array
        (along its first axis) where a block begins, its first byte, and its length in bytes.
    filters
        Numbers of the filters that values are compressed with.
    """

    blocks: Mapping[str, np.ndarray] = field(default_factory=dict)
    filters: frozenset[int] = frozenset()


def layout_of(path: Path) -> Layout:
    """Return what the tree of a file tells; nothing else is read, and nothing is told of files that cannot be walked.

    Files that begin with a block of their own (MuData), by which versions of HDF5 count or do not count, have no
    blocks.
    """
    import h5py

    blocks: dict[str, np.ndarray] = {}
    filters: set[int] = set()

    def look(name: str, item: h5py.Dataset | h5py.Group) -> None:
        if not isinstance(item, h5py.Dataset):
            return
        made = item.id.get_create_plist()
        filters.update(made.get_filter(i)[0] for i in range(made.get_nfilters()))
        length = item.id.get_storage_size() if item.dtype.kind in "iufb" else 0
        if length >= _LARGE:
            blocks[name] = _chunks(item) if item.chunks else _block(item, length)

    try:
        with h5py.File(path, "r") as tree:
            tree.visititems(look)
            return Layout({} if tree.userblock_size else blocks, frozenset(filters))
    except (OSError, RuntimeError, ValueError, KeyError, TypeError):
        return Layout()


def _block(stored: h5py.Dataset, length: int) -> np.ndarray:
    start = stored.id.get_offset()
    return np.array([(0, start, length)] if start is not None else [], np.int64).reshape(-1, 3)


def _chunks(stored: h5py.Dataset) -> np.ndarray:
    found: list[h5py.h5d.StoreInfo] = []
    if hasattr(stored.id, "chunk_iter"):
        stored.id.chunk_iter(found.append)
    rows = [(chunk.chunk_offset[0], chunk.byte_offset, chunk.size) for chunk in found]
    return np.array(rows, np.int64).reshape(-1, 3)


@dataclass(frozen=True, slots=True)
class Vector:
    """A vector of numbers whose bytes lie in a file as they are in memory.

    Attributes
    ----------
    path
        The file.
    dtype
        Type of the values.
    pieces
        First value, the one behind the last, and the byte where they begin, of pieces of a quarter of a MiB at most.
    """

    path: str
    dtype: np.dtype
    pieces: list[tuple[int, int, int]]

    def __len__(self) -> int:
        return self.pieces[-1][1]

    def read(self, out: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Read one piece after the other; yield the place of each in the vector, and its values.

        Parameters
        ----------
        out
            Array that values are put into: of the vector's length, or room for the longest piece, over which each is
            put.

        Raises
        ------
        EOFError
            If the file ends before a piece does.
        """
        with open(self.path, "rb", buffering=0) as file:
            for first, stop, at in self.pieces:
                values = out[first:stop] if len(out) == len(self) else out[: stop - first]
                file.seek(at)
                if file.readinto(values.data) != values.nbytes:
                    msg = f"values {first} to {stop} of an array lie beyond the end of the file"
                    raise EOFError(msg)
                yield slice(first, stop), values


def as_vector(stored: h5py.Dataset, layout: Layout) -> Vector | None:
    """Return where the values of an array lie, or None where they cannot be read without HDF5.

    That is where it is small or no vector, its values are compressed, in another byte order or not all there, or where
    the file is open for writing: what is written and not yet stored is known to HDF5 alone.

    Parameters
    ----------
    stored
        The array.
    layout
        That of its file.
    """
    import h5py

    blocks, width = layout.blocks.get(stored.name.lstrip("/")), stored.dtype.itemsize
    if blocks is None or len(stored.shape) != 1 or not stored.dtype.isnative or stored.dtype.kind not in "iuf":
        return None
    if stored.file.mode != "r" or stored.file.driver != "sec2" or stored.external or stored.is_virtual:
        return None
    if stored.id.get_create_plist().get_nfilters() or stored.id.get_type() != h5py.h5t.py_create(stored.dtype):
        return None
    n, length = int(stored.shape[0]), stored.chunks[0] if stored.chunks else int(stored.shape[0])
    first, at, size = blocks[np.argsort(blocks[:, 0])].T
    if not np.array_equal(first, np.arange(0, n, length)) or (size != length * width).any():
        return None
    breaks = np.flatnonzero(at[1:] != at[:-1] + size[:-1]) + 1  # chunks that follow each other are one block
    begins = first[np.append(0, breaks)].tolist()
    step = max(1, _PIECE // width)
    pieces = [
        (start, min(start + step, stop), byte + (start - begin) * width)
        for begin, stop, byte in zip(begins, [*begins[1:], n], at[np.append(0, breaks)].tolist(), strict=True)
        for start in range(begin, stop, step)
    ]
    return Vector(str(stored.file.filename), stored.dtype, pieces)
