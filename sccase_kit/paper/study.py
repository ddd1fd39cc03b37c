"""One data set with the methods and settings of an experiment; what was fitted once is not fitted again."""

from __future__ import annotations

import inspect
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from anndata import AnnData

from ..enhance import METHODS, Knn, Published, Robust, Sccase, Tfidf
from ..enhance import Method as EnhancementMethod
from ..metrics import Profiles
from ..metrics.methods import Method, as_profiles, run_method
from ..tl import enhance, estimate_k
from .cohorts import Cohort

#: Names of the rows: the untreated data, the paper's model, this package's default method.
RAW, OURS, DEFAULT = "raw", "scCASE", "default"
#: Smoothing over neighbours, a baseline; and the published program, which is dense.
KNN, PROGRAM = "kNN", "scCASE program"
_DENSE_CELLS = 800
#: Where programs of others keep what they embed the cells in.
_EMBEDDINGS = ("embedding", "sccase_cell_factors")


@dataclass(frozen=True)
class Fit:
    """The result of one method with one seed.

    Attributes
    ----------
    plain
        Enhanced values.
    clustered
        The values that are clustered: min–max scaled, as the published program's output.
    embedding
        What the method embeds the cells in, (n_obs × k); None for methods that return a matrix alone.
    seconds
        Wall time of the fit.
    """

    plain: Profiles
    clustered: Profiles
    embedding: np.ndarray | None
    seconds: float


def standard_methods(n_cells: int) -> dict[str, Method]:
    """Return the methods that are always there: raw TF-IDF, smoothing over neighbours, scCASE, the default.

    The published program, which is dense, is among them up to 800 cells.
    """
    found: dict[str, Method] = {RAW: Tfidf(), KNN: Knn(), OURS: Sccase(), DEFAULT: Robust()}
    if n_cells <= _DENSE_CELLS:
        found[PROGRAM] = Published()
    return found


def is_baseline(name: str) -> bool:
    """Return whether a method is one that the paper's model is compared with."""
    return name not in (OURS, DEFAULT, PROGRAM)


@dataclass
class Study:
    """What an experiment runs on.

    Attributes
    ----------
    cohort
        The data set; None for experiments without one.
    methods
        Name → method, see :mod:`sccase_kit.metrics.methods`.
    settings
        Of the experiment.
    tools
        Options of tools that need files: "great", "snpsea", "ldsc", "motifs" → arguments of the function of
        :mod:`sccase_kit.tl`.
    """

    cohort: Cohort | None
    methods: Mapping[str, Method]
    settings: Mapping[str, Any]
    tools: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    _fits: dict[tuple[str, int], Fit] = field(default_factory=dict)
    _known: dict[str, int] = field(default_factory=dict)

    @property
    def adata(self) -> AnnData:
        """Counts of the cohort."""
        return self.data.adata

    @property
    def data(self) -> Cohort:
        """The cohort, for experiments that have one."""
        if self.cohort is None:
            msg = "this experiment has no data set"
            raise ValueError(msg)
        return self.cohort

    @property
    def labels(self) -> np.ndarray:
        """Cell types, text, shape (n_obs,)."""
        return self.adata.obs[self.data.groupby].astype(str).to_numpy()

    @property
    def n_types(self) -> int:
        """Number of cell types."""
        return len(np.unique(self.labels))

    def with_settings(self, settings: Mapping[str, Any]) -> Study:
        """Return the study for another experiment; fits are shared."""
        return Study(self.cohort, self.methods, settings, self.tools, self._fits, self._known)

    @property
    def n_components(self) -> int:
        """Number of components: ASTER's number of types + 1, estimated once; see :func:`sccase_kit.tl.estimate_k`."""
        if "k" not in self._known:
            sizes = range(3, min(15, self.adata.n_obs, self.adata.n_vars))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                self._known["k"] = estimate_k(self.adata.copy(), k_values=sizes) + 1
        return self._known["k"]

    def complete(self, method: Method) -> Method:
        """Return a method with its number of components, where it leaves that to an estimate."""
        if isinstance(method, str):
            method = METHODS[method]()
        if isinstance(method, EnhancementMethod) and method.needs_estimate():
            return method.with_options(n_components=self.n_components)
        return method

    def fit(self, name: str, *, seed: int = 0) -> Fit:
        """Return the result of a method of :attr:`methods`, fitted once per seed."""
        if (name, seed) not in self._fits:
            self._fits[name, seed] = self.run(self.methods[name], seed=seed)
        return self._fits[name, seed]

    def run(self, method: Method, *, seed: int = 0, **options: Any) -> Fit:
        """Fit any method to the counts; see :func:`run`."""
        return run(self.complete(method), self.adata, seed=seed, **options)


def run(method: Method, adata: AnnData, *, seed: int = 0, **options: Any) -> Fit:
    """Fit a method to counts.

    Parameters
    ----------
    method
        See :mod:`sccase_kit.metrics.methods`.
    adata
        Counts.
    seed
        Seed.
    options
        `reference`, `depth`, `batch_key`, for methods of enhancement; see :func:`sccase_kit.tl.enhance`.

    Returns
    -------
    :class:`Fit`
    """
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of empty peaks in subsets, which are meant
        if not isinstance(method, EnhancementMethod):
            kept: list[Any] = []
            plain, clustered, _ = run_method(partial(_kept, method, kept), adata, rng=seed)
            return Fit(plain, clustered, _embedding_of(kept[0]), time.perf_counter() - started)
        own = AnnData(adata.X, obs=adata.obs.copy(), var=adata.var.copy())
        enhance(own, method=method, rng=seed, **options)
        seconds = time.perf_counter() - started
        plain, clustered = as_profiles(own)
    return Fit(plain, clustered, np.asarray(own.obsm["X_sccase"]), seconds)


def _kept(method: Any, kept: list[Any], adata: AnnData, *, rng: int) -> Any:
    """Run a function of counts and keep what it returned, or what it wrote into."""
    result = method(adata, rng=rng) if "rng" in inspect.signature(method).parameters else method(adata)
    kept.append(adata if result is None else result)
    return result


def _embedding_of(result: Any) -> np.ndarray | None:
    """Return what a method of others embeds the cells in: ``obsm["embedding"]`` or the cells' factors; None without."""
    if isinstance(result, tuple):
        return np.asarray(result[0])
    if isinstance(result, AnnData):
        return next((np.asarray(result.obsm[key]) for key in _EMBEDDINGS if key in result.obsm), None)
    return None
