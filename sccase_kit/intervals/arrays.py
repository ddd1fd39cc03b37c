"""Interval kernels on NumPy arrays: overlap pairs, points in intervals, merging, masked lengths.

All intervals are 0-based and half-open and must not be empty. :func:`linearise` places the chromosomes one behind the
other on a single axis, so that every kernel works on plain integer arrays.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd


class Linear(NamedTuple):
    """Intervals on one axis: int64 arrays of equal length."""

    start: np.ndarray
    end: np.ndarray


def linearise(*frames: pd.DataFrame, gap: int = 0) -> tuple[Linear, ...]:
    """Place the intervals of several tables on one common axis, so that chromosomes never touch.

    Parameters
    ----------
    *frames
        Tables with columns chrom, start, end.
    gap
        Bases to leave free between chromosomes beyond two; at least the distance at which intervals are merged.

    Returns
    -------
    One :class:`Linear` per table, in its row order.
    """
    codes, _ = pd.factorize(np.concatenate([np.asarray(f["chrom"], dtype=object) for f in frames]))
    starts = [f["start"].to_numpy(np.int64) for f in frames]
    ends = [f["end"].to_numpy(np.int64) for f in frames]
    stride = max((int(e.max()) for e in ends if len(e)), default=0) + 2 + gap
    bounds = np.cumsum([0, *(len(f) for f in frames)])
    offsets = codes.astype(np.int64) * stride
    return tuple(
        Linear(s + offsets[i:j], e + offsets[i:j])
        for s, e, i, j in zip(starts, ends, bounds[:-1], bounds[1:], strict=True)
    )


def expand_ranges(first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Enumerate the ranges [first_i, last_i).

    Returns
    -------
    owner, member
        int64 arrays: the index i of every element, and the element.
    """
    n = np.maximum(last - first, 0)
    owner = np.repeat(np.arange(len(n)), n)
    member = np.arange(len(owner)) - np.repeat(np.cumsum(n) - n, n) + np.repeat(first, n)
    return owner, member


def overlap_pairs(a: Linear, b: Linear) -> tuple[np.ndarray, np.ndarray]:
    """Return all pairs (i, j) with a_i and b_j sharing at least one base, sorted by i, then j.

    An overlapping pair either has b's start inside a, or a's start strictly inside b: two binary searches, no loop,
    nested intervals included.
    """
    a_order, b_order = np.argsort(a.start, kind="stable"), np.argsort(b.start, kind="stable")
    a_start, b_start = a.start[a_order], b.start[b_order]
    i1, j1 = expand_ranges(np.searchsorted(b_start, a.start, "left"), np.searchsorted(b_start, a.end, "left"))
    j2, i2 = expand_ranges(np.searchsorted(a_start, b.start, "right"), np.searchsorted(a_start, b.end, "left"))
    i, j = np.concatenate([i1, a_order[i2]]), np.concatenate([b_order[j1], j2])
    order = np.lexsort((j, i))
    return i[order], j[order]


def overlaps_any(a: Linear, b: Linear) -> np.ndarray:
    """Return a boolean array: which intervals of `a` share a base with any interval of `b`."""
    return np.searchsorted(np.sort(b.start), a.end, "left") > np.searchsorted(np.sort(b.end), a.start, "right")


def points_in(points: np.ndarray, intervals: Linear) -> tuple[np.ndarray, np.ndarray]:
    """Return all pairs (point, interval) with start <= point < end, sorted by point, then interval."""
    return overlap_pairs(Linear(points, points + 1), intervals)


def merge_groups(intervals: Linear, distance: int = 0) -> np.ndarray:
    """Return the number of the merged interval every interval falls into, numbered by position.

    Intervals at most `distance` bases apart are merged; with 0 also those that only touch (as ``bedtools merge``).
    """
    order = np.lexsort((intervals.end, intervals.start))
    start, end = intervals.start[order], intervals.end[order]
    label = np.empty(len(order), dtype=np.int64)
    if len(order):
        new = np.r_[True, start[1:] > np.maximum.accumulate(end)[:-1] + distance]
        label[order] = np.cumsum(new) - 1
    return label


def merge_intervals(intervals: Linear, distance: int = 0) -> Linear:
    """Return the union of the intervals as sorted, disjoint intervals (see :func:`merge_groups`)."""
    label = merge_groups(intervals, distance)
    n = int(label.max()) + 1 if len(label) else 0
    start = np.full(n, np.iinfo(np.int64).max)
    end = np.zeros(n, dtype=np.int64)
    np.minimum.at(start, label, intervals.start)
    np.maximum.at(end, label, intervals.end)
    return Linear(start, end)


def covered_before(points: np.ndarray, union: Linear) -> np.ndarray:
    """Return the number of bases of a sorted, disjoint union that lie left of every point."""
    total = np.r_[0, np.cumsum(union.end - union.start)]
    k = np.searchsorted(union.start, points, "left")
    last_end = np.r_[0, union.end][k]
    return total[k] - np.maximum(last_end - points, 0)
