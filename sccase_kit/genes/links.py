r"""Links of peaks and genes: correlation over cells, judged against like peaks on other chromosomes.

For a peak and a gene near it, :math:`r` is Pearson's correlation of their values over cells or pools of cells. Peaks
and genes of one cell type correlate wherever they lie, so the null hypothesis is not :math:`r = 0`. As in Signac's
``LinkPeaks`` (Stuart et al. 2021, Nat Methods 18:1333) each pair has a background: peaks of like accessibility and GC
content on other chromosomes. With mean m and standard deviation s of their correlations with the same gene,
:math:`z = (r - m) / s`, and the p-value is two-sided from the normal distribution (Signac's is one-sided).

The background of a peak is drawn once for all peaks alike: peaks are cut into groups of equal size by accessibility,
and these by GC content. So no pair needs draws of its own, and all correlations are products of matrices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy
from scipy import sparse

from .._arguments import Labels, Numbers, Parts, Table, Whole, checked

#: Groups per axis at the most, pairs and genes computed at once, and the fewest peaks that make a background.
MAX_GROUPS, PAIRS_AT_ONCE, GENES_AT_ONCE, LEAST_BACKGROUND = 10, 20_000, 256, 10


@dataclass(frozen=True, slots=True)
class Columns:
    """A matrix with the mean and standard deviation of its columns (exactly 0 where all values are equal)."""

    values: Any
    mean: np.ndarray
    sd: np.ndarray


@dataclass(frozen=True, slots=True)
class PairTests:
    """Tests of pairs of a peak and a gene.

    Attributes
    ----------
    correlation
        Pearson's correlation of every pair, shape (n_pairs,), float64; NaN where peak or gene do not vary.
    z
        Its distance from the background in standard deviations; NaN where the background has fewer than ten peaks.
    p_value
        Two-sided, of z.
    """

    correlation: np.ndarray
    z: np.ndarray
    p_value: np.ndarray


@checked(peaks=Table(("chrom", "start", "end")), genes=Table(("chrom", "tss", "strand")), distance=Whole(0))
def near_pairs(peaks: pd.DataFrame, genes: pd.DataFrame, *, distance: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find all pairs of a peak and a gene whose transcription start is at most so far from the peak.

    Parameters
    ----------
    peaks
        chrom, start, end (0-based half-open); rows without a place have a start below 0.
    genes
        chrom, tss (0-based), strand.
    distance
        Bases from the nearest edge of the peak to the start.

    Returns
    -------
    Three arrays with one entry per pair, ordered by gene and peak: position of the peak, position of the gene, and the
    distance, 0 where the start lies in the peak, negative where the peak lies upstream.

    Examples
    --------
    >>> import pandas as pd
    >>> peaks = pd.DataFrame({"chrom": ["chr1", "chr1"], "start": [100, 900], "end": [200, 950]})
    >>> genes = pd.DataFrame({"chrom": ["chr1"], "tss": [300], "strand": ["+"]})
    >>> [part.tolist() for part in sk.genes.near_pairs(peaks, genes, distance=500)]
    [[0], [0], [-101]]
    """
    chrom, start, end = (peaks[c].to_numpy() for c in ("chrom", "start", "end"))
    gene_chrom, tss = genes["chrom"].to_numpy(), genes["tss"].to_numpy(np.int64)
    forward = (genes["strand"] == "+").to_numpy(bool)
    found: list[tuple[np.ndarray, np.ndarray]] = [(np.zeros(0, np.intp), np.zeros(0, np.intp))]
    for name in pd.unique(gene_chrom):
        own, rows = np.flatnonzero(gene_chrom == name), np.flatnonzero((chrom == name) & (start >= 0))
        rows = rows[np.argsort(start[rows], kind="stable")]
        widest = int((end[rows] - start[rows]).max(initial=0))
        low = np.searchsorted(start[rows], tss[own] - distance - widest, side="left")
        high = np.searchsorted(start[rows], tss[own] + distance, side="right")
        count = high - low
        of = np.repeat(np.arange(len(own)), count)
        at = np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count) + low[of]
        found.append((rows[at], own[of]))
    peak, gene = (np.concatenate(part) for part in zip(*found, strict=True))
    left, right = start[peak] - tss[gene], tss[gene] - end[peak] + 1
    away = np.where(left > 0, left, np.where(right > 0, -right, 0))  # positive: the peak lies right of the start
    near = np.abs(away) <= distance
    peak, gene, away = peak[near], gene[near], away[near]
    order = np.lexsort((peak, gene))
    peak, gene, away = peak[order], gene[order], away[order]
    return peak, gene, np.where(forward[gene], away, -away).astype(np.int64)


@checked(mean=Numbers("peaks"), gc=Numbers("peaks"), size=Whole(1))
def like_peaks(mean: np.ndarray, gc: np.ndarray | None, *, size: int) -> np.ndarray:
    """Cut peaks into groups of like accessibility and GC content.

    Parameters
    ----------
    mean
        Accessibility of every peak, shape (n_peaks,).
    gc
        GC content of every peak; None cuts by accessibility alone.
    size
        Peaks that a group has at the least, if there are so many.

    Returns
    -------
    Number of the group of every peak, shape (n_peaks,), int64. There are up to ten groups by accessibility, with ten by
    GC content in each, all of nearly the same size.

    Examples
    --------
    >>> import numpy as np
    >>> sk.genes.like_peaks(np.array([1, 1, 5, 5]), np.array([0.3, 0.6, 0.3, 0.6]), size=1).tolist()
    [0, 1, 2, 3]
    """
    n = len(mean)
    wanted = max(1, n // size)
    per_axis = min(MAX_GROUPS, int(np.sqrt(wanted)) if gc is not None else wanted)
    by_mean = np.empty(n, dtype=np.int64)
    by_mean[np.argsort(mean, kind="stable")] = np.arange(n) * per_axis // max(n, 1)
    if gc is None:
        return by_mean
    group = np.empty(n, dtype=np.int64)
    for k in range(per_axis):
        own = np.flatnonzero(by_mean == k)
        group[own[np.argsort(gc[own], kind="stable")]] = k * per_axis + np.arange(len(own)) * per_axis // max(
            len(own), 1
        )
    return group


def with_moments(matrix: Any) -> Columns:
    """Return a matrix, sparse (as CSC) or dense, with the moments of its columns."""
    if not sparse.issparse(matrix):
        values = np.asarray(matrix, dtype=np.float64)
        mean, sd = values.mean(axis=0), values.std(axis=0)
        constant = (values == values[:1]).all(axis=0)
    else:
        values = sparse.csc_matrix(matrix, dtype=np.float64)
        mean = np.asarray(values.mean(axis=0)).ravel()
        sd = np.sqrt(np.maximum(np.asarray(values.multiply(values).mean(axis=0)).ravel() - mean**2, 0))
        low, high = (np.asarray(part.todense()).ravel() for part in (values.min(axis=0), values.max(axis=0)))
        constant = low == high
    return Columns(values, mean, np.where(constant, 0.0, sd))


@checked(
    pairs=Parts(2),
    groups=Numbers("peaks", whole=True, fit=False),
    background=Numbers("peaks", fit=False),
    peak_chrom=Labels("peaks", fit=False),
    gene_chrom=Labels("genes", fit=False),
)
def link_tests(
    x: Any,
    y: Any,
    pairs: tuple[np.ndarray, np.ndarray],
    *,
    groups: np.ndarray,
    background: np.ndarray,
    peak_chrom: np.ndarray,
    gene_chrom: np.ndarray,
) -> PairTests:
    """Correlate pairs of columns, and judge each by the background of its peak with the same gene.

    Parameters
    ----------
    x
        Accessibility, cells (or pools) × peaks: ndarray, scipy sparse, or what :func:`with_moments` made of them.
    y
        Activity or expression, cells × genes, of either kind.
    pairs
        Position of the peak and of the gene of every pair.
    groups
        Group of every peak, see :func:`like_peaks`.
    background
        Positions of the peaks that the backgrounds are made of.
    peak_chrom, gene_chrom
        Chromosomes: a gene's background leaves out its own.

    Returns
    -------
    :class:`PairTests`. Besides the input it holds blocks of 256 genes × background peaks and of 20,000 pairs.
    """
    x = x if isinstance(x, Columns) else with_moments(x)
    y = y if isinstance(y, Columns) else with_moments(y)
    peak, gene = (np.asarray(part, dtype=np.intp) for part in pairs)
    r = _pair_correlations(x, y, peak, gene)
    z = np.full(len(r), np.nan)
    order = np.argsort(gene, kind="stable")
    bounds = np.searchsorted(gene[order], np.arange(len(y.mean) + 1))
    tested = np.flatnonzero(np.diff(bounds))
    of_chrom = pd.Series(gene_chrom[tested]).astype(str).to_numpy()
    for name in pd.unique(of_chrom):
        others = background[peak_chrom[background].astype(str) != name]
        others = others[x.sd[others] > 0]
        member = _membership(groups[others], int(groups.max(initial=0)) + 1)
        same = tested[of_chrom == name]
        for first in range(0, len(same), GENES_AT_ONCE):
            block = same[first : first + GENES_AT_ONCE]
            mean, sd = _background(x, y, others, block, member)
            rows = np.concatenate([order[bounds[g] : bounds[g + 1]] for g in block])
            at = groups[peak[rows]], np.repeat(np.arange(len(block)), bounds[block + 1] - bounds[block])
            with np.errstate(invalid="ignore", divide="ignore"):
                z[rows] = np.where(sd[at] > 0, (r[rows] - mean[at]) / sd[at], np.nan)
    return PairTests(r, z, 2 * scipy.stats.norm.sf(np.abs(z)))


def _pair_correlations(x: Columns, y: Columns, peak: np.ndarray, gene: np.ndarray) -> np.ndarray:
    out = np.empty(len(peak))
    a, b = x.values, y.values
    if sparse.issparse(a) or sparse.issparse(b):
        a, b = (part if sparse.issparse(part) else sparse.csc_matrix(part) for part in (a, b))
    for first in range(0, len(peak), PAIRS_AT_ONCE):
        i, j = peak[first : first + PAIRS_AT_ONCE], gene[first : first + PAIRS_AT_ONCE]
        if sparse.issparse(a):
            sums = np.asarray(a[:, i].multiply(b[:, j]).sum(axis=0)).ravel()
        else:
            sums = np.einsum("ij,ij->j", a[:, i], b[:, j])
        scale = x.sd[i] * y.sd[j]
        with np.errstate(invalid="ignore", divide="ignore"):
            r = (sums / a.shape[0] - x.mean[i] * y.mean[j]) / scale
        out[first : first + len(i)] = np.where(scale > 0, r, np.nan)
    return np.clip(out, -1, 1)


def _membership(groups: np.ndarray, n_groups: int) -> sparse.csr_matrix:
    ones = np.ones(len(groups))
    return sparse.csr_matrix((ones, (groups, np.arange(len(groups)))), shape=(n_groups, len(groups)))


def _background(
    x: Columns, y: Columns, others: np.ndarray, genes: np.ndarray, member: sparse.csr_matrix
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation (n - 1) of the correlations of every group with every gene."""
    sums = x.values[:, others].T @ y.values[:, genes]
    sums = np.asarray(sums.todense() if sparse.issparse(sums) else sums) / x.values.shape[0]
    size = np.asarray(member.sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (sums - x.mean[others][:, None] * y.mean[genes]) / (x.sd[others][:, None] * y.sd[genes])
        mean = (member @ r) / size
        centred = r - member.T @ np.nan_to_num(mean)
        sd = np.sqrt((member @ centred**2) / (size - 1))
    few = size < LEAST_BACKGROUND
    return np.where(few, np.nan, mean), np.where(few, np.nan, sd)
