"""What the paper says it used, and what this package uses where a user says nothing."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import pandas as pd

from ... import metrics, pp, tl
from ...enhance import METHODS
from ..registry import Claim, Experiment, Finding, Tables
from ..study import Study

_METHODS = "Methods, "


def _default(function: Any, name: str) -> float:
    return float(inspect.signature(function).parameters[name].default)


def run(_: Study) -> pd.DataFrame:
    """Read the defaults from the signatures and the table of methods."""
    values = {
        "least share of cells with a peak": 100 * _default(pp.filter_peaks, "min_fraction"),
        "least share of a type": 100 * _default(pp.filter_groups, "min_share"),
        "lambda": float(METHODS["sccase"]().params()["lam"]),
        "principal components": _default(metrics.evaluate, "n_components"),
        "specific peaks": _default(tl.specific_peaks, "n_top"),
        "background peaks": _default(tl.background_peaks, "n_top"),
        "resolution of self-reference": _default(pp.self_reference, "resolution"),
    }
    return pd.DataFrame({"setting": list(values), "value": list(values.values())})


def find(tables: Tables) -> Mapping[str, Finding]:
    """Return every setting as a finding; it holds where the two are equal."""
    paper = {claim.name: claim.paper for claim in EXPERIMENT.claims}
    rows = next(iter(tables.values())).set_index("setting")["value"]
    return {
        name: Finding(float(value), float(value), bool(value == paper[name]), ("once",)) for name, value in rows.items()
    }


def _claim(name: str, says: str, where: str, value: float, unit: str = "") -> Claim:
    return Claim(name, says, where, value, unit)


EXPERIMENT = Experiment(
    name="settings",
    title="Settings",
    shows=_METHODS + "throughout",
    about="Numbers that the paper states for its settings, and this package's defaults, read from the code.",
    place=9.1,
    per="once",
    run=run,
    find=find,
    claims=(
        _claim(
            "least share of cells with a peak",
            "peaks accessible in fewer than 1 % of the cells are filtered out",
            _METHODS + "'The model of scCASE'",
            1,
            "%",
        ),
        _claim(
            "least share of a type",
            "cell types below three percent of the cells are discarded, with the unknown ones",
            _METHODS + "'Data collection and preprocessing'",
            3,
            "%",
        ),
        _claim("lambda", "the default of λ is 10⁶", _METHODS + "'Initialization and parameter selection'", 1e6),
        _claim("principal components", "PCA to 50 dimensions before Louvain", "Results; Performance evaluation", 50),
        _claim("specific peaks", "1,000 specific peaks of each type", "Results, 'scCASE intuitively reveals'", 1000),
        _claim("background peaks", "1,000 background peaks", "Results, 'scCASE intuitively reveals'", 1000),
        _claim(
            "resolution of self-reference",
            "self-reference by Louvain with the default resolution",
            _METHODS + "'Construction of reference data'",
            1,
        ),
    ),
)
