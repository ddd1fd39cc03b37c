"""Colours of the page: one for a group wherever it appears, and none shared by chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..pl.colors import category_colors

#: Share of the cells of two labels together that both have, from which they are taken for the same.
_SAME = 0.5


def page_colors(obs: pd.DataFrame, uns: Mapping[str, Any], columns: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return colours of the labels of columns, so that different things have different colours.

    The first column takes the palette. A label of a later column has the colour of the label before it that holds the
    same cells (at least half of the cells of both), else one that is not taken. Colours that the user stored stay.

    Parameters
    ----------
    obs
        The columns.
    uns
        Where ``<column>_colors`` may be.
    columns
        Names of columns, the most important first.

    Returns
    -------
    Column → label (as text) → colour (#rrggbb), in the order of the categories.
    """
    from matplotlib.colors import is_color_like, to_hex

    found: dict[str, dict[str, str]] = {}
    for column in dict.fromkeys(columns):
        labels = obs[column].astype("category")
        names = [str(name) for name in labels.cat.categories]
        stored = [str(color) for color in np.atleast_1d(np.asarray(uns.get(f"{column}_colors", []), dtype=object))]
        if len(stored) >= len(names) and all(is_color_like(color) for color in stored):
            found[column] = dict(zip(names, [to_hex(color) for color in stored], strict=False))
        else:
            found[column] = _chosen(obs, labels.astype(str), names, found)
    return found


def _chosen(
    obs: pd.DataFrame, labels: pd.Series, names: list[str], before: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    same: dict[str, str] = {}
    for column, colors in before.items():
        for name, other in _matches(labels, obs[column].astype(str)).items():
            if other in colors and colors[other] not in same.values():
                same.setdefault(name, colors[other])
    used = {color.lower() for colors in before.values() for color in colors.values()}
    free = iter([color for color in category_colors(len(used) + len(names)) if color.lower() not in used])
    return {name: same.get(name) or next(free) for name in names}


def _matches(labels: pd.Series, others: pd.Series) -> dict[str, str]:
    """Return the labels that hold nearly the cells of one of the others."""
    both = pd.crosstab(labels, others)
    cells, other_cells = both.sum(axis=1).to_numpy()[:, None], both.sum(axis=0).to_numpy()[None]
    shares = both.to_numpy() / np.maximum(cells + other_cells - both.to_numpy(), 1)
    best = shares.argmax(axis=1) if shares.size else []
    return {
        str(name): str(both.columns[j])
        for i, (name, j) in enumerate(zip(both.index, best, strict=True))
        if shares[i, j] >= _SAME
    }
