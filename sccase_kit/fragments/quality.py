"""What the sums over a cell's fragments say about its quality."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

#: Smallest number of insertions per base of the flanks that a TSS enrichment is divided by (ArchR's).
MIN_FLANK = 0.2


def cell_quality(
    sums: npt.NDArray[np.int32], *, has_reads: bool, has_tss: bool, has_peaks: bool
) -> dict[str, npt.NDArray[np.int64] | npt.NDArray[np.float64]]:
    """Return the measures of quality of every cell.

    Parameters
    ----------
    sums
        int32, cells × sums of :mod:`sccase_kit.fragments.count_kernels`.
    has_reads
        Whether the file tells read pairs (column 5).
    has_tss
        Whether insertions around transcription start sites were counted.
    has_peaks
        Whether there were peaks.

    Returns
    -------
    Name → array of shape (n_cells,): n_fragments (int64); with read pairs, n_reads (int64) and duplicate_rate, the
    share of the pairs that repeat a fragment; fraction_mito, the share of mitochondrial fragments; nucleosome_signal,
    fragments of 147 to 293 bp over shorter ones (Signac); tss_enrichment (ArchR), twice the insertions per base within
    50 bp of a TSS over those per base at 1,901 to 2,000 bp on either side, the latter at least 0.2; n_in_peaks (int64)
    and frip, fragments that meet a peak, and their share of those that are not mitochondrial. Shares of nothing are
    NaN.
    """
    from .count_kernels import (
        N_FLANK,
        N_FRAGMENTS,
        N_IN_PEAKS,
        N_MITO,
        N_MONO,
        N_READS,
        N_SHORT,
        N_TSS,
        TSS_FLANK,
        TSS_MIDDLE,
    )

    column = [sums[:, i].astype(np.float64) for i in range(sums.shape[1])]
    fragments, nuclear = column[N_FRAGMENTS], column[N_FRAGMENTS] - column[N_MITO]
    found: dict[str, npt.NDArray[np.int64] | npt.NDArray[np.float64]] = {"n_fragments": fragments.astype(np.int64)}
    if has_reads:
        found["n_reads"] = column[N_READS].astype(np.int64)
        found["duplicate_rate"] = 1 - share(fragments, column[N_READS])
    found["fraction_mito"] = share(column[N_MITO], fragments)
    found["nucleosome_signal"] = share(column[N_MONO], column[N_SHORT])
    if has_tss:
        middle = column[N_TSS] / (2 * TSS_MIDDLE + 1)
        found["tss_enrichment"] = 2 * middle / np.maximum(column[N_FLANK] / TSS_FLANK, MIN_FLANK)
    if has_peaks:
        found["n_in_peaks"] = column[N_IN_PEAKS].astype(np.int64)
        found["frip"] = share(column[N_IN_PEAKS], nuclear)
    return found


def share(part: npt.NDArray[np.float64], whole: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return part / whole, NaN where there is no whole."""
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)


def normalised_profile(profile: npt.NDArray[np.int64], *, smooth: int = 11) -> npt.NDArray[np.float64]:
    """Return the insertions around transcription start sites over those of the flanks, as ENCODE draws them.

    Parameters
    ----------
    profile
        Insertions by distance, −2,000 to 2,000; shape (4001,).
    smooth
        Width in bases of the running mean; odd.

    Returns
    -------
    float64 of shape (4001,): 1 is the mean of the outer 100 bp on either side. NaN if nothing lies there.
    """
    from .count_kernels import TSS_FLANK

    flank = np.concatenate([profile[:TSS_FLANK], profile[-TSS_FLANK:]]).mean()
    if flank == 0:
        return np.full(len(profile), np.nan)
    padded = np.pad(profile / flank, smooth // 2, mode="edge")
    return np.convolve(padded, np.full(smooth, 1 / smooth), mode="valid")


def profile_score(profile: npt.NDArray[np.int64]) -> float:
    """Return the TSS enrichment of a sample: the largest value of its smoothed profile within 50 bp of the sites."""
    from .count_kernels import TSS_MIDDLE, TSS_REACH

    middle = normalised_profile(profile)[TSS_REACH - TSS_MIDDLE : TSS_REACH + TSS_MIDDLE + 1]
    return float(middle.max())
