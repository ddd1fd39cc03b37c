"""Which sets vary, and which differ between groups: rank of variability, volcano."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._validate import check_int, check_number, check_table
from ..get.chromvar import read_variability
from ._given import table_of
from ._motifs import named_sets
from ._names import name_at_sides
from ._style import PALETTE, RASTER_ABOVE, get_axes, name_legend, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STRONG, _WEAK = PALETTE[4], "0.7"


@checked()
def variability_rank(
    adata: AnnData | pd.DataFrame,
    *,
    n_label: int = 10,
    labels: Sequence[str] | None = None,
    alpha: float = 0.05,
    key: str = "chromvar",
    ax: Any = None,
) -> Axes:
    """Draw the variability of every set (motif) against its rank, with its bootstrap interval.

    Parameters
    ----------
    adata
        Data with :func:`sccase_kit.tl.chromvar` written, or the table of variability, its sets as index.
    n_label
        Number of the most variable sets to name, of those that vary more than background peaks do.
    labels
        Names to write instead.
    alpha
        Sets with an adjusted p-value of at most this vary more than background peaks do, and are orange; in a table
        without such p-values, those with a variability above 1.
    key
        The `key_added` of the deviations.
    ax
        Axes; `None` makes a figure.

    Returns
    -------
    The Axes. The dashed line at 1 is what background peaks alone give; names stand in a column at the right.

    Raises
    ------
    KeyError
        If there are no deviations under `key`, or a label is unknown.
    TypeError
        If `adata` is neither data nor such a table.
    ValueError
        If `n_label` is negative, or `alpha` is not in [0, 1].
    """
    table = _variability(adata, key).dropna(subset=["variability"]).sort_values("variability", ascending=False)
    n_label = check_int(n_label, name="n_label", minimum=0)
    alpha = check_number(alpha, name="alpha", minimum=0, maximum=1)
    strong, words = _varying(table, alpha)
    wanted = list(table.index[strong][:n_label]) if labels is None else list(labels)
    wanted = named_sets(wanted, list(table.index), name="labels", key=key)
    from matplotlib.lines import Line2D
    from matplotlib.ticker import MaxNLocator

    ax = get_axes(ax, figsize=(4.6, 3.4))
    rank = np.arange(1, len(table) + 1)
    height = table["variability"].to_numpy()
    raster = len(table) > RASTER_ABOVE
    bounds = ["bootstrap_lower_bound", "bootstrap_upper_bound"]
    if set(bounds) <= set(table.columns):
        ax.vlines(rank, *table[bounds].to_numpy().T, color=_WEAK, linewidth=0.8, rasterized=raster)
    marked = table.index.isin(wanted)
    color = np.where(strong, _STRONG, PALETTE[0])
    ax.scatter(rank, height, s=14 if len(table) < 200 else 7, c=color, linewidths=0, zorder=3, rasterized=raster)
    ax.hlines(1, 0, len(table) + 1, color="0.3", linestyle="--", linewidth=0.8)
    ticks = np.asarray(MaxNLocator(6, integer=True).tick_values(0, len(table)))
    ax.set_xticks(ticks[(ticks >= 0) & (ticks <= len(table))])
    ax.set(xlabel=f"rank of {len(table):,} sets", ylabel="variability")
    ax.spines[["top", "right"]].set_visible(False)
    handles = [Line2D([], [], linestyle="", marker="o", color=c, markersize=5) for c in (_STRONG, PALETTE[0])]
    above = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.2, "handletextpad": 0.2}
    name_legend(ax, handles, words, ncols=2, **above)
    if len(table):
        name_at_sides(ax, rank, height, np.flatnonzero(marked), list(table.index[marked]))
    return ax


def _variability(given: AnnData | pd.DataFrame, key: str) -> pd.DataFrame:
    """Return the table of variability that was given, or is stored."""
    if not isinstance(given, pd.DataFrame):
        return read_variability(given, key)
    if "variability" not in given.columns:
        msg = "adata must be an AnnData, or a table with the column 'variability' as sccase_kit.motifs.variability "
        msg += f"returns it; got columns {list(given.columns)}"
        raise TypeError(msg)
    return given.copy()


def _varying(table: pd.DataFrame, alpha: float) -> tuple[np.ndarray, tuple[str, str]]:
    """Return which sets vary more than background peaks do, and what that means for them and for the others."""
    if "p_value_adj" in table.columns:
        return (table["p_value_adj"] <= alpha).to_numpy(), (f"adjusted p ≤ {alpha:g}", f"adjusted p > {alpha:g}")
    return (table["variability"] > 1).to_numpy(), ("variability > 1", "variability ≤ 1")


@checked()
def differential_volcano(
    table: AnnData | pd.DataFrame,
    group: str | None = None,
    *,
    alpha: float = 0.05,
    min_difference: float = 0.0,
    n_label: int = 10,
    key: str | None = None,
    ax: Any | None = None,
) -> Axes:
    """Draw the differences of deviations against their p-values, with the strongest sets named.

    Parameters
    ----------
    table
        Result of :func:`sccase_kit.tl.differential_deviations` with a reference, or data that hold it.
    group
        The group to draw; may be left out where the table has one.
    alpha, min_difference
        Sets with an adjusted p-value of at most `alpha` and a difference of at least `min_difference` are coloured.
    n_label
        Number of sets to name, by p-value. Names stand at the edges; long ones are cut, many are smaller.
    key
        Of data: the key of `uns` with the table; `None` takes the only one there.
    ax
        Axes; `None` makes a figure.

    Returns
    -------
    The Axes.

    Raises
    ------
    KeyError
        If data hold no such table, or several.
    ValueError
        If the table has no differences, p-values are not in [0, 1], or `group` is not in it.
    TypeError
        If `table` is not a DataFrame, or a column holds no numbers.
    """
    needed = {"group", "set", "difference", "p_value", "p_value_adj"}
    table = table_of(table, needed, key=key, run="tl.differential_deviations")
    if isinstance(table, pd.DataFrame) and not needed <= set(table.columns):
        msg = f"table must come from tl.differential_deviations with a reference (columns {sorted(needed)}), "
        msg += f"got columns {list(table.columns)}"
        raise ValueError(msg)
    table = check_table(table, labels=("group", "set"), numbers=("difference",), p_values=("p_value", "p_value_adj"))
    alpha = check_number(alpha, name="alpha", minimum=0, maximum=1)
    check_number(min_difference, name="min_difference", minimum=0)
    check_int(n_label, name="n_label", minimum=0)
    groups = list(dict.fromkeys(table["group"]))
    if group is None and len(groups) == 1:
        group = groups[0]
    if group not in groups:
        msg = f"group must be one of {groups}, got {group!r}"
        raise ValueError(msg)
    part = table[(table["group"] == group).to_numpy()].dropna(subset=["difference", "p_value"])
    part = part[np.isfinite(part["difference"])]
    if part.empty:
        msg = f"group={group!r} has no set with a finite difference and a p-value: there is nothing to draw"
        raise ValueError(msg)
    part = part.sort_values("p_value", kind="stable")
    score = -np.log10(part["p_value"].clip(lower=np.finfo(float).tiny)).to_numpy()
    effect = part["difference"].to_numpy()
    strong = (part["p_value_adj"] <= alpha).to_numpy() & (np.abs(effect) >= min_difference)
    from matplotlib.ticker import MaxNLocator

    ax = get_axes(ax, figsize=(5.0, 3.8))
    color = np.where(strong, np.where(effect > 0, PALETTE[4], PALETTE[0]), _WEAK)
    ax.scatter(effect, score, s=14, c=color, linewidths=0, rasterized=len(part) > RASTER_ABOVE, zorder=3)
    ax.axvline(0, color="0.3", linewidth=0.8)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.set(xlabel="difference of mean deviation", ylabel="−log₁₀ p", title=plain(group))
    ax.spines[["top", "right"]].set_visible(False)
    named = np.flatnonzero(strong)[:n_label]
    name_at_sides(ax, effect, score, named, list(part["set"].to_numpy()[named]))
    return ax
