"""Curves and bars of the robustness experiments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .._arguments import checked
from .._validate import check_column, check_key, check_number, check_some, check_table
from ._style import PALETTE, get_axes, get_panels, legend_inches, name_legend, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEVELS = {
    "rate": "share of nonzero counts dropped",
    "evenness": "evenness of the groups",
    "fraction": "share of the cells kept",
    "batch_key": "",
}
_SCORES = {
    "ari": "ARI",
    "ami": "AMI",
    "fmi": "FMI",
    "silhouette": "silhouette",
    "cell_auprc": "auPRC over peaks, per cell",
    "cell_auroc": "auROC over peaks, per cell",
    "peak_auprc": "auPRC over cells, per peak",
    "peak_auroc": "auROC over cells, per peak",
    "kbet": "kBET acceptance (1 = mixed)",
    "kbet_label": "kBET inside types (1 = mixed)",
    "batch_asw": "batch ASW (1 = mixed)",
    "imbalance": "imbalance degree",
}


@checked()
def robustness(
    table: pd.DataFrame,
    scores: Sequence[str] = ("ari", "silhouette"),
    *,
    x: str | None = None,
    ax: Sequence[Any] | Any | None = None,
) -> list[Axes]:
    """Draw the scores of every method against the level of a corruption: mean over the seeds, band of one SD.

    Parameters
    ----------
    table
        Result of :func:`sccase_kit.metrics.dropout_experiment`, ``imbalance_experiment`` or ``size_experiment``.
    scores
        Columns to draw, one panel each.
    x
        Column of the horizontal axis; the experiment's own by default (``"imbalance"`` shows the imbalance degree).
    ax
        Axes, one per score.

    Returns
    -------
    The Axes.

    Raises
    ------
    KeyError
        If a column is missing.
    ValueError
        If the table is empty, a label is missing, or a score has no finite number.
    TypeError
        If `table` is not a DataFrame, or a score is not a number.
    """
    level = _level(check_table(table))
    x = level if x is None else check_key(x, table.columns, name="x", where="table")
    table, wanted = _with_scores(check_table(table, labels=("method", level)), scores)
    if x != level:
        table[x] = check_column(table, x, name="table")
    panels = get_panels(len(wanted), ax, width=3.8, height=3.0)
    methods = list(dict.fromkeys(table["method"]))
    for axes, score in zip(panels, wanted, strict=True):
        handles: list[Any] = []
        for color, (_, rows) in zip(_colors(table), table.groupby("method", sort=False, observed=True), strict=True):
            by_level = rows.groupby(level, observed=True)
            at = by_level[x].mean() if x != level else by_level[score].mean().index.to_series()
            at = at.to_numpy(np.float64 if pd.api.types.is_numeric_dtype(at) else None)
            mean, spread = by_level[score].mean(), by_level[score].std().fillna(0)
            order = np.argsort(at)
            xs, ys, sd = at[order], mean.to_numpy()[order], spread.to_numpy()[order]
            handles += axes.plot(xs, ys, marker="o", markersize=3.5, color=color)
            axes.fill_between(xs, ys - sd, ys + sd, color=color, alpha=0.15, linewidth=0)
        axes.set(xlabel=_LEVELS.get(x, _SCORES.get(x, plain(x))), ylabel=_SCORES.get(score, plain(score)))
        axes.spines[["top", "right"]].set_visible(False)
    name_legend(panels[-1], handles, methods, loc="center left", bbox_to_anchor=(1.02, 0.5))
    return panels


@checked()
def score_bars(
    table: pd.DataFrame,
    scores: Sequence[str] = ("ari", "silhouette", "kbet", "batch_asw"),
    *,
    reference: str | None = None,
    alpha: float = 0.05,
    ax: Any | None = None,
) -> Axes:
    """Draw the scores of every method as bars: mean over the seeds, whiskers of one SD, a dot per seed.

    Parameters
    ----------
    table
        Result of an experiment, for instance :func:`sccase_kit.metrics.batch_experiment`, or of
        :func:`sccase_kit.metrics.compare`.
    scores
        Columns to draw; those that the table lacks are refused.
    reference
        Method that the others are compared with over the seeds they share: ``*`` marks a difference in a paired t-test,
        with Bonferroni's correction for the other methods.
    alpha
        Level of that test.
    ax
        Axes.

    Returns
    -------
    The Axes.

    Raises
    ------
    KeyError
        If a column is missing, or `reference` is not among the methods.
    ValueError
        If the table is empty, a score has no finite number, or there are fewer than three seeds to compare over.
    TypeError
        If `table` is not a DataFrame, or a score is not a number.
    """
    check_number(alpha, name="alpha", minimum=0, maximum=1, exclusive=True)
    table = check_table(table)
    if "method" not in table.columns:
        table = table.rename_axis(index="method").reset_index() if table.index.nlevels == 1 else table
    table, wanted = _with_scores(check_table(table, labels=("method",)), scores)
    methods = list(dict.fromkeys(table["method"]))
    if reference is not None:
        check_key(reference, methods, name="reference", where="the methods")
        others = [m for m in methods if m != reference]
        starred = {(m, s) for m in others for s in wanted if _differs(table, m, reference, s, alpha)}
    else:
        starred = set()
    ax = get_axes(ax, figsize=(1.6 * len(wanted) + max(2.0, 0.8 + legend_inches(methods)), 3.2))
    width = 0.8 / len(methods)
    at, handles = np.arange(len(wanted)), []
    for i, (color, method) in enumerate(zip(_colors(table), methods, strict=True)):
        values = table.loc[table["method"] == method, wanted]
        place = at + (i - (len(methods) - 1) / 2) * width
        several = len(values) > 1
        bars = ax.bar(
            place,
            values.mean(),
            width * 0.9,
            yerr=values.std() if several else None,
            color=color,
            error_kw={"elinewidth": 1},
        )
        handles.append(bars[0])
        if several:
            ax.scatter(np.tile(place, len(values)), values.to_numpy().ravel(), s=6, color="0.2", zorder=3)
        for x, score in zip(place, wanted, strict=True):
            if (method, score) in starred:
                top = max(float((values.mean() + (values.std() if several else 0))[score]), 0.0)
                ax.annotate("*", (x, top), xytext=(0, 1), textcoords="offset points", ha="center")
    ax.set_xticks(at, [_SCORES.get(score, plain(score)).replace(" (", "\n(") for score in wanted])
    ax.axhline(0, color="0.3", linewidth=0.8)
    ax.set_ylabel("score")
    ax.spines[["top", "right"]].set_visible(False)
    name_legend(ax, handles, methods, loc="center left", bbox_to_anchor=(1.02, 0.5))
    return ax


def _with_scores(table: pd.DataFrame, scores: str | Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
    """Return the table with its scores as finite numbers or NaN, and their names."""
    wanted = check_some(scores, name="scores")
    for score in wanted:
        values = check_column(table, check_key(score, table.columns, name="scores", where="table"), name="table")
        table[score] = np.where(np.isfinite(values), values, np.nan)
        if table[score].isna().all():
            msg = f"table[{score!r}] holds no finite number: there is nothing to draw"
            raise ValueError(msg)
    return table, wanted


def _differs(table: pd.DataFrame, method: str, reference: str, score: str, alpha: float) -> bool:
    """Return whether a paired t-test over the seeds tells two methods apart."""
    from scipy.stats import ttest_rel

    keys = [c for c in ("seed", *_LEVELS) if c in table.columns]
    if not keys:
        msg = "reference= needs a column 'seed' in the table, to pair the methods' scores"
        raise ValueError(msg)
    wide = table.pivot_table(index=keys, columns="method", values=score, observed=True)[[method, reference]].dropna()
    if len(wide) < 3:
        msg = f"{method!r} and {reference!r} share {len(wide)} seeds; a paired test needs at least 3"
        raise ValueError(msg)
    difference = (wide[method] - wide[reference]).to_numpy()
    if np.ptp(difference) == 0:
        return bool(difference[0] != 0)
    return bool(ttest_rel(wide[method], wide[reference]).pvalue < alpha / max(1, table["method"].nunique() - 1))


def _level(table: pd.DataFrame) -> str:
    for name in ("rate", "evenness", "fraction", "batch_key"):
        if name in table.columns:
            return name
    msg = f"table is not the result of an experiment: none of {list(_LEVELS)} among its columns {list(table.columns)}"
    raise KeyError(msg)


def _colors(table: pd.DataFrame) -> list[str]:
    return [PALETTE[i % len(PALETTE)] for i in range(table["method"].nunique())]
