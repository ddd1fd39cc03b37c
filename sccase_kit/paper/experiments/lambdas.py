"""The weight λ of the similarity from 1e5 to 1e8 (Fig. S25)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ...enhance import Sccase
from ...metrics.evaluation import score_clustering
from ..registry import Claim, Drawing, Experiment, Finding, Tables
from ..smoothing import smoothing_of
from ..study import Study
from .clustering import SCORES


def run(study: Study) -> pd.DataFrame:
    """Score scCASE for every λ."""
    rows = []
    for lam in study.settings["lambdas"]:
        fit = study.run(Sccase(study.n_components, lam=lam))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            scores = dict(score_clustering(fit.clustered, study.labels))
        rows.append({"lambda": lam, **scores, **smoothing_of(fit, study)})
    return pd.DataFrame(rows)


def find(tables: Tables) -> Mapping[str, Finding]:
    """Return the largest range of a score over λ."""
    ranges = {n: max(float(np.ptp(t[score])) for score in SCORES) for n, t in tables.items()}
    note = "largest range of ARI, AMI, FMI and silhouette: " + ", ".join(f"{n} {r:.3f}" for n, r in ranges.items())
    worst = max(ranges.values())
    return {"lambda range": Finding(worst, None, worst < 0.1, tuple(tables), note + "; holds below .1")}


def draw(tables: Tables) -> Sequence[Drawing]:
    """Draw the scores over λ."""
    return [
        Drawing(partial(curves, table, "lambda", log=True), f"{name}: scores for λ from 10⁵ to 10⁸ (Fig. S25).")
        for name, table in tables.items()
    ]


def curves(table: pd.DataFrame, x: str, *, log: bool = False) -> Any:
    """Draw every score of a table over its column `x`, the clustering left, the smoothing right."""
    import matplotlib.pyplot as plt

    parts = [list(SCORES), [c for c in ("under", "over", "smoothing") if c in table and table[c].notna().any()]]
    parts = [part for part in parts if part]
    _, axes = plt.subplots(1, len(parts), figsize=(4.2 * len(parts), 2.9), layout="constrained", squeeze=False)
    for ax, part in zip(axes[0], parts, strict=True):
        means = table.groupby(x)[part].mean()
        for name in part:
            ax.plot(means.index, means[name], marker="o", markersize=3.5, label=name)
        ax.set(xlabel={"lambda": "λ", "k": "K"}.get(x, x))
        if log:
            ax.set_xscale("log")
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1.01, 0.5))
    return axes[0, 0]


EXPERIMENT = Experiment(
    name="lambdas",
    title="The weight λ",
    shows="Fig. S25",
    about="scCASE with λ from 10⁵ to 10⁸: clustering, silhouette and smoothing.",
    place=7.2,
    claims=(
        Claim(
            "lambda range",
            "metrics remain stable for λ from 10⁵ to 10⁸, without over-smoothing",
            "Methods, 'Initialization and parameter selection'; Fig. S25",
            None,
            "range",
        ),
    ),
    run=run,
    find=find,
    draw=draw,
    settings=lambda quick: {"lambdas": [1e5, 1e6, 1e8] if quick else [1e5, 1e6, 1e7, 1e8]},
)
