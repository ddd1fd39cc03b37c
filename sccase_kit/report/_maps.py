"""The sections of the page to look around in: maps of the cells, and tracks at the marker genes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from anndata import AnnData

from ..pages.blocks import Block, Text
from ..pages.maps import CellMap
from ..pages.page import Section
from ..pl.layouts import RAW, stored_layout
from ._browse import group_tracks
from ._figures import DEPTH
from ._groups import made_with
from ._order import in_order

#: Values of tracks on the page at most; with more, only the surroundings of marker genes are there.
_MOST_VALUES = 1_500_000
_MOST_LABELS = 60


def map_section(
    adata: AnnData,
    view: AnnData,
    columns: Sequence[str],
    colors: Mapping[str, Mapping[str, str]],
    key: str,
    order: Mapping[str, Sequence[str]],
) -> Section:
    """Return the section with maps of the cells from the raw and from the enhanced data.

    Parameters
    ----------
    adata
        All cells.
    view
        The cells that are drawn; layouts are computed there if they are missing.
    columns
        Columns of `obs` to colour by, the first at first.
    colors
        Column → label → colour.
    key
        The fit.
    order
        Column → labels in the order of the legend; of other columns their own.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of peaks that are closed in a subset of the cells
        pairs = [("raw TF-IDF", RAW), ("enhanced", key)]
        slots = {title: stored_layout(view, name, method="umap") for title, name in pairs}
    rows = adata.obs_names.get_indexer(view.obs_names)
    shown = {name: adata.obs[name].iloc[rows] for name in columns if adata.obs[name].nunique() <= _MOST_LABELS}
    labels = pd.DataFrame({name: values.to_numpy() for name, values in shown.items()})
    for name, values in shown.items():
        own = in_order(adata.obs[name], order.get(name, [])).cat.categories
        labels[name] = pd.Categorical(values.astype(str), [str(c) for c in own])
    labels["log₁₀ counts per cell"] = view.obs[DEPTH].to_numpy()
    caption = "UMAP of 50 principal components, from the raw TF-IDF and from the enhanced data. Distances between far "
    caption += "groups mean little."
    if view.n_obs < adata.n_obs:
        caption += f" {view.n_obs:,} of {adata.n_obs:,} cells are drawn, chosen at random."
    layouts = {title: np.asarray(view.obsm[slot])[:, :2] for title, slot in slots.items()}
    return Section("Maps", [CellMap(layouts, labels, colors, _ramp(), caption, _names_of(adata))])


def _names_of(adata: AnnData) -> dict[str, dict[str, str]]:
    """Return what the groups of every column were named: column → group → name; of unknown ones the nearest."""
    found: dict[str, dict[str, str]] = {}
    for made in made_with(adata, "tl.annotate").values():
        table = made.results["table"]
        named = {
            str(row["group"]): f"unknown, nearest {row['best']}" if row["reason"] else str(row["label"])
            for row in table.to_dict("records")
        }
        found.setdefault(str(made.params.get("groupby")), named)
    return found


def _ramp() -> list[str]:
    import matplotlib as mpl
    from matplotlib.colors import to_hex

    return [to_hex(color) for color in mpl.colormaps["viridis"](np.linspace(0, 1, 9))]


def track_section(
    adata: AnnData,
    groupby: str | None,
    colors: Mapping[str, Mapping[str, str]],
    key: str,
    layer: str | None,
    order: Sequence[str] | None = None,
) -> Section | None:
    """Return the section with tracks at the marker genes; None where there are no groups or coordinates."""
    from ..intervals.peaks import known_coordinates

    if groupby is None or known_coordinates(adata) is None or adata.obs[groupby].nunique() > _MOST_LABELS:
        return None
    try:
        tracks, cut = group_tracks(
            adata,
            groupby,
            key=key,
            layer=layer,
            colors=colors.get(groupby),
            groups=order or None,
            most_values=_MOST_VALUES,
        )
    except ValueError as err:  # peaks without coordinates among the others, too many and no markers
        return Section("Tracks", [Text(f"Not drawn: {err}", kind="note")])
    blocks: list[Block] = [tracks]
    if cut:
        blocks.append(
            Text("Only peaks within 250 kb of the marker genes are here; sk.browse shows others.", kind="soft")
        )
    if tracks.genes is None:
        blocks.append(Text("No genes: no result names a genome (genome= of sk.tl.specific_peaks).", kind="soft"))
    return Section("Tracks", blocks)


def drawn_by(adata: AnnData, names: Sequence[str | None]) -> list[str]:
    """Return the columns that exist, each once, without those that are the same labels under another name."""
    found: list[str] = []
    for name in names:
        if name is None or name not in adata.obs or name in found:
            continue
        column = adata.obs[name].astype(str)
        if not any(adata.obs[other].astype(str).equals(column) for other in found):
            found.append(name)
    return found
