"""Traits by groups of cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._record import required
from .._validate import check_adata, check_number, check_table
from ._style import SEQUENTIAL, check_cmap, get_axes, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@checked()
def trait_groups(
    adata: AnnData | pd.DataFrame,
    *,
    alpha: float = 0.05,
    max_score: float | None = None,
    cmap: str = SEQUENTIAL,
    key: str = "traits",
    ax: Any | None = None,
) -> Axes:
    """Draw in which groups of cells the variants of each trait act: groups × traits.

    Parameters
    ----------
    adata
        Data with :func:`sccase_kit.tl.trait_scores` written, with `groupby`; or its table of groups.
    alpha
        Adjusted p-value up to which a field has a star.
    max_score
        Score at which the colours end; the largest by default.
    cmap
        Colour map.
    key
        The `key_added` of the scores.
    ax
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib Axes. Colour is the score of the group: visits of the walk over those of random walks, so 1 is chance.

    Raises
    ------
    KeyError
        If there are no scores under `key`, or columns are missing.
    ValueError
        If they were computed without `groupby`, or an argument is out of its range.
    """
    check_cmap(cmap)
    alpha = check_number(alpha, name="alpha", minimum=0, maximum=1)
    table, traits, groups = _groups_of(adata, key)
    wide = table.assign(trait=table["trait"].astype(str), group=table["group"].astype(str)).set_index(
        ["group", "trait"]
    )
    score = wide["score"].unstack().loc[groups, traits].to_numpy()
    starred = wide["p_value_adj"].unstack().loc[groups, traits].to_numpy() <= alpha
    width = 1.6 + 0.55 * len(traits) + max(0.0, 0.08 * max(len(plain(name)) for name in groups) - 1.0)
    ax = get_axes(ax, figsize=(width, 1.8 + 0.24 * len(groups)))
    largest = float(np.nanmax(score)) if max_score is None else check_number(max_score, name="max_score", minimum=0)
    image = ax.imshow(score, cmap=cmap, vmin=0, vmax=largest or 1.0, aspect="auto", interpolation="nearest")
    for row, column in zip(*np.nonzero(starred), strict=True):
        light = image.norm(score[row, column]) > 0.55
        ax.text(column, row, "*", ha="center", va="center_baseline", color="black" if light else "white")
    ax.set_xticks(range(len(traits)), [plain(name) for name in traits], rotation=45, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(groups)), [plain(name) for name in groups])
    ax.tick_params(length=0)
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.9, pad=0.03)
    bar.set_label(f"visits / random walks\n(* FDR ≤ {alpha:g})", fontsize="small")
    return ax


def _groups_of(given: AnnData | pd.DataFrame, key: str) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Return the table of groups, and traits and groups in the order to draw."""
    if isinstance(given, pd.DataFrame):
        numbers, p_values = ["score"], ["p_value_adj"]
        table = check_table(given, name="adata", labels=["trait", "group"], numbers=numbers, p_values=p_values)
        return table, list(dict.fromkeys(table["trait"].astype(str))), list(dict.fromkeys(table["group"].astype(str)))
    made = required(check_adata(given), key, "tl.trait_scores")
    results = made.results
    if "groups" not in results:
        msg = f"key={key!r} holds no groups; run sccase_kit.tl.trait_scores(adata, variants, groupby)"
        raise ValueError(msg)
    table = results["groups"]
    traits = [str(name) for name in results["traits"]["trait"] if str(name) in set(table["trait"].astype(str))]
    return table, traits, _ordered(given, made.params.get("groupby"), list(dict.fromkeys(table["group"].astype(str))))


def _ordered(adata: AnnData, groupby: str | None, groups: list[str]) -> list[str]:
    """Return groups in the order of their categories in the data, where they are known, else sorted."""
    if groupby is not None and groupby in adata.obs:
        names = [str(name) for name in adata.obs[groupby].astype("category").cat.categories]
        if set(groups) <= set(names):
            return [name for name in names if name in set(groups)]
    return sorted(groups)
