r"""Enhancement that does not hang on the number of components: a consensus over several of them.

One sketch of the data starts NMFs of several sizes K. Each gives a cell-to-cell similarity
:math:`\tilde H_K \Theta_K^\top`, where :math:`\tilde H_K` has columns and :math:`\Theta_K` rows that sum to 1:
column j holds the weights with which cell j averages all cells, as the paper states for Z. The similarities are
averaged over K and their target side is smoothed on neighbour graphs P̄ of the cells:

.. math::

    Z = \frac1B \sum_K \tilde H_K \, \Theta_K^\top (\bar P^\top)^t ,
    \qquad XZ = [X \tilde H_K]_K \; \tfrac1B [\Theta_K]_K^\top (\bar P^\top)^t .

Everything is thin and non-negative; the rank is ΣK.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ._batch import align_embedding, balanced_factors, spread_over_batches
from ._graph import diffuse, mean_kernel, smoothing_kernel, spectral_embedding
from ._nmf import Prior, _start_from_prior, _update_w, balance, compressed_nmf, effort, hals, nndsvd, sketch
from ._operator import ScaledOperator

BANK = (4, 5, 6, 7, 8, 9, 10, 12, 16, 20)
SPECTRAL = (20, 50)


@dataclass(frozen=True)
class RobustOptions:
    """Options of the consensus.

    Attributes
    ----------
    bank
        Numbers of components K that are averaged.
    n_neighbors
        Neighbours per cell in the graphs, itself included.
    n_steps
        t, smoothing steps on the target side.
    """

    bank: tuple[int, ...] = BANK
    n_neighbors: int = 15
    n_steps: int = 1


def choose_bank(n_components: int | None, shape: tuple[int, int]) -> tuple[int, ...]:
    """Return the numbers of components to average: the default ones, and the user's, as far as the data allow."""
    wanted = set(BANK) | ({n_components} if n_components else set())
    limit = max(1, min(shape) - 1)
    return tuple(sorted({min(k, limit) for k in wanted}))


def nmf_bank(
    op: ScaledOperator, bank: tuple[int, ...], *, prior: Prior | None, rng: np.random.Generator
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return H (n_obs × K) and W (n_vars × K) for every K, from one sketch and shared full passes.

    Parameters
    ----------
    op
        The data.
    bank
        The numbers K.
    prior
        Reference projection; its components are added to every K.
    rng
        Generator of the sketch.
    """
    k1 = 0 if prior is None else prior.directions.shape[1]
    small = effort(op) >= 20
    view = sketch(op, max(bank) + k1 + (20 if small else 40), n_power=2 if small else 1, rng=rng)
    svd = view.svd()
    starts = [nndsvd(*svd, k) if prior is None else _start_from_prior(view, k + k1, prior) for k in bank]
    if not small:  # full passes are dear: get close on the sketch, although its local optima are a little worse
        starts = [compressed_nmf(view, h, w, prior=prior) for h, w in starts]
    hs, ws = zip(*starts, strict=True)
    return _shared_polish(op, list(hs), list(ws), prior=prior, n_iter=30 if small else 2)


def _shared_polish(
    op: ScaledOperator, hs: list[np.ndarray], ws: list[np.ndarray], *, prior: Prior | None, n_iter: int
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Full HALS iterations of all factorisations at once, each with one read of the data."""
    cuts = np.cumsum([0, *(w.shape[1] for w in ws)])
    parts = [slice(a, b) for a, b in pairwise(cuts)]
    for _ in range(n_iter):
        pairs = [balance(h, w) for h, w in zip(hs, ws, strict=True)]
        h_all, w_all = np.hstack([h for h, _ in pairs]), np.hstack([w for _, w in pairs])
        grams = [w.T @ w for _, w in pairs]

        def update(rows: slice, product: np.ndarray, h_all=h_all, grams=grams) -> np.ndarray:
            blocks = [hals(h_all[rows, p], product[:, p], g, n_sweeps=2) for p, g in zip(parts, grams, strict=True)]
            return np.hstack(blocks)

        left, back = op.sweep(w_all, update)
        hs = [left[:, p] for p in parts]
        ws = [_update_w(w_all[:, p], back[:, p], h.T @ h, prior, n_sweeps=2) for p, h in zip(parts, hs, strict=True)]
    return [h.astype(np.float64) for h in hs], [w.astype(np.float64) for w in ws]


def _unit_columns(h: np.ndarray) -> np.ndarray:
    sums = h.sum(axis=0)
    return h / np.where(sums > 0, sums, 1)


def _unit_rows(h: np.ndarray) -> np.ndarray:
    sums = h.sum(axis=1, keepdims=True)
    return h / np.where(sums > 0, sums, 1)


def _unit_norm(embedding: np.ndarray) -> np.ndarray:
    return embedding / max(np.linalg.norm(embedding), 1e-12)


def cell_graph(
    op: ScaledOperator,
    memberships: np.ndarray,
    options: RobustOptions,
    *,
    codes: np.ndarray | None,
    rng: np.random.Generator,
):
    """Return P̄, the mean kernel of graphs on spectral embeddings of several sizes and on the memberships."""
    binary = op.binarized()
    norms = np.sqrt(binary.row_sq_norms())
    binary = binary.with_scales(binary.row_scale / np.where(norms > 0, norms, 1), op.col_scale)
    vectors, values = spectral_embedding(binary, min(max(SPECTRAL), min(op.shape) - 2), rng=rng)
    spectral = vectors * np.sqrt(values)
    centred = memberships - memberships.mean(axis=0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    topics = (u * s)[:, :30]
    views = [spectral[:, :d] for d in SPECTRAL if d <= spectral.shape[1]] or [spectral]
    views += [topics, np.hstack([_unit_norm(spectral[:, :30]), _unit_norm(topics)])]
    if codes is not None:
        views = [align_embedding(view, codes, nonnegative=False, rng=rng) for view in views]
    return mean_kernel([smoothing_kernel(view, n_neighbors=options.n_neighbors, rng=rng) for view in views])


@dataclass(frozen=True)
class RobustFit:
    """Result of :func:`fit_robust`; the arrays are those of an enhancement.

    Attributes
    ----------
    embedding
        Smoothed memberships, (n_obs × ΣK).
    projection
        NMF projections W of all sizes, (n_vars × ΣK), columns of unit sum.
    sources, cell_factors
        Z = sources @ cell_factors.T.
    peak_factors
        X @ sources, (n_vars × r).
    objective
        Relative residual ‖X̃ − H Wᵀ‖² / ‖X̃‖² of every K.
    bank
        The numbers K.
    """

    embedding: np.ndarray
    projection: np.ndarray
    sources: np.ndarray
    cell_factors: np.ndarray
    peak_factors: np.ndarray
    objective: np.ndarray
    bank: tuple[int, ...]


def fit_robust(
    op: ScaledOperator,
    options: RobustOptions,
    *,
    prior: Prior | None = None,
    source: np.ndarray | None = None,
    codes: np.ndarray | None = None,
    rng: np.random.Generator,
) -> RobustFit:
    """Fit the consensus.

    Parameters
    ----------
    op
        TF-IDF scaled data, cells × peaks.
    options
        Options of the consensus.
    prior
        Reference projection (scCASER).
    source
        Weights of the source cells (depth correction), shape (n_obs,).
    codes
        Integer batch codes, shape (n_obs,).
    rng
        Generator.
    """
    hs, ws = nmf_bank(op, options.bank, prior=prior, rng=rng)
    total = op.sq_norm()
    residuals = []
    for h, w in zip(hs, ws, strict=True):
        cross = np.sum(op.rmatmul(h) * w)
        residuals.append((total - 2 * cross + np.sum((h.T @ h) * (w.T @ w))) / total)
    if codes is not None:
        hs = [align_embedding(h, codes, rng=rng) for h in hs]
    hs = [_unit_columns(h) for h in hs]
    theta = np.hstack([_unit_rows(h) for h in hs]) / len(hs)
    sources = np.hstack([_unit_columns(h if source is None else h * source[:, None]) for h in hs])
    kernel = cell_graph(op, theta, options, codes=codes, rng=rng)
    smooth = diffuse(kernel, theta, options.n_steps)
    cells, used = smooth, sources
    if codes is not None:
        factor = balanced_factors(sources, smooth, codes)
        used, cells = spread_over_batches(sources, smooth, codes, factor)
    projection = np.hstack([_unit_columns(w) for w in ws])
    return RobustFit(smooth, projection, used, cells, op.rmatmul(used), np.array(residuals), options.bank)
