"""Batches: clustering and mixing of raw, enhanced and corrected data (Fig. 5d-f, S21, S22)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from ...enhance import Robust, Sccase
from ...metrics.scores import all_scores
from ...pl import score_bars
from ..registry import Claim, Drawing, Experiment, Finding, Tables
from ..statistics import at_ceiling, named_ceiling, wins
from ..study import DEFAULT, OURS, RAW, Study, is_baseline

_BATCH = ", batch_key"
_BIOLOGY, _MIXING = ("ari", "ami", "fmi", "silhouette"), ("kbet", "batch_asw")
_SHOWN = (*_BIOLOGY, "kbet", "kbet_label", "batch_asw")


def needs(study: Study) -> str:
    """Return that batches are needed."""
    return "" if study.data.batch_key else "no column with two batches or protocols"


def run(study: Study) -> pd.DataFrame:
    """Score every method, and both models with their correction."""
    batches = study.adata.obs[study.data.batch_key].astype(str).to_numpy()
    fits = {name: study.fit(name) for name in study.methods if name != "scCASE program"}
    for name, method in ((OURS, Sccase()), (DEFAULT, Robust())):
        if name in study.methods:
            fits[name + _BATCH] = study.run(method, batch_key=study.data.batch_key)
    rows = []
    for name, fit in fits.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            scores = all_scores(fit.plain, fit.clustered, study.labels, batches=batches)
        rows.append({"method": name, "seed": 0, **scores})
    return pd.DataFrame(rows)


def find(tables: Tables) -> Mapping[str, Finding]:
    """Return the ARI of the enhanced, and the mixing of the corrected data."""
    data = tuple(tables)
    ari = pd.DataFrame({n: t.set_index("method")["ari"] for n, t in tables.items()}).T
    kbet = pd.DataFrame({n: t.set_index("method")["kbet"] for n, t in tables.items()}).T
    best = ari[[m for m in ari.columns if is_baseline(m) and not m.endswith(_BATCH)]].max(axis=1)
    found = {}
    if OURS in ari:
        text = ", ".join(f"{n} {ari.loc[n, OURS]:.3f} (best baseline {best[n]:.3f})" for n in data)
        holds, tie = wins(ari[OURS], best)
        note = f"ARI: {text}" + named_ceiling(ari.index[at_ceiling(ari[OURS], best)])
        found["batches clustered"] = Finding(_mean(ari, OURS), _mean(ari, DEFAULT), holds, data, note, tie)
        own = OURS + _BATCH
        text = ", ".join(f"{n} {kbet.loc[n, RAW]:.2f}, {kbet.loc[n, OURS]:.2f}, {kbet.loc[n, own]:.2f}" for n in data)
        gains = bool((kbet[own] > kbet[OURS]).all() and (ari[own] >= ari[OURS] - 0.02).all())
        found["batches corrected"] = Finding(
            _mean(kbet, own), _mean(kbet, DEFAULT + _BATCH), gains, data, f"kBET raw, enhanced, corrected: {text}"
        )
    return found


def _mean(table: pd.DataFrame, name: str) -> float | None:
    return float(table[name].mean()) if name in table and np.isfinite(table[name]).any() else None


def draw(tables: Tables) -> Sequence[Drawing]:
    """Draw the bars of every data set."""
    found = []
    for name, table in tables.items():
        shown = [score for score in _SHOWN if table[score].notna().any()]
        caption = f"{name}: types kept and batches mixed (Fig. 5d, S21, S22); kBET and batch ASW: 1 is mixed."
        found.append(Drawing(partial(score_bars, table, shown), caption))
    return found


def summary(tables: Tables) -> pd.DataFrame:
    """Return the scores."""
    whole = pd.concat([table.assign(data=name) for name, table in tables.items()], ignore_index=True)
    return whole[["data", "method", *_SHOWN]]


EXPERIMENT = Experiment(
    name="batches",
    title="Batches and protocols",
    shows="Fig. 5d-f, S21, S22",
    about=(
        "Data sets with two batches, protocols or tissues: do types stay and batches mix? With batch_key the models "
        "correct for the batches (the paper's optional variant)."
    ),
    place=5.2,
    claims=(
        Claim(
            "batches clustered",
            "enhanced data of mixed tissues or protocols cluster better than baselines",
            "Results, 'scCASE exhibits superior robustness'; Fig. 5d, S21, S22",
            None,
            "ARI",
            on=("mixed_tissues", "mixed_protocols"),
        ),
        Claim(
            "batches corrected",
            "the extended scCASE leads in mixing (kBET, batch ASW) and keeps the biology",
            "Results; Fig. 5d-f, S21",
            None,
            "kBET",
            on=("mixed_protocols",),
        ),
    ),
    run=run,
    find=find,
    draw=draw,
    summary=summary,
    needs=needs,
)
