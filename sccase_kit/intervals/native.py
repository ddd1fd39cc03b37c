"""The verbs of interval algebra on sorted arrays; `through_bedtools` has the same functions by BEDTools.

Tables have columns chrom, start, end, checked, with chromosomes in one spelling; rows are told by their numbers.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from .arrays import Linear, axis_of, closest_pairs, count_overlaps, covered, merge_counts, overlap_pairs, overlaps_any
from .columns import natural_key


def pairs(
    a: pd.DataFrame, b: pd.DataFrame, min_fraction: float | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the pairs that overlap and the bases they share, sorted by row of `a`, then of `b`.

    Parameters
    ----------
    a, b
        Regions.
    min_fraction
        Least part of the region of `a` that is shared.
    """
    first, second = axis_of(a, b).tables
    i, j = overlap_pairs(first, second)
    shared = np.minimum(first.end[i], second.end[j]) - np.maximum(first.start[i], second.start[j])
    if min_fraction is None:
        return i, j, shared
    enough = shared / (first.end - first.start)[i] >= min_fraction
    return i[enough], j[enough], shared[enough]


def touched(a: pd.DataFrame, b: pd.DataFrame, min_fraction: float | None = None) -> np.ndarray:
    """Return which rows of `a` overlap a row of `b`, bool."""
    if min_fraction is None:
        return overlaps_any(*axis_of(a, b).tables)
    found = np.zeros(len(a), dtype=bool)
    found[pairs(a, b, min_fraction)[0]] = True
    return found


def near(a: pd.DataFrame, b: pd.DataFrame, distance: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs that overlap once `a` is widened by `distance` on both sides."""
    furthest = int(max(a["end"].max(), b["end"].max()))
    distance = min(distance, furthest)
    first, second = axis_of(a, b, gap=distance).tables
    return overlap_pairs(Linear(first.start - distance, first.end + distance), second)


def closest(a: pd.DataFrame, b: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return row of `a`, row of `b` and distance of the closest pairs; see :func:`~.arrays.closest_pairs`."""
    axis = axis_of(a, b)
    first, second = axis.tables
    return closest_pairs(first, second, axis.stride)


def coverage(a: pd.DataFrame, b: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return for every row of `a` how many rows of `b` overlap it, and its bases that lie in any of them."""
    first, second = axis_of(a, b).tables
    return count_overlaps(first, second), covered(first, second)


def merge(regions: pd.DataFrame, distance: int) -> pd.DataFrame:
    """Return the merged regions as a table chrom, start, end, n in the natural order of chromosomes."""
    distance = min(distance, int(regions["end"].max()))
    axis = axis_of(regions, gap=distance, key=natural_key)
    union, n = merge_counts(axis.tables[0], distance)
    chrom = union.start // axis.stride
    offset = chrom * axis.stride
    return pd.DataFrame({"chrom": axis.names[chrom], "start": union.start - offset, "end": union.end - offset, "n": n})
