"""Colours of categories: a colour-blind safe palette and scanpy's ``uns["<key>_colors"]``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .._logging import warn
from .._validate import check_key, check_labels

#: Colour-blind safe categorical colours (Okabe & Ito 2008, then Paul Tol's muted scheme; yellow and black last).
PALETTE = [
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#332288", "#999933", "#882255",
    "#44AA99", "#117733", "#DDCC77", "#CC6677", "#AA4499", "#88CCEE", "#F0E442", "#888888", "#000000",
]  # fmt: skip
#: Sequential and diverging maps that print well and are colour-blind safe.
SEQUENTIAL, DIVERGING = "viridis", "RdBu_r"
#: Colour of cells without a value.
MISSING = "#D3D3D3"
_SHADES = (0.0, 0.5, -0.4)  # as they are, halfway to white, darker by 40 %


def category_colors(n: int) -> list[str]:
    """Return `n` colours: the palette, then its lighter and darker shades, then hues spaced evenly.

    Up to 54 are distinct members of the palette's family; more than that no eye can tell apart by colour.
    """
    from matplotlib.colors import hsv_to_rgb, to_hex, to_rgb

    if n <= len(PALETTE):
        return PALETTE[:n]
    colored = PALETTE[:-2]  # shades of grey and black are no colours of their own
    found = list(PALETTE)
    for shade in _SHADES[1:]:
        base = np.array([to_rgb(c) for c in colored])
        found += [to_hex(c) for c in (base + (1 - base) * shade if shade > 0 else base * (1 + shade))]
    rest = max(0, n - len(found))
    found += [
        to_hex(tuple(hsv_to_rgb((i / rest, 0.55 + 0.35 * (i % 2), 0.9 - 0.3 * (i % 3 == 1))))) for i in range(rest)
    ]
    return found[:n]


def colors_of(
    adata: AnnData, groupby: str, *, name: str = "groupby", allow_missing: bool = False
) -> tuple[pd.Series, dict[Any, str]]:
    """Return the labels and the colour of each category, as scanpy keeps them.

    Colours are those of ``uns["<groupby>_colors"]``, one per category of ``obs[groupby]`` (unused ones included).
    Where there are none, or fewer than categories, the palette is taken and written there, as scanpy does; a view is
    left as it is, because writing to it would copy the data.

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
    stored = _stored(adata, groupby, len(full))
    if stored is None:
        stored = category_colors(len(full))
        if not adata.is_view:
            adata.uns[f"{groupby}_colors"] = list(stored)
    lookup = dict(zip(full, stored, strict=False))
    return labels, {category: lookup[category] for category in labels.cat.categories}


def _stored(adata: AnnData, groupby: str, n: int) -> list[str] | None:
    from matplotlib.colors import is_color_like

    slot = f"{groupby}_colors"
    stored = adata.uns.get(slot)
    if stored is None:
        return None
    colors = [str(color) for color in np.atleast_1d(np.asarray(stored, dtype=object))]
    if len(colors) < n:
        return None
    if bad := [color for color in colors if not is_color_like(color)]:
        warn(f"adata.uns[{slot!r}] holds {bad[0]!r}, which is no colour; the default palette is written instead")
        return None
    return colors
