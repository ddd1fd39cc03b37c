"""Regions that may overlap as disjoint segments, which is what tracks of a genome browser are made of."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from .arrays import Linear, overlap_pairs


@dataclass(frozen=True, slots=True)
class Segments:
    """Disjoint, sorted pieces of regions.

    Attributes
    ----------
    regions
        DataFrame chrom, start, end; chromosomes in the order they came in.
    owner
        int64: rows of the regions over every segment, segment by segment.
    first
        int64, one for every segment: where its owners begin.
    """

    regions: pd.DataFrame
    owner: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]

    def largest(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return for every segment the largest value of the regions over it."""
        return np.maximum.reduceat(values[self.owner], self.first) if len(self.first) else np.zeros(0)


def disjoint_segments(regions: pd.DataFrame) -> Segments:
    """Cut regions where one starts or ends inside another.

    Parameters
    ----------
    regions
        Table chrom, start, end, in any order.
    """
    chrom, names = pd.factorize(regions["chrom"].to_numpy(object))
    parts, owners = [], []
    for code, name in enumerate(names):
        rows = np.flatnonzero(chrom == code)
        own = Linear(*(regions[c].to_numpy(np.int64)[rows] for c in ("start", "end")))
        cuts = np.unique(np.concatenate([own.start, own.end]))
        pieces = np.array(list(pairwise(cuts)), dtype=np.int64).reshape(-1, 2)
        i, j = overlap_pairs(Linear(pieces[:, 0], pieces[:, 1]), own)
        covered, i = np.unique(i, return_inverse=True)
        parts.append(pd.DataFrame({"chrom": name, "start": pieces[covered, 0], "end": pieces[covered, 1]}))
        owners.append((i, rows[j]))
    if not parts:
        empty = pd.DataFrame({"chrom": np.array([], object), "start": np.array([], int), "end": np.array([], int)})
        return Segments(empty, np.zeros(0, np.int64), np.zeros(0, np.int64))
    offsets = np.cumsum([0, *(len(part) for part in parts[:-1])])
    segment = np.concatenate([i + offset for (i, _), offset in zip(owners, offsets, strict=True)])
    first = np.searchsorted(segment, np.arange(offsets[-1] + len(parts[-1]))).astype(np.int64)
    return Segments(pd.concat(parts, ignore_index=True), np.concatenate([rows for _, rows in owners]), first)
