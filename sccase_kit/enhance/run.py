"""From a matrix and a method to a result: chosen, checked, prepared, timed, kept and shown in one place."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .._arguments import Made, Matrix, checked
from .._logging import logger, warn
from .._progress import progress
from .._record import seeded
from .._validate import check_choice
from .checkpoint import Arrays, Checkpoint, Judge
from .expected import factor_sums, measured_peaks
from .memory import expected_memory
from .method import METHODS, TAKES, Method, check_takes, unused_options
from .nmf import SMALL
from .preparation import Prepared, fingerprint, prepared
from .result import Enhancement, is_zero

#: Solvers that are methods of their own → what they are.
LITERAL = {"published": "the program's scCASE", "paper": "scCASE as the paper prints it"}


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


@dataclass
class Inputs:
    """What a method is given besides the counts.

    Attributes
    ----------
    rng
        Generator of everything that is drawn.
    reference
        Reference counts on the peaks of the data, float64 array of shape (groups, n_vars), or None.
    depth
        Whether to correct for depth (`data.depth` holds it).
    batch
        Integer batch codes, shape (n_obs,), or None.
    checkpoint
        Where finished stages are kept, or None.
    watch
        Seconds per stage.
    report
        Called with (stages or iterations done, text) for the progress bar.
    iterated
        Called with (iteration, objective) by methods that iterate.
    """

    rng: np.random.Generator
    reference: np.ndarray | None = None
    depth: bool = False
    batch: np.ndarray | None = None
    checkpoint: Checkpoint | None = None
    watch: Stopwatch = field(default_factory=Stopwatch)
    report: Callable[[int, str], None] | None = None
    iterated: Callable[[int, float], None] | None = None

    def done(self, text: str) -> None:
        """Move the progress bar by one, with a text next to it."""
        if self.report is not None:
            self.report(1, text)

    def iteration(self, number: int, objective: float) -> None:
        """Say that an iteration is done."""
        self.done(f"objective={objective:.6g}")
        if self.iterated is not None:
            self.iterated(number, objective)

    def stage(self, name: str, compute: Callable[[], Arrays], *, judge: Judge | None = None) -> Arrays:
        """Return the arrays of a long stage: timed, shown, and taken from the checkpoint if it was finished before.

        Parameters
        ----------
        name
            Its name, a word.
        compute
            Function without arguments that returns name → array. It may draw from `rng`; what comes after it draws the
            same, whether it ran or not.
        judge
            Called with arrays that were kept; returns what is wrong with them, or None. See :func:`shapes_are`.
        """
        self.watch.stage(name)
        arrays = compute() if self.checkpoint is None else self.checkpoint.stage(name, compute, judge=judge)
        self.done(name)
        return arrays


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes
    ----------
    result
        The :class:`~sccase_kit.enhance.Enhancement`.
    method
        The method with the numbers that "auto" stood for.
    seconds
        Seconds per stage.
    """

    result: Enhancement
    method: Method
    seconds: dict[str, float]


def choose(
    method: str | Method | type[Method] | None,
    given: Mapping[str, Any],
    *,
    solver: str = "thin",
) -> Method:
    """Return the method that the arguments of a call spell, with the options that were given.

    Parameters
    ----------
    method
        A name, a :class:`Method`, its class, or None for the default.
    given
        Option → value, of those that a user gave. Those that the method lacks are named in a warning.
    solver
        ``"published"`` and ``"paper"`` are other spellings of these methods.

    Returns
    -------
    The method.

    Raises
    ------
    TypeError, ValueError
        If there is no such method, an option is not of its type or bounds, or is given twice.
    """
    check_choice(solver, ["thin", *LITERAL], name="solver")
    kind = method if isinstance(method, type) else type(method)
    if issubclass(kind, Method):
        if solver in LITERAL and kind is not METHODS[solver]:
            raise ValueError(_not_of(solver, kind.name))
        own = method.params() if isinstance(method, Method) else kind.defaults()
    elif method is None or isinstance(method, str):
        kind = METHODS[_spelled(method, given, solver)]
        own = kind.defaults()
    else:
        msg = f"method must be one of {list(METHODS)} or a Method, got {method!r} ({type(method).__name__})"
        raise TypeError(msg)
    if kind.name in LITERAL and given.get("init") == "published":  # they have no other start
        given = {name: value for name, value in given.items() if name != "init"}
    known = {name: value for name, value in given.items() if name in own}
    defaults = kind.defaults()
    for name, value in known.items():
        if own[name] != defaults[name] and own[name] != value:
            msg = f"{name} is given twice: {own[name]!r} in method, and {name}={value!r}"
            raise ValueError(msg)
    chosen = kind(**(own | known))
    unknown = {name: value for name, value in given.items() if name not in own}
    for name, value in unknown.items():
        next((other.check(name, value) for other in METHODS.values() if name in other.options()), None)
    if unknown:
        words = ", ".join(f"{name}={value!r}" for name, value in unknown.items())
        warn(f"{words} has no effect with {chosen.explained()}")
    return chosen


def _spelled(method: str | None, given: Mapping[str, Any], solver: str) -> str:
    if method is None:
        return solver if solver in LITERAL else "sccase" if given.get("init") == "published" else "robust"
    check_choice(method, METHODS, name="method")
    if solver in LITERAL and method not in ("sccase", solver):
        raise ValueError(_not_of(solver, method))
    return solver if solver in LITERAL else method


def _not_of(solver: str, method: str) -> str:
    return f"solver={solver!r} is {LITERAL[solver]}; method={method!r} needs solver='thin'"


@checked(matrix=Matrix("cells peaks", stored=True), method=Made(Method, "sccase_kit.enhance.Robust()"))
def fit(
    matrix: Any,
    method: Method,
    *,
    reference: np.ndarray | None = None,
    depth: bool = False,
    batch: np.ndarray | None = None,
    dtype: str = "float32",
    device: str | None = None,
    rng: Any = 0,
    checkpoint: str | os.PathLike[str] | None = None,
    estimate: Callable[[Prepared, np.random.Generator], int] | None = None,
    inspect: Callable[[Prepared], None] | None = None,
) -> Run:
    """Fit a method to counts.

    Parameters
    ----------
    matrix
        Counts, cells × peaks: ndarray, scipy sparse, backed or dask.
    method
        The method, such as ``sk.enhance.Sccase(n_components=8)``.
    reference
        Reference counts on the same peaks, (groups × n_vars).
    depth
        Correct for depth.
    batch
        Integer batch codes, shape (n_obs,).
    dtype
        Precision of the products with the data, float32 or float64.
    device
        PyTorch device of these products; `None` for the CPU without PyTorch.
    rng
        Seed or generator.
    checkpoint
        Folder where finished stages are kept.
    estimate
        Returns the number of components that ``n_components="auto"`` stands for, for methods that need one.
    inspect
        Called with the prepared counts before anything is fitted.

    Returns
    -------
    :class:`Run`

    Raises
    ------
    TypeError, ValueError
        If the method cannot use what is given, or the counts or an argument are unusable.
    """
    given = {"reference": reference, "depth": depth, "batch": batch, "checkpoint": checkpoint, "device": device}
    check_takes(method, given)
    check_choice(dtype, ["float32", "float64"], name="dtype")
    for part, names in unused_options(method, given).items():
        values = ", ".join(f"{name}={getattr(method, name)!r}" for name in names)
        warn(f"{values} has no effect with no {TAKES[part]}")
    n_groups = 0 if reference is None else len(reference)
    method.resolve(matrix.shape, n_groups)  # what cannot be is said before the counts are read
    rng, seed = seeded(rng)
    generator, watch = np.random.default_rng(rng), Stopwatch()
    watch.stage("prepare")
    salt = int(generator.integers(2**62)) if method.graphs and matrix.shape[0] > SMALL else None
    data = prepared(matrix, dtype=np.dtype(dtype), device=device, salt=salt)
    if inspect is not None:
        inspect(data)
    if depth and np.ptp(data.depth) == 0:
        warn("depth=True has no effect: all cells have the same depth")
    if method.needs_estimate():
        watch.stage("estimate_k")
        method = method.with_options(n_components=_estimated(estimate, data, generator))
    method = method.resolve(matrix.shape, n_groups)
    if (note := method.note(matrix.shape)) is not None:
        logger.info(note)
    columns = method.columns(data.op.shape)
    if columns is not None and not data.op.in_memory:
        size = expected_memory(data.op.shape, columns, robust=method.graphs, in_memory=False, nnz=data.nnz)
        logger.info("the counts are read in blocks; the fit takes about %.1f GiB of memory", size / 2**30)
    kept = None
    if checkpoint is not None:
        call = {"method": method.name, **method.params(), "depth": bool(depth), "dtype": dtype, "device": device}
        call["rng"] = f"default_rng({seed})" if isinstance(seed, int) else seed
        kept = Checkpoint(checkpoint, call | fingerprint(data, batch, reference), generator)
    with progress(desc="enhance", total=method.n_stages(), unit="stage") as bar:

        def report(steps: int, text: str) -> None:
            bar.set_postfix_str(text, refresh=False)
            bar.update(steps)

        inputs = Inputs(generator, reference, bool(depth), batch, kept, watch, report)
        result = method.fit(data, inputs)
        bar.total = bar.n  # a descent may end before its last iteration
        bar.refresh()
    watch.stage(None)
    if is_zero(result):
        warn(
            f"every enhanced value is 0: {method.explained()} with these options ends at its trivial solution on these "
            "data; change the options, or leave out method and solver for the default"
        )
    return Run(_with_counts(result, data), method, dict(watch.seconds))


def _with_counts(result: Enhancement, data: Prepared) -> Enhancement:
    """Return the result with what turns its values into counts."""
    peaks = measured_peaks(data.op, data.n_cells_open)
    info = dict(result.info)
    if result.peak_factors is not None:
        info["factor_sums"] = factor_sums(result.peak_factors, peaks)
    else:
        info["factor_sums"] = np.zeros(0)
    scaling = np.column_stack([peaks.idf, peaks.share]) if result.peak_scaling is None else result.peak_scaling
    return replace(result, depth=data.depth, peak_scaling=scaling, info=info)


def _estimated(
    estimate: Callable[[Prepared, np.random.Generator], int] | None, data: Prepared, rng: np.random.Generator
) -> int:
    if estimate is None:
        msg = "n_components='auto' must be a number here; sccase_kit.tl.estimate_k estimates one"
        raise ValueError(msg)
    return estimate(data, rng)
