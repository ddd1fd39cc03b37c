"""Programs of others that are compared with the paper's model where they are installed."""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from anndata import AnnData
from scipy import sparse


@dataclass(frozen=True)
class Baseline:
    """A program that can be imported.

    Attributes
    ----------
    name
        Of its rows.
    module
        What is imported.
    package
        What is installed.
    run
        From counts and a seed to a cells × peaks matrix.
    """

    name: str
    module: str
    package: str
    run: Callable[..., np.ndarray]


def magic(adata: AnnData, *, rng: int) -> np.ndarray:
    """Return what MAGIC (van Dijk et al. 2018) makes of the square roots of counts of equal totals; dense."""
    program = importlib.import_module("magic")

    counts = sparse.csr_matrix(adata.X, dtype=np.float64)
    depth = np.asarray(counts.sum(axis=1)).ravel()
    scaled = sparse.diags(np.median(depth) / np.maximum(depth, 1)) @ counts
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own dependencies
        operator = program.MAGIC(random_state=rng, n_jobs=1, verbose=0)
        return np.asarray(operator.fit_transform(np.sqrt(scaled).toarray()), dtype=np.float32)


#: What is looked for. The baselines of the paper cannot be imported beside this package; see ``unrun.py``.
BASELINES = (Baseline("MAGIC", "magic", "magic-impute", magic),)


def find_baselines() -> tuple[dict[str, Callable[..., np.ndarray]], dict[str, str]]:
    """Return the methods that are installed, and why the others are not there.

    Returns
    -------
    Name → method, name → how to get it.
    """
    found, missing = {}, {}
    for baseline in BASELINES:
        if importlib.util.find_spec(baseline.module) is None:
            missing[baseline.name] = f"not installed: pip install {baseline.package}"
            continue
        try:
            importlib.import_module(baseline.module)
        except Exception as err:  # noqa: BLE001  a broken program must not take the experiments with it
            missing[baseline.name] = f"installed, but its import fails: {type(err).__name__}: {err}"
        else:
            found[baseline.name] = baseline.run
    return found, missing
