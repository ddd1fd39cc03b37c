r"""How specific the genes of a locus are to a condition.

For a continuous matrix, :math:`A''_{ij}` is the descending rank of gene i among all genes in condition j, after every
gene is scaled to unit length, divided by the number of genes with an interval: small means specific. For a binary
matrix a locus is scored by the hypergeometric distribution of its genes with a 1.

Reference: Slowikowski, Hu & Raychaudhuri, Bioinformatics 30 (2014); SNPsea 1.0.3.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import scipy

from .loci import Sets
from .tables import GeneMatrix, condition_names


def condition_on(matrix: GeneMatrix, names: Sequence[str]) -> GeneMatrix:
    """Return the matrix without the part that the named conditions explain, and without their columns.

    For each name, in sorted order, every column loses its projection on the current column of that name.
    """
    values = matrix.values.copy()
    for name in condition_names(names):
        if name not in matrix.conditions:
            msg = f"condition={name!r} is not among the conditions: {matrix.conditions[:10]}"
            raise KeyError(msg)
        b = values[:, matrix.conditions.index(name)].copy()
        length = float(b @ b)
        if length == 0:
            msg = f"condition={name!r} is zero for every gene (or explained by the other ones); it cannot be removed"
            raise ValueError(msg)
        values -= np.outer(b, (values.T @ b) / length)
    keep = [i for i, c in enumerate(matrix.conditions) if c not in condition_names(names)]
    if not keep:
        msg = "condition names every column of the gene matrix; none is left to test"
        raise ValueError(msg)
    return GeneMatrix(matrix.genes, matrix.symbols, [matrix.conditions[i] for i in keep], values[:, keep])


def correlation_of(matrix: GeneMatrix) -> pd.DataFrame:
    """Return Pearson's correlation of the conditions over the genes; NaN where a condition does not vary."""
    centred = matrix.values - matrix.values.mean(axis=0)
    length = np.linalg.norm(centred, axis=0)
    unit = centred / np.where(length > 0, length, np.nan)
    return pd.DataFrame(np.clip(unit.T @ unit, -1, 1), matrix.conditions, matrix.conditions)


def specificity(values: np.ndarray, n_genes: int) -> np.ndarray:
    """Return A'' (genes × conditions): descending ranks of the rows of unit length, ties averaged, over `n_genes`."""
    unit = values / np.linalg.norm(values, axis=1, keepdims=True)
    return scipy.stats.rankdata(-unit, axis=0) / n_genes


def best_genes(percentiles: np.ndarray, sets: Sets) -> np.ndarray:
    """Return the most specific gene (matrix row) of every set and condition: (sets × conditions)."""
    return np.array(
        [genes[np.argmin(percentiles[genes], axis=0)] for genes in map(sets.__getitem__, range(len(sets.sizes)))]
    )


def single_scores(percentiles: np.ndarray, sets: Sets) -> np.ndarray:
    """Return −ln P of the most specific gene of every set, corrected for the number of genes: (sets × conditions)."""
    smallest = np.minimum(1, np.minimum.reduceat(percentiles[sets.genes], sets.bounds[:-1], axis=0))
    with np.errstate(divide="ignore"):
        p = -np.expm1(sets.sizes[:, None] * np.log1p(-smallest))
    return -np.log(np.where(smallest < 1, p, 1))


def total_scores(percentiles: np.ndarray, sets: Sets) -> np.ndarray:
    """Return −ln P of the product of all percentiles of every set (Fisher's method): (sets × conditions)."""
    sums = np.add.reduceat(-np.log(percentiles[sets.genes]), sets.bounds[:-1], axis=0)
    return -scipy.stats.gamma.logsf(sums, sets.sizes[:, None])


def binary_scores(values: np.ndarray, sets: Sets, n_genes: int, *, total: bool) -> np.ndarray:
    """Return −ln P of the number of genes with a 1 in every set: at least one, or (`total`) at least so many."""
    hits, ones = _hits(values, sets), np.minimum(values.sum(axis=0).astype(np.int64), n_genes)
    # few cases are distinct, and the distribution is slow: score each of them once
    hits = hits if total else np.minimum(hits, 1)
    draws = np.minimum(sets.sizes, n_genes)
    shape = (int(hits.max(initial=0)) + 1, int(draws.max(initial=0)) + 1)
    kinds, kind = np.unique(ones, return_inverse=True)
    code = (kind[None, :] * shape[1] + draws[:, None]) * shape[0] + hits
    cases, case = np.unique(code, return_inverse=True)
    k, rest = cases % shape[0], cases // shape[0]
    log_p = np.zeros(len(cases))
    some = k > 0
    log_p[some] = scipy.stats.hypergeom.logsf(
        k[some] - 1, n_genes, kinds[rest[some] // shape[1]], rest[some] % shape[1]
    )
    return -log_p[case.reshape(-1)].reshape(hits.shape)


def binary_density(values: np.ndarray, sets: Sets, n_genes: int) -> np.ndarray:
    """Return what SNPsea 1.0.3 prints for a binary matrix and uses nowhere: binomial densities (sets × conditions)."""
    ones = values.sum(axis=0)
    return scipy.stats.binom.pmf(_hits(values, sets), ones, np.minimum(ones / n_genes, 1.0))


def _hits(values: np.ndarray, sets: Sets) -> np.ndarray:
    """Return the number of genes with a 1 in every set and condition."""
    return np.add.reduceat(values[sets.genes], sets.bounds[:-1], axis=0).astype(np.int64)
