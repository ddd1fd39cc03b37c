"""The default: a consensus over several numbers of components (:mod:`sccase_kit.enhance.robust`)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np

from ..._arguments import Generator, Made, checked
from ...matrix.gram import gram_pays
from ...matrix.operator import ScaledOperator
from ..checkpoint import Arrays, Checkpoint, shapes_are
from ..experts import Choice
from ..method import Method, option, register
from ..preparation import Places, Prepared, distinct_peaks
from ..recovery import MORE, enough, hide_and_choose, recover
from ..reference import Reference
from ..result import Enhancement
from ..robust import RobustFit, RobustOptions, choose_bank, fit_robust
from ..run import Inputs, Stopwatch
from ..survey import free_samples


@register
@dataclass(frozen=True)
class Robust(Method):
    """A consensus over several numbers of components, smoothed on neighbour graphs.

    Attributes
    ----------
    n_components, n_reference, alpha
        Options; see :meth:`options`.
    """

    name = "robust"
    summary = "consensus over several numbers of components, smoothed on neighbour graphs (the default)"
    takes = frozenset({"reference", "depth", "batch", "checkpoint", "device"})
    graphs = True

    n_components: int | Literal["auto"] = option("auto", "a number averaged in addition to the default ones", minimum=1)
    n_reference: int | Literal["auto"] = option(
        "auto", "components that start from the reference; auto: one per group", minimum=1, needs="reference"
    )
    alpha: float = option(1.0, "weight of the reference, a share α / (1 + α)", minimum=0, needs="reference")

    def bank(self, shape: tuple[int, int]) -> tuple[int, ...]:
        """Return the numbers of components that are averaged on data of this shape."""
        return choose_bank(None if self.n_components == "auto" else self.n_components, shape)

    def columns(self, shape: tuple[int, int]) -> int:
        """Return the columns of all factorisations together, those for expected accessibility alone included."""
        return sum({*self.bank(shape), *MORE})

    def note(self, shape: tuple[int, int]) -> str | None:
        """Return which numbers are averaged; None where none was given, which this method does not need."""
        if self.n_components == "auto":
            return None
        bank = choose_bank(None, shape)
        known = "is among them already" if self.n_components in bank else "is added to them"
        return f"method='robust' averages {bank} components; n_components={self.n_components} {known}"

    def n_stages(self) -> int:
        """Return 4: hidden entries, factorisations, graph and expected accessibility (with batches two of them)."""
        return 4

    def fit(self, data: Prepared, inputs: Inputs) -> Enhancement:
        """Fit the method; see :meth:`Method.fit`."""
        reference = None
        if inputs.reference is not None:
            reference = Reference(inputs.reference, int(self.n_reference), self.alpha)
        places, whole = Places(data.op.shape[1]), data
        if reference is None:  # it is scaled over all peaks
            data, places = distinct_peaks(data)
        whole = whole if places.together else data
        bank = self.bank(whole.op.shape)
        skipped = None
        if inputs.batch is not None:
            skipped = "batch_key: the hidden entries of a batch hold its differences, which would come back"
        elif not enough(whole.op.shape, data.nnz, bank):
            skipped = "too few cells, peaks or open entries to hide some of them"
        more = MORE if skipped is None else ()
        sizes, hidden = tuple(sorted({*bank, *more})), partial(_hidden, whole.op, inputs, reference)
        # nothing is drawn for the other stages of such data, so that the order is free: this one takes less memory
        first = hidden(sizes) if skipped is None and gram_pays(whole.op) else None
        fit = fit_robust(
            data.op,
            RobustOptions(bank=bank, more=more),
            reference=reference,
            source=data.depth / np.median(data.depth[data.depth > 0]) if inputs.depth else None,
            codes=inputs.batch,
            rng=inputs.rng,
            stage=inputs.stage,
        )
        found: dict[str, Any] = {}
        expected: dict[str, np.ndarray] = {}
        if skipped is None:
            choice = hidden(sizes) if first is None else first
            expected = _expected(data, choice, inputs, fit, places)
            found["expected"] = _described(choice, fit)
        else:
            found["expected_skipped"] = skipped
        free_samples(data.op)
        fit.images.clear()
        data = whole  # what is not needed any more goes before more is written for the peaks
        projection = places.spread(fit.projection)
        fit = replace(fit, projection=projection[:0])
        return Enhancement(
            embedding=fit.embedding,
            projection=projection,
            cell_factors=np.ascontiguousarray(fit.cell_factors, dtype=np.float32),
            peak_factors=np.ascontiguousarray(places.spread(fit.peak_factors), dtype=np.float32),
            sources=np.ascontiguousarray(fit.sources, dtype=np.float32),
            objective=fit.objective,
            info={"bank": np.array(fit.bank), "weights": fit.weights, **found},
            **expected,
        )


def _hidden(op: ScaledOperator, inputs: Inputs, reference: Reference | None, sizes: tuple[int, ...]) -> Choice:
    """Return what hidden entries choose, a stage of its own."""

    def compute() -> Arrays:
        choice = hide_and_choose(op, sizes, reference=reference, rng=inputs.rng)
        weights = np.stack([choice.climbed, choice.plain, choice.smooth])
        rest = [choice.alpha, choice.mean, choice.stretch, max(choice.gain, 0.0), choice.error, choice.n_folds]
        return {"weights": weights, "rest": np.array(rest)}

    shapes = {"weights": (3, len(sizes) + (reference is not None)), "rest": (6,)}
    arrays = inputs.stage("hidden", compute, judge=shapes_are(shapes))
    alpha, mean, stretch, gain, error, n_folds = arrays["rest"].tolist()
    climbed, plain, smooth = arrays["weights"]
    return Choice(alpha, climbed, plain, smooth, mean, stretch, gain, error, int(n_folds))


def _expected(data: Prepared, choice: Choice, inputs: Inputs, fit: RobustFit, places: Places) -> dict[str, np.ndarray]:
    """Return shares and profiles of the expected accessibility, a stage of its own."""

    def compute() -> Arrays:
        shares, profiles = recover(
            data.op,
            choice,
            fit.hs,
            fit.kernel,
            data.n_cells_open,
            images=fit.images,
            groups=fit.groups,
            places=places,
            rng=inputs.rng,
        )
        return {"shares": shares, "profiles": profiles}

    def judge(arrays: Arrays) -> str | None:
        rank = np.shape(arrays.get("shares", np.zeros(0)))[-1:]
        return shapes_are({"shares": (data.op.shape[0], *rank), "profiles": (places.n_peaks, *rank)})(arrays)

    return inputs.stage("expected", compute, judge=judge)


def _described(choice: Choice, fit: RobustFit) -> dict[str, Any]:
    """Return what of the choice is kept with a result."""
    found: dict[str, Any] = {"components": np.array([*fit.hs, *([] if fit.groups is None else [fit.groups.shape[1]])])}
    found |= {"weights": np.stack([choice.climbed, choice.plain, choice.smooth]), "mean_weight": choice.mean}
    found |= {"pseudo_entries": choice.alpha, "stretch": choice.stretch, "gain": choice.gain}
    found |= {"gain_error": choice.error, "n_folds": choice.n_folds, "is_mean": choice.mean == 1}
    return found


@checked(data=Made(Prepared, "sccase_kit.enhance.prepare"), rng=Generator())
def fit_consensus(
    data: Prepared,
    n_components: int | None = None,
    *,
    reference: Reference | None = None,
    depth: bool = False,
    batch: np.ndarray | None = None,
    rng: int | np.random.Generator = 0,
    watch: Stopwatch | None = None,
    checkpoint: Checkpoint | None = None,
) -> Enhancement:
    """Fit the consensus, the default method, to prepared counts.

    Parameters
    ----------
    data
        The prepared counts (:func:`sccase_kit.enhance.prepare`).
    n_components
        A number to add to the default ones; `None` for those alone.
    reference
        Reference data.
    depth
        Weigh source cells by depth / median depth.
    batch
        Integer batch codes, shape (n_obs,).
    rng
        Seed or generator.
    watch
        Stopwatch that the seconds of the stages are added to.
    checkpoint
        Where the factorisations and the graph are kept, and taken from.

    Returns
    -------
    :class:`Enhancement`, thin: embedding and cell factors (n_obs × ΣK), projection and peak factors (n_vars × ΣK).

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500).adata
    >>> fit = sk.enhance.fit_consensus(sk.enhance.prepare(adata.X))
    >>> fit.cell_factors.shape
    (100, 53)
    """
    method = Robust(n_components or "auto")
    if reference is not None:
        method = method.with_options(n_reference=reference.n_components, alpha=reference.alpha)
    watch = Stopwatch() if watch is None else watch
    counts = None if reference is None else reference.counts
    result = method.fit(data, Inputs(np.random.default_rng(rng), counts, depth, batch, checkpoint, watch))
    watch.stage(None)
    return result
