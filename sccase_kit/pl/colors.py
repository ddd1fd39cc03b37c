"""Colours of categories: a colour-blind safe palette and scanpy's ``uns["<key>_colors"]``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .._logging import warn
from .._record import records
from .._validate import check_key, check_labels

#: Categorical colours: six of Okabe & Ito (2008), which are safe for the colour-blind, then those of middling chroma
#: that are furthest from each other, from greys and from white, the darkest last. Any two are 26 or more apart in CIE
#: L*a*b*.
PALETTE = [
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#AADB55", "#552492",
    "#860024", "#AA92FF", "#0C860C", "#FFAA86", "#B60C86", "#616100", "#FF5579", "#3DE7E7",
    "#613D24", "#49E786", "#B6DB9E", "#FF86F3", "#184931", "#DBC261", "#DBC2FF", "#553155",
]  # fmt: skip
#: Sequential and diverging maps that print well and are colour-blind safe.
SEQUENTIAL, DIVERGING = "viridis", "RdBu_r"
#: Colour of cells without a value.
MISSING = "#D3D3D3"
#: Colour of labels that say that nothing is known, and those labels, in lower case.
UNKNOWN = "#B8B8B8"
UNKNOWN_LABELS = {"unknown", "unassigned", "unlabelled", "unlabeled", "undetermined", "none", "nan", "na", "n/a", ""}
#: Share of the cells of two labels together that both have, from which they are taken for the same.
_SAME = 0.75
#: Columns of types, which have their colours before any other column of a user.
TYPE_COLUMNS = ("cell_type", "celltype", "cell_types")
_MOST_LABELS = 200
_SHADES = (0.0, 0.5, -0.4)  # as they are, halfway to white, darker by 40 %


def category_colors(n: int) -> list[str]:
    """Return `n` colours: the palette, then its lighter and darker shades, then hues spaced evenly.

    The first 24 can be told apart; of more than 72 no eye can.
    """
    from matplotlib.colors import hsv_to_rgb, to_hex, to_rgb

    if n <= len(PALETTE):
        return PALETTE[:n]
    found = list(PALETTE)
    for shade in _SHADES[1:]:
        base = np.array([to_rgb(c) for c in PALETTE])
        found += [to_hex(c) for c in (base + (1 - base) * shade if shade > 0 else base * (1 + shade))]
    rest = max(0, n - len(found))
    found += [
        to_hex(tuple(hsv_to_rgb((i / rest, 0.55 + 0.35 * (i % 2), 0.9 - 0.3 * (i % 3 == 1))))) for i in range(rest)
    ]
    return found[:n]


def is_unknown(label: object) -> bool:
    """Return whether a label says that nothing is known, such as "unknown" or "NA"."""
    return str(label).strip().lower() in UNKNOWN_LABELS


def column_colors(obs: pd.DataFrame, uns: Mapping[str, Any], columns: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return colours of the labels of columns, the same on the page and in every plot.

    Colours that are stored stay, those of all columns. Of the others, clusters choose first, then names of clusters,
    types, batches, and then `columns` in their order: a label has the colour of the label before it that holds the same
    cells (at least three quarters of the cells of both), grey if it says that nothing is known, else one that is not
    taken.

    Parameters
    ----------
    obs
        The columns.
    uns
        Where ``<column>_colors`` may be, and what records which columns are clusters.
    columns
        Names of columns.

    Returns
    -------
    Column → label (as text) → colour (#rrggbb), in the order of the categories.
    """
    from matplotlib.colors import to_hex

    found: dict[str, dict[str, str]] = {}
    order = dict.fromkeys([*_first(obs, uns), *columns])
    labels = {name: obs[name].astype("category") for name in order}
    for name in dict.fromkeys([*order, *(str(column) for column in obs.columns)]):
        if f"{name}_colors" not in uns:
            continue
        values = labels[name] if name in labels else obs[name].astype("category")
        stored = stored_colors(uns, name, len(values.cat.categories))
        if stored is not None:
            names = [str(label) for label in values.cat.categories]
            found[name] = dict(zip(names, [to_hex(color) for color in stored], strict=False))
            labels[name] = values
    for name in order:
        if name not in found:
            found[name] = _chosen(labels[name], {other: (labels[other], found[other]) for other in found})
    return {name: found[name] for name in columns}


def _first(obs: pd.DataFrame, uns: Mapping[str, Any]) -> list[str]:
    """Return the columns that have their colours before others, those that matter most first."""
    known = sorted(records(uns).items(), key=lambda item: item[1].number)
    made = [key for wanted in ("tl.cluster", "tl.annotate") for key, entry in known if entry.function == wanted]
    batches = [entry.params.get("batch_key") for _, entry in known if entry.function == "tl.enhance"]
    names = [str(name) for name in [*made, *TYPE_COLUMNS, *batches] if name is not None and name in obs]
    return [name for name in names if obs[name].nunique() <= _MOST_LABELS]


def _chosen(labels: pd.Series, before: Mapping[str, tuple[pd.Series, Mapping[str, str]]]) -> dict[str, str]:
    names = [str(name) for name in labels.cat.categories]
    same = {name: UNKNOWN for name in names if is_unknown(name)}
    for others, colors in before.values():
        for name, other in _matches(labels, others).items():
            if other in colors and not is_unknown(other) and colors[other] not in same.values():
                same.setdefault(name, colors[other])
    used = {color.lower() for _, colors in before.values() for color in colors.values()}
    free = iter([color for color in category_colors(len(used) + len(names)) if color.lower() not in used])
    return {name: same.get(name) or next(free) for name in names}


def _matches(labels: pd.Series, others: pd.Series) -> dict[str, str]:
    """Return the labels that hold nearly the cells of one of the others."""
    n, m = len(labels.cat.categories), len(others.cat.categories)
    if n * m == 0:
        return {}
    a, b = labels.cat.codes.to_numpy(np.int64), others.cat.codes.to_numpy(np.int64)
    there = (a >= 0) & (b >= 0)
    both = np.bincount(a[there] * m + b[there], minlength=n * m).reshape(n, m)
    cells, other_cells = both.sum(axis=1)[:, None], both.sum(axis=0)[None]
    shares = both / np.maximum(cells + other_cells - both, 1)
    best = shares.argmax(axis=1)
    names, other_names = labels.cat.categories, others.cat.categories
    return {str(names[i]): str(other_names[j]) for i, j in enumerate(best) if shares[i, j] >= _SAME}


def colors_of(
    adata: AnnData, groupby: str, *, name: str = "groupby", allow_missing: bool = False
) -> tuple[pd.Series, dict[Any, str]]:
    """Return the labels and the colour of each category, as scanpy keeps them.

    Colours are those of ``uns["<groupby>_colors"]``, one per category of ``obs[groupby]`` (unused ones included).
    Where there are none, or fewer than categories, they are chosen by :func:`column_colors` and written there, as
    scanpy does; a view is left as it is, because writing to it would copy the data.

    Parameters
    ----------
    adata
        Annotated data.
    groupby
        Column of `obs`.
    name
        Name of the argument in messages.
    allow_missing
        Keep cells without a label (NaN) instead of refusing them.

    Returns
    -------
    Categorical Series without unused categories, and category → colour.
    """
    if allow_missing:
        key = check_key(groupby, adata.obs.columns, name=name, where="adata.obs")
        labels = adata.obs[key].astype("category").cat.remove_unused_categories()
    else:
        labels = check_labels(adata, groupby, name=name)
    full = list(adata.obs[groupby].astype("category").cat.categories)
    stored = stored_colors(adata.uns, groupby, len(full))
    if stored is None:
        rest = {name: value for name, value in adata.uns.items() if name != f"{groupby}_colors"}
        chosen = column_colors(adata.obs, rest, [groupby])[groupby]
        stored = list(chosen.values()) if len(chosen) == len(full) else category_colors(len(full))  # 1 and "1"
        if not adata.is_view:
            adata.uns[f"{groupby}_colors"] = list(stored)
    lookup = dict(zip(full, stored, strict=False))
    return labels, {category: lookup[category] for category in labels.cat.categories}


def stored_colors(uns: Mapping[str, Any], groupby: str, n: int) -> list[str] | None:
    """Return the colours that are stored for a column of `n` categories; None where they are not, or too few."""
    from matplotlib.colors import is_color_like

    slot = f"{groupby}_colors"
    stored = uns.get(slot)
    if stored is None:
        return None
    colors = [str(color) for color in np.atleast_1d(np.asarray(stored, dtype=object))]
    if len(colors) < n:
        return None
    if bad := [color for color in colors if not is_color_like(color)]:
        warn(f"adata.uns[{slot!r}] holds {bad[0]!r}, which is no colour; others are chosen instead")
        return None
    return colors
