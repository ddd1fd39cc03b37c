"""Smoothing and clustering against the number K of components (Fig. S26-S28)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import partial

import pandas as pd

from ...enhance import Sccase
from ...metrics.evaluation import score_clustering
from ..registry import Claim, Drawing, Experiment, Finding, Tables
from ..smoothing import smoothing_of
from ..study import Study
from .lambdas import curves

_FEW, _MANY = 7, 20


def run(study: Study) -> pd.DataFrame:
    """Score scCASE for every K."""
    rows = []
    for k in study.settings["k"]:
        if k < min(study.adata.shape):
            fit = study.run(Sccase(k))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                scores = dict(score_clustering(fit.clustered, study.labels))
            rows.append({"k": k, **scores, **smoothing_of(fit, study)})
    return pd.DataFrame(rows)


def find(tables: Tables) -> Mapping[str, Finding]:
    """Compare over-smoothing below K = 7 with that from 7 to 20, and under-smoothing above 20 with that up to 20."""
    over, under = {}, {}
    for name, table in tables.items():
        few, middle, many = table["k"] < _FEW, table["k"].between(_FEW, _MANY), table["k"] > _MANY
        over[name] = float(table.loc[few, "over"].mean() - table.loc[middle, "over"].mean())
        under[name] = float(table.loc[many, "under"].mean() - table.loc[middle, "under"].mean())
    data = tuple(tables)
    return {
        "few components": Finding(
            _mean(over), None, _mean(over) > 0, data, "over-smoothing below K = 7 less that of 7 to 20: " + _text(over)
        ),
        "many components": Finding(
            _mean(under), None, None, data, "`under` above K = 20 less that of 7 to 20: " + _text(under)
        ),
    }


def _mean(values: dict[str, float]) -> float:
    return float(pd.Series(values).mean())


def _text(values: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:+.3f}" for name, value in values.items())


def draw(tables: Tables) -> Sequence[Drawing]:
    """Draw the scores over K."""
    return [
        Drawing(partial(curves, table, "k"), f"{name}: scores against the number of components (Fig. S26-S28).")
        for name, table in tables.items()
    ]


EXPERIMENT = Experiment(
    name="components",
    title="The number of components",
    shows="Fig. S26-S28",
    about=(
        "scCASE with K from 3 to 40. The definitions of the three smoothing scores are those of "
        "sk.metrics.smoothing_scores: the paper's own are in a supplement that is not at hand."
    ),
    place=7.3,
    claims=(
        Claim(
            "few components",
            "K below 7 over-smooths; the degree of over-smoothing eases as K increases",
            "Methods, 'Initialization and parameter selection'; Fig. S26-S28",
            None,
            "score",
        ),
        Claim(
            "many components",
            "K above 20 introduces noise and gives a lower under-smoothing score, without over-smoothing",
            "Methods, 'Initialization and parameter selection'; Fig. S26-S28",
            None,
            "score",
        ),
    ),
    run=run,
    find=find,
    draw=draw,
    settings=lambda quick: {"k": [3, 5, 10, 25] if quick else [2, 3, 4, 5, 6, 7, 10, 15, 20, 25, 30, 40]},
)
