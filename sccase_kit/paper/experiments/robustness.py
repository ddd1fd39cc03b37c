"""Dropout, imbalance and fewer cells (Fig. 5a-c)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ...metrics import dropout_experiment, imbalance_experiment, size_experiment
from ...pl import robustness
from ..registry import Claim, Drawing, Experiment, Finding, Tables
from ..statistics import at_ceiling, named_ceiling, wins
from ..study import DEFAULT, OURS, Study, is_baseline

#: Kind → (column of the level, level without corruption, experiment, name of its levels).
KINDS: dict[str, tuple[str, float, Any, str]] = {
    "dropout": ("rate", 0.0, dropout_experiment, "rates"),
    "imbalance": ("evenness", 0.0, imbalance_experiment, "evenness"),
    "size": ("fraction", 1.0, size_experiment, "fractions"),
}


def needs(study: Study) -> str:
    """Return that types need cells to spare."""
    smallest = int(np.unique(study.labels, return_counts=True)[1].min())
    return "" if smallest >= 20 else f"the smallest type has {smallest} cells, 20 are needed to take a tenth"


def run(study: Study) -> pd.DataFrame:
    """Run the three experiments; `kind` tells them apart, `level` is the strength."""
    methods = {name: study.complete(method) for name, method in study.methods.items() if name != "scCASE program"}
    parts = []
    for kind, (column, _, function, levels) in KINDS.items():
        options = {levels: study.settings[kind], "seeds": range(study.settings["seeds"]), "on_error": "record"}
        table = function(study.adata, study.data.groupby, methods, **options)
        parts.append(table.rename(columns={column: "level"}).assign(kind=kind))
    return pd.concat(parts, ignore_index=True)


def losses(table: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Return for every method the ARI without corruption, at the strongest, and the mean over all levels."""
    part = table[table["kind"] == kind]
    means = part.pivot_table(index="level", columns="method", values="ari", sort=False)
    whole = KINDS[kind][1]
    far = means.index[np.argmax(np.abs(means.index.to_numpy(dtype=float) - whole))]
    return pd.DataFrame({"none": means.loc[whole], "strongest": means.loc[far], "mean": means.mean()})


def find(tables: Tables) -> Mapping[str, Finding]:
    """Return the mean ARI over the levels against the best baseline's."""
    found = {}
    for kind in KINDS:
        parts = {name: losses(table, kind) for name, table in tables.items()}
        own, best, default, texts = {}, {}, [], []
        for name, part in parts.items():
            if OURS not in part.index:
                continue
            best[name] = float(part.loc[[m for m in part.index if is_baseline(m)], "mean"].max())
            own[name] = float(part.loc[OURS, "mean"])
            default.append(float(part["mean"].get(DEFAULT, np.nan)))
            drop = part.loc[OURS, "none"] - part.loc[OURS, "strongest"]
            texts.append(f"{name} {own[name]:.3f} (baseline {best[name]:.3f}; falls by {drop:.3f})")
        if own:
            ours, rival = pd.Series(own), pd.Series(best)
            full = ours.index[at_ceiling(ours, rival)]
            holds, tie = wins(ours, rival)
            note = "mean ARI over the levels: " + ", ".join(texts) + named_ceiling(full)
            mean = float(np.nanmean(default)) if np.isfinite(default).any() else None
            found[f"robust to {kind}"] = Finding(float(ours.mean()), mean, holds, tuple(parts), note, tie)
    return found


def draw(tables: Tables) -> Sequence[Drawing]:
    """Draw the curves of every data set and kind."""
    found = []
    for name, table in tables.items():
        for kind, (column, _, _, _) in KINDS.items():
            part = table[table["kind"] == kind].rename(columns={"level": column})
            caption = f"{name}: {kind}, mean over the seeds, band of one standard deviation (Fig. 5a-c)."
            found.append(Drawing(partial(robustness, part, ("ari", "silhouette")), caption))
    return found


def summary(tables: Tables) -> pd.DataFrame:
    """Return the losses by data set, kind and method."""
    parts = [
        losses(table, kind).rename_axis("method").reset_index().assign(data=name, kind=kind)
        for name, table in tables.items()
        for kind in KINDS
    ]
    return pd.concat(parts, ignore_index=True)[["data", "kind", "method", "none", "strongest", "mean"]]


def _settings(quick: bool) -> Mapping[str, Any]:  # noqa: FBT001
    if quick:
        return {"dropout": [0.0, 0.6], "imbalance": [0.0, 1.0], "size": [0.5, 1.0], "seeds": 1}
    return {
        "dropout": [0.0, 0.2, 0.4, 0.6, 0.8],
        "imbalance": [-0.5, 0.0, 0.5, 1.0],
        "size": [0.1, 0.25, 0.5, 1.0],
        "seeds": 1,
    }


EXPERIMENT = Experiment(
    name="robustness",
    title="Dropout, imbalance, fewer cells",
    shows="Fig. 5a-c",
    about=(
        "Nonzero counts set to zero with growing probability; types made more or less even; a part of the cells of "
        "every type. One seed."
    ),
    place=5.1,
    claims=tuple(
        Claim(
            f"robust to {kind}", says, f"Results, 'scCASE exhibits superior robustness'; Fig. 5{panel}", on=("lung_a",)
        )
        for kind, panel, says in (
            ("dropout", "a", "stable ARI up to a dropout of 80 %, above raw data and other methods"),
            ("imbalance", "b", "consistent over degrees of cell type imbalance"),
            ("size", "c", "superior and stable down to a tenth of the cells (3,671 to 367)"),
        )
    ),
    run=run,
    find=find,
    draw=draw,
    summary=summary,
    needs=needs,
    settings=_settings,
)
