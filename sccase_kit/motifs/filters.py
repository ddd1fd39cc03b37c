"""Filters of cells and peaks (chromVAR's ``filterSamples`` and ``filterPeaks``)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .._arguments import Matrix, Numbers, Table, checked
from .._validate import check_number
from .blocks import totals


@checked(counts=Matrix("cells peaks", stored=True), depth=Numbers("cells", fit=False))
def filter_samples(
    counts: Any, depth: np.ndarray, *, min_depth: float | None = None, min_in_peaks: float | None = None
) -> np.ndarray:
    """Return a mask of the cells with enough reads and enough of them in peaks.

    Parameters
    ----------
    counts
        Cells × peaks.
    depth
        All reads of each cell, shape (n_cells,).
    min_depth
        Least depth; by default the larger of 500 and a tenth of the median depth.
    min_in_peaks
        Least fraction of reads in peaks; by default half the median fraction, rounded to 3 digits.

    Returns
    -------
    Boolean array of shape (n_cells,).

    Raises
    ------
    ValueError
        If `depth` does not have one positive number per cell.
    """
    depth = np.asarray(depth, dtype=np.float64).ravel()
    if len(depth) != counts.shape[0]:
        msg = f"depth must have one value per cell ({counts.shape[0]}), got {len(depth)}"
        raise ValueError(msg)
    if not (np.isfinite(depth) & (depth > 0)).all():
        msg = f"depth must be positive, got {int(np.count_nonzero(~(depth > 0)))} value(s) that are not"
        raise ValueError(msg)
    fraction = totals(counts).per_cell / depth
    if min_in_peaks is None:
        min_in_peaks = round(float(np.median(fraction)) * 0.5, 3)
    else:
        min_in_peaks = check_number(min_in_peaks, name="min_in_peaks", minimum=0, maximum=1)
    if min_depth is None:
        min_depth = max(500.0, float(np.median(depth)) * 0.1)
    else:
        min_depth = check_number(min_depth, name="min_depth", minimum=0)
    return (depth >= min_depth) & (fraction >= min_in_peaks)


@checked(counts=Matrix("cells peaks", stored=True), regions=Table(()))
def filter_peaks(
    counts: Any,
    regions: pd.DataFrame | None = None,
    *,
    min_fragments: float = 1,
    non_overlapping: bool = True,
) -> np.ndarray:
    """Return a mask of the peaks with enough reads that do not overlap a better neighbour.

    Peaks are compared in the order of position; of two overlapping neighbours the one with fewer reads goes (the later
    one if they are equal), all pairs of a pass together, until no neighbours overlap.

    Parameters
    ----------
    counts
        Cells × peaks.
    regions
        chrom, start, end (0-based half-open) of every peak; needed with `non_overlapping`.
    min_fragments
        Least number of reads over all cells.
    non_overlapping
        Drop overlapping peaks.

    Returns
    -------
    Boolean array of shape (n_peaks,).

    Raises
    ------
    ValueError
        If coordinates are missing.
    """
    reads = totals(counts).per_peak
    keep = reads >= check_number(min_fragments, name="min_fragments", minimum=0)
    if not non_overlapping:
        return keep
    if regions is None or not {"chrom", "start", "end"} <= set(regions.columns) or len(regions) != len(reads):
        msg = f"regions must be a table of chrom, start, end with one row per peak ({len(reads)}); "
        msg += "or pass non_overlapping=False"
        raise ValueError(msg)
    chrom = pd.factorize(regions["chrom"])[0]
    start, end = regions["start"].to_numpy(np.int64), regions["end"].to_numpy(np.int64)
    kept = np.flatnonzero(keep)
    kept = kept[np.lexsort((end[kept], start[kept], chrom[kept]))]
    while True:
        a, b = kept[:-1], kept[1:]
        pairs = np.flatnonzero((chrom[a] == chrom[b]) & (end[a] > start[b]))
        if not pairs.size:
            break
        later_wins = reads[b[pairs]] > reads[a[pairs]]
        drop = np.unique(np.where(later_wins, pairs, pairs + 1))
        kept = np.delete(kept, drop)
    mask = np.zeros(len(reads), dtype=bool)
    mask[kept] = True
    return mask
