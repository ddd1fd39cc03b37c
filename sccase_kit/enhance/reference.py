r"""What a reference says about the cells: which group of the reference each resembles (scCASER).

Bulk signal and single-cell counts have different scales, and peaks that are open everywhere dominate both. So the
groups are compared with each other first: quantile-normalised, each less their mean, and reduced to the peaks where a
group stands out most. A cell's share of fragments in these peaks, averaged over its neighbours, says which group it
belongs to. The memberships start the components H₁ of the reference in H = [H₁, H₂] (Eq. 3 of Tang et al. 2024).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import scipy
from scipy import sparse

from ..matrix.operator import ScaledOperator

#: Most, and the largest share of, the peaks that stand for a group.
MAX_PEAKS, PEAK_SHARE = 500, 0.05
#: Groups that fewer cells resemble are left out.
MIN_SHARE, MIN_CELLS = 0.005, 3


@dataclass(frozen=True)
class Reference:
    """Reference data and how they are used.

    Attributes
    ----------
    counts
        Aligned to the peaks, non-negative, (groups × n_vars), at least two groups.
    n_components
        k₁, components of the reference, at most the number of groups.
    alpha
        Weight of the reference, see :func:`reference_weight`.
    """

    counts: np.ndarray
    n_components: int
    alpha: float


def quantile_normalised(reference: np.ndarray) -> np.ndarray:
    """Return log(1 + x) of every group with the same distribution of values: the mean of the sorted profiles.

    Parameters
    ----------
    reference
        Non-negative, (groups × peaks).
    """
    logs = np.log1p(reference)
    ranks = scipy.stats.rankdata(logs, axis=1) - 1
    mean = np.sort(logs, axis=1).mean(axis=0)
    return np.interp(ranks, np.arange(logs.shape[1]), mean)


def group_peaks(reference: np.ndarray, n_reference: int, *, rng: np.random.Generator) -> sparse.csc_matrix:
    """Return which peaks stand for each group: (n_vars × n_reference), the entries of a column equal and of sum 1.

    Parameters
    ----------
    reference
        Non-negative, (groups × n_vars), at least two groups.
    n_reference
        k₁; fewer than there are groups: programs shared by groups, from an NMF of what is above their mean.
    rng
        Generator of that NMF.
    """
    lead = quantile_normalised(reference)
    lead -= lead.mean(axis=0)
    if n_reference < len(lead):
        lead = _programs(np.maximum(lead, 0), n_reference, rng)
        lead -= lead.mean(axis=0)
    n_top = max(1, min(MAX_PEAKS, int(PEAK_SHARE * lead.shape[1])))
    weights = np.zeros((lead.shape[1], len(lead)))
    for group, values in enumerate(lead):
        best = np.argsort(-values, kind="stable")[:n_top]
        best = best[values[best] > 0]
        weights[best, group] = 1 / max(len(best), 1)
    return sparse.csc_matrix(weights)


def _programs(lead: np.ndarray, n_reference: int, rng: np.random.Generator) -> np.ndarray:
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    model = NMF(n_reference, init="nndsvda", max_iter=500, tol=1e-4, random_state=int(rng.integers(2**31)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(lead)
    norms = np.linalg.norm(model.components_, axis=1, keepdims=True)
    return model.components_ / np.where(norms > 0, norms, 1)


def reference_memberships(
    op: ScaledOperator,
    reference: np.ndarray,
    n_reference: int,
    *,
    kernel: sparse.csr_matrix,
    codes: np.ndarray | None = None,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return how much each cell and its neighbours resemble each group: (n_obs × n_reference), rows of sum 1 at most.

    Parameters
    ----------
    op
        The data; its scalings are not used.
    reference
        Reference counts aligned to the peaks, (groups × n_vars).
    n_reference
        k₁, see :func:`group_peaks`.
    kernel
        Row-stochastic smoothing kernel of the cells.
    codes
        Batch codes: cells are compared with the mean of their batch.
    rng
        Generator.
    """
    weights = group_peaks(reference, n_reference, rng=rng).toarray()
    plain = op.binarized().with_scales(np.ones(op.shape[0]), np.ones(op.shape[1]))
    product = plain.matmul(np.column_stack([weights, np.ones(op.shape[1])])).astype(np.float64)
    shares = product[:, :-1] / np.maximum(product[:, -1:], 1)
    shares = _against_mean(shares, codes)
    shares = _against_mean(kernel @ (kernel @ shares), codes)
    best = np.argmax(shares, axis=1)
    members = np.zeros_like(shares)
    members[np.arange(len(best)), best] = 1
    sizes = members.sum(axis=0)
    members[:, sizes < max(MIN_CELLS, MIN_SHARE * len(best))] = 0
    return np.asarray(kernel @ members)


def _against_mean(values: np.ndarray, codes: np.ndarray | None) -> np.ndarray:
    """Return values over the mean of their column, within batches."""
    codes = np.zeros(len(values), dtype=np.int64) if codes is None else codes
    out = np.empty_like(values)
    for code in np.unique(codes):
        rows = codes == code
        mean = values[rows].mean(axis=0)
        out[rows] = values[rows] / np.where(mean > 0, mean, 1)
    return out


def reference_weight(alpha: float) -> float:
    """Return the weight of the reference's components next to the others: α / (1 + α), from 0 to 1."""
    return alpha / (1 + alpha)


def with_reference(h: np.ndarray, members: np.ndarray, alpha: float) -> np.ndarray:
    """Return H = [H₁, H₂]: the reference's components, as a share of each cell's total, before the others.

    Parameters
    ----------
    h
        Components learned from the target, (n_obs × k₂).
    members
        From :func:`reference_memberships`.
    alpha
        Weight of the reference.
    """
    return np.hstack([reference_weight(alpha) * h.sum(axis=1, keepdims=True) * members, h])
