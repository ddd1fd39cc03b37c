"""The paper's model in its thin form (:mod:`sccase_kit.enhance.thin`), with every combination of its variants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from ..._arguments import Generator, Made, checked
from ...matrix.operator import ScaledOperator
from ..batch import align_embedding, balanced_factors, published_factors, spread_over_batches
from ..checkpoint import Arrays, Checkpoint, shapes_are
from ..method import Method, option, register
from ..nmf import fast_start, sketch_width, sklearn_start
from ..preparation import Prepared
from ..published import KEEP_PROBABILITY, LAMBDA
from ..reference import Reference, reference_memberships, with_reference
from ..result import Enhancement
from ..robust import RobustOptions, cell_graph, unit_columns, unit_rows
from ..run import Inputs, Stopwatch
from ..thin import State, ThinFit, Weights, fit_thin, interpretable_projection


@register
@dataclass(frozen=True)
class Sccase(Method):
    """The scCASE model without any n × n or cells × peaks array.

    Attributes
    ----------
    n_components, init, lam, gamma1, gamma2, keep_probability, batch_method, max_iter, tol, n_reference, alpha
        Options; see :meth:`options`.
    """

    name = "sccase"
    summary = "the paper's model, with its variants for reference, depth and batches"
    takes = frozenset({"reference", "depth", "batch", "checkpoint", "device"})
    iterates = True
    estimated = True

    n_components: int | Literal["auto"] = option("auto", "components; auto: estimated", minimum=1)
    init: Literal["fast", "published"] = option("fast", "sketched start, or scikit-learn's NMF as in the program")
    lam: float = option(LAMBDA, "λ of the similarity", minimum=0, exclusive=True)
    gamma1: float = option(1.0, "γ₁, weight of ‖W‖²", minimum=0)
    gamma2: float = option(1.0, "γ₂, weight of ‖H‖²", minimum=0)
    keep_probability: float = option(
        KEEP_PROBABILITY, "probability that the mask keeps an entry of Z", minimum=0, maximum=1
    )
    batch_method: Literal["balanced", "published"] = option(
        "balanced", "align the embedding over batches, or only reweight, as the program", needs="batch"
    )
    max_iter: int = option(3, "most iterations", minimum=1)
    tol: float = option(1e-4, "relative fall of the objective that ends them", minimum=0)
    n_reference: int | Literal["auto"] = option(
        "auto", "components that start from the reference; auto: one per group", minimum=1, needs="reference"
    )
    alpha: float = option(1.0, "weight of the reference, a share α / (1 + α)", minimum=0, needs="reference")

    def columns(self, shape: tuple[int, int]) -> int:
        """Return the columns of the sketch."""
        return sketch_width(int(self.n_components))

    def n_stages(self) -> int:
        """Return the start and the iterations."""
        return 1 + self.max_iter

    def fit(self, data: Prepared, inputs: Inputs) -> Enhancement:
        """Fit the method; see :meth:`Method.fit`."""
        op, batch = data.op, inputs.batch
        align = batch if batch is not None and self.batch_method == "balanced" else None
        (n, m), k = op.shape, int(self.n_components)
        first = inputs.stage(
            "start",
            partial(self._start, op, align, inputs.rng),
            judge=shapes_are({"h": (n, k), "w": (m, k)}, optional=("w",)),
        )
        h, w = first["h"], first.get("w")
        column_sums: np.ndarray | float = 1.0
        if inputs.reference is not None:
            inputs.watch.stage("reference")
            h, w = self._with_reference(op, h, inputs.reference, codes=align, rng=inputs.rng), None
            column_sums = h.sum(axis=0)
        inputs.watch.stage("descent")
        median = np.median(data.depth[data.depth > 0])
        source = data.depth / median if inputs.depth else np.ones(n)
        weights = Weights(self.lam, self.gamma1, self.gamma2, self.keep_probability, source)
        kept = inputs.checkpoint
        fit = fit_thin(
            op,
            h,
            weights,
            w=w,
            column_sums=column_sums,
            max_iter=self.max_iter,
            tol=self.tol,
            report=inputs.iteration,
            resume=None if kept is None else _last_point(kept, (n, m, h.shape[1])),
            keep=None if kept is None else partial(_keep_point, kept),
        )
        inputs.watch.stage("factors")
        return self._factors(data, fit, inputs)

    def _start(self, op: ScaledOperator, align: np.ndarray | None, rng: np.random.Generator) -> Arrays:
        if self.init == "published":
            h, w = sklearn_start(op, int(self.n_components))
        else:
            h, w = fast_start(op, int(self.n_components), rng=rng)
        return {"h": h, "w": w} if align is None else {"h": align_embedding(h, align, rng=rng)}

    def _with_reference(
        self,
        op: ScaledOperator,
        h: np.ndarray,
        counts: np.ndarray,
        *,
        codes: np.ndarray | None,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Return the start H = [H₁, H₂], H₂ with columns of sum 1."""
        kernel = cell_graph(op, unit_rows(h), RobustOptions(), codes=codes, rng=rng)
        members = reference_memberships(op, counts, int(self.n_reference), kernel=kernel, codes=codes, rng=rng)
        return with_reference(unit_columns(h), members, self.alpha)

    def _factors(self, data: Prepared, fit: ThinFit, inputs: Inputs) -> Enhancement:
        state, batch = fit.state, inputs.batch
        cells, peaks, sources = state.h_of_z, state.xa, state.a
        if batch is not None:
            weigh = balanced_factors if self.batch_method == "balanced" else published_factors
            sources, cells = spread_over_batches(state.a, state.h_of_z, batch, weigh(state.a, state.h_of_z, batch))
            peaks = data.op.rmatmul(sources)
        if inputs.depth:
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


def _keep_point(checkpoint: Checkpoint, state: State, trace: list[float]) -> None:
    arrays = {name: value for name, value in vars(state).items() if value is not None}
    checkpoint.save("point", {**arrays, "trace": np.array(trace)})


def _last_point(checkpoint: Checkpoint, sizes: tuple[int, int, int]) -> tuple[State, list[float]] | None:
    n, m, k = sizes
    cells, peaks = dict.fromkeys(("a", "h_of_z", "h", "xxa"), (n, k)), dict.fromkeys(("xa", "w"), (m, k))
    judge = shapes_are({**cells, **peaks, "trace": (-1,)}, optional=("xxa",), sign=False)
    arrays = checkpoint.load("point", judge=judge)
    if arrays is None:
        return None
    trace = arrays.pop("trace").tolist()
    return State(**arrays), trace


@checked(data=Made(Prepared, "sccase_kit.enhance.prepare"), options=Made(Sccase), rng=Generator())
def fit_sccase(
    data: Prepared,
    options: Sccase,
    *,
    reference: Reference | None = None,
    depth: bool = False,
    batch: np.ndarray | None = None,
    rng: int | np.random.Generator = 0,
    watch: Stopwatch | None = None,
    report: Callable[[int, float], None] | None = None,
    checkpoint: Checkpoint | None = None,
) -> Enhancement:
    """Fit the thin scCASE model with any combination of reference, depth and batch correction.

    Parameters
    ----------
    data
        The prepared counts.
    options
        The method with its options; it needs a number of components.
    reference
        Reference data, whose components are added to those of the options.
    depth
        Weigh source cells by P = depth / median depth (Supplementary Text S3).
    batch
        Integer batch codes, shape (n_obs,).
    rng
        Seed or generator.
    watch
        Stopwatch that the seconds of the stages are added to.
    report
        Called with (iteration, objective).
    checkpoint
        Where the start and the last accepted point are kept, and taken from.

    Returns
    -------
    :class:`Enhancement`

    Raises
    ------
    ValueError
        If the number of components is "auto".
    """
    if options.n_components == "auto":
        msg = "n_components='auto' must be a number here; sccase_kit.tl.estimate_k estimates one"
        raise ValueError(msg)
    if reference is not None:
        options = options.with_options(n_reference=reference.n_components, alpha=reference.alpha)
    watch = Stopwatch() if watch is None else watch
    counts = None if reference is None else reference.counts
    inputs = Inputs(np.random.default_rng(rng), counts, depth, batch, checkpoint, watch, iterated=report)
    result = options.fit(data, inputs)
    watch.stage(None)
    return result
