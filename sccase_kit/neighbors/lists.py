"""Nearest neighbours of many points, searched in the parts of a partition that lie nearest (inverted lists).

The points are cut into parts of about 128 by medians along the widest coordinate, and every point moves to the part
with the nearest mean. The cells of one part are searched for together, among the points of the parts that are near to
most of them: products of small matrices, and nothing is drawn. Jégou, Douze & Schmid 2011.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._threads import in_threads

Found = Callable[[Any, np.ndarray], None]
PART = 128  # points of a part, about
CANDIDATES = 3_000  # points that are compared with a query, at least
_SHARE = 20  # and at least one of so many
_NEAR = 8  # nearest parts of a query that decide which parts are searched
MANY = 200_000  # points above which parts are twice as large and made in fewer steps, and fewer cells say what is near
MOST_CANDIDATES = 6_000
_VOTERS = 8  # one of so many
_BUFFER = 2**22


@dataclass(frozen=True)
class Lists:
    """A partition of points.

    Attributes
    ----------
    centres
        Means of the parts, (parts × d), float32.
    part
        Part of every point.
    order, bounds
        Points by part, and where each part starts.
    """

    centres: np.ndarray
    part: np.ndarray
    order: np.ndarray
    bounds: np.ndarray


def partition(points: np.ndarray) -> Lists:
    """Return a partition of points, (n × d), float32."""
    many = len(points) > MANY
    parts, size = [np.arange(len(points))], 2 * PART if many else PART
    while len(parts) * 1.5 * size < len(points):
        parts = [half for members in parts for half in _halves(points, members)]
    centres = np.stack([points[members].mean(axis=0) for members in parts])
    part = _of_halves(parts, len(points)) if many else nearest_centres(points, centres)
    order, bounds = _by_part(part, len(centres))
    alive = np.diff(bounds) > 0
    sums = np.add.reduceat(points[order], bounds[:-1][alive], axis=0)
    centres = (sums / np.diff(bounds)[alive][:, None]).astype(np.float32)
    part = nearest_centres(points, centres)
    return Lists(centres, part, *_by_part(part, len(centres)))


def _halves(points: np.ndarray, members: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values = points[members]
    half = len(members) // 2
    order = np.argpartition(values[:, int(np.argmax(values.var(axis=0)))], half)
    return members[order[:half]], members[order[half:]]


def _of_halves(parts: list[np.ndarray], n_points: int) -> np.ndarray:
    part = np.empty(n_points, dtype=np.int64)
    for number, members in enumerate(parts):
        part[members] = number
    return part


def _by_part(part: np.ndarray, n_parts: int) -> tuple[np.ndarray, np.ndarray]:
    sizes = np.bincount(part, minlength=n_parts)
    return np.argsort(part, kind="stable"), np.concatenate([[0], np.cumsum(sizes)])


def nearest_centres(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return the position of the nearest centre of every point."""
    out, turned, squares = np.empty(len(points), dtype=np.int64), -2 * centres.T, np.sum(centres**2, axis=1)
    step = max(1, _BUFFER // len(centres))

    def find(start: int) -> None:
        d = points[start : start + step] @ turned
        d += squares
        out[start : start + step] = d.argmin(axis=1)

    in_threads(find, range(0, len(points), step))
    return out


def listed_candidates(
    queries: np.ndarray, points: np.ndarray, own: np.ndarray, n_candidates: int, found: Found
) -> None:
    """Find points that are near to every query, itself among them.

    Parameters
    ----------
    queries, points
        Arrays of shape (·, d), float32, of which the points are centred.
    own
        A query's own position among the points, or −1.
    n_candidates
        How many.
    found
        Called with positions of queries and those of their candidates, (positions × n_candidates), from threads.
    """
    from .kernels import smallest_per_row

    many = len(points) > MANY
    lists = partition(points)
    least = max(CANDIDATES, 20 * n_candidates, min(len(points) // _SHARE, MOST_CANDIDATES))
    known = own >= 0
    part = np.empty(len(queries), dtype=np.int64)
    part[known] = lists.part[own[known]]
    part[~known] = nearest_centres(queries[~known], lists.centres)
    sorted_points = points[lists.order]
    squares, sizes = np.sum(sorted_points**2, axis=1), np.diff(lists.bounds)
    at = np.empty(len(points), dtype=np.int64)
    at[lists.order] = np.arange(len(points))
    by_part, bounds = _by_part(part, len(sizes))

    def search(number: int) -> None:
        members = by_part[bounds[number] : bounds[number + 1]]
        parts = _parts_near(queries[members[:: _VOTERS if many else 1]], lists.centres, number)
        parts = parts[: int(np.searchsorted(np.cumsum(sizes[parts]), least)) + 1]
        among = np.concatenate([np.arange(lists.bounds[p], lists.bounds[p + 1]) for p in parts])  # its own part first
        turned, offsets = -2 * sorted_points[among].T, squares[among]
        step = max(1, _BUFFER // len(among))
        for start in range(0, len(members), step):
            some = members[start : start + step]
            d = queries[some] @ turned
            d += offsets
            inside = np.flatnonzero(own[some] >= 0)
            d[inside, at[own[some[inside]]] - lists.bounds[number]] = -np.inf  # itself first, also among duplicates
            near, smallest = np.empty((len(some), n_candidates), dtype=np.int64), np.empty((len(some), n_candidates))
            smallest_per_row(d, near, smallest)
            found(some, lists.order[among[near]])

    in_threads(search, np.flatnonzero(np.diff(bounds)).tolist())


def _parts_near(queries: np.ndarray, centres: np.ndarray, own: int) -> np.ndarray:
    """Return all parts, those near to most of the queries first and their own before them."""
    d = np.sum(centres**2, axis=1) - 2 * (queries @ centres.T)
    near = min(_NEAR, d.shape[1]) - 1
    votes = (d <= np.partition(d, near, axis=1)[:, near : near + 1]).sum(axis=0)
    order = np.lexsort((d.mean(axis=0), -votes))
    return np.concatenate([[own], order[order != own]])
