"""One set of peaks from several: iterative removal of overlaps, or the union."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from .arrays import Linear, linearise, merge_groups, overlap_pairs
from .frame import check_regions


def keep_best(intervals: Linear, score: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Return what stays when the best is kept, what overlaps it removed, the best of the rest kept, and so on.

    Parameters
    ----------
    intervals
        Linear intervals; see :func:`sccase_kit.intervals.arrays.linearise`.
    score
        Their scores; of equal ones the first in position wins.

    Returns
    -------
    bool, in the order of the intervals.
    """
    place = np.lexsort((intervals.end, intervals.start))
    start, end = intervals.start[place].tolist(), intervals.end[place].tolist()
    widest = max((b - a for a, b in zip(start, end, strict=True)), default=0)
    removed, kept = bytearray(len(start)), np.zeros(len(start), dtype=bool)
    for i in np.argsort(-score[place], kind="stable").tolist():
        if removed[i]:
            continue
        kept[place[i]] = True
        j = i - 1
        while j >= 0 and start[j] > start[i] - widest:
            if end[j] > start[i]:
                removed[j] = 1
            j -= 1
        j = i + 1
        while j < len(start) and start[j] < end[i]:
            removed[j] = 1
            j += 1
    return kept


def resize(regions: pd.DataFrame, width: int, *, summit: npt.NDArray[np.int64]) -> pd.DataFrame:
    """Return regions of one width around their summits (bases from the start), without those below 0."""
    found = regions.assign(start=regions["start"].to_numpy(np.int64) + summit - width // 2)
    found["end"] = found["start"] + width
    return found[found["start"] >= 0]


def quantiles(score: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the share of scores at or below each, which can be compared between sets of peaks."""
    values = np.asarray(score, dtype=np.float64)
    return np.searchsorted(np.sort(values), values, side="right") / max(1, len(values))


def iterative_consensus(
    sets: Sequence[pd.DataFrame], *, chrom_sizes: Mapping[str, int] | None = None, min_sets: int = 1
) -> pd.DataFrame:
    """Return the peaks of several sets that stay when overlaps are removed iteratively, best first.

    Parameters
    ----------
    sets
        Tables chrom, start, end, score (higher is better; comparable between sets, such as :func:`quantiles`).
    chrom_sizes
        Chromosome → length; peaks beyond its end are dropped.
    min_sets
        Sets that must have a peak that overlaps.

    Returns
    -------
    DataFrame chrom, start, end, score, set (number of the set that the peak is from), n_sets (sets with a peak that
    overlaps); sorted.
    """
    tables = []
    for i, table in enumerate(sets):
        inside = table
        if chrom_sizes is not None:
            inside = table[(table["end"] <= table["chrom"].map(dict(chrom_sizes))).to_numpy(bool)]
        (places,) = linearise(inside)
        tables.append(inside[keep_best(places, inside["score"].to_numpy(np.float64))].assign(set=i))
    every = pd.concat(tables, ignore_index=True)
    (places,) = linearise(every)
    best = every[keep_best(places, every["score"].to_numpy(np.float64))].reset_index(drop=True)
    return _supported(best, sets, min_sets)


def union_consensus(sets: Sequence[pd.DataFrame], *, distance: int = 0, min_sets: int = 1) -> pd.DataFrame:
    """Return the union of several sets: what overlaps, or lies at most `distance` apart, becomes one peak.

    Parameters
    ----------
    sets
        Tables chrom, start, end, score.
    distance
        Gap in bases up to which peaks are joined; those that touch are.
    min_sets
        Sets that must have a part in a peak.

    Returns
    -------
    DataFrame chrom, start, end, score (the best of the parts), n_sets; sorted.
    """
    every = pd.concat(list(sets), ignore_index=True)
    (places,) = linearise(every, gap=distance)
    every["group"] = merge_groups(places, distance)
    merged = every.groupby("group").agg(
        chrom=("chrom", "first"), start=("start", "min"), end=("end", "max"), score=("score", "max")
    )
    return _supported(merged.reset_index(drop=True), sets, min_sets)


def _supported(peaks: pd.DataFrame, sets: Sequence[pd.DataFrame], min_sets: int) -> pd.DataFrame:
    """Count the sets with a peak that overlaps, drop what too few have, and sort."""
    n_sets = np.zeros(len(peaks), dtype=np.int64)
    for table in sets:
        a, b = linearise(peaks, table)
        n_sets[np.unique(overlap_pairs(a, b)[0])] += 1
    peaks = peaks.assign(n_sets=n_sets)
    kept = peaks[peaks["n_sets"] >= min_sets]
    return check_regions(kept, name="peaks", sort=True, allow_empty=True).reset_index(drop=True)


def best_match(old: pd.DataFrame, new: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Return for every old region the new one with the most bases in common (the first of equals), −1 for none."""
    a, b = linearise(old, new)
    i, j = overlap_pairs(a, b)
    shared = np.minimum(a.end[i], b.end[j]) - np.maximum(a.start[i], b.start[j])
    order = np.lexsort((j, -shared, i))
    first = order[np.r_[True, np.diff(i[order]) != 0]] if len(order) else order
    found = np.full(len(old), -1, dtype=np.int64)
    found[i[first]] = j[first]
    return found
