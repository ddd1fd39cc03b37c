"""Places on the genome: chromosome lengths and non-overlapping peaks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

HG38_SIZES: dict[str, int] = {
    "chr1": 248_956_422,
    "chr2": 242_193_529,
    "chr3": 198_295_559,
    "chr4": 190_214_555,
    "chr5": 181_538_259,
    "chr6": 170_805_979,
    "chr7": 159_345_973,
    "chr8": 145_138_636,
    "chr9": 138_394_717,
    "chr10": 133_797_422,
    "chr11": 135_086_622,
    "chr12": 133_275_309,
    "chr13": 114_364_328,
    "chr14": 107_043_718,
    "chr15": 101_991_189,
    "chr16": 90_338_345,
    "chr17": 83_257_441,
    "chr18": 80_373_285,
    "chr19": 58_617_616,
    "chr20": 64_444_167,
    "chr21": 46_709_983,
    "chr22": 50_818_468,
    "chrX": 156_040_895,
}
"""Lengths in bp of the human chromosomes 1-22 and X (GRCh38)."""

BIN = 1000
"""Peaks are drawn at most one to a bin of this many bp, so they never overlap."""

_MARGIN = 300
"""Bins left free at both ends of every chromosome."""

_CHROMS = np.array(list(HG38_SIZES))
_N_BINS = np.array(list(HG38_SIZES.values())) // BIN
_FIRST = np.concatenate([[0], np.cumsum(_N_BINS)])


def bin_ids(chrom: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Return the genome-wide bin number of each position; `chrom` holds chromosome numbers (0-based)."""
    return _FIRST[np.asarray(chrom)] + np.asarray(position) // BIN


def random_bins(n: int, *, taken: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw `n` distinct genome-wide bins, none of them in `taken` and none near a chromosome end."""
    free = np.ones(_FIRST[-1], dtype=bool)
    free[taken] = False
    for first, last in pairwise(_FIRST):
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
    chrom = np.searchsorted(_FIRST, bins, side="right") - 1
    widths = rng.integers(width[0], width[1] + 1, size=len(bins))
    offset = rng.integers(0, BIN - widths + 1)
    start = (bins - _FIRST[chrom]) * BIN + offset
    return pd.DataFrame(
        {"chrom": _CHROMS[chrom], "start": start.astype(np.int64), "end": (start + widths).astype(np.int64)}
    )


def peak_names(regions: pd.DataFrame) -> pd.Index:
    """Return names such as ``chr1:100-600``."""
    names = [f"{c}:{s}-{e}" for c, s, e in zip(regions["chrom"], regions["start"], regions["end"], strict=True)]
    return pd.Index(names)
