"""Cell-wise accuracy of several methods, side by side (paper, Fig. 2b-e)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .._arguments import checked
from .._validate import check_column, check_key, check_number, check_table
from ._style import get_axes, open_frame, plain
from .colors import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LABELS = {"auprc": "auPRC", "auroc": "auROC"}


@checked()
def accuracy_boxplot(
    tables: Mapping[str, pd.DataFrame],
    score: str = "auprc",
    *,
    reference: str | None = None,
    alpha: float = 0.05,
    ax: Any | None = None,
) -> Axes:
    """Draw the accuracy of every cell (or peak) as a box per method.

    Parameters
    ----------
    tables
        Method → table of :func:`sccase_kit.metrics.accuracy`, over the same cells.
    score
        ``"auprc"`` or ``"auroc"``.
    reference
        Method that the others are compared with: ``*`` marks those whose values differ from its values (two-sided
        Wilcoxon signed-rank test over the cells they share, Bonferroni over the methods).
    alpha
        Level of that test.
    ax
        Axes; `None` makes a figure.

    Returns
    -------
    The Axes. Boxes are quartiles, whiskers reach to 1.5 interquartile ranges; means are dots.

    Raises
    ------
    KeyError
        If a table lacks the score, or `reference` is not among the methods.
    ValueError
        If there is no table or no finite score, or a table shares no row with that of `reference` or repeats one.
    TypeError
        If `tables` is not a mapping of DataFrames, or the scores are not numbers.
    """
    if not isinstance(tables, Mapping):
        msg = f"tables must be a mapping of method → DataFrame, got {type(tables).__name__}: tables={{'name': table}}"
        raise TypeError(msg)
    if not tables:
        msg = "tables is empty: give at least one method's table of sk.metrics.accuracy"
        raise ValueError(msg)
    check_number(alpha, name="alpha", minimum=0, maximum=1, exclusive=True)
    columns = {name: _scores(table, score, f"tables[{name!r}]") for name, table in tables.items()}
    if reference is not None:
        check_key(reference, tables, name="reference", where="tables")
    names, values = list(columns), list(columns.values())
    stars = [] if reference is None else _differing(columns, reference, alpha)
    ax = get_axes(ax, figsize=(0.7 * len(names) + 1.6, 3.3))
    boxes = ax.boxplot(
        [v.to_numpy() for v in values],
        widths=0.6,
        patch_artist=True,
        showmeans=True,
        flierprops={"marker": ".", "markersize": 2, "markeredgecolor": "0.6"},
        medianprops={"color": "black"},
        meanprops={"marker": "o", "markersize": 4, "markerfacecolor": "white", "markeredgecolor": "black"},
    )
    for i, box in enumerate(boxes["boxes"]):
        box.set(facecolor=PALETTE[i % len(PALETTE)], alpha=0.75)
    shown = [plain(name) for name in names]
    ax.set_xticks(np.arange(1, len(names) + 1), shown, rotation=45, ha="right", rotation_mode="anchor")
    ax.set_ylabel(_LABELS.get(score, plain(score)))
    open_frame(ax)
    for name in stars:
        at = (names.index(name) + 1, columns[name].max())
        ax.annotate("*", at, xytext=(0, 2), textcoords="offset points", ha="center", va="bottom")
    if reference is not None:
        ax.margins(y=0.08)
    return ax


def _scores(table: Any, score: str, name: str) -> pd.Series:
    """Return the finite scores of a table by row name."""
    table = check_table(table, name=name, hint="It must come from sk.metrics.accuracy.")
    check_key(score, table.columns, name="score", where=name)
    values = pd.Series(check_column(table, score, name=name), index=table.index)
    values = values[np.isfinite(values)]
    if values.empty:
        msg = f"{name}[{score!r}] holds no finite number: there is nothing to draw"
        raise ValueError(msg)
    return values


def _differing(columns: Mapping[str, pd.Series], reference: str, alpha: float) -> list[str]:
    """Return the methods whose values differ from those of the reference."""
    from scipy.stats import wilcoxon

    found = []
    for name, values in columns.items():
        if name == reference:
            continue
        for which in (name, reference):
            if columns[which].index.has_duplicates:
                twice = columns[which].index[columns[which].index.duplicated()][0]
                msg = f"tables[{which!r}] holds {twice!r} more than once: rows are paired by name, one row per cell"
                raise ValueError(msg)
        both = pd.concat([columns[reference], values], axis=1, join="inner").to_numpy()
        if not len(both):
            msg = f"tables[{name!r}] shares no row with tables[{reference!r}]: the index must name the same cells"
            raise ValueError(msg)
        difference = both[:, 1] - both[:, 0]
        if difference.any() and wilcoxon(difference).pvalue < alpha / (len(columns) - 1):
            found.append(name)
    return found
