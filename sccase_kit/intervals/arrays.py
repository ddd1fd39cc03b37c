"""Interval kernels on NumPy arrays: overlap pairs, points in intervals, merging, masked lengths.

All intervals are 0-based and half-open and must not be empty. :func:`linearise` places the chromosomes one behind the
other on a single axis, so that every kernel works on plain integer arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

_FAR = np.int64(2**62)


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
    return axis_of(*frames, gap=gap).tables


class Axis(NamedTuple):
    """Several tables on one axis.

    Attributes
    ----------
    tables
        One :class:`Linear` per table, in its row order.
    names
        Chromosomes in their order on the axis, object of shape (n_chromosomes,).
    stride
        Positions per chromosome: the i-th one lies on [i × stride, (i + 1) × stride).
    """

    tables: tuple[Linear, ...]
    names: np.ndarray
    stride: int


def axis_of(*frames: pd.DataFrame, gap: int = 0, key: Callable[[str], Any] | None = None) -> Axis:
    """Place the intervals of several tables on one axis; see :func:`linearise`.

    Parameters
    ----------
    *frames
        Tables with columns chrom, start, end.
    gap
        Bases to leave free between chromosomes beyond two.
    key
        Sort chromosomes by this key; by default they come in the order in which the tables name them.
    """
    found = [pd.factorize(f["chrom"].to_numpy(object)) for f in frames]
    common, names = pd.factorize(np.concatenate([own for _, own in found]))
    bounds = np.cumsum([0, *(len(own) for _, own in found)])
    codes = [common[i:j][code] for (code, _), i, j in zip(found, bounds[:-1], bounds[1:], strict=True)]
    if key is not None:
        order = sorted(range(len(names)), key=lambda i: key(names[i]))
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        codes, names = [rank[code] for code in codes], names[order]
    starts = [f["start"].to_numpy(np.int64) for f in frames]
    ends = [f["end"].to_numpy(np.int64) for f in frames]
    stride = max((int(e.max()) for e in ends if len(e)), default=0) + 2 + gap
    tables = []
    for code, start, end in zip(codes, starts, ends, strict=True):
        offset = code * np.int64(stride)
        tables.append(Linear(start + offset, end + offset))
    return Axis(tuple(tables), names, stride)


def expand_ranges(first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Enumerate the ranges [first_i, last_i).

    Returns
    -------
    owner, member
        int64 arrays: the index i of every element, and the element.
    """
    some = np.flatnonzero(last > first)  # most are empty where one table is much longer than the other
    first = first[some]
    n = last[some] - first
    owner = np.repeat(some, n)
    member = np.arange(len(owner)) + np.repeat(first - (np.cumsum(n) - n), n)
    return owner, member


def overlap_pairs(a: Linear, b: Linear, *, b_order: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return all pairs (i, j) with a_i and b_j sharing at least one base, sorted by i, then j.

    `b_order` is the order of b by its starts, where it is known.

    An overlapping pair either has b's start inside a, or a's start strictly inside b: two binary searches, no loop,
    nested intervals included.
    """
    a_order, b_order = np.argsort(a.start), np.argsort(b.start) if b_order is None else b_order
    a_start, b_start = a.start[a_order], b.start[b_order]
    # Searches in ascending order keep to the cache, so both sides are searched in their sorted order.
    a_end, b_end = a.end[a_order], b.end[b_order]
    i1, j1 = expand_ranges(np.searchsorted(b_start, a_start, "left"), np.searchsorted(b_start, a_end, "left"))
    j2, i2 = expand_ranges(np.searchsorted(a_start, b_start, "right"), np.searchsorted(a_start, b_end, "left"))
    return _in_order(a_order[np.concatenate([i1, i2])], b_order[np.concatenate([j1, j2])], len(b.start))


def _in_order(i: np.ndarray, j: np.ndarray, n_b: int) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs sorted by i, then j."""
    if len(i) and (int(i.max()) + 1) * n_b < np.iinfo(np.int64).max:
        pair = np.sort(i * np.int64(n_b) + j)  # one number per pair sorts several times faster than two
        i = pair // n_b
        return i, pair - i * n_b
    order = np.lexsort((j, i))
    return i[order], j[order]


def count_overlaps(a: Linear, b: Linear) -> np.ndarray:
    """Return how many intervals of `b` share a base with every interval of `a`, int64.

    Those are all that start before it ends, but for those that end before it starts.
    """
    order = np.argsort(a.start)
    before = np.searchsorted(np.sort(b.start), a.end[order], "left")
    before -= np.searchsorted(np.sort(b.end), a.start[order], "right")
    out = np.empty(len(order), dtype=np.int64)
    out[order] = before
    return out


def overlaps_any(a: Linear, b: Linear) -> np.ndarray:
    """Return a boolean array: which intervals of `a` share a base with any interval of `b`."""
    return count_overlaps(a, b) > 0


def closest_pairs(a: Linear, b: Linear, stride: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the intervals of `b` that are closest to every interval of `a`, all of several at one distance.

    Parameters
    ----------
    a, b
        Intervals on one axis.
    stride
        Positions per chromosome; see :class:`Axis`. Intervals of other chromosomes are never close.

    Returns
    -------
    i, j, distance
        int64, sorted by i, then j. Distance is 0 where they share a base, 1 where they touch, and negative where b lies
        left of a.
    """
    by_start, by_end = np.argsort(b.start), np.argsort(b.end)
    starts, ends = np.append(b.start[by_start], _FAR), np.append(-_FAR, b.end[by_end])
    rank = np.argsort(a.start)  # searches in ascending order keep to the cache
    a = Linear(a.start[rank], a.end[rank])
    before = np.searchsorted(ends, a.start, "right") - 1  # that end before it starts
    up_to = np.searchsorted(starts, a.end, "left")  # that start before it ends
    within = up_to > before
    i, j = overlap_pairs(Linear(a.start[within], a.end[within]), b, b_order=by_start)
    parts = [(np.flatnonzero(within)[i], j, np.zeros(len(i), dtype=np.int64))]
    alone = np.flatnonzero(~within)
    start, end = a.start[alone], a.end[alone]
    left, right = ends[before[alone]], starts[up_to[alone]]
    chrom = start // stride
    to_left = np.where((left > 0) & ((left - 1) // stride == chrom), start - left + 1, _FAR)
    to_right = np.where(right // stride == chrom, right - end + 1, _FAR)
    for away, other, sign, edges, order in (
        (to_left, to_right, -1, ends[1:], by_end),
        (to_right, to_left, 1, starts[:-1], by_start),
    ):
        near = np.flatnonzero((away <= other) & (away < _FAR))
        edge = (left if sign < 0 else right)[near]
        owner, member = expand_ranges(np.searchsorted(edges, edge, "left"), np.searchsorted(edges, edge, "right"))
        parts.append((alone[near[owner]], order[member], sign * away[near[owner]]))
    i, j, distance = (np.concatenate(part) for part in zip(*parts, strict=True))
    i = rank[i]
    order = np.lexsort((j, i))
    return i[order], j[order], distance[order]


def points_in(points: np.ndarray, intervals: Linear) -> tuple[np.ndarray, np.ndarray]:
    """Return all pairs (point, interval) with start <= point < end, sorted by point, then interval."""
    return overlap_pairs(Linear(points, points + 1), intervals)


def _by_position(intervals: Linear, distance: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the order by start, which of them begin a merged interval, and the furthest end up to each."""
    order = np.argsort(intervals.start)
    start, reach = intervals.start[order], np.maximum.accumulate(intervals.end[order])
    new = np.ones(len(order), dtype=bool)
    np.greater(start[1:], reach[:-1] + distance, out=new[1:])
    return order, new, reach


def merge_groups(intervals: Linear, distance: int = 0) -> np.ndarray:
    """Return the number of the merged interval every interval falls into, numbered by position.

    Intervals at most `distance` bases apart are merged; with 0 also those that only touch (as ``bedtools merge``).
    """
    order, new, _ = _by_position(intervals, distance)
    label = np.empty(len(order), dtype=np.int64)
    label[order] = np.cumsum(new) - 1
    return label


def merge_counts(intervals: Linear, distance: int = 0) -> tuple[Linear, np.ndarray]:
    """Return the union of the intervals, sorted and disjoint, and how many intervals are in each of its parts."""
    order, new, reach = _by_position(intervals, distance)
    first = np.flatnonzero(new)
    last = np.append(first, len(order))[1:]
    return Linear(intervals.start[order[first]], reach[last - 1]), last - first


def merge_intervals(intervals: Linear, distance: int = 0) -> Linear:
    """Return the union of the intervals as sorted, disjoint intervals (see :func:`merge_groups`)."""
    return merge_counts(intervals, distance)[0]


def covered_before(points: np.ndarray, union: Linear) -> np.ndarray:
    """Return the number of bases of a sorted, disjoint union that lie left of every point."""
    total = np.r_[0, np.cumsum(union.end - union.start)]
    k = np.searchsorted(union.start, points, "left")
    last_end = np.r_[0, union.end][k]
    return total[k] - np.maximum(last_end - points, 0)


def covered(a: Linear, b: Linear) -> np.ndarray:
    """Return how many bases of every interval of `a` lie in at least one interval of `b`, int64."""
    union = merge_intervals(b)
    return covered_before(a.end, union) - covered_before(a.start, union)
