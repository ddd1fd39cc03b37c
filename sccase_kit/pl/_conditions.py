"""Differential accessibility between conditions: volcano and MA plots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._validate import check_int, check_number, check_table
from ._given import table_of
from ._names import name_at_sides
from ._style import PALETTE, RASTER_ABOVE, get_axes, log_ticks, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_UP, _DOWN, _WEAK = PALETTE[4], PALETTE[0], "0.75"
_NEEDED = {"group", "condition", "log2fc", "pvalue", "padj", "base_mean", "peak"}


@checked()
def accessibility_volcano(
    table: AnnData | pd.DataFrame,
    group: str | None = None,
    condition: str | None = None,
    *,
    alpha: float = 0.05,
    min_log2fc: float = 0.0,
    n_label: int = 10,
    key: str | None = None,
    ax: Any | None = None,
) -> Axes:
    """Draw log2 fold changes between conditions against their p-values, with the strongest peaks named.

    Parameters
    ----------
    table
        Result of :func:`sccase_kit.tl.differential`, or data that hold it.
    group, condition
        What to draw; may be left out where the table has one.
    alpha, min_log2fc
        Peaks with an adjusted p-value of at most `alpha` and an absolute log2 fold change of at least `min_log2fc` are
        coloured.
    n_label
        Number of peaks to name, by p-value: by their nearest genes, where the table has them.
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
        If the table is no such result, or `group` or `condition` is not in it.
    TypeError
        If `table` is not a DataFrame, or a column holds no numbers.
    """
    part, strong, title = _part(_stored(table, key), group, condition, alpha, min_log2fc)
    check_int(n_label, name="n_label", minimum=0)
    score = -np.log10(part["pvalue"].clip(lower=np.finfo(float).tiny)).to_numpy()
    effect = part["log2fc"].to_numpy()
    ax = get_axes(ax, figsize=(5.0, 3.8))
    ax.scatter(effect, score, s=10, c=_colors(effect, strong), linewidths=0, rasterized=len(part) > RASTER_ABOVE)
    ax.axvline(0, color="0.3", linewidth=0.8)
    ax.set(xlabel="log₂ fold change", ylabel="−log₁₀ p", title=title)
    ax.spines[["top", "right"]].set_visible(False)
    named = np.flatnonzero(strong)[:n_label]
    name_at_sides(ax, effect, score, named, _names(part)[named].tolist())
    return ax


@checked()
def accessibility_ma(
    table: AnnData | pd.DataFrame,
    group: str | None = None,
    condition: str | None = None,
    *,
    alpha: float = 0.05,
    min_log2fc: float = 0.0,
    key: str | None = None,
    ax: Any | None = None,
) -> Axes:
    """Draw log2 fold changes between conditions against the mean count of the peaks.

    Parameters
    ----------
    table
        Result of :func:`sccase_kit.tl.differential`, or data that hold it.
    group, condition
        What to draw; may be left out where the table has one.
    alpha, min_log2fc
        Peaks with an adjusted p-value of at most `alpha` and an absolute log2 fold change of at least `min_log2fc` are
        coloured.
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
        If the table is no such result, or `group` or `condition` is not in it.
    TypeError
        If `table` is not a DataFrame, or a column holds no numbers.
    """
    part, strong, title = _part(_stored(table, key), group, condition, alpha, min_log2fc)
    effect = part["log2fc"].to_numpy()
    ax = get_axes(ax, figsize=(5.0, 3.4))
    order = np.argsort(strong, kind="stable")  # coloured ones above
    x = part["base_mean"].to_numpy()
    colors = _colors(effect, strong)
    ax.scatter(x[order], effect[order], s=10, c=colors[order], linewidths=0, rasterized=len(part) > RASTER_ABOVE)
    ax.axhline(0, color="0.3", linewidth=0.8)
    ax.set(xscale="log", xlabel="mean normalised count", ylabel="log₂ fold change", title=title)
    log_ticks(ax.xaxis)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _stored(given: Any, key: str | None) -> Any:
    return table_of(given, _NEEDED, key=key, run="tl.differential")


def _part(
    table: pd.DataFrame, group: str | None, condition: str | None, alpha: float, min_log2fc: float
) -> tuple[pd.DataFrame, np.ndarray, str]:
    """Return the rows to draw by p-value, which of them are strong, and a title."""
    if isinstance(table, pd.DataFrame) and not set(table.columns) >= _NEEDED:
        msg = f"table must come from tl.differential (columns {sorted(_NEEDED)}), got columns {list(table.columns)}"
        raise ValueError(msg)
    table = check_table(
        table, labels=("group", "condition"), numbers=("log2fc", "base_mean"), p_values=("pvalue", "padj")
    )
    alpha = check_number(alpha, name="alpha", minimum=0, maximum=1)
    min_log2fc = check_number(min_log2fc, name="min_log2fc", minimum=0)
    title = []
    for name, value in (("group", group), ("condition", condition)):
        there = list(dict.fromkeys(table[name]))
        value = there[0] if value is None and len(there) == 1 else value
        if value not in there:
            msg = f"{name} must be one of {there}, got {value!r}"
            raise ValueError(msg)
        table = table[(table[name] == value).to_numpy()]
        title.append(plain(value, 24))
    part = table[np.isfinite(table["log2fc"]) & table["pvalue"].notna() & (table["base_mean"] > 0)]
    if part.empty:
        msg = f"{' '.join(title)}: no peak has a finite fold change and a p-value: there is nothing to draw"
        raise ValueError(msg)
    part = part.sort_values("pvalue", kind="stable")
    strong = (part["padj"] <= alpha).to_numpy() & (np.abs(part["log2fc"]) >= min_log2fc).to_numpy()
    return part, strong, f"{title[0]}: {title[1]}, {int(strong.sum())} peaks"


def _colors(effect: np.ndarray, strong: np.ndarray) -> np.ndarray:
    return np.where(strong, np.where(effect > 0, _UP, _DOWN), _WEAK)


def _names(part: pd.DataFrame) -> np.ndarray:
    """Return the nearest genes where there are any, else the peaks."""
    peaks = part["peak"].astype(str).to_numpy(dtype=object)
    if "nearest_gene" not in part.columns:
        return peaks
    genes = part["nearest_gene"].astype(str).to_numpy(dtype=object)
    return np.where(genes != "", genes, peaks)
