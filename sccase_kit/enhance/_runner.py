"""Fit a model to a count matrix: start, descent, variants, thin factors."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import _published as published
from ._batch import align_embedding, balanced_factors, published_factors, spread_over_batches
from ._nmf import Prior, fast_start, sklearn_start
from ._prepare import Prepared
from ._robust import RobustOptions, choose_bank, fit_robust
from ._thin import ThinFit, Weights, fit_thin, interpretable_projection


@dataclass(frozen=True)
class ModelOptions:
    """Options of the scCASE model, as in :func:`sccase_kit.tl.enhance`."""

    n_components: int
    init: str = "fast"
    lam: float = published.LAMBDA
    gamma1: float = 1.0
    gamma2: float = 1.0
    keep_probability: float = published.KEEP_PROBABILITY
    alpha: float = 1.0
    batch_method: str = "balanced"
    max_iter: int = 3
    tol: float = 1e-4


@dataclass(frozen=True)
class Enhancement:
    """A fitted enhancer.

    Attributes
    ----------
    embedding, projection
        Arrays of shapes (n_obs, k) and (n_vars, k); component j of both belong together.
    cell_factors, peak_factors
        Thin factors of the enhanced matrix: enhanced = cell_factors @ peak_factors.T.
    sources
        Array of shape (n_obs, r): the similarity is Z = sources @ cell_factors.T; its columns are the weights with
        which a cell's enhanced profile averages all cells.
    objective
        Objective after every iteration.
    info
        What else the method reports.
    """

    embedding: np.ndarray
    projection: np.ndarray
    cell_factors: np.ndarray
    peak_factors: np.ndarray
    sources: np.ndarray
    objective: np.ndarray
    info: dict[str, Any] = field(default_factory=dict)


@dataclass
class Stopwatch:
    """Seconds spent per named stage."""

    seconds: dict[str, float] = field(default_factory=dict)
    _stage: str | None = None
    _since: float = 0.0

    def stage(self, name: str | None) -> None:
        """End the running stage and start `name` (None: only end)."""
        now = time.perf_counter()
        if self._stage is not None:
            self.seconds[self._stage] = self.seconds.get(self._stage, 0.0) + now - self._since
        self._stage, self._since = name, now


def reference_prior(
    reference: np.ndarray, col_scale: np.ndarray, n_reference: int, *, alpha: float, rng: np.random.Generator
) -> Prior:
    """Return the projection P of the reference as a prior on W₁ (Eq. 3).

    The reference (groups × peaks) is weighted by the target's inverse document frequencies, each group scaled to unit
    norm, and factorised by NMF; the components' columns have unit norm.
    """
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    x = np.asarray(reference, dtype=np.float64) * col_scale
    norms = np.linalg.norm(x, axis=1, keepdims=True)
    x = x / np.where(norms > 0, norms, 1)
    model = NMF(n_reference, init="nndsvda", max_iter=500, tol=1e-4, random_state=int(rng.integers(2**31)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(x)
    p = model.components_.T
    norms = np.linalg.norm(p, axis=0)
    return Prior(p[:, norms > 0] / norms[norms > 0], alpha)


def fit_sccase(
    data: Prepared,
    options: ModelOptions,
    *,
    reference: np.ndarray | None = None,
    n_reference: int = 0,
    depth: bool = False,
    batch: np.ndarray | None = None,
    rng: np.random.Generator,
    watch: Stopwatch,
    report: Callable[[int, float], None] | None = None,
) -> Enhancement:
    """Fit the thin scCASE model with any combination of reference, depth and batch correction.

    Parameters
    ----------
    data
        The prepared counts.
    options
        Model options.
    reference
        Reference counts aligned to the peaks, groups × peaks.
    n_reference
        k₁, components that start from the reference.
    depth
        Weigh source cells by P = depth / median depth (Supplementary Text S3).
    batch
        Integer batch codes, shape (n_obs,).
    rng, watch, report
        Generator, stopwatch, and callback with (iteration, objective).
    """
    op = data.op
    watch.stage("start")
    prior = None
    if reference is not None:
        prior = reference_prior(reference, op.col_scale, n_reference, alpha=options.alpha, rng=rng)
    if options.init == "published" and prior is None:
        h, w = sklearn_start(op, options.n_components)
    else:
        h, w = fast_start(op, options.n_components, rng=rng, prior=prior)
    if batch is not None and options.batch_method == "balanced":
        h = align_embedding(h, batch, rng=rng)
        w = None
    watch.stage("descent")
    median = np.median(data.depth[data.depth > 0])
    source = data.depth / median if depth else np.ones(op.shape[0])
    weights = Weights(options.lam, options.gamma1, options.gamma2, options.keep_probability, source)
    fit = fit_thin(op, h, weights, w=w, max_iter=options.max_iter, tol=options.tol, report=report)
    watch.stage("factors")
    result = _factors(data, fit, options, depth=depth, batch=batch)
    watch.stage(None)
    return result


def _factors(
    data: Prepared, fit: ThinFit, options: ModelOptions, *, depth: bool, batch: np.ndarray | None
) -> Enhancement:
    state = fit.state
    cells, peaks, sources = state.h_of_z, state.xa, state.a
    if batch is not None:
        weigh = balanced_factors if options.batch_method == "balanced" else published_factors
        sources, cells = spread_over_batches(state.a, state.h_of_z, batch, weigh(state.a, state.h_of_z, batch))
        peaks = data.op.rmatmul(sources)
    if depth:
        sums = cells @ sources.sum(axis=0)
        cells = cells / np.where(sums > 0, sums, 1)[:, None]
    return Enhancement(
        embedding=state.h,
        projection=interpretable_projection(state),
        cell_factors=np.ascontiguousarray(cells, dtype=np.float32),
        peak_factors=np.ascontiguousarray(peaks, dtype=np.float32),
        sources=np.ascontiguousarray(sources, dtype=np.float32),
        objective=fit.objective,
        info={"converged": fit.converged, "n_iter": len(fit.objective) - 1},
    )


def fit_consensus(
    data: Prepared,
    n_components: int | None,
    *,
    reference: np.ndarray | None = None,
    n_reference: int = 0,
    alpha: float = 1.0,
    depth: bool = False,
    batch: np.ndarray | None = None,
    rng: np.random.Generator,
    watch: Stopwatch,
) -> Enhancement:
    """Fit the consensus over several numbers of components (:mod:`sccase_kit.enhance._robust`).

    Parameters
    ----------
    data
        The prepared counts.
    n_components
        A number to add to the default ones; `None` for those alone.
    reference, n_reference, alpha
        Reference counts, its components, and the pull of W₁ towards them.
    depth
        Weigh source cells by depth / median depth.
    batch
        Integer batch codes, shape (n_obs,).
    rng, watch
        Generator and stopwatch.
    """
    op = data.op
    prior = None
    if reference is not None:
        watch.stage("reference")
        prior = reference_prior(reference, op.col_scale, n_reference, alpha=alpha, rng=rng)
    watch.stage("consensus")
    source = data.depth / np.median(data.depth[data.depth > 0]) if depth else None
    options = RobustOptions(bank=choose_bank(n_components, op.shape))
    fit = fit_robust(op, options, prior=prior, source=source, codes=batch, rng=rng)
    watch.stage(None)
    return Enhancement(
        embedding=fit.embedding,
        projection=fit.projection,
        cell_factors=np.ascontiguousarray(fit.cell_factors, dtype=np.float32),
        peak_factors=np.ascontiguousarray(fit.peak_factors, dtype=np.float32),
        sources=np.ascontiguousarray(fit.sources, dtype=np.float32),
        objective=fit.objective,
        info={"bank": np.array(fit.bank)},
    )
