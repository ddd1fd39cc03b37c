"""Genes of one group against another, from how their peaks differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from scipy import sparse

#: Opens added to both sides of a fold change, as for peaks (:mod:`sccase_kit.peaks.sisters`).
PRIOR_OPENS = 2.0


@dataclass(frozen=True, slots=True)
class GeneContrast:
    """Genes of a group against another; all arrays have shape (n_genes,).

    Attributes
    ----------
    z
        Weighted excess of opens in standard deviations; 0 for genes that no peak reaches.
    fold
        Ratio of the weighted opens at equal depth, two opens of the gene's mean weight added to both; NaN for genes
        that no peak reaches.
    pvalue
        Two-sided (normal approximation); 1 for genes that no peak reaches.
    """

    z: np.ndarray
    fold: np.ndarray
    pvalue: np.ndarray


def gene_contrast(
    weights: sparse.spmatrix, excess: np.ndarray, variance: np.ndarray, rates: np.ndarray
) -> GeneContrast:
    """Sum the differences of peaks over genes.

    Parameters
    ----------
    weights
        Sparse, (n_peaks, n_genes); see :func:`sccase_kit.genes.peak_gene_weights`.
    excess, variance
        Opens of the group less those expected if the two were one, and their variance, shape (n_peaks,).
    rates
        Opens at equal depth of the group and of the other, shape (2, n_peaks).

    Returns
    -------
    :class:`GeneContrast`
    """
    own = weights.tocsc().astype(np.float64)
    squared = own.copy()
    squared.data **= 2
    spread = np.sqrt(squared.T @ variance)
    z = np.where(spread > 0, (own.T @ excess) / np.where(spread > 0, spread, 1), 0)
    reach = np.diff(own.indptr)
    prior = PRIOR_OPENS * np.asarray(own.sum(axis=0)).ravel() / np.maximum(reach, 1)
    here, there = own.T @ rates[0] + prior, own.T @ rates[1] + prior
    fold = np.where(reach > 0, here / np.where(there > 0, there, 1), np.nan)
    return GeneContrast(z, fold, np.where(spread > 0, 2 * scipy.stats.norm.sf(np.abs(z)), 1.0))
