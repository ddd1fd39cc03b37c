"""Genes that rest on the same peaks: what is said of one is said of all."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy import sparse


def same_peaks(weights: sparse.csc_matrix, genes: Iterable[int]) -> list[list[int]]:
    """Divide genes into those that have a weight for exactly the same peaks.

    Parameters
    ----------
    weights
        Sparse, (n_peaks, n_genes), by columns, indices sorted.
    genes
        Positions of genes.

    Returns
    -------
    Lists of positions, in the order of their first; a gene that no peak reaches is alone.

    Examples
    --------
    >>> from scipy import sparse
    >>> from sccase_kit.genes.reach import same_peaks
    >>> same_peaks(sparse.csc_matrix([[1.0, 2.0, 0.0], [0.0, 0.0, 3.0]]), [2, 1, 0])
    [[2], [1, 0]]
    """
    found: dict[object, list[int]] = {}
    for gene in genes:
        reach = weights.indices[weights.indptr[gene] : weights.indptr[gene + 1]]
        found.setdefault(reach.tobytes() if len(reach) else ("none", gene), []).append(int(gene))
    return list(found.values())


def one_per_locus(weights: sparse.csc_matrix, genes: np.ndarray) -> np.ndarray:
    """Return one gene of those that share peaks, directly or through others: the one with the largest weights.

    Parameters
    ----------
    weights
        Sparse, (n_peaks, n_genes), by columns.
    genes
        Positions of genes; those that no peak reaches stay.

    Returns
    -------
    Their positions, ascending, int64.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import sparse
    >>> from sccase_kit.genes.reach import one_per_locus
    >>> one_per_locus(sparse.csc_matrix([[1.0, 2.0, 0.0], [0.0, 0.0, 3.0]]), np.array([0, 1, 2])).tolist()
    [1, 2]
    """
    genes = np.asarray(genes, dtype=np.int64)
    if not len(genes):
        return genes
    own = weights[:, genes]
    reach = (own > 0).astype(np.int64)
    _, locus = sparse.csgraph.connected_components(reach.T @ reach, directed=False)
    total = np.asarray(own.sum(axis=0)).ravel()
    order = np.lexsort((genes, -total, locus))
    first = np.diff(locus[order], prepend=-1) != 0
    return np.sort(genes[order[first]])
