"""Places on the genome: chromosome lengths and non-overlapping peaks."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pandas as pd

from ..regions import chrom_sizes

BIN = 1000
"""Peaks are drawn at most one to a bin of this many bp, so they never overlap."""

_MARGIN = 300
"""Bins left free at both ends of every chromosome."""

_CHROMS = (*(f"chr{i}" for i in range(1, 23)), "chrX")


@cache
def hg38_sizes() -> dict[str, int]:
    """Return the lengths in bp of the human chromosomes 1-22 and X (GRCh38), in this order."""
    sizes = chrom_sizes("hg38")
    return {chrom: sizes[chrom] for chrom in _CHROMS}


@cache
def _first_bins() -> np.ndarray:
    """Return the genome-wide number of the first bin of each chromosome, and one past the last."""
    return np.concatenate([[0], np.cumsum(np.array(list(hg38_sizes().values())) // BIN)])


def bin_ids(chrom: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Return the genome-wide bin number of each position; `chrom` holds chromosome numbers (0-based)."""
    return _first_bins()[np.asarray(chrom)] + np.asarray(position) // BIN


def random_bins(n: int, *, taken: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw `n` distinct genome-wide bins, none of them in `taken` and none near a chromosome end."""
    free = np.ones(_first_bins()[-1], dtype=bool)
    free[taken] = False
    for first, last in pairwise(_first_bins()):
        free[first : first + _MARGIN] = False
        free[last - _MARGIN : last] = False
    available = np.flatnonzero(free)
    if n > len(available):
        msg = f"n_peaks is too large: {n} more peaks are wanted, {len(available)} places of {BIN} bp are left"
        raise ValueError(msg)
    return rng.choice(available, size=n, replace=False, shuffle=False)


def peaks_in_bins(bins: np.ndarray, *, rng: np.random.Generator, width: tuple[int, int] = (200, 500)) -> pd.DataFrame:
    """Place one peak inside each bin.

    Parameters
    ----------
    bins
        Distinct genome-wide bin numbers of shape (n_peaks,).
    rng
        Source of the widths and of the place in the bin.
    width
        Smallest and largest width in bp.

    Returns
    -------
    DataFrame with chrom, start, end (int64; 0-based, half-open), in the order of `bins`.
    """
    first_bins = _first_bins()
    chrom = np.searchsorted(first_bins, bins, side="right") - 1
    widths = rng.integers(width[0], width[1] + 1, size=len(bins))
    offset = rng.integers(0, BIN - widths + 1)
    start = (bins - first_bins[chrom]) * BIN + offset
    return pd.DataFrame(
        {"chrom": np.array(_CHROMS)[chrom], "start": start.astype(np.int64), "end": (start + widths).astype(np.int64)}
    )


def peak_names(regions: pd.DataFrame) -> pd.Index:
    """Return names such as ``chr1:100-600``."""
    names = [f"{c}:{s}-{e}" for c, s, e in zip(regions["chrom"], regions["start"], regions["end"], strict=True)]
    return pd.Index(names)
