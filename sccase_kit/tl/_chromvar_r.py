"""Deviations by R's packages: chromVAR and betterChromVAR, with the fields of the native engine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from .. import r
from ..matrix.access import as_csr
from ..motifs import variability
from ._chromvar_inputs import Signal

_BOUNDS = ["bootstrap_lower_bound", "bootstrap_upper_bound"]


def _counts(signal: Signal) -> sparse.csr_matrix:
    return as_csr(signal.counts.to_memory() if hasattr(signal.counts, "to_memory") else signal.counts)


def by_chromvar(
    signal: Signal,
    sets: sparse.csr_matrix,
    bias: np.ndarray | None,
    background: np.ndarray | None,
    *,
    n_background: int,
    seed: int,
    n_bootstrap: int,
    norm: bool,
    groups: pd.Series | None,
) -> dict[str, Any]:
    """Run chromVAR on counts; `background` are the peaks to use, else they are drawn in R on `seed`."""
    result = r.chromvar(
        _counts(signal),
        sets,
        bias,
        n_iterations=n_background,
        seed=seed,
        background=background,
        expectation_norm=norm,
        expectation_groups=groups,
        n_bootstrap=n_bootstrap,
    )
    result["variability"] = pd.DataFrame(result["variability"])
    return result


def by_better_chromvar(
    signal: Signal,
    sets: sparse.csr_matrix,
    bias: np.ndarray,
    labels: list[str],
    *,
    n_bootstrap: int,
    groups: pd.Series | None,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Run betterChromVAR on counts; variability and p-values are its own, their interval is bootstrapped here."""
    result = r.better_chromvar(_counts(signal), sets, bias, expectation_groups=groups)
    table = variability(result["z"], names=labels, n_bootstrap=n_bootstrap, rng=rng)
    own = result["variability"]
    table[list(own)] = own.to_numpy()
    return result | {"variability": table}
