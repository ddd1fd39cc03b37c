"""A sequence motif."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, slots=True)
class Motif:
    """A sequence motif as base counts.

    Attributes
    ----------
    id
        Identifier, such as ``"MA0139.2"``.
    name
        Name, such as ``"CTCF"``.
    counts
        Shape (4, width), rows A, C, G, T, float64, non-negative; every column has counts.

    Raises
    ------
    ValueError
        If the counts are not such a matrix.
    """

    id: str
    name: str
    counts: np.ndarray = field(repr=False)

    def __post_init__(self) -> None:
        counts = np.array(self.counts, dtype=np.float64)
        if counts.ndim != 2 or counts.shape[0] != 4 or counts.shape[1] == 0:
            msg = f"motif {self.id!r}: counts must have shape (4, width) with rows A, C, G, T, got {counts.shape}"
            raise ValueError(msg)
        if not np.isfinite(counts).all() or (counts < 0).any():
            msg = f"motif {self.id!r}: counts must be finite and >= 0"
            raise ValueError(msg)
        empty = np.flatnonzero(counts.sum(axis=0) == 0)
        if empty.size:
            msg = f"motif {self.id!r}: column(s) {(empty + 1).tolist()} have no counts; trim them or fix the source"
            raise ValueError(msg)
        counts.setflags(write=False)
        object.__setattr__(self, "counts", counts)

    def __len__(self) -> int:
        return self.counts.shape[1]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Motif):
            return NotImplemented
        return (self.id, self.name) == (other.id, other.name) and np.array_equal(self.counts, other.counts)

    def __hash__(self) -> int:
        return hash((self.id, self.name, self.counts.tobytes()))

    def reverse_complement(self) -> Motif:
        """Return the motif as read on the other strand."""
        return Motif(self.id, self.name, self.counts[::-1, ::-1])
