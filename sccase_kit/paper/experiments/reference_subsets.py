"""A self-reference of which clusters are left out (Fig. 6c)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd

from ...enhance import Sccase
from ...metrics.evaluation import score_clustering
from ...pp import self_reference
from ..registry import AT_CEILING, Claim, Drawing, Experiment, Finding, Tables
from ..statistics import at_ceiling, named_ceiling
from ..study import OURS, Study
from .clustering import SCORES

_SHARES = (1.0, 8 / 11, 6 / 11, 4 / 11)


def needs(study: Study) -> str:
    """Return that clusters are needed to leave some out."""
    return "" if study.adata.n_obs >= 60 else f"{study.adata.n_obs} cells give too few clusters to leave some out"


def run(study: Study) -> pd.DataFrame:
    """Score scCASER with all clusters, and with 8, 6 and 4 of 11 of them; 0 clusters is scCASE."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        whole = self_reference(study.adata)
        numbers = dict.fromkeys(max(2, round(share * whole.n_obs)) for share in _SHARES)
        rows = []
        for seed in range(study.settings["seeds"]):
            fits = {0: study.fit(OURS, seed=seed)}
            for n in numbers:
                fits[n] = study.run(Sccase(), seed=seed, reference=whole[:n].copy())
            for n, fit in fits.items():
                scores = dict(score_clustering(fit.clustered, study.labels, rng=seed))
                rows.append({"clusters": n, "of": whole.n_obs, "seed": seed, **scores})
    return pd.DataFrame(rows)


def find(tables: Tables) -> Mapping[str, Finding]:
    """Compare the incomplete references with the complete one and with none."""
    rows, texts = {}, []
    for name, table in tables.items():
        means = table.groupby("clusters")["ari"].mean()
        parts = means.drop([0, means.index.max()], errors="ignore")
        if len(parts):
            rows[name] = {"none": means[0], "some": parts.mean(), "all": means.iloc[-1]}
            texts.append(name + " " + ", ".join(f"{n}: {value:.3f}" for n, value in means.items()))
    if not rows:
        return {}
    ari = pd.DataFrame(rows).T
    note = "ARI by number of clusters (0: scCASE): " + "; ".join(texts)
    return {
        "incomplete better than none": _compare(ari, "none", 1, note),
        "incomplete below complete": _compare(ari, "all", -1, note),
    }


def _compare(ari: pd.DataFrame, rival: str, sign: int, note: str) -> Finding:
    """Return the mean difference to a rival over the sets, judged where the two are not both at the ceiling."""
    full = at_ceiling(ari["some"], ari[rival])
    change = ari["some"] - ari[rival]
    holds = None if full.all() else bool(sign * change[~full].mean() > 0)
    note += named_ceiling(ari.index[full])
    return Finding(float(change.mean()), None, holds, tuple(ari.index), note, AT_CEILING if full.all() else "")


def draw(tables: Tables) -> Sequence[Drawing]:
    """Draw the scores by number of clusters."""
    return [
        Drawing(partial(_curves, table), f"{name}: scCASER by clusters in the reference; dashed: scCASE (Fig. 6c).")
        for name, table in tables.items()
    ]


def _curves(table: pd.DataFrame) -> Any:
    import matplotlib.pyplot as plt

    _, ax = plt.subplots(figsize=(5.6, 2.9), layout="constrained")
    means = table.groupby("clusters")[list(SCORES)].mean()
    for name in SCORES:
        line = ax.plot(means.index[1:], means[name].iloc[1:], marker="o", markersize=3.5, label=name)[0]
        ax.axhline(means[name].iloc[0], color=line.get_color(), linestyle="--", linewidth=0.9)
    ax.set(xlabel="clusters in the reference", ylabel="score")
    ax.invert_xaxis()
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1.01, 0.5))
    return ax


def summary(tables: Tables) -> pd.DataFrame:
    """Return the means over the seeds."""
    parts = [
        table.groupby(["clusters", "of"])[list(SCORES)].mean().reset_index().assign(data=name)
        for name, table in tables.items()
    ]
    return pd.concat(parts, ignore_index=True)[["data", "clusters", "of", *SCORES]]


EXPERIMENT = Experiment(
    name="reference_subsets",
    title="Incomplete references",
    shows="Fig. 6c",
    about=(
        "The self-reference of Louvain clusters, complete and with clusters left out, the smallest first, down to "
        "8/11, 6/11 and 4/11 of them."
    ),
    place=6.2,
    claims=(
        Claim(
            "incomplete better than none",
            "with 8, 6 or 4 of 11 clusters scCASER still surpasses scCASE",
            "Results, 'scCASE can effectively incorporate reference data'; Fig. 6c",
            None,
            "ARI",
            on=("spleen",),
        ),
        Claim(
            "incomplete below complete",
            "but is inferior to the complete reference",
            "Results; Fig. 6c",
            None,
            "ARI",
            on=("spleen",),
        ),
    ),
    run=run,
    find=find,
    draw=draw,
    summary=summary,
    needs=needs,
    settings=lambda quick: {"seeds": 1 if quick else 2},
)
