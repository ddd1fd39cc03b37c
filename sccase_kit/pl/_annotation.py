"""Names suggested for groups of cells, with the scores they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .._record import required
from .._validate import check_adata, check_int
from ._style import DIVERGING, get_axes, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def annotation(adata: AnnData, *, key: str = "annotation", max_types: int = 40, ax: Any | None = None) -> Axes:
    """Draw the scores of all types in all groups, with the best of every group marked.

    A full dot marks the name of a group; a half-filled one the best of a group that is named after its lineage; a ring
    the best of a group that is left unknown.

    Parameters
    ----------
    adata
        Data with :func:`sccase_kit.tl.annotate` written.
    key
        The `key_added` of the annotation.
    max_types
        Types drawn at most: those that score highest in any group.
    ax
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib Axes.

    Raises
    ------
    KeyError
        If there is no annotation under `key`.
    ValueError
        If `max_types` is below 2.
    """
    check_adata(adata)
    check_int(max_types, name="max_types", minimum=2)
    entry = required(adata, key, "tl.annotate")
    table: pd.DataFrame = entry.results["table"]
    scores: pd.DataFrame = entry.results["scores"]
    if "types" in entry.results:  # files of earlier versions hold the names as they were given
        scores = scores.set_axis([str(name) for name in entry.results["types"]], axis=1)
    scores = scores.dropna(axis=1, how="all")
    highest = np.argsort(-scores.max(axis=0).to_numpy(), kind="stable")[:max_types]
    scores = scores.iloc[:, np.sort(highest)]
    # Types in the order of the groups that they are best in: the marks run down the diagonal.
    order = np.lexsort((-scores.max(axis=0).to_numpy(), scores.to_numpy().argmax(axis=0)))
    scores = scores.iloc[:, order]
    n_groups, n_types = scores.shape
    ax = get_axes(ax, figsize=(2.4 + 0.26 * n_types, 1.6 + 0.26 * n_groups))
    values = scores.to_numpy(dtype=float)
    limit = float(np.nanmax(np.abs(values))) or 1.0
    image = ax.imshow(values, cmap=DIVERGING, vmin=-limit, vmax=limit, aspect="auto", interpolation="nearest")
    columns = {str(name): j for j, name in enumerate(scores.columns)}
    for i, row in enumerate(table.itertuples()):
        if (j := columns.get(str(row.best))) is not None:
            if str(row.label) == str(row.best):
                style = {"markerfacecolor": "black", "markeredgecolor": "white"}  # seen on dark fields too
            elif str(row.label) != "unknown":  # a lineage
                style = {"markerfacecolor": "black", "markerfacecoloralt": "white", "fillstyle": "left"}
                style |= {"markeredgecolor": "black"}
            else:
                style = {"markerfacecolor": "none", "markeredgecolor": "black"}
            ax.plot(j, i, "o", markersize=7, clip_on=False, **style)
    ax.set_xticks(range(n_types), [plain(name, 24) for name in scores.columns], rotation=90, fontsize="small")
    ax.set_yticks(range(n_groups), [plain(name, 24) for name in scores.index], fontsize="small")
    ax.tick_params(length=0)
    by_reference = "n_peaks" in table.columns
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.9)
    bar.set_label("correlation" if by_reference else "score of marker genes", fontsize="small")
    bar.ax.tick_params(labelsize="small")
    return ax
