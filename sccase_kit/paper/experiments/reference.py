"""scCASER against scCASE: reference data of three kinds (Fig. 6b)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import pandas as pd
from anndata import AnnData

from ...datasets import DataNotFoundError, available, fetch
from ...enhance import Robust, Sccase
from ...metrics.evaluation import score_clustering
from ...pl import score_bars
from ...pp import bulk_reference, self_reference
from ..cohorts import BENCHMARK_SETS, Cohort
from ..registry import Claim, Drawing, Experiment, Finding, Tables
from ..statistics import holds_above, relative_change
from ..study import DEFAULT, OURS, Study
from .clustering import SCORES

#: Names of the rows with a reference.
WITH = {OURS: "scCASER", DEFAULT: "default, reference"}
_PAPER = {"ari": 9.05, "ami": 4.04, "fmi": 5.70, "silhouette": 3.19}


def find_reference(cohort: Cohort) -> tuple[AnnData, str]:
    """Return the reference of a data set, and its kind: bulk data where they lie, else its own clusters."""
    name = f"{cohort.name}_bulk"
    if name in available().index:
        for folder in (None, *cohort.folders):
            path = _found(name, folder)
            if path is not None:
                return bulk_reference(pd.read_csv(path, sep="\t", index_col=0)), "bulk"
    return self_reference(cohort.adata), "self"


def _found(name: str, folder: Path | None) -> Path | None:
    try:
        return next(iter(fetch(name, data_dir=folder, download=False).values()))
    except DataNotFoundError:
        return None


def run(study: Study) -> pd.DataFrame:
    """Score scCASE and the default method without and with the reference."""
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        reference, kind = find_reference(study.data)
        for seed in range(study.settings["seeds"]):
            for name, method in ((OURS, Sccase()), (DEFAULT, Robust())):
                if name not in study.methods:
                    continue
                fits = {name: study.fit(name, seed=seed)}
                fits[WITH[name]] = study.run(method, seed=seed, reference=reference)
                for row, fit in fits.items():
                    scores = dict(score_clustering(fit.clustered, study.labels, rng=seed))
                    rows.append({"method": row, "seed": seed, "reference": kind, **scores})
    return pd.DataFrame(rows)


def find(tables: Tables) -> Mapping[str, Finding]:
    """Return the mean change of every score by the reference, percent."""
    found = {}
    for score in SCORES:
        changes = {}
        for name in (OURS, DEFAULT):
            means = pd.DataFrame({n: t.groupby("method")[score].mean() for n, t in tables.items()}).T
            known = {name, WITH[name]} <= set(means.columns)
            changes[name] = relative_change(means[WITH[name]], means[name]) if known else pd.Series(dtype=float)
        own, kinds = changes[OURS], {n: t["reference"].iloc[0] for n, t in tables.items()}
        text = ", ".join(f"{n} ({kinds[n]}) {value:+.1f}" for n, value in own.items())
        found[f"reference {score}"] = Finding(
            None if own.empty else float(own.mean()),
            None if changes[DEFAULT].empty else float(changes[DEFAULT].mean()),
            holds_above(own),
            tuple(own.index),
            f"by set: {text}",
        )
    return found


def draw(tables: Tables) -> Sequence[Drawing]:
    """Draw the bars of every data set."""
    return [
        Drawing(partial(score_bars, table, SCORES), f"{name}: without and with reference data (Fig. 6b).")
        for name, table in tables.items()
    ]


def summary(tables: Tables) -> pd.DataFrame:
    """Return the means over the seeds."""
    parts = []
    for name, table in tables.items():
        means = table.groupby(["method", "reference"], sort=False)[list(SCORES)].mean().reset_index()
        parts.append(means.assign(data=name))
    whole = pd.concat(parts, ignore_index=True)
    return whole[["data", "reference", "method", *SCORES]]


EXPERIMENT = Experiment(
    name="reference",
    title="Reference data",
    shows="Fig. 6b",
    about=(
        "scCASER with a reference of bulk data where there are any for the set, else of the set's own Louvain clusters "
        "('self'), compared with scCASE."
    ),
    place=6.1,
    claims=tuple(
        Claim(
            f"reference {score}",
            f"a reference improves {score.upper() if len(score) == 3 else 'the silhouette'} by {value} %, mean of sets",
            "Results, 'scCASE can effectively incorporate reference data'; Fig. 6b",
            value,
            "%",
            on=BENCHMARK_SETS,
        )
        for score, value in _PAPER.items()
    ),
    run=run,
    find=find,
    draw=draw,
    summary=summary,
    settings=lambda quick: {"seeds": 1 if quick else 3},
)
