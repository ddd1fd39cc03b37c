"""Where the paper's model starts: Eq. 1, the Jaccard similarity, the conventional NMF, and what a reference adds.

What is read where the printed text leaves a choice or contradicts itself, and why:

* Eq. 1 divides by the counts of the peak, not by the cells that have it, and its logarithm is negative where a peak has
  more counts than there are cells. X must not be negative, so such a weight is 0.
* The scale of an NMF is free, (W/c)(cH). It is chosen so that HᵀH is nearest to the Jaccard similarity; with another
  one the first steps would do just that.
* scCASER: the groups of a reference are too few for the logarithm of Eq. 1, which would be negative for nearly all
  peaks. They get the weights of the target's peaks, so that P is in the units of X. W₁ starts at P and W₂ at the NMF
  of X; no start of H is printed: it is the non-negative least-squares fit of X on [P, W₂].
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from .nmf import hals


def paper_weights(counts: sparse.csr_matrix) -> np.ndarray:
    """Return the logarithm of Eq. 1 of every peak, (m,): ln(n / counts of the peak), 0 where it is negative.

    Parameters
    ----------
    counts
        Cells × peaks.
    """
    totals = np.asarray(counts.sum(axis=0), dtype=np.float64).ravel()
    return np.maximum(np.where(totals > 0, np.log(counts.shape[0] / np.where(totals > 0, totals, 1)), 0), 0)


def paper_tfidf(counts: sparse.csr_matrix, weights: np.ndarray, *, unit_norm: bool = False) -> sparse.csc_matrix:
    """Return X, (m × n): counts over the counts of the cell (Eq. 1), times the weights of the peaks.

    Parameters
    ----------
    counts
        Cells × peaks.
    weights
        Of the peaks, (m,); those of Eq. 1 are :func:`paper_weights`.
    unit_norm
        Scale cells to L2 norm 1 instead, as the program.
    """
    rows = counts.astype(np.float64) @ sparse.diags(weights)
    sizes = np.sqrt(rows.power(2).sum(axis=1)) if unit_norm else counts.sum(axis=1)
    sizes = np.asarray(sizes, dtype=np.float64).ravel()
    scale = np.where(sizes > 0, 1 / np.where(sizes > 0, sizes, 1), 0)
    return sparse.csc_matrix((sparse.diags(scale) @ rows).T)


def paper_similarity(opened: sparse.csr_matrix) -> np.ndarray:
    """Return the start of Z: the Jaccard similarity of the cells, columns of sum 1; an empty cell is like itself only.

    Parameters
    ----------
    opened
        Cells × peaks; only whether an entry is 0 counts.
    """
    cells = sparse.csr_matrix((opened != 0).astype(np.float64))
    shared = (cells @ cells.T).toarray()
    size = shared.diagonal().copy()
    either = size[:, None] + size[None, :] - shared
    jaccard = np.divide(shared, either, out=np.zeros_like(shared), where=either > 0)
    np.fill_diagonal(jaccard, 1)
    return jaccard / jaccard.sum(axis=0)


def fit_embedding(x: Any, w: np.ndarray, *, n_sweeps: int = 200) -> np.ndarray:
    """Return the H ≥ 0 of least ‖X − WH‖² for a given W, (k, n), by coordinate sweeps."""
    product, gram = np.asarray(x.T @ w), w.T @ w
    flat = product.mean() / (gram.mean() * len(gram)) if gram.any() else 0.0
    result: np.ndarray = hals(np.full(product.shape, flat), product, gram, n_sweeps=n_sweeps).T
    return result


def matched_scale(h: np.ndarray, z: np.ndarray) -> float:
    """Return the c for which (cH)ᵀ(cH) is nearest to Z."""
    gram = h @ h.T
    return float(np.sqrt(np.vdot(h @ z, h) / np.sum(gram**2))) if gram.any() else 0.0
