"""SNPsea: significance of the conditions as bars, ordered by the correlation of their profiles (paper, Fig. 4b)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._validate import check_int, check_number, check_some, check_table
from ._given import table_of
from ._style import _check_is_axes, plain

_SIGNIFICANT, _OTHER = "#0072B2", "#B0B0B0"


@checked()
def snpsea(
    table: AnnData | pd.DataFrame,
    groups: Sequence[str] | None = None,
    *,
    correlation: pd.DataFrame | None = None,
    n_top: int = 25,
    alpha: float = 0.05,
    key: str | None = None,
    ax: Sequence[Any] | None = None,
) -> np.ndarray:
    """Draw −log10 p of the conditions for some groups of peaks side by side, next to the correlation of the conditions.

    Parameters
    ----------
    table
        From :func:`sccase_kit.tl.snpsea`, or data that hold it.
    groups
        Groups to draw, in this order; by default all. Two, such as a cell type and "background", read best.
    correlation
        Correlation of the conditions (DataFrame); by default ``table.attrs["correlation"]``.
    n_top
        Conditions to show: those with the smallest p-value in any of the groups.
    alpha
        The dashed line is −log10 `alpha`, the solid one −log10 (`alpha` / number of conditions) (Bonferroni).
    key
        Of data: the key of `uns` with the table; `None` takes the only one there.
    ax
        One Axes for the correlation and one per group; otherwise a new figure.

    Returns
    -------
    Array of Axes: the correlation of the conditions, then one per group.

    Raises
    ------
    KeyError
        If columns or conditions are missing, or data hold no such table, or several.
    ValueError
        If the table is empty or repeats a condition, p-values are not in [0, 1], a group is not in the table, a
        correlation is missing, or `ax` has another length.
    TypeError
        If `table` is not a DataFrame, or p-values are not numbers.

    Notes
    -----
    Conditions are ordered by average linkage of the rows of their correlation matrix, as in SNPsea's own figure. There
    the solid line is at 1 − (1 − α)^(1/n); the paper draws Bonferroni's, which differs by less than 3 % at α = .05.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage

    table = table_of(table, ["group", "condition", "pvalue", "nulls_observed"], key=key, run="tl.snpsea")
    attrs = getattr(table, "attrs", {})
    table = check_table(table, labels=("group", "condition"), p_values=("pvalue",), hint="Pass what tl.snpsea returns.")
    check_int(n_top, name="n_top", minimum=1)
    check_number(alpha, name="alpha", minimum=0, maximum=1, exclusive=True)
    present = list(pd.unique(table["group"]))
    groups = present if groups is None else check_some(groups, name="groups")
    if absent := [g for g in groups if g not in present]:
        msg = f"groups: {absent} are not in the table; available: {present}"
        raise ValueError(msg)
    if correlation is None and "correlation" in attrs:
        correlation = pd.DataFrame(**attrs["correlation"])
    if correlation is None:
        msg = "the table has no attrs['correlation'] (it was filtered or read from a file): pass correlation="
        raise ValueError(msg)
    check_table(correlation, name="correlation")
    if (twice := table.duplicated(["group", "condition"])).any():
        first = table[twice].iloc[0]
        msg = f"table holds {first['condition']!r} of the group {first['group']!r} more than once; keep one row of each"
        raise ValueError(msg)
    wide = table.pivot(index="condition", columns="group", values="pvalue")[groups]
    wide = wide[wide.notna().any(axis=1)]
    if wide.empty:
        msg = f"table['pvalue'] is missing for every condition of the groups {groups}"
        raise ValueError(msg)
    shown = wide.min(axis=1).sort_values(kind="stable").index[:n_top]
    square = _square(correlation, list(shown))
    order = leaves_list(linkage(square, "average")) if len(shown) > 2 else np.arange(len(shown))
    shown, square = shown[order], square[np.ix_(order, order)]
    axes: Any = _make_axes(len(groups), len(shown), ax)
    _draw_correlation(axes[0], square)
    scores = -np.log10(wide.loc[shown].clip(lower=1e-300))
    limit = max(1.05 * np.nanmax(scores.to_numpy()), -1.15 * np.log10(alpha / len(wide)))
    for panel, group in zip(axes[1:], groups, strict=True):
        _draw_bars(panel, scores[group], alpha, len(wide), limit)
        panel.set_title(plain(group, 24), fontsize="medium")
    axes[-1].set_yticks(np.arange(len(shown)), [_short(str(name)) for name in shown], fontsize=8)
    axes[-1].yaxis.tick_right()
    axes[-1].tick_params(axis="y", length=0)
    return axes


def _square(correlation: pd.DataFrame, names: list[Any]) -> np.ndarray:
    """Return the correlation of some conditions."""
    for axis in (correlation.index, correlation.columns):
        if absent := [name for name in names if name not in axis]:
            msg = f"condition={absent[0]!r} is not in correlation; available: {list(axis[:20])}"
            raise KeyError(msg)
        if not axis.is_unique:
            msg = f"correlation holds the condition {axis[axis.duplicated()][0]!r} more than once"
            raise ValueError(msg)
    part = correlation.loc[names, names]
    numeric = all(pd.api.types.is_numeric_dtype(kind) for kind in part.dtypes)
    square = part.to_numpy(float, na_value=np.nan) if numeric else None
    if square is None or not np.isfinite(square).all():
        msg = "correlation must hold a finite number for every pair of conditions; a constant profile has none: drop it"
        raise ValueError(msg)
    return square


def _make_axes(n_groups: int, n_rows: int, axes: Sequence[Any] | None) -> np.ndarray:
    if axes is not None:
        given = np.atleast_1d(np.asarray(list(axes.values()) if isinstance(axes, Mapping) else axes, object)).ravel()
        if len(given) != n_groups + 1:
            msg = f"ax must hold {n_groups + 1} Axes (correlation and {n_groups} groups), got {len(given)}"
            raise ValueError(msg)
        for ax in given:
            _check_is_axes(ax)
        return given
    import matplotlib.pyplot as plt
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    height = max(2.4, 0.21 * n_rows + 1.1)
    widths = [min(3.0, 0.11 * n_rows + 0.7), *[2.3] * n_groups]
    layout = ConstrainedLayoutEngine(wspace=0.02)
    size = (sum(widths) + 2.2, height)
    _, made = plt.subplots(1, n_groups + 1, figsize=size, width_ratios=widths, layout=layout)
    return np.asarray(made, dtype=object)


def _draw_correlation(ax: Any, square: np.ndarray) -> None:
    """Draw the lower triangle turned by 45 degrees, its diagonal along the bars."""
    n = len(square)
    i, j = np.meshgrid(np.arange(n + 1) - 0.5, np.arange(n + 1) - 0.5, indexing="ij")
    values = square.copy()
    values[np.triu_indices(n)] = np.nan
    mesh = ax.pcolormesh(-(i - j) / 2, (i + j) / 2, values, cmap="RdBu_r", vmin=-1, vmax=1, rasterized=True)
    ax.set_xlim(-n / 2 - 0.1, 0)
    ax.set_ylim(-0.6, n - 0.4)
    ax.set_axis_off()
    bar = ax.figure.colorbar(mesh, ax=ax, location="bottom", shrink=0.7, aspect=18, pad=0.02, ticks=[-1, 0, 1])
    bar.set_label("Pearson's r of the profiles", fontsize=8)
    bar.ax.tick_params(labelsize=8)


def _draw_bars(ax: Any, scores: pd.Series, alpha: float, n_conditions: int, limit: float) -> None:
    strict = -np.log10(alpha / n_conditions)
    colors = np.where(scores.to_numpy() >= strict, _SIGNIFICANT, _OTHER)
    ax.barh(np.arange(len(scores)), scores.to_numpy(), color=colors, height=0.75)
    ax.axvline(-np.log10(alpha), color="0.2", linestyle="--", linewidth=1)
    ax.axvline(strict, color="0.2", linewidth=1)
    ax.set_xlim(0, limit)
    ax.set_ylim(-0.6, len(scores) - 0.4)
    ax.set_yticks([])
    ax.set_xlabel("−log$_{10}$ p")
    ax.spines[["top", "right"]].set_visible(False)


def _short(name: str, width: int = 40) -> str:
    return plain(name.replace("_", " "), width)
