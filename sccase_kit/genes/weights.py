r"""Weights of peaks for genes: how much the accessibility of a peak counts for the activity of a gene.

Distances are measured from the middle of a peak. The ways:

``"archr"``
    ArchR's model (Granja et al. 2021, Nat Genet 53:403): :math:`e^{-d/5000} + e^{-1}`, with d the distance to the gene
    body extended by 5 kb upstream of its start (0 inside), up to 100 kb from it; times 1 to 5 by the inverse length of
    the body, so that long genes do not gather more. With ``cut=True`` the window ends at the nearest neighbouring genes
    on both sides, 1 kb from its own at the least, as ArchR's default does (there genes that overlap bound each other
    too).
``"body"``
    1 in the gene body and up to 2 kb upstream of its start (as Signac and Cicero sum reads).
``"promoter"``
    1 within 2 kb of the transcription start.
``"exponential"``
    :math:`e^{-d/5000}` with d the distance to the transcription start, up to 50 kb.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import pandas as pd
from scipy import sparse

from .._arguments import Number, Numbers, Table, Whole, checked
from .._validate import check_choice
from ..intervals.closest import closest_starts

DECAY, UPSTREAM, REACH = 5_000, 5_000, 100_000
PROMOTER, EXPONENTIAL_REACH, LEAST_BEYOND = 2_000, 50_000, 1_000
MAX_LENGTH_FACTOR = 5.0
NEARER = 3.0  # for names of groups; how it was chosen is in docs/genes.md

Ways = Literal["archr", "body", "promoter", "exponential"]


@checked(genes=Table(("start", "end", "strand")), upstream=Whole(0))
def gene_windows(genes: pd.DataFrame, *, upstream: int) -> tuple[np.ndarray, np.ndarray]:
    """Return first and last base of each gene body, extended upstream of its start.

    Parameters
    ----------
    genes
        tss (0-based), strand, and start, end (0-based half-open) of the gene bodies.
    upstream
        Bases to add before the start, on the gene's strand.

    Returns
    -------
    Two arrays of shape (n_genes,), int64; both bases belong to the window.
    """
    forward = (genes["strand"] == "+").to_numpy()
    first, last = genes["start"].to_numpy(np.int64), genes["end"].to_numpy(np.int64) - 1
    return np.where(forward, first - upstream, first), np.where(forward, last, last + upstream)


@checked(length=Numbers("genes", empty=False))
def length_factors(length: np.ndarray) -> np.ndarray:
    """Return 1 (longest gene) to 5 (shortest): linear in the inverse length, up to its 99th percentile.

    Parameters
    ----------
    length
        Bases of the gene bodies, shape (n_genes,).

    Returns
    -------
    Array of shape (n_genes,), float64.

    Examples
    --------
    >>> import numpy as np
    >>> sk.genes.length_factors(np.array([1_000, 10_000, 100_000])).round(2).tolist()
    [5.0, 1.37, 1.0]
    """
    inverse = 1 / np.maximum(np.asarray(length, dtype=np.float64), 1)
    low, high = inverse.min(), np.quantile(inverse, 0.99)
    if high <= low:
        return np.ones_like(inverse)
    return np.minimum(1 + (MAX_LENGTH_FACTOR - 1) * (inverse - low) / (high - low), MAX_LENGTH_FACTOR)


@checked(genes=Table(("chrom", "start", "end")))
def neighbor_bounds(genes: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the last base before every gene body and the first behind it that no neighbouring gene takes.

    The nearest body that ends before a gene begins bounds it on the left, the nearest that begins behind its end on the
    right; bodies that overlap the gene, or hold it, do not bound it.

    Parameters
    ----------
    genes
        chrom, and start, end (0-based half-open) of the gene bodies.

    Returns
    -------
    First and last base that may belong to each gene, shape (n_genes,), int64; without a neighbour the least and the
    largest int64 (half of it, so that sums fit).
    """
    start, end = genes["start"].to_numpy(np.int64), genes["end"].to_numpy(np.int64)
    chrom = genes["chrom"].astype(str).to_numpy()
    far = np.iinfo(np.int64).max // 2
    first, last = np.full(len(genes), -far), np.full(len(genes), far)
    for name in pd.unique(chrom):
        own = np.flatnonzero(chrom == name)
        ends, starts = np.sort(end[own]), np.sort(start[own])
        before = np.searchsorted(ends, start[own], side="right")
        behind = np.searchsorted(starts, end[own], side="left")
        first[own] = np.where(before > 0, ends[np.maximum(before - 1, 0)], -far)
        last[own] = np.where(behind < len(own), starts[np.minimum(behind, len(own) - 1)] - 1, far)
    return first, last


def _cut_windows(genes: pd.DataFrame, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where the windows of genes end: at the neighbours' extended bodies, but not within 1 kb of their own."""
    first, last = neighbor_bounds(genes.assign(start=low, end=high + 1))
    return np.minimum(first, low - LEAST_BEYOND), np.maximum(last, high + LEAST_BEYOND)


@checked(peaks=Table(("chrom", "start", "end")), genes=Table(("chrom", "tss", "strand")), nearer=Number(1))
def peak_gene_weights(
    peaks: pd.DataFrame,
    genes: pd.DataFrame,
    *,
    weights: Ways = "archr",
    cut: bool = False,
    nearer: float | None = None,
) -> sparse.csr_matrix:
    """Compute the weight of every peak for every gene near it.

    Parameters
    ----------
    peaks
        chrom, start, end (0-based half-open); rows without a place have a start below 0.
    genes
        chrom, tss, strand, and, for ``"archr"`` and ``"body"``, start and end of the gene bodies; see
        :func:`sccase_kit.regions.tss_table`.
    weights
        See :mod:`sccase_kit.genes.weights`.
    cut
        Of ``"archr"``: end the window at the neighbouring genes, each extended upstream; see :func:`neighbor_bounds`.
    nearer
        Leave out the peaks that lie so many times nearer to the start of another gene than to that of this one, and
        neither in its body nor within 5 kb of its start; None for all.

    Returns
    -------
    Sparse matrix of shape (n_peaks, n_genes), float32; a peak in reach of a gene has a positive weight.

    Raises
    ------
    ValueError
        If `weights` is unknown, or `cut` is given with others than ``"archr"``.
    KeyError
        If the gene bodies are needed and absent.
    """
    check_choice(weights, ["archr", "body", "promoter", "exponential"], name="weights")
    if weights in ("archr", "body") and not {"start", "end"} <= set(genes.columns):
        msg = f"weights={weights!r} needs the gene bodies, columns start and end; genes has {list(genes.columns)}. "
        msg += "Take a GTF or a shipped genome, or weights='promoter' or 'exponential', which need only the start"
        raise KeyError(msg)
    if cut and weights != "archr":
        msg = f"cut=True is of weights='archr', and weights={weights!r} is given; leave one of them out"
        raise ValueError(msg)
    tss = genes["tss"].to_numpy(np.int64)
    if weights == "archr":
        low, high = gene_windows(genes, upstream=UPSTREAM)
        factor = length_factors(genes["end"].to_numpy() - genes["start"].to_numpy())
        bounds = _cut_windows(genes, low, high) if cut else None
        found = _near(
            peaks, genes, low, high, REACH, lambda d, g: (np.exp(-d / DECAY) + np.exp(-1)) * factor[g], bounds=bounds
        )
    elif weights == "body":
        low, high = gene_windows(genes, upstream=PROMOTER)
        found = _near(peaks, genes, low, high, 0, lambda d, _: np.ones(len(d)))
    elif weights == "promoter":
        found = _near(peaks, genes, tss - PROMOTER, tss + PROMOTER, 0, lambda d, _: np.ones(len(d)))
    else:
        found = _near(peaks, genes, tss, tss, EXPONENTIAL_REACH, lambda d, _: np.exp(-d / DECAY))
    return found if nearer is None else _without_nearer(found, peaks, genes, nearer)


def _without_nearer(
    found: sparse.csr_matrix, peaks: pd.DataFrame, genes: pd.DataFrame, factor: float
) -> sparse.csr_matrix:
    """Return the weights without the peaks that lie `factor` times nearer to another gene's start, outside the gene."""
    middle = (peaks["start"].to_numpy(np.int64) + peaks["end"].to_numpy(np.int64)) // 2
    tss = genes["tss"].to_numpy(np.int64)
    pairs = found.tocoo()
    away = np.abs(middle[pairs.row] - tss[pairs.col])
    low, high = gene_windows(genes, upstream=0) if "start" in genes.columns else (tss, tss)
    inside = (middle[pairs.row] >= low[pairs.col]) & (middle[pairs.row] <= high[pairs.col])
    places = pd.DataFrame({"chrom": peaks["chrom"].astype(str), "start": middle, "end": middle + 1})
    region, gene, distance = closest_starts(places, genes.assign(chrom=genes["chrom"].astype(str)))
    region, first = np.unique(region, return_index=True)  # of several at one distance the first
    least, nearest = np.zeros(len(middle), dtype=np.int64), np.zeros(len(middle), dtype=np.int64)
    least[region], nearest[region] = np.abs(distance[first]), gene[first]
    symbols = genes["symbol"].to_numpy() if "symbol" in genes.columns else np.arange(len(genes))
    own = symbols[nearest[pairs.row]] == symbols[pairs.col]  # another start of the same gene
    kept = own | inside | (away <= UPSTREAM) | (least[pairs.row] * factor >= away)
    return sparse.csr_matrix((pairs.data[kept], (pairs.row[kept], pairs.col[kept])), shape=found.shape)


def _near(
    peaks: pd.DataFrame,
    genes: pd.DataFrame,
    low: np.ndarray,
    high: np.ndarray,
    reach: int,
    weigh: Callable[[np.ndarray, np.ndarray], np.ndarray],
    *,
    bounds: tuple[np.ndarray, np.ndarray] | None = None,
) -> sparse.csr_matrix:
    """Weigh all pairs of a gene and a peak whose middle is at most `reach` from the gene's window, within `bounds`."""
    middle = (peaks["start"].to_numpy(np.int64) + peaks["end"].to_numpy(np.int64)) // 2
    placed = peaks["start"].to_numpy() >= 0
    chrom, gene_chrom = peaks["chrom"].astype(str).to_numpy(), genes["chrom"].astype(str).to_numpy()
    rows, columns, values = [], [], []
    for name in pd.unique(gene_chrom):
        here, own = np.flatnonzero((chrom == name) & placed), np.flatnonzero(gene_chrom == name)
        here = here[np.argsort(middle[here], kind="stable")]
        at = middle[here]
        first, last = np.searchsorted(at, low[own] - reach), np.searchsorted(at, high[own] + reach, side="right")
        count = last - first
        gene = np.repeat(own, count)
        place = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
        if bounds is not None:
            inside = (at[place] >= bounds[0][gene]) & (at[place] <= bounds[1][gene])
            gene, place = gene[inside], place[inside]
        distance = np.maximum(np.maximum(low[gene] - at[place], at[place] - high[gene]), 0)
        rows.append(here[place])
        columns.append(gene)
        values.append(weigh(distance, gene))
    shape = (len(peaks), len(genes))
    if not rows:
        return sparse.csr_matrix(shape, dtype=np.float32)
    data = np.concatenate(values).astype(np.float32)
    return sparse.csr_matrix((data, (np.concatenate(rows), np.concatenate(columns))), shape=shape)
