"""One-sided paired Wilcoxon tests over the data sets (Fig. S4)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..cohorts import BENCHMARK_SETS
from ..registry import Claim, Experiment, Finding, Tables
from ..statistics import mean_scores, paired_wilcoxon
from ..study import DEFAULT, OURS, RAW, is_baseline
from .clustering import SCORES

#: With fewer data sets no p-value of the test is below 0.05.
_LEAST = 5


def summary(tables: Tables) -> pd.DataFrame:
    """Return the p-value of every score and rival: that the method is better, over the data sets they share."""
    rows = []
    for score in SCORES:
        scores = mean_scores(dict(tables), score)
        for method in (name for name in (OURS, DEFAULT) if name in scores):
            for rival in filter(is_baseline, scores.columns):
                both = scores[[method, rival]].dropna()
                pvalue = paired_wilcoxon(both[method], both[rival])
                difference = float((both[method] - both[rival]).mean()) if len(both) else np.nan
                rows.append(
                    {"method": method, "rival": rival, "score": score, "n_data": len(both)}
                    | {"mean_difference": difference, "pvalue": pvalue}
                )
    return pd.DataFrame(rows)


def find(tables: Tables) -> Mapping[str, Finding]:
    """Return the largest p-value of the four scores against the raw data and against the other baselines."""
    table = summary(tables)
    found = {}
    for claim, rivals in {
        "better than raw": table["rival"] == RAW,
        "better than others": table["rival"] != RAW,
    }.items():
        worst = {}
        for method in (OURS, DEFAULT):
            values = table.loc[rivals & (table["method"] == method), "pvalue"]
            worst[method] = None if values.empty or values.isna().any() else float(values.max())
        n = len(tables)
        note = f"the largest p of {len(SCORES)} scores; {n} data sets"
        if n < _LEAST:
            note += f": with so few no p can be below {0.5**n:.3g}"
        ours = worst[OURS]
        holds = None if ours is None or n < _LEAST else ours < 0.05
        found[claim] = Finding(ours, worst[DEFAULT], holds, tuple(tables), note)
    return found


EXPERIMENT = Experiment(
    name="significance",
    title="Tests over the data sets",
    shows="Fig. S4",
    about="One-sided paired Wilcoxon signed-rank tests over the data sets, on the means of the scores above.",
    place=2.2,
    of="clustering",
    claims=(
        Claim(
            "better than raw",
            "significantly better than raw data, p < 0.05, one-sided paired Wilcoxon signed-rank test",
            "Results; Fig. S4",
            0.05,
            "p",
            on=BENCHMARK_SETS,
            least=_LEAST,
        ),
        Claim(
            "better than others",
            "significantly better than other methods, p < 0.05",
            "Results; Fig. S4",
            0.05,
            "p",
            on=BENCHMARK_SETS,
            least=_LEAST,
        ),
    ),
    find=find,
    summary=summary,
)
