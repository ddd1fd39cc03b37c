r"""How well groups of cells fit sets of marker genes, or a labelled reference.

**Genes.** The marker statistic of peaks (:mod:`sccase_kit.peaks.markers`) for genes: with weights W (peaks × genes),
:math:`z = (O W - w\,T W) / \sqrt{w (1 - w)\, T W^2}`, from the open cells of the group, and the same from the enhanced
profile at the group's depth. Each is standardised over the genes that a peak reaches, and the two are added.

**Sets.** The score of a set of n genes is the sum of their standardised values, cut to −2..4 so that one gene cannot
decide, over √n. Two tests must pass: against random sets of n genes (does the set stand out among genes?), and the
upper tail of z of the summed weights of the set, from the counts alone (does the group differ from the other cells?).
The first alone would name any group, since marker genes of a type go together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy
from scipy import sparse

from .._arguments import Generator, Matrix, Named, Numbers, Whole, checked

LOWEST, HIGHEST = -2.0, 4.0
#: Random sets of genes that a set is compared with: no p-value is below 1 / (1 + this).
N_RANDOM = 2000


@dataclass(frozen=True, slots=True)
class SetScores:
    """Scores of sets in groups.

    Attributes
    ----------
    scores
        Shape (n_groups, n_sets), float64.
    pvalues
        Of the same shape: share of random sets of the same size that score as high.
    """

    scores: np.ndarray
    pvalues: np.ndarray


@checked(opens=Numbers("groups peaks"), weights=Matrix("peaks genes", form="csr"), level=Numbers("groups peaks"))
def gene_scores(opens: np.ndarray, weights: sparse.csr_matrix, level: np.ndarray | None = None) -> np.ndarray:
    """Compute how much more accessible every gene is in every group, standardised over the genes.

    Parameters
    ----------
    opens
        Open cells by group and peak, shape (n_groups, n_peaks).
    weights
        Sparse, (n_peaks, n_genes); see :func:`peak_gene_weights`.
    level
        Enhanced profiles of :func:`sccase_kit.peaks.level_profiles`, shape (n_groups, n_peaks); `None` goes without.

    Returns
    -------
    Array of shape (n_groups, n_genes), float64: mean 0 and standard deviation 1 over the genes in reach of a peak; NaN
    for the others.
    """
    covered = np.asarray((weights > 0).sum(axis=0)).ravel() > 0
    own = weights[:, covered].tocsc().astype(np.float64)
    depth = opens.sum(axis=1, dtype=np.float64)
    total = _standard(gene_z(opens.astype(np.float64), own, depth))
    if level is not None:
        share = level / np.maximum(level.sum(axis=1, keepdims=True), 1e-300)
        total = _standard(total + _standard(gene_z(share * depth[:, None], own, depth)))
    out = np.full((len(opens), weights.shape[1]), np.nan)
    out[:, covered] = total
    return out


def gene_z(opens: np.ndarray, weights: sparse.csc_matrix, depth: np.ndarray) -> np.ndarray:
    """Return z of genes in groups, shape (n_groups, n_genes): above 0 where they are more open than at that depth."""
    share = depth / max(depth.sum(), 1)
    squared = weights.copy()
    squared.data **= 2
    seen, expected = gene_sums(opens, weights, depth)
    variance = (share * (1 - share))[:, None] * (squared.T @ opens.sum(axis=0))[None, :]
    return (seen - expected) / np.sqrt(np.where(variance > 0, variance, 1))


def gene_sums(opens: np.ndarray, weights: sparse.csc_matrix, depth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the weighted open cells of genes in groups, and those expected at that depth, (n_groups, n_genes) each."""
    share = depth / max(depth.sum(), 1)
    return (weights.T @ opens.T).T, share[:, None] * (weights.T @ opens.sum(axis=0))[None, :]


def _standard(values: np.ndarray) -> np.ndarray:
    values = values - values.mean(axis=1, keepdims=True)
    spread = values.std(axis=1, keepdims=True)
    return values / np.where(spread > 0, spread, 1)


@checked(
    opens=Numbers("groups peaks"),
    weights=Matrix("peaks genes", form="csr"),
    sets=Named("positions of genes", Numbers("genes", whole=True, fit=False)),
)
def set_pvalues(opens: np.ndarray, weights: sparse.csr_matrix, sets: Mapping[str, np.ndarray]) -> np.ndarray:
    """Test whether sets of genes are more open in a group than in the other cells at its depth, from the counts.

    Parameters
    ----------
    opens
        Open cells by group and peak, shape (n_groups, n_peaks).
    weights
        Sparse, (n_peaks, n_genes).
    sets
        Name → positions of its genes.

    Returns
    -------
    One-sided p-values (normal approximation), shape (n_groups, n_sets); 1 for sets that no peak reaches.
    """
    if not sets:
        return np.ones((len(opens), 0))
    own = weights.tocsc().astype(np.float64)
    summed = np.column_stack([np.asarray(own[:, part].sum(axis=1)).ravel() for part in sets.values()])
    z = gene_z(opens.astype(np.float64), sparse.csc_matrix(summed), opens.sum(axis=1, dtype=np.float64))
    return np.where(summed.any(axis=0), scipy.stats.norm.sf(z), 1.0)


@checked(
    genes=Numbers("groups genes"),
    sets=Named("positions of genes", Numbers("genes", whole=True, fit=False)),
    n_random=Whole(1),
    rng=Generator(),
)
def set_scores(
    genes: np.ndarray, sets: Mapping[str, np.ndarray], *, n_random: int = N_RANDOM, rng: np.random.Generator
) -> SetScores:
    """Score sets of genes in every group.

    Parameters
    ----------
    genes
        Result of :func:`gene_scores`, shape (n_groups, n_genes).
    sets
        Name → positions of its genes; those that are NaN do not count. A set without any has the score −inf.
    n_random
        Random sets for the p-values.
    rng
        Their generator.

    Returns
    -------
    :class:`SetScores`
    """
    known = np.flatnonzero(np.isfinite(genes).all(axis=0))
    cut = np.clip(genes, LOWEST, HIGHEST)
    members = [np.intersect1d(positions, known) for positions in sets.values()]
    sizes = np.array([len(part) for part in members])
    scores = np.full((len(genes), len(members)), -np.inf)
    pvalues = np.ones_like(scores)
    if not len(known) or not sizes.any():
        return SetScores(scores, pvalues)
    draws = rng.choice(known, size=(n_random, sizes.max()))
    for s, part in enumerate(members):
        if not len(part):
            continue
        scores[:, s] = cut[:, part].sum(axis=1) / np.sqrt(len(part))
        null = cut[:, draws[:, : len(part)]].sum(axis=2) / np.sqrt(len(part))
        pvalues[:, s] = (1 + (null >= scores[:, [s]] - 1e-12).sum(axis=1)) / (1 + n_random)
    return SetScores(scores, pvalues)


@checked(
    level=Numbers("groups peaks", empty=False),
    reference=Numbers("samples peaks", empty=False),
    n_bootstrap=Whole(0),
    rng=Generator(),
)
def reference_scores(
    level: np.ndarray, reference: np.ndarray, *, n_bootstrap: int = 200, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Correlate groups with the samples of a reference, each compared with the mean of its own side.

    Parameters
    ----------
    level
        Enhanced profiles of :func:`sccase_kit.peaks.level_profiles`, shape (n_groups, n_peaks).
    reference
        Counts or signal of labelled samples at the same peaks, non-negative, shape (n_samples, n_peaks).
    n_bootstrap
        Resamplings of the peaks.
    rng
        Their generator.

    Returns
    -------
    Pearson correlations of shape (n_groups, n_samples), of the logarithms less their mean over groups or samples; and,
    per group, the share of the resamplings in which the same sample is best, shape (n_groups,).
    """
    depth = reference.sum(axis=1, keepdims=True, dtype=np.float64)
    middle = np.median(depth[depth > 0]) if (depth > 0).any() else 1.0
    scaled = reference * (middle / np.where(depth > 0, depth, 1))
    left, right = np.log2(level + 1), np.log2(scaled + 1)
    left, right = left - left.mean(axis=0), right - right.mean(axis=0)
    correlation = _correlation(left, right, np.ones(level.shape[1]))
    best, n_peaks = correlation.argmax(axis=1), level.shape[1]
    kept = np.zeros(len(level))
    for _ in range(n_bootstrap):
        weights = np.bincount(rng.integers(n_peaks, size=n_peaks), minlength=n_peaks).astype(np.float64)
        kept += _correlation(left, right, weights).argmax(axis=1) == best
    return correlation, kept / max(n_bootstrap, 1)


def _correlation(left: np.ndarray, right: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weighted Pearson correlation of all rows of two arrays; 0 for flat rows."""
    total = weights.sum()
    left_mean, right_mean = left @ weights / total, right @ weights / total
    product = (left * weights) @ right.T / total - np.outer(left_mean, right_mean)
    left_var = (left**2) @ weights / total - left_mean**2
    right_var = (right**2) @ weights / total - right_mean**2
    scale = np.sqrt(np.outer(np.maximum(left_var, 0), np.maximum(right_var, 0)))
    return np.where(scale > 1e-12, product / np.where(scale > 0, scale, 1), 0)
