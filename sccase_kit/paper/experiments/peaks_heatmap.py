"""The ten most differential peaks of every type, before and after enhancement (Fig. 2f-g)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ..features import episcanpy_peaks
from ..registry import Claim, Drawing, Experiment, Finding, Tables
from ..statistics import area_under_roc
from ..study import DEFAULT, OURS, RAW, Study

_N = 10


def run(study: Study) -> pd.DataFrame:
    """Return the values of every cell in these peaks: one row per matrix and cell, one column per peak."""
    tops = episcanpy_peaks(study.adata.X, study.labels, n_top=_N)
    positions = np.concatenate(list(tops.values()))
    columns = [f"{name}|{i + 1}" for name, found in tops.items() for i in range(len(found))]
    order = np.argsort(study.labels, kind="stable")
    raw = study.adata.X[order][:, positions].toarray()
    parts = [_part(RAW, study.labels[order], raw, columns)]
    for name in (OURS, DEFAULT):
        if name in study.methods:
            values = study.fit(name).clustered.block(order, positions)
            parts.append(_part(name, study.labels[order], values, columns))
    return pd.concat(parts, ignore_index=True)


def _part(matrix: str, labels: np.ndarray, values: np.ndarray, columns: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame(np.round(values.astype(float), 4), columns=columns)
    frame.insert(0, "type", labels)
    frame.insert(0, "matrix", matrix)
    return frame


def areas(table: pd.DataFrame) -> pd.DataFrame:
    """Return for every matrix and type how well its peaks tell its cells from others (mean area under the ROC curve).

    `closed` is the share of its own cells in which a peak of the type has no value at all.
    """
    rows = []
    for (matrix, name), _ in table.groupby(["matrix", "type"], sort=False):
        part = table[table["matrix"] == matrix]
        own = [c for c in part.columns[2:] if c.rsplit("|", 1)[0] == str(name)]
        values, inside = part[own].to_numpy(dtype=float), (part["type"] == name).to_numpy()
        area = float(area_under_roc(values, inside).mean())
        rows.append({"matrix": matrix, "type": name, "auc": area, "closed": float((values[inside] == 0).mean())})
    return pd.DataFrame(rows)


def find(tables: Tables) -> Mapping[str, Finding]:
    """Return the mean area in the raw and the enhanced matrix."""
    means = pd.DataFrame({n: areas(t).groupby("matrix")["auc"].mean() for n, t in tables.items()}).T
    note = "mean AUC of a type's ten peaks, raw to scCASE: "
    note += ", ".join(f"{n} {row[RAW]:.2f} to {row.get(OURS, np.nan):.2f}" for n, row in means.iterrows())
    ours = float(means[OURS].mean()) if OURS in means else None
    default = float(means[DEFAULT].mean()) if DEFAULT in means else None
    holds = None if ours is None else bool((means[OURS] > means[RAW]).all())
    return {"patterns": Finding(ours, default, holds, tuple(tables), note)}


def draw(tables: Tables) -> Sequence[Drawing]:
    """Draw the heatmaps, raw and enhanced side by side."""
    text = "the ten peaks of every type that EpiScanpy's test finds in the raw data, in the raw counts and enhanced "
    return [Drawing(partial(_heatmaps, table), f"{name}: {text}(Fig. 2f-g).") for name, table in tables.items()]


def _heatmaps(table: pd.DataFrame) -> Any:
    import matplotlib.pyplot as plt

    matrices = list(dict.fromkeys(table["matrix"]))
    types = table.loc[table["matrix"] == matrices[0], "type"].astype(str).to_numpy()
    ends = np.flatnonzero(np.r_[types[1:] != types[:-1], True]) + 1
    starts = np.r_[0, ends[:-1]]
    figure, axes = plt.subplots(1, len(matrices), figsize=(3.6 * len(matrices), 4.2), layout="constrained", sharey=True)
    for ax, matrix in zip(np.ravel(axes), matrices, strict=True):
        values = table.loc[table["matrix"] == matrix, table.columns[2:]].to_numpy(dtype=float).T
        top = np.quantile(values, 0.99) or values.max() or 1
        ax.imshow(values, aspect="auto", cmap="Reds", vmin=0, vmax=top, interpolation="nearest")
        for place in ends[:-1]:
            ax.axvline(place - 0.5, color="0.4", linewidth=0.4)
        ax.set_xticks((starts + ends) / 2 - 0.5, types[starts], rotation=90, fontsize="small")
        ax.tick_params(length=0)
        ax.set_title(matrix, fontsize="medium")
    first = np.ravel(axes)[0]
    owners = [c.rsplit("|", 1)[0] for c in table.columns[2:]]
    places = [np.flatnonzero(np.array(owners) == name).mean() for name in dict.fromkeys(owners)]
    first.set_yticks(places, list(dict.fromkeys(owners)), fontsize="small")
    first.set_ylabel("peaks of")
    return figure


def summary(tables: Tables) -> pd.DataFrame:
    """Return the areas by type."""
    parts = [areas(table).assign(data=name) for name, table in tables.items()]
    whole = pd.concat(parts, ignore_index=True)
    return whole[["data", "matrix", "type", "auc", "closed"]]


EXPERIMENT = Experiment(
    name="peaks_heatmap",
    title="Differential peaks before and after",
    shows="Fig. 2f-g",
    about=(
        "The ten peaks of every type that EpiScanpy's t-test puts first in the raw counts, in the raw and the enhanced "
        "matrix; how well they tell the type's cells from others, and how often they are closed in them."
    ),
    place=2.3,
    claims=(
        Claim(
            "patterns",
            "after enhancement the patterns of different types are captured in the peaks found in the raw data",
            "Results; Fig. 2f-g",
            None,
            "AUC",
            on=("bm0828",),
        ),
    ),
    run=run,
    find=find,
    draw=draw,
    summary=summary,
)
