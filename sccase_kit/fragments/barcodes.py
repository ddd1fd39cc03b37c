"""A table of barcodes that compiled loops look up and extend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt


class BarcodeTable:
    """Barcodes by number, in arrays for :mod:`sccase_kit.fragments.parse_kernels`.

    Parameters
    ----------
    barcodes
        Distinct barcodes; they are numbered in this order.

    Attributes
    ----------
    n
        Number of barcodes.
    counts
        int64, at least `n` long: fragments of each barcode, where the table counts.
    """

    def __init__(self, barcodes: Sequence[str] = ()) -> None:
        from .parse_kernels import fill_slots, hash_bytes

        texts = [barcode.encode() for barcode in barcodes]
        self.n = len(texts)
        self._slots = np.full(_slots_for(self.n), -1, dtype=np.int32)
        self._offsets = np.zeros(self.n + 1, dtype=np.int64)
        self._offsets[1:] = np.cumsum([len(text) for text in texts])
        self._pool = np.frombuffer(b"".join(texts) or b"\0", dtype=np.uint8).copy()
        self._hashes = np.zeros(self.n, dtype=np.uint64)
        for i in range(self.n):
            self._hashes[i] = hash_bytes(self._pool, self._offsets[i], self._offsets[i + 1])
        fill_slots(self._slots, self._hashes, self.n)
        self.counts: npt.NDArray[np.int64] = np.zeros(self.n, dtype=np.int64)

    @property
    def arrays(self) -> tuple[Any, ...]:
        """Slots, hashes, offsets and pool."""
        return self._slots, self._hashes, self._offsets, self._pool

    def make_room(self, more: int, text: int) -> None:
        """Make room for `more` further barcodes that together are at most `text` bytes long."""
        from .parse_kernels import fill_slots

        wanted = self.n + more
        if wanted > len(self._hashes):
            longer = max(wanted, 2 * len(self._hashes))
            self._hashes = _longer(self._hashes, longer)
            self._offsets = _longer(self._offsets, longer + 1)
            self.counts = _longer(self.counts, longer)
        used = int(self._offsets[self.n])
        if used + text > len(self._pool):
            self._pool = _longer(self._pool, max(used + text, 2 * len(self._pool)))
        if _slots_for(wanted) > len(self._slots):
            self._slots = np.full(_slots_for(wanted), -1, dtype=np.int32)
            fill_slots(self._slots, self._hashes, self.n)

    def count(self, text: npt.NDArray[np.uint8], report: npt.NDArray[np.int64]) -> None:
        """Count the barcodes of a block of whole lines; see :func:`.parse_kernels.count_barcodes`."""
        from .parse_kernels import count_barcodes

        self.make_room(int(np.count_nonzero(text == 10)), len(text))
        slots, hashes, offsets, pool = self.arrays
        self.n = count_barcodes(text, len(text), self.n, slots, hashes, offsets, pool, self.counts, report)

    def merge(self, other: BarcodeTable) -> None:
        """Add the barcodes and counts of another table."""
        from .parse_kernels import merge_counts

        self.make_room(other.n, int(other._offsets[other.n]))
        _, *given = other.arrays
        own = (*given, other.counts, self.n, *self.arrays, self.counts)
        self.n = merge_counts(other.n, *own)

    def barcodes(self, which: npt.ArrayLike | None = None) -> list[str]:
        """Return the barcodes, or those with the numbers `which`, as text."""
        chosen = np.arange(self.n) if which is None else np.asarray(which)
        pool = self._pool.tobytes()
        return [pool[self._offsets[i] : self._offsets[i + 1]].decode(errors="replace") for i in chosen]


def _slots_for(n: int) -> int:
    """Return a power of two of at least twice `n`."""
    return 1 << max(10, (2 * n - 1).bit_length())


def _longer(array: npt.NDArray[Any], length: int) -> npt.NDArray[Any]:
    grown = np.zeros(length, dtype=array.dtype)
    grown[: len(array)] = array
    return grown
