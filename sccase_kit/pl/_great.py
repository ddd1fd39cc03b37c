"""Plots of enrichment tables: top terms as bars and as dots, and how far regions lie from their genes."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._record import recorded, required
from .._validate import check_table
from ..great.alike import ALIKE
from ..great.passing import MAX_FDR
from ..great.result import GreatResult
from ._great_terms import prepared, short_name, top_terms
from ._style import (
    PALETTE,
    SEQUENTIAL,
    check_cmap,
    colors_of,
    get_axes,
    legend_inches,
    name_legend,
    plain,
    slanted_inches,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_EDGES = np.array([-500, -50, -5, 0, 5, 50, 500]) * 1_000
_BINS = ["< −500", "−500 to −50", "−50 to −5", "−5 to 0", "0 to 5", "5 to 50", "50 to 500", "> 500"]


def _stored(given: Any, key: str, part: str) -> Any:
    """Return a table as it is; of an AnnData, what :func:`sccase_kit.tl.great` stored there."""
    if not isinstance(given, AnnData):
        return given
    results = required(given, key, "tl.great").results
    if part not in results:
        msg = f"key={key!r}: the result of an earlier version holds no {part}; run sccase_kit.tl.great again"
        raise KeyError(msg)
    return results[part]


def _own_colors(given: Any, key: str, names: Sequence[Hashable]) -> dict[Hashable, str] | None:
    """Return the colours of the groups in the data: those of ``uns["<groupby>_colors"]``, which are written if missing.

    None for a table, and where the groups are not known or are others by now.
    """
    if not isinstance(given, AnnData):
        return None
    peaks = recorded(given.uns.get(str(required(given, key, "tl.great").params.get("key"))))
    groupby = None if peaks is None else peaks.params.get("groupby")
    if groupby is None or groupby not in given.obs:
        return None
    known = {str(name): color for name, color in colors_of(given, groupby)[1].items()}
    return {name: known[str(name)] for name in names} if {str(name) for name in names} <= set(known) else None


def _group_colors(colors: dict[Hashable, str] | None, names: Sequence[Hashable]) -> dict[Hashable, str]:
    """Return the colour of every group: those that are given, else the palette."""
    from matplotlib.colors import is_color_like

    if not colors:
        return {g: PALETTE[i % len(PALETTE)] for i, g in enumerate(names)}
    if missing := [g for g in names if not is_color_like(colors.get(g))]:
        msg = f"colors gives no valid colour for the group(s) {missing[:5]}; it holds {dict(list(colors.items())[:5])}"
        raise ValueError(msg)
    return colors


@checked()
def great_bar(
    table: pd.DataFrame | AnnData,
    *,
    key: str = "great",
    groups: Sequence[Hashable] | None = None,
    ontology: str | None = None,
    n_top: int = 5,
    max_fdr: float = MAX_FDR,
    min_fold: float | None = None,
    similar: float | None = ALIKE,
    colors: dict[Hashable, str] | None = None,
    ax: Any | None = None,
) -> Axes:
    """Draw the top terms of every group as bars of −log10 of the adjusted p, block by block.

    A dotted line marks `max_fdr`. After the name of a term stands how many others say the same ("+2").

    Parameters
    ----------
    table
        Table of :func:`sccase_kit.tl.great` or :func:`sccase_kit.tl.enrich_genes`; or the AnnData that
        :func:`sccase_kit.tl.great` was given.
    key
        The `key_added` of :func:`sccase_kit.tl.great`, in an AnnData.
    groups
        Groups to draw, in this order; by default all.
    ontology
        Only this ontology.
    n_top
        Terms per group.
    max_fdr, min_fold
        Terms must have an adjusted p of at most this (in both tests against the genome), and an enrichment (fold, or
        odds ratio) of at least this. `None`: 2, as in the default view of the server; 1 against a background, of which
        the peaks of a group may be so large a part that no term can be enriched twice.
    similar
        Terms of a group that share at least this part of the genes behind either (Jaccard index of the column Genes)
        are drawn once, as the strongest of them; `None` draws all.
    colors
        Colour by group; by default, of an AnnData, those of its groups (``uns["<groupby>_colors"]``).
    ax
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib Axes.

    Raises
    ------
    ValueError
        If no term passes, the table is not an enrichment table, or its p-values are not in [0, 1].
    TypeError
        If `table` is not a DataFrame, or a column holds no numbers.
    """
    tidy, labels = prepared(_stored(table, key, "table"), groups, ontology)
    top, _ = top_terms(tidy, n_top, max_fdr, labels.min_fold if min_fold is None else min_fold, similar)
    names = [g for g in top["group"].cat.categories if (top["group"] == g).any()]
    colors = colors or _own_colors(table, key, names)
    colors = _group_colors(colors, names if colors else list(top["group"].cat.categories))
    block = top["group"].map({g: i for i, g in enumerate(names)}).to_numpy(float)
    place = np.arange(len(top)) + 0.6 * block
    ax = get_axes(ax, figsize=(6.4, 0.8 + 0.22 * (len(top) + 0.6 * len(names))))
    ax.barh(place, -np.log10(top["fdr"].clip(lower=1e-300)) + 0.0, color=[colors[g] for g in top["group"]], height=0.78)
    if 0 < max_fdr < 1:
        ax.axvline(-np.log10(max_fdr), color="0.25", linewidth=0.9, linestyle=":")
    names_drawn = [short_name(name) + (f" +{n}" if n else "") for name, n in zip(top["name"], top["more"], strict=True)]
    ax.set_yticks(place, names_drawn, fontsize="small")
    ax.set_ylim(place.max() + 0.7, -0.7)
    ax.set_xlabel(labels.score)
    ax.tick_params(axis="y", length=0)
    ax.spines[["top", "right"]].set_visible(False)
    if len(names) > 1:
        for group in names:
            middle = place[(top["group"] == group).to_numpy()].mean()
            ax.annotate(
                plain(group, 24),
                (1.01, middle),
                xycoords=("axes fraction", "data"),
                va="center",
                color=colors[group],
                fontweight="bold",
            )
    elif names != ["all"]:
        ax.set_title(plain(names[0]))
    return ax


@checked()
def great_dot(
    table: pd.DataFrame | AnnData,
    *,
    key: str = "great",
    groups: Sequence[Hashable] | None = None,
    ontology: str | None = None,
    n_top: int = 5,
    max_fdr: float = MAX_FDR,
    min_fold: float | None = None,
    similar: float | None = ALIKE,
    cmap: str = SEQUENTIAL,
    ax: Any | None = None,
) -> Axes:
    """Draw the top terms of all groups as a grid of dots: size is the enrichment, colour −log10 of the adjusted p.

    A term that is among the top of one group is drawn for every group in which it passes.

    Parameters
    ----------
    table, key, groups, ontology, n_top, max_fdr, min_fold, similar, ax
        As in :func:`great_bar`.
    cmap
        Colour map.

    Returns
    -------
    matplotlib Axes.

    Raises
    ------
    ValueError
        If no term passes, the table is not an enrichment table, or its p-values are not in [0, 1].
    TypeError
        If `table` is not a DataFrame, or a column holds no numbers.
    """
    check_cmap(cmap)
    tidy, labels = prepared(_stored(table, key, "table"), groups, ontology)
    top, passed = top_terms(tidy, n_top, max_fdr, labels.min_fold if min_fold is None else min_fold, similar)
    terms = list(dict.fromkeys(top["ID"]))
    columns = list(tidy["group"].cat.categories)
    shown = passed[passed["ID"].isin(terms)]
    name = dict(zip(top["ID"], top["name"], strict=True))
    ax = get_axes(
        ax, figsize=(5.2 + 0.35 * len(columns), max(2.6, 1.2 + 0.22 * len(terms)) + slanted_inches(columns, 24))
    )
    known = shown["effect"].dropna()
    reference = float(np.percentile(known, 95)) if len(known) else 1.0
    reference = reference if reference > 0 else 1.0
    size = 12 + 130 * np.clip(shown["effect"].fillna(reference) / reference, 0, 1)
    colour = -np.log10(shown["fdr"].clip(lower=1e-300))
    dots = ax.scatter(
        shown["group"].cat.codes, [terms.index(i) for i in shown["ID"]], s=size, c=colour, cmap=cmap, vmin=0
    )
    ax.set_xlim(-0.6, len(columns) - 0.4)
    ax.set_ylim(len(terms) - 0.4, -0.6)
    ax.set_xticks(range(len(columns)), [plain(c, 24) for c in columns], rotation=45, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(terms)), [short_name(name[t]) for t in terms], fontsize="small")
    ax.grid(color="0.92", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.figure.colorbar(dots, ax=ax, label=labels.fdr, shrink=min(1.0, 1.6 / ax.figure.get_figheight() + 0.2))
    least = min(float(known.min()) if len(known) else 0.0, reference)
    steps = np.unique(np.round(np.linspace(max(least, 0.1 * reference), reference, 3), 2))
    handles = [ax.scatter([], [], s=12 + 130 * s / reference, color="0.5", label=f"{s:.2g}") for s in steps]
    ax.legend(
        handles=handles,
        title=labels.effect,
        loc="lower center",
        bbox_to_anchor=(0.5, 1.01),
        ncols=3,
        frameon=False,
        fontsize="small",
        title_fontsize="small",
    )
    return ax


@checked()
def great_distances(
    associations: pd.DataFrame | GreatResult | AnnData,
    *,
    key: str = "great",
    colors: dict[Hashable, str] | None = None,
    ax: Any | None = None,
) -> Axes:
    """Draw how far regions lie from the TSS of their genes, in the bins of the GREAT server.

    Parameters
    ----------
    associations
        A :class:`~sccase_kit.regions.GreatResult` (``tl.great(..., return_result=True)``), its `associations`, or any
        table with a column distance in bases (negative upstream), such as that of `regions.closest_genes`. A column
        group gives one set of bars per group. Or the AnnData that :func:`sccase_kit.tl.great` was given.
    key
        The `key_added` of :func:`sccase_kit.tl.great`, in an AnnData.
    colors
        Colour by group; by default, of an AnnData, those of its groups (``uns["<groupby>_colors"]``).
    ax
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib Axes.

    Raises
    ------
    KeyError
        If there is no column distance.
    ValueError
        If the table is empty or no distance is known.
    TypeError
        If it is not a DataFrame, or distances are not numbers.
    """
    links = _stored(associations, key, "associations")
    links = links.associations if isinstance(links, GreatResult) else links
    labels = ["group"] if "group" in getattr(links, "columns", ()) else []
    hint = "Pass a GreatResult or its associations; without a row, no region lies in the domain of a gene."
    links = check_table(links, name="associations", labels=labels, numbers=["distance"], hint=hint)
    links = links[np.isfinite(links["distance"])]
    if links.empty:
        msg = "associations['distance'] holds no finite number: there is nothing to draw"
        raise ValueError(msg)
    group = links["group"] if "group" in links.columns else pd.Series("all", index=links.index)
    names = list(pd.unique(group))
    colors = _group_colors(colors or _own_colors(associations, key, names), names)
    codes = np.searchsorted(_EDGES, links["distance"].to_numpy(), side="right")
    many = len(names) > 10  # the legend goes next to the bars
    ax = get_axes(ax, figsize=(5.6 + (len(names) / 14 * legend_inches(names) if many else 0), 3.2))
    width, handles = 0.84 / len(names), []
    for i, g in enumerate(names):
        count = np.bincount(codes[(group == g).to_numpy(bool)], minlength=len(_BINS))
        offset = (i - (len(names) - 1) / 2) * width
        bars = ax.bar(np.arange(len(_BINS)) + offset, 100 * count / count.sum(), width, color=colors[g])
        handles.append(bars[0])
        if len(names) == 1:
            ax.bar_label(bars, count, fontsize="small")
    ax.axvline(3.5, color="0.4", linewidth=0.8, linestyle=":")
    ax.set_xticks(range(len(_BINS)), _BINS, rotation=45, ha="right", rotation_mode="anchor")
    ax.set_xlabel("distance to TSS (kb)")
    ax.set_ylabel("region–gene pairs (%)")
    ax.spines[["top", "right"]].set_visible(False)
    if len(names) > 1:
        name_legend(ax, handles, names, **({"loc": "center left", "bbox_to_anchor": (1.02, 0.5)} if many else {}))
    return ax
