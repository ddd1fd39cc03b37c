"""Sorted intervals and sites, by chromosome, as the compiled loops walk them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

_FURTHEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Layout:
    """Intervals or sites sorted by chromosome and start.

    Attributes
    ----------
    chroms
        Chromosome → its number.
    bounds
        int64, one more than chromosomes: where each one's rows begin.
    start, end, reach
        int32; `reach` is the largest end so far on the chromosome.
    order
        int64: row of the table that each sorted one came from.
    """

    chroms: dict[str, int]
    bounds: npt.NDArray[np.int64]
    start: npt.NDArray[np.int32]
    end: npt.NDArray[np.int32]
    reach: npt.NDArray[np.int32]
    order: npt.NDArray[np.int64]


def lay_out(chrom: npt.ArrayLike, start: npt.ArrayLike, end: npt.ArrayLike) -> Layout:
    """Sort intervals for :func:`sccase_kit.fragments.count_kernels.pair_up`; columns of equal length."""
    codes, names = pd.factorize(np.asarray(chrom, dtype=object))
    low, high = np.asarray(start, dtype=np.int64), np.asarray(end, dtype=np.int64)
    if len(low) and (int(high.max()) > _FURTHEST or int(low.min()) < 0):
        msg = f"positions must be from 0 to {_FURTHEST}, got {int(low.min())} to {int(high.max())}"
        raise ValueError(msg)
    order = np.lexsort((high, low, codes))
    bounds = np.searchsorted(codes[order], np.arange(len(names) + 1)).astype(np.int64)
    reach = high[order].copy()
    for a, b in pairwise(bounds):
        np.maximum.accumulate(reach[a:b], out=reach[a:b])
    return Layout(
        chroms={str(name): i for i, name in enumerate(names)},
        bounds=bounds,
        start=low[order].astype(np.int32),
        end=high[order].astype(np.int32),
        reach=reach.astype(np.int32),
        order=order,
    )
