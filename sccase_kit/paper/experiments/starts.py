"""Random starts of H and of Z (Fig. S24)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from ...enhance import fit_published, published_nmf
from ...metrics import Profiles, raw_tfidf
from ...metrics.evaluation import score_clustering
from ...pl import score_bars
from ..registry import Claim, Drawing, Experiment, Finding, Tables
from ..smoothing import smoothing_of
from ..study import Fit, Study
from .clustering import SCORES

AS_IS, RANDOM_H, RANDOM_Z = "NMF and Jaccard", "random H", "random Z"
_MOST_CELLS = 800


def needs(study: Study) -> str:
    """Return why the dense program cannot run."""
    n = study.adata.n_obs
    return "" if n <= _MOST_CELLS else f"{n} cells: the program is dense, {_MOST_CELLS} at most; --max-cells cuts them"


def run(study: Study) -> pd.DataFrame:
    """Run the published program from its own start, from a random H, and from a random Z."""
    x = raw_tfidf(study.adata).T.astype(np.float64)
    w, h = published_nmf(x, study.n_components)
    rng = np.random.default_rng(0)
    n = study.adata.n_obs
    starts: dict[str, tuple[np.ndarray, np.ndarray | None]] = {AS_IS: (h, None)}
    for seed in range(study.settings["seeds"]):
        random = rng.random(h.shape) * 2 * h.mean()
        similarity = rng.random((n, n))
        starts[f"{RANDOM_H} {seed}"] = (random, None)
        starts[f"{RANDOM_Z} {seed}"] = (h, similarity / similarity.sum(axis=0))
    dense = x.toarray()
    rows = []
    for name, (h_start, z_start) in starts.items():
        found = fit_published(dense, w, h_start, z=z_start)
        plain = Profiles((dense @ found.similarity).T)
        fit = Fit(plain, plain.minmax_scaled(), found.embedding.T, 0.0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            scores = dict(score_clustering(fit.clustered, study.labels))
        kind, _, seed_text = name.rpartition(" ")
        row = {"method": name if name == AS_IS else kind, "seed": 0 if name == AS_IS else int(seed_text)}
        rows.append({**row, **scores, **smoothing_of(fit, study), "objective": float(found.objective[-1])})
    return pd.DataFrame(rows)


def find(tables: Tables) -> Mapping[str, Finding]:
    """Return the change of the ARI by random starts, and the over-smoothing of a random Z."""
    means = {n: t.groupby("method")[["ari", "over"]].mean() for n, t in tables.items()}
    data = tuple(tables)
    found = {}
    for claim, start in {"random h": RANDOM_H, "random z": RANDOM_Z}.items():
        change = pd.Series({n: m.loc[start, "ari"] - m.loc[AS_IS, "ari"] for n, m in means.items()})
        over = float(np.mean([m.loc[start, "over"] - m.loc[AS_IS, "over"] for m in means.values()]))
        note = "ARI less that of the usual start: " + ", ".join(f"{n} {v:+.3f}" for n, v in change.items())
        holds = bool(change.mean() < 0) and (claim == "random h" or over < 0.05)
        found[claim] = Finding(float(change.mean()), None, holds, data, f"{note}; over-smoothing {over:+.3f}")
    return found


def draw(tables: Tables) -> Sequence[Drawing]:
    """Draw the scores by start."""
    return [
        Drawing(partial(score_bars, t, SCORES), f"{n}: the published program from three kinds of start (Fig. S24).")
        for n, t in tables.items()
    ]


EXPERIMENT = Experiment(
    name="starts",
    title="Random starts",
    shows="Fig. S24",
    about="The published program, dense, from its own start (NMF, Jaccard), from one random H, and from one random Z.",
    place=7.1,
    claims=(
        Claim(
            "random h",
            "random initialization of H severely affects Z and leads to unsatisfactory outcomes",
            "Methods, 'Initialization and parameter selection'; Fig. S24",
            None,
            "ARI",
        ),
        Claim(
            "random z",
            "random initialization of Z converges, is worse, and does not over-smooth",
            "Methods, 'Initialization and parameter selection'; Fig. S24",
            None,
            "ARI",
        ),
    ),
    run=run,
    find=find,
    draw=draw,
    needs=needs,
    settings=lambda _: {"seeds": 1},  # a fit takes half a minute on BM0828
)
