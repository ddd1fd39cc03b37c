"""From latent embeddings to sparse fragment counts, a few cells at a time."""

from __future__ import annotations

import numpy as np
from scipy import sparse

_ENTRIES_AT_ONCE = 2_000_000
_LARGEST_EXPONENT = 30.0
_LINEAR = np.float32(4.0)


def activate(score: np.ndarray, activation: str) -> np.ndarray:
    """Turn scores into positive accessibilities: ``"exp"``, ``"sigmoid"``, or ``"exp_linear"``, linear from 4 on."""
    if activation == "exp_linear":
        return np.where(score < _LINEAR, np.exp(np.minimum(score, _LINEAR)), np.exp(_LINEAR) * (score - _LINEAR + 1))
    if activation == "exp":
        return np.exp(np.minimum(score, _LARGEST_EXPONENT))
    return 1 / (1 + np.exp(-score))


def expected_fragments(
    latent: np.ndarray,
    loadings: np.ndarray,
    offset: np.ndarray,
    total: float,
    *,
    activation: str,
    shift: np.ndarray | None = None,
) -> np.ndarray:
    """Return the expected fragments before any loss, shape (n_cells, n_peaks).

    Parameters
    ----------
    latent
        Cell embedding, shape (n_cells, n_latent).
    loadings
        Peak loadings, shape (n_peaks, n_latent).
    offset
        Peak offsets, shape (n_peaks,).
    total
        Expected fragments of a cell: every row sums to it.
    activation
        ``"exp"``, ``"sigmoid"`` or ``"exp_linear"``.
    shift
        Batch offsets of the scores of these cells, shape (n_cells, n_peaks) or broadcastable.
    """
    score = latent @ loadings.T + offset
    if shift is not None:
        score += shift
    rate = activate(score, activation)
    rate *= total / rate.sum(axis=1, keepdims=True)
    return rate


def draw_fragments(
    latent: np.ndarray,
    loadings: np.ndarray,
    offset: np.ndarray,
    total: float,
    *,
    activation: str,
    shifts: np.ndarray | None,
    batch: np.ndarray | None,
    rng: np.random.Generator,
) -> sparse.csr_matrix:
    """Draw Poisson fragments before any loss (CSR, int32); arguments as in :func:`expected_fragments`.

    `shifts` holds one row per batch and `batch` the row of each cell. The first fragment of an entry comes after an
    exponential waiting time; where that exceeds the expectation there is none, and elsewhere the rest is Poisson.
    """
    latent, loadings, offset = (x.astype(np.float32) for x in (latent, loadings, offset))
    wait_rng, more_rng = rng.spawn(2)
    step = max(1, _ENTRIES_AT_ONCE // len(loadings))
    blocks = []
    for first in range(0, len(latent), step):
        cells = slice(first, first + step)
        shift = None if shifts is None or batch is None else shifts[batch[cells]].astype(np.float32)
        rate = expected_fragments(latent[cells], loadings, offset, total, activation=activation, shift=shift)
        rate -= wait_rng.standard_exponential(rate.shape, dtype=np.float32)
        row, column = np.nonzero(rate > 0)
        fragments = 1 + more_rng.poisson(rate[row, column])
        indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(rate)))])
        blocks.append(sparse.csr_matrix((fragments.astype(np.int32), column.astype(np.int32), indptr), rate.shape))
    return sparse.vstack(blocks, format="csr", dtype=np.int32)


def thin(
    fragments: sparse.csr_matrix, kept: np.ndarray, *, zero_inflation: float, rng: np.random.Generator
) -> sparse.csr_matrix:
    """Keep each fragment of a cell with probability `kept`, then empty a share of the entries altogether."""
    row = np.repeat(np.arange(fragments.shape[0]), np.diff(fragments.indptr))
    data = rng.binomial(fragments.data, kept[row]).astype(np.int32)
    if zero_inflation > 0:
        data[rng.random(len(data)) < zero_inflation] = 0
    counts = sparse.csr_matrix((data, fragments.indices.copy(), fragments.indptr.copy()), shape=fragments.shape)
    counts.eliminate_zeros()
    return counts
