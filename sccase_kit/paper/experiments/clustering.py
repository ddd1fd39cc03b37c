"""Clustering and silhouette of the enhanced data, and of the embeddings (Fig. 2d-e)."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ...metrics import Profiles, silhouette
from ...metrics.evaluation import score_clustering
from ...pl import score_bars
from ..cohorts import BENCHMARK_SETS
from ..registry import AT_CEILING, Claim, Drawing, Experiment, Finding, Tables
from ..statistics import at_ceiling, holds_above, mean_scores, named_ceiling, over_second_best
from ..study import DEFAULT, OURS, RAW, Study, is_baseline

SCORES = ("ari", "ami", "fmi", "silhouette")
#: Baselines of the paper, as their adapters are named.
_PROGRAMS = ("scopen", "scale", "scbfa", "scbasset")


def run(study: Study) -> pd.DataFrame:
    """Score every method with every seed; `embedding_*` are the scores of what the method embeds the cells in."""
    rows = []
    for name in study.methods:
        for seed in range(study.settings["seeds"]):
            fit = study.fit(name, seed=seed)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # a missed number of clusters stands in n_clusters
                scores = dict(score_clustering(fit.clustered, study.labels, rng=seed))
                embedded = _of_embedding(fit.embedding, study.labels, seed)
            rows.append({"method": name, "seed": seed, **scores, **embedded, "seconds": fit.seconds})
    return pd.DataFrame(rows)


def _of_embedding(embedding: np.ndarray | None, labels: np.ndarray, seed: int) -> dict[str, float]:
    if embedding is None or min(embedding.shape) < 2:
        return {"embedding_ari": np.nan, "embedding_silhouette": np.nan}
    profiles = Profiles(np.asarray(embedding, dtype=np.float64))
    return {
        "embedding_ari": float(score_clustering(profiles, labels, rng=seed)["ari"]),
        "embedding_silhouette": silhouette(labels, profiles.cells),
    }


def find(tables: Tables) -> Mapping[str, Finding]:
    """Compare with the best baseline of every data set."""
    found = {}
    for claim, score in {"ari over second best": "ari", "silhouette over second best": "silhouette"}.items():
        scores = mean_scores(dict(tables), score)
        gains = {name: over_second_best(scores, name, rivals=is_baseline) for name in (OURS, DEFAULT)}
        own = gains[OURS]
        best = scores[[name for name in scores.columns if is_baseline(name)]].max(axis=1)
        full = scores.index[at_ceiling(scores[OURS], best)] if OURS in scores else scores.index[:0]
        found[claim] = Finding(
            ours=_mean(own),
            default=_mean(gains[DEFAULT]),
            holds=None if len(full) == len(scores) else holds_above(own),
            data=tuple(own.index),
            note="by set: " + ", ".join(f"{name} {value:+.1f}" for name, value in own.items()) + named_ceiling(full),
            tie=AT_CEILING if len(full) == len(scores) else "",
        )
    others = {"baselines of the paper": _against_programs(tables), "embeddings": _embeddings(tables)}
    return found | {"muto and pbmc best": _best(tables)} | others


def _against_programs(tables: Tables) -> Finding:
    """Return the share of comparisons with the paper's baselines, score by score and set by set, that are not lost."""
    won: dict[str, list[bool]] = {OURS: [], DEFAULT: []}
    texts = []
    for known, table in tables.items():
        means = table.groupby("method", sort=False)[list(SCORES)].mean()
        ran = means.loc[[name for name in means.index if str(name).lower() in _PROGRAMS]].dropna(how="all")
        for name, wins in won.items():
            if name in means.index:
                wins += list((means.loc[name] >= ran).to_numpy().ravel())
        texts += [f"{known} {name} {row['ari']:.3f}, {row['silhouette']:.3f}" for name, row in ran.iterrows()]
    if not texts:
        return Finding(None, note=f"none of {', '.join(_PROGRAMS)} ran: adapters= (--adapters) runs what is installed")
    ours, default = (float(100 * np.mean(wins)) if wins else None for wins in won.values())
    data = tuple(name for name in tables if any(text.startswith(f"{name} ") for text in texts))
    note = "percent of comparisons not lost; ARI, silhouette of the programs: " + "; ".join(texts)
    return Finding(ours, default, ours == 100, data, note)


def _mean(values: pd.Series) -> float | None:
    return None if values.empty else float(values.mean())


def _best(tables: Tables) -> Finding:
    """Return the share of the scores of data sets in which the paper's model is first among all but the default."""
    wins: dict[str, list[bool]] = {OURS: [], DEFAULT: []}
    for table in tables.values():
        means = table.groupby("method", sort=False)[list(SCORES)].mean()
        for name, firsts in wins.items():
            if name in means.index:
                rivals = means.loc[[m for m in means.index if is_baseline(m)]]
                firsts += list(means.loc[name] >= rivals.max())
    if not wins[OURS]:
        return Finding(None, note="no data set")
    ours, default = (float(100 * np.mean(firsts)) if firsts else None for firsts in wins.values())
    return Finding(
        ours, default, holds=ours == 100, data=tuple(tables), note="percent of scores × sets with the best value"
    )


def _embeddings(tables: Tables) -> Finding:
    scores = mean_scores(dict(tables), "embedding_ari")
    gains = {name: over_second_best(scores, name, rivals=is_baseline) for name in (OURS, DEFAULT)}
    own = gains[OURS]
    note = "ARI of Louvain on the embedding against the best of the baselines' embeddings, percent"
    return Finding(_mean(own), _mean(gains[DEFAULT]), holds_above(own), tuple(own.index), note)


def draw(tables: Tables) -> Sequence[Drawing]:
    """Draw the bars of every data set."""
    found = []
    for name, table in tables.items():
        caption = f"{name}: clustering and silhouette of the data enhanced by every method (Fig. 2d-e, S2); "
        caption += "mean over the seeds, whiskers of one standard deviation."
        found.append(Drawing(_bars(table), caption))
    return found


def _bars(table: pd.DataFrame) -> Callable[[], Any]:
    return partial(score_bars, table, SCORES)


def summary(tables: Tables) -> pd.DataFrame:
    """Return the means over the seeds."""
    columns = [*SCORES, "embedding_ari", "embedding_silhouette", "n_clusters", "seconds"]
    parts = [
        table.groupby("method", sort=False)[columns].mean().reset_index().assign(data=name)
        for name, table in tables.items()
    ]
    whole = pd.concat(parts, ignore_index=True)
    return whole[["data", "method", *columns]]


EXPERIMENT = Experiment(
    name="clustering",
    title="Clustering and silhouette",
    shows="Fig. 2d-e, S2, S3, S5, S6",
    about=(
        "Enhanced data, 50 principal components, Louvain with as many clusters as types; silhouette of the types with "
        f"the distance 1 − Pearson correlation. '{RAW}' is the TF-IDF, '{OURS}' the paper's model, '{DEFAULT}' this "
        "package's default method."
    ),
    place=2.1,
    claims=(
        Claim(
            "ari over second best",
            "ARI 13.89 % above the second-best method of each data set, mean of eight sets",
            "Results, 'scCASE enhances ...'; Fig. 2d, S3",
            13.89,
            "%",
            on=BENCHMARK_SETS,
        ),
        Claim(
            "silhouette over second best",
            "silhouette 24.41 % above the second-best method of each data set, mean of eight sets",
            "Results, 'scCASE enhances ...'; Fig. 2e, S3",
            24.41,
            "%",
            on=BENCHMARK_SETS,
        ),
        Claim(
            "muto and pbmc best",
            "best of all methods on the two sets with labels from RNA",
            "Results; Fig. S5",
            100,
            "% of scores",
            on=("muto", "pbmc"),
        ),
        Claim(
            "baselines of the paper",
            "better than SCALE, scBFA, scOpen and scBasset in every comparison",
            "Results; Fig. 2, 3, 5",
            100,
            "% of comparisons",
        ),
        Claim(
            "embeddings",
            "the cell embeddings have advantages over those of baseline methods",
            "Results; Fig. S6",
            None,
            "% of ARI",
            on=BENCHMARK_SETS,
        ),
    ),
    run=run,
    find=find,
    draw=draw,
    summary=summary,
    settings=lambda quick: {"seeds": 1 if quick else 3},
    version=2,
)
