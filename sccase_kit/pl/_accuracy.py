"""Cell-wise accuracy of several methods, side by side (paper, Fig. 2b-e)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from .._validate import check_key, check_number
from ._colors import PALETTE
from ._style import get_axes, open_frame

_LABELS = {"auprc": "auPRC", "auroc": "auROC"}


def accuracy_boxplot(
    tables: Mapping[str, pd.DataFrame],
    score: str = "auprc",
    *,
    reference: str | None = None,
    alpha: float = 0.05,
    ax: Any | None = None,
) -> Any:
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
        If there is no table, or a table shares no row with that of `reference`.
    """
    from scipy.stats import wilcoxon

    if not tables:
        msg = "tables is empty: give at least one method's table of sk.metrics.accuracy"
        raise ValueError(msg)
    check_number(alpha, name="alpha", minimum=0, maximum=1, exclusive=True)
    for name, table in tables.items():
        check_key(score, table.columns, name="score", where=f"tables[{name!r}]")
    if reference is not None:
        check_key(reference, tables, name="reference", where="tables")
    names = list(tables)
    values = [tables[name][score].dropna() for name in names]
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
    ax.set_xticks(np.arange(1, len(names) + 1), names, rotation=45, ha="right", rotation_mode="anchor")
    ax.set_ylabel(_LABELS.get(score, score))
    open_frame(ax)
    if reference is not None and len(names) > 1:
        own = tables[reference][score]
        for i, name in enumerate(names):
            if name == reference:
                continue
            both = pd.concat([own, tables[name][score]], axis=1, join="inner").dropna().to_numpy()
            if not len(both):
                msg = f"tables[{name!r}] shares no row with tables[{reference!r}]: the index must name the same cells"
                raise ValueError(msg)
            difference = both[:, 1] - both[:, 0]
            if difference.any() and wilcoxon(difference).pvalue < alpha / (len(names) - 1):
                ax.annotate(
                    "*", (i + 1, values[i].max()), xytext=(0, 2), textcoords="offset points", ha="center", va="bottom"
                )
        ax.margins(y=0.08)
    return ax
