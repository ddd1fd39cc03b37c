"""Names suggested for groups of cells, with the scores they come from."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._labels import column_name
from .._record import required
from .._validate import check_adata, check_int, check_some, check_table
from ._style import DIVERGING, get_axes, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes


#: What scores of marker genes are, with their unit.
_SCORE = "marker score (Σ z / √n)"


@checked()
def annotation(
    adata: AnnData | pd.DataFrame,
    *,
    table: pd.DataFrame | None = None,
    key: str = "annotation",
    groups: Sequence[Hashable] | None = None,
    max_types: int = 40,
    ax: Any | None = None,
) -> Axes:
    """Draw the scores of all types in all groups, with the best of every group marked.

    A full dot marks the name of a group; a half-filled one the best of a group that is named after its lineage; a ring
    the best of a group that is left unknown.

    Parameters
    ----------
    adata
        Data with :func:`sccase_kit.tl.annotate` written; or its scores, groups × types
        (``uns["annotation"]["scores"]``).
    table
        With scores: the names of the groups (``uns["annotation"]["table"]``: columns group, label, best); without it
        nothing is marked.
    key
        The `key_added` of the annotation.
    groups
        Groups to draw, in this order; by default all.
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
        If there is no annotation under `key`, or columns of `table` are missing.
    TypeError
        If scores are not numbers.
    ValueError
        If `max_types` is below 2, no score is a number, a group is not there, names of groups or types repeat, or
        `table` comes with data or has groups without scores.
    """
    check_int(max_types, name="max_types", minimum=2)
    scores, names, label = _parts(adata, table, key)
    scores, names = _chosen(scores, names, groups)
    scores = scores.dropna(axis=1, how="all")
    highest = np.argsort(-scores.max(axis=0).to_numpy(), kind="stable")[:max_types]
    scores = scores.iloc[:, np.sort(highest)]
    # Types in the order of the first group that they are best in, so that the marks go down; then the others.
    best = scores.fillna(-np.inf).to_numpy().argmax(axis=1).tolist()
    first = [best.index(j) if j in best else len(best) for j in range(scores.shape[1])]
    order = np.lexsort((-scores.max(axis=0).to_numpy(), scores.fillna(-np.inf).to_numpy().argmax(axis=0), first))
    scores = scores.iloc[:, order]
    n_groups, n_types = scores.shape
    ax = get_axes(ax, figsize=(2.4 + 0.26 * n_types, 1.6 + 0.26 * n_groups))
    values = scores.to_numpy(dtype=float)
    limit = float(np.nanmax(np.abs(values))) or 1.0
    image = ax.imshow(values, cmap=DIVERGING, vmin=-limit, vmax=limit, aspect="auto", interpolation="nearest")
    columns = {str(name): j for j, name in enumerate(scores.columns)}
    rows = {str(name): i for i, name in enumerate(scores.index)}
    for row in names.itertuples():
        i = rows[str(row.group)]
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
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.9)
    bar.set_label(label, fontsize="small")
    bar.ax.tick_params(labelsize="small")
    return ax


def _chosen(
    scores: pd.DataFrame, names: pd.DataFrame, groups: Sequence[Hashable] | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of some groups, in their order, and their names."""
    if groups is None:
        return scores, names
    wanted = [str(name) for name in check_some(groups, name="groups")]
    at = {str(name): i for i, name in enumerate(scores.index)}
    if missing := [name for name in wanted if name not in at]:
        msg = f"groups: {missing} are not annotated; available: {list(at)}"
        raise ValueError(msg)
    return scores.iloc[[at[name] for name in wanted]], names[names["group"].astype(str).isin(wanted)]


def _parts(given: Any, table: pd.DataFrame | None, key: str) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Return the scores, the names of the groups, and what the scores are."""
    marks = ["group", "label", "best"]
    if not isinstance(given, pd.DataFrame):
        if table is not None:
            msg = "table goes with scores as the first argument; data hold their own table under key"
            raise ValueError(msg)
        results = required(check_adata(given), key, "tl.annotate").results
        scores: pd.DataFrame = results["scores"]
        if "types" in results:  # files of earlier versions hold the names as they were given
            scores = scores.set_axis([str(name) for name in results["types"]], axis=1)
        found: pd.DataFrame = results["table"]
        return scores, found, "correlation" if "n_peaks" in found.columns else _SCORE
    if {"group", "best"} <= {str(name) for name in given.columns}:
        msg = "adata is the table of names; the scores are drawn: pl.annotation(entry['scores'], table=entry['table']) "
        msg += "with entry = adata.uns['annotation']"
        raise ValueError(msg)
    scores = check_table(given, name="adata", numbers=list(given.columns))
    if not scores.index.is_unique:
        msg = f"adata has several rows of one group, such as {scores.index[scores.index.duplicated()][0]!r}"
        raise ValueError(msg)
    if not np.isfinite(scores.to_numpy(dtype=float)).any():
        msg = f"adata holds no score: none of its {scores.size} fields is a finite number"
        raise ValueError(msg)
    scores = scores.replace([np.inf, -np.inf], np.nan)
    if table is None:
        return scores, pd.DataFrame(columns=marks), "score"
    found = check_table(table, name="table", labels=marks)
    if lost := [str(name) for name in found["group"] if str(name) not in {str(row) for row in scores.index}]:
        msg = f"table has groups without scores: {lost[:5]}; the rows of adata are {list(scores.index[:5])}"
        raise ValueError(msg)
    spelled = {column_name(name): str(name) for name in found["best"]}  # a stored "B|T" was "B/T"
    scores = scores.set_axis([spelled.get(str(name), str(name)) for name in scores.columns], axis=1)
    return scores, found, "correlation" if "n_peaks" in found.columns else _SCORE
