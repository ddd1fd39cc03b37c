"""Fit a model to a count matrix: start, descent, variants, thin factors."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import numpy as np

from ..matrix.operator import ScaledOperator
from . import published
from .batch import align_embedding, balanced_factors, published_factors, spread_over_batches
from .nmf import fast_start, sklearn_start
from .preparation import Prepared
from .reference import Reference, reference_memberships, with_reference
from .robust import RobustOptions, cell_graph, choose_bank, fit_robust, unit_columns, unit_rows
from .thin import State, ThinFit, Weights, fit_thin, interpretable_projection


class Checkpoint(Protocol):
    """Keeps the arrays of finished stages with the generator's state (:mod:`sccase_kit.enhance.checkpoint`)."""

    def load(self, stage: str) -> dict[str, np.ndarray] | None:
        """Return the arrays of a stage, or None."""

    def save(self, stage: str, arrays: dict[str, np.ndarray]) -> None:
        """Keep the arrays of a stage."""

    def stage(self, name: str, compute: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """Return the arrays of a stage, computed only if they are not kept."""


@dataclass(frozen=True)
class ModelOptions:
    """Options of the scCASE model.

    Attributes
    ----------
    n_components, init, lam, gamma1, gamma2, keep_probability, batch_method, max_iter, tol
        As in :func:`sccase_kit.tl.enhance`.
    """

    n_components: int
    init: str = "fast"
    lam: float = published.LAMBDA
    gamma1: float = 1.0
    gamma2: float = 1.0
    keep_probability: float = published.KEEP_PROBABILITY
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


def fit_sccase(
    data: Prepared,
    options: ModelOptions,
    *,
    reference: Reference | None = None,
    depth: bool = False,
    batch: np.ndarray | None = None,
    rng: np.random.Generator,
    watch: Stopwatch,
    report: Callable[[int, float], None] | None = None,
    checkpoint: Checkpoint | None = None,
) -> Enhancement:
    """Fit the thin scCASE model with any combination of reference, depth and batch correction.

    Parameters
    ----------
    data
        The prepared counts.
    options
        Model options.
    reference
        Reference data, whose components are added to those of the options.
    depth
        Weigh source cells by P = depth / median depth (Supplementary Text S3).
    batch
        Integer batch codes, shape (n_obs,).
    rng, watch, report
        Generator, stopwatch, and callback with (iteration, objective).
    checkpoint
        Where the start and the last accepted point are kept, and taken from.

    Returns
    -------
    :class:`Enhancement`
    """
    op = data.op
    watch.stage("start")
    align = batch is not None and options.batch_method == "balanced"

    def start() -> dict[str, np.ndarray]:
        if options.init == "published":
            h, w = sklearn_start(op, options.n_components)
        else:
            h, w = fast_start(op, options.n_components, rng=rng)
        return {"h": align_embedding(h, batch, rng=rng)} if align else {"h": h, "w": w}

    first = start() if checkpoint is None else checkpoint.stage("start", start)
    h, w = first["h"], first.get("w")
    column_sums: np.ndarray | float = 1.0
    if reference is not None:
        watch.stage("reference")
        h, w = _with_reference(op, h, reference, batch if align else None, rng), None
        column_sums = h.sum(axis=0)
    watch.stage("descent")
    median = np.median(data.depth[data.depth > 0])
    source = data.depth / median if depth else np.ones(op.shape[0])
    weights = Weights(options.lam, options.gamma1, options.gamma2, options.keep_probability, source)
    fit = fit_thin(
        op,
        h,
        weights,
        w=w,
        column_sums=column_sums,
        max_iter=options.max_iter,
        tol=options.tol,
        report=report,
        resume=None if checkpoint is None else _last_point(checkpoint),
        keep=None if checkpoint is None else partial(_keep_point, checkpoint),
    )
    watch.stage("factors")
    result = _factors(data, fit, options, depth=depth, batch=batch)
    watch.stage(None)
    return result


def _keep_point(checkpoint: Checkpoint, state: State, trace: list[float]) -> None:
    arrays = {name: value for name, value in vars(state).items() if value is not None}
    checkpoint.save("point", {**arrays, "trace": np.array(trace)})


def _last_point(checkpoint: Checkpoint) -> tuple[State, list[float]] | None:
    arrays = checkpoint.load("point")
    if arrays is None:
        return None
    trace = arrays.pop("trace").tolist()
    return State(**arrays), trace


def _with_reference(
    op: ScaledOperator, h: np.ndarray, reference: Reference, codes: np.ndarray | None, rng: np.random.Generator
) -> np.ndarray:
    """Return the start H = [H₁, H₂], H₂ with columns of sum 1."""
    kernel = cell_graph(op, unit_rows(h), RobustOptions(), codes=codes, rng=rng)
    members = reference_memberships(op, reference.counts, reference.n_components, kernel=kernel, codes=codes, rng=rng)
    return with_reference(unit_columns(h), members, reference.alpha)


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
    reference: Reference | None = None,
    depth: bool = False,
    batch: np.ndarray | None = None,
    rng: np.random.Generator,
    watch: Stopwatch,
    checkpoint: Checkpoint | None = None,
) -> Enhancement:
    """Fit the consensus over several numbers of components (:mod:`sccase_kit.enhance.robust`).

    Parameters
    ----------
    data
        The prepared counts.
    n_components
        A number to add to the default ones; `None` for those alone.
    reference
        Reference data.
    depth
        Weigh source cells by depth / median depth.
    batch
        Integer batch codes, shape (n_obs,).
    rng, watch
        Generator and stopwatch.
    checkpoint
        Where the factorisations and the graph are kept, and taken from.
    """
    op = data.op
    watch.stage("consensus")
    source = data.depth / np.median(data.depth[data.depth > 0]) if depth else None
    options = RobustOptions(bank=choose_bank(n_components, op.shape))
    kept = {} if checkpoint is None else {"stage": checkpoint.stage}
    fit = fit_robust(op, options, reference=reference, source=source, codes=batch, rng=rng, **kept)
    watch.stage(None)
    return Enhancement(
        embedding=fit.embedding,
        projection=fit.projection,
        cell_factors=np.ascontiguousarray(fit.cell_factors, dtype=np.float32),
        peak_factors=np.ascontiguousarray(fit.peak_factors, dtype=np.float32),
        sources=np.ascontiguousarray(fit.sources, dtype=np.float32),
        objective=fit.objective,
        info={"bank": np.array(fit.bank), "weights": fit.weights},
    )
