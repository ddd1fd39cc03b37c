"""Correlation of components with sequencing depth, raw and enhanced (Fig. 2h-i, S7, S8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ...enhance import Robust, Sccase
from ...metrics import Profiles, depth_correlation
from ...pp import tfidf_scaling
from ..registry import Claim, Drawing, Experiment, Finding, Tables
from ..statistics import svd_scores
from ..study import DEFAULT, OURS, RAW, Study

_N = 10
_DEPTH = ", depth=True"


def run(study: Study) -> pd.DataFrame:
    """Return Pearson correlations of the components with log depth, by method.

    The raw data are transformed as Cusanovich et al. (2018) do: counts scaled by depth, logarithm, log IDF.
    """
    counts = study.adata.X
    depth = np.asarray(counts.sum(axis=1), dtype=float).ravel()
    matrices = {RAW: Profiles(tfidf_scaling(counts, "log").apply(counts))}
    matrices |= {name: study.fit(name).plain for name in (OURS, DEFAULT) if name in study.methods}
    for name, method in ((OURS, Sccase()), (DEFAULT, Robust())):
        if name in study.methods:
            matrices[name + _DEPTH] = study.run(method, depth=True).plain
    rows = []
    for name, profiles in matrices.items():
        correlation = depth_correlation(svd_scores(profiles, _N), depth)
        rows += [{"method": name, "component": int(i), "correlation": float(r)} for i, r in correlation.items()]
    return pd.DataFrame(rows)


def _first(tables: Tables, method: str) -> pd.Series:
    """Return |correlation| of the first component by data set."""
    found = {}
    for name, table in tables.items():
        row = table[(table["method"] == method) & (table["component"] == 1)]
        if len(row):
            found[name] = abs(float(row["correlation"].iloc[0]))
    return pd.Series(found, dtype=float)


def find(tables: Tables) -> Mapping[str, Finding]:
    """Return the correlation of PC1 in the raw data and its fall by enhancement, means over the data sets."""
    raw, data = _first(tables, RAW), tuple(tables)
    each = ", ".join(f"{name} {value:.2f}" for name, value in raw.items())
    found = {
        "raw pc1 blood": Finding(_mean(raw), None, bool((raw > 0.8).all()), data, f"by set: {each}"),
        "raw pc1 lung_a": Finding(_mean(raw), None, bool((raw > 0.7).all()), data, f"by set: {each}"),
    }
    falls = {m: -100 * (_first(tables, m) - raw).div(raw).dropna() for m in (OURS, DEFAULT)}
    text = ", ".join(f"{name} {-value:.1f}" for name, value in falls[OURS].items())
    for claim in ("pc1 reduced blood", "pc1 reduced lung_a"):
        own = falls[OURS]
        found[claim] = Finding(
            None if own.empty else -float(own.mean()),
            None if falls[DEFAULT].empty else -float(falls[DEFAULT].mean()),
            None if own.empty else bool((own > 0).all()),
            tuple(own.index),
            f"by set: {text}",
        )
    largest = {m: _largest(tables, m + _DEPTH) for m in (OURS, DEFAULT)}
    plain = _largest(tables, OURS)
    found["depth variant"] = Finding(
        _mean(largest[OURS]),
        _mean(largest[DEFAULT]),
        None if largest[OURS].empty else bool(largest[OURS].mean() < plain.mean()),
        tuple(largest[OURS].index),
        f"largest |correlation| of {_N} components, mean over the sets; without the variant {plain.mean():.2f}",
    )
    return found


def _mean(values: pd.Series) -> float | None:
    return None if values.empty else float(values.mean())


def _largest(tables: Tables, method: str) -> pd.Series:
    found = {n: t.loc[t["method"] == method, "correlation"].abs().max() for n, t in tables.items()}
    return pd.Series(found, dtype=float).dropna()


def draw(tables: Tables) -> Sequence[Drawing]:
    """Draw the correlations of all components."""
    return [
        Drawing(
            partial(_curves, table),
            f"{name}: |Pearson correlation| of ten components (SVD, not centred) with log depth (Fig. S7, S8).",
        )
        for name, table in tables.items()
    ]


def _curves(table: pd.DataFrame) -> Any:
    import matplotlib.pyplot as plt

    _, ax = plt.subplots(figsize=(6.4, 3.0), layout="constrained")
    for name, rows in table.groupby("method", sort=False):
        ax.plot(rows["component"], rows["correlation"].abs(), marker="o", markersize=3.5, label=str(name))
    ax.set(xlabel="component", ylabel="|correlation with depth|", ylim=(0, 1.02))
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1.02, 0.5))
    return ax


def summary(tables: Tables) -> pd.DataFrame:
    """Return PC1 and the largest of ten components by data set and method."""
    rows = []
    for data, table in tables.items():
        for name, part in table.groupby("method", sort=False):
            first = float(part.loc[part["component"] == 1, "correlation"].iloc[0])
            largest = float(part["correlation"].abs().max())
            rows.append({"data": data, "method": name, "PC1": abs(first), "largest of 10": largest})
    return pd.DataFrame(rows)


EXPERIMENT = Experiment(
    name="depth",
    title="Sequencing depth",
    shows="Fig. 2h-i, S7, S8",
    about=(
        "Ten components of the raw TF-IDF (as Cusanovich et al. 2018) and of the enhanced data, by an SVD that is not "
        "centred, and their correlation with the logarithm of the depth."
    ),
    place=2.4,
    claims=(
        Claim("raw pc1 blood", "PC1 of raw data correlates with depth, above 0.8", "Results", 0.8, "r", on=("blood",)),
        Claim("raw pc1 lung_a", "the same, above 0.7", "Results; Fig. S8", 0.7, "r", on=("lung_a",)),
        Claim(
            "pc1 reduced blood",
            "enhancement reduces the correlation of PC1 by 45.6 %",
            "Results; Fig. 2i, S7",
            -45.6,
            "%",
            on=("blood",),
        ),
        Claim("pc1 reduced lung_a", "the same, by 19.6 %", "Results; Fig. S8", -19.6, "%", on=("lung_a",)),
        Claim(
            "depth variant",
            "with the depth variant no component correlates strongly with depth",
            "Results; Fig. S7, S8",
            None,
            "r",
            on=("blood", "lung_a"),
        ),
    ),
    run=run,
    find=find,
    draw=draw,
    summary=summary,
)
