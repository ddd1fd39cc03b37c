"""Colours and small layout helpers shared by all plots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .._validate import check_labels

#: Colour-blind safe categorical colours (Okabe & Ito 2008, then Paul Tol's muted scheme).
PALETTE = [
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442", "#000000",
    "#332288", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#CC6677", "#882255", "#AA4499", "#888888",
]  # fmt: skip
#: Sequential and diverging maps that print well and are colour-blind safe.
SEQUENTIAL, DIVERGING = "viridis", "RdBu_r"
#: Points above which scatters and images inside vector figures are rasterised.
RASTER_ABOVE = 2000


def get_axes(ax: Any | None, *, figsize: tuple[float, float] = (4.0, 3.5)):
    """Return `ax`, or the Axes of a new constrained-layout figure."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=figsize, layout="constrained")[1]


def get_panels(n: int, axes: Sequence[Any] | None, *, width: float = 3.6, height: float = 3.4, **kwargs: Any):
    """Return `n` Axes in a row: those given, or of a new figure.

    Raises
    ------
    ValueError
        If `axes` has another length.
    """
    if axes is not None:
        given = list(np.ravel(axes))
        if len(given) != n:
            msg = f"ax must hold {n} Axes, got {len(given)}"
            raise ValueError(msg)
        return given
    import matplotlib.pyplot as plt

    figure, new = plt.subplots(1, n, figsize=(width * n, height), squeeze=False, layout="constrained", **kwargs)
    del figure
    return list(new[0])


def colors_of(adata: AnnData, groupby: str) -> tuple[pd.Series, dict[Any, str]]:
    """Return (labels, colour of each category), honouring scanpy's ``uns["<groupby>_colors"]``; writes nothing."""
    labels = check_labels(adata, groupby)
    names = list(labels.cat.categories)
    stored = adata.uns.get(f"{groupby}_colors")
    full = list(adata.obs[groupby].astype("category").cat.categories)
    if stored is not None and len(stored) >= len(full):
        lookup = dict(zip(full, [str(c) for c in stored], strict=False))
        return labels, {name: lookup[name] for name in names}
    return labels, {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(names)}


def legend_outside(ax: Any, colors: dict[Any, str], *, title: str | None = None, marker: str = "o") -> None:
    """Draw a legend of the categories to the right of `ax`."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], linestyle="", marker=marker, color=color, markersize=6, label=str(name))
        for name, color in colors.items()
    ]
    columns = 1 if len(handles) <= 14 else 2
    ax.legend(
        handles=handles, title=title, loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False, ncols=columns,
        fontsize="small", handletextpad=0.2, borderaxespad=0,
    )  # fmt: skip


def order_cells(labels: pd.Series) -> np.ndarray:
    """Return the cells sorted by category, stable inside each."""
    return np.argsort(labels.cat.codes.to_numpy(), kind="stable")


def color_strip(ax: Any, labels: pd.Series, colors: dict[Any, str], *, side: str = "top") -> Any:
    """Draw a strip of category colours along an image axis, with the names at their centres; return its Axes.

    Parameters
    ----------
    ax
        Axes of an image whose columns (``side="top"``) or rows (``side="left"``) are the cells in order.
    labels
        Ordered categorical labels of these cells.
    colors
        Colour of each category.
    side
        ``"top"`` or ``"left"``.
    """
    from matplotlib.colors import to_rgb

    image = np.array([to_rgb(colors[v]) for v in labels])
    top = side == "top"
    strip = ax.inset_axes([0, 1.01, 1, 0.035] if top else [-0.045, 0, 0.035, 1])
    strip.imshow(image[None] if top else image[:, None], aspect="auto", interpolation="nearest")
    codes = labels.cat.codes.to_numpy()
    centres = [(np.flatnonzero(codes == c).mean(), name) for c, name in enumerate(labels.cat.categories)]
    ticks, names = [c for c, _ in centres], [str(n) for _, n in centres]
    if top:
        crowded = len(names) > 6 or max(map(len, names)) > 6
        strip.set_xticks(ticks, names, rotation=45 if crowded else 0, ha="left" if crowded else "center")
        strip.xaxis.tick_top()
        strip.set_yticks([])
    else:
        strip.set_yticks(ticks, names)
        strip.set_xticks([])
    strip.tick_params(length=0, pad=2, labelsize="small")
    for spine in strip.spines.values():
        spine.set_visible(False)
    return strip
