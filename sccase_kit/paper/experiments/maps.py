"""t-SNE and UMAP of raw and enhanced data, with TF-IDF first as in EpiScanpy's pipeline, and without (Fig. 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal, cast

import numpy as np
import pandas as pd

from ...metrics import Profiles
from ...pl.layouts import layout_cells
from ..registry import Claim, Drawing, Experiment, Finding, Tables
from ..statistics import neighbor_purity
from ..study import DEFAULT, KNN, OURS, RAW, Study

#: The pipelines: TF-IDF of the (enhanced) data before the components, or the components of the data as they are.
TFIDF, PLAIN = "TF-IDF first", "components"
_METHODS = (RAW, KNN, OURS, DEFAULT)
#: Types that the paper says are told apart by the enhanced data only, by data set.
_HARD = {
    "bm0828": ("LMPP", "MEP", "CMP"),
    "blood": ("LMPP", "MEP", "CMP"),
    "lung_a": ("Alveolar macrophages", "Dendritic cells", "B cells"),
    "lung_b": ("Alveolar macrophages", "Dendritic cells", "B cells"),
    "spleen": ("T cells", "Regulatory T cells"),
}


def run(study: Study) -> pd.DataFrame:
    """Return the places of the cells: one row per method, pipeline, layout and cell."""
    depth = np.log10(np.asarray(study.adata.X.sum(axis=1), dtype=float).ravel())
    counts = study.adata.X
    parts = []
    for name in (m for m in _METHODS if m in study.methods):
        for pipeline in study.settings["pipelines"]:
            if pipeline == TFIDF:
                binary = counts.copy()
                binary.data = np.ones_like(binary.data, dtype=np.float64)
                profiles = (Profiles(binary) if name == RAW else study.fit(name).clustered).tfidf()
            else:
                profiles = study.fit(name).clustered
            scores = profiles.pca(50)
            for layout in study.settings["layouts"]:
                xy = layout_cells(scores, method=cast('Literal["umap", "tsne"]', layout))
                frame = pd.DataFrame(np.round(xy.astype(float), 4), columns=["x", "y"])
                parts.append(
                    frame.assign(method=name, pipeline=pipeline, layout=layout, type=study.labels, depth=depth.round(4))
                )
    return pd.concat(parts, ignore_index=True)


def purities(table: pd.DataFrame) -> pd.DataFrame:
    """Return the mean share of neighbours of the same type, by method, pipeline, layout and type."""
    rows = []
    for (method, pipeline, layout), part in table.groupby(["method", "pipeline", "layout"], sort=False):
        pure = neighbor_purity(part[["x", "y"]].to_numpy(dtype=float), part["type"].astype(str).to_numpy())
        for name, share in pd.Series(pure).groupby(part["type"].astype(str).to_numpy(), sort=False).mean().items():
            rows.append({"method": method, "pipeline": pipeline, "layout": layout, "type": name, "purity": share})
    return pd.DataFrame(rows)


def find(tables: Tables) -> Mapping[str, Finding]:
    """Return the purity of maps as the paper drew them (t-SNE, TF-IDF first), over all types and over the hard ones."""
    alls: dict[str, pd.Series] = {}
    hard: dict[str, pd.Series] = {}
    for name, table in tables.items():
        table = purities(table)
        shown = table[(table["layout"] == table["layout"].iloc[0]) & (table["pipeline"] == table["pipeline"].iloc[0])]
        alls[name] = shown.groupby("method")["purity"].mean()
        own = shown[shown["type"].isin(_HARD.get(name, ()))]
        if len(own):
            hard[name] = own.groupby("method")["purity"].mean()
    return {
        "maps separate": _finding(alls, "mean over all types"),
        "hard types": _finding(hard, "the types that are named"),
    }


def _finding(found: dict[str, pd.Series], what: str) -> Finding:
    table = pd.DataFrame(found).T
    if table.empty or OURS not in table:
        return Finding(None, note="no data set with these types")
    note = f"share of 15 neighbours in the t-SNE with the cell's type, {what}; raw to scCASE: "
    note += ", ".join(f"{name} {row[RAW]:.2f} to {row[OURS]:.2f}" for name, row in table.iterrows())
    default = float(table[DEFAULT].mean()) if DEFAULT in table else None
    return Finding(float(table[OURS].mean()), default, bool((table[OURS] > table[RAW]).all()), tuple(found), note)


def draw(tables: Tables) -> Sequence[Drawing]:
    """Draw the maps of every data set: one figure per layout and pipeline, and one of UMAP by depth."""
    found = []
    for name, table in tables.items():
        for (pipeline, layout), part in table.groupby(["pipeline", "layout"], sort=False):
            caption = f"{name}: {'t-SNE' if layout == 'tsne' else 'UMAP'}, {pipeline} (Fig. 3, S9, S10)."
            found.append(Drawing(partial(_maps, part, "type"), caption))
            if layout == "umap" and pipeline == table["pipeline"].iloc[0]:
                caption = f"{name}: UMAP, {pipeline}, by log₁₀ depth (Fig. 2h-i)."
                found.append(Drawing(partial(_maps, part, "depth"), caption))
    return found


def _maps(table: pd.DataFrame, color: str) -> Any:
    import matplotlib.pyplot as plt
    from anndata import AnnData

    from ...pl import cell_map

    methods = list(dict.fromkeys(table["method"]))
    figure, axes = plt.subplots(1, len(methods), figsize=(3.1 * len(methods) + 1, 3.1), layout="constrained")
    for ax, method in zip(np.ravel(axes), methods, strict=True):
        part = table[table["method"] == method].reset_index(drop=True)
        obs = pd.DataFrame({color: part[color].to_numpy()}, index=part.index.astype(str))
        if color == "type":
            obs[color] = obs[color].astype(str).astype("category")
        basis = f"X_{part['layout'].iloc[0]}"
        cells = AnnData(obs=obs, obsm={basis: part[["x", "y"]].to_numpy(dtype=float)})
        cell_map(cells, color, basis=basis, title=str(method), legend=method == methods[-1], ax=ax)
    return figure


def summary(tables: Tables) -> pd.DataFrame:
    """Return the mean purity of every map."""
    parts = []
    for name, table in tables.items():
        means = purities(table).groupby(["method", "pipeline", "layout"], sort=False)["purity"].mean().reset_index()
        parts.append(means.assign(data=name))
    whole = pd.concat(parts, ignore_index=True)
    return whole[["data", "layout", "pipeline", "method", "purity"]]


EXPERIMENT = Experiment(
    name="maps",
    title="Maps of the cells",
    shows="Fig. 3, 2h-i, S9, S10",
    about=(
        f"t-SNE and UMAP of 50 principal components. '{TFIDF}' is the paper's way (after EpiScanpy's workflow: TF-IDF, "
        f"also of enhanced data, then components); '{PLAIN}' takes the components of the data as they are, as the maps "
        "of this package do."
    ),
    place=3.1,
    claims=(
        Claim(
            "maps separate", "enhanced data separate the cell types better", "Results; Fig. 3, S9, S10", None, "share"
        ),
        Claim(
            "hard types",
            "LMPP, MEP and CMP (Blood, BM0828), macrophages, dendritic and B cells (Lung), T and regulatory T cells "
            "(Spleen) are told apart by the data enhanced by scCASE",
            "Results; Fig. 3",
            None,
            "share",
            on=tuple(_HARD),
        ),
    ),
    run=run,
    find=find,
    draw=draw,
    summary=summary,
    settings=lambda quick: {
        "layouts": ["tsne"] if quick else ["tsne", "umap"],
        "pipelines": [TFIDF] if quick else [TFIDF, PLAIN],
    },
)
