"""Axes, legends and names shared by all plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .._validate import check_key
from .colors import DIVERGING, MISSING, PALETTE, SEQUENTIAL, category_colors, colors_of

__all__ = [
    "DIVERGING",
    "MISSING",
    "PALETTE",
    "RASTER_ABOVE",
    "SEQUENTIAL",
    "category_colors",
    "check_cmap",
    "colors_of",
    "get_axes",
    "get_panels",
    "layout_of",
    "legend_inches",
    "legend_outside",
    "log_ticks",
    "name_legend",
    "open_frame",
    "order_cells",
    "plain",
    "size_in_points",
    "slanted_inches",
    "spread",
    "text_sizes",
]
#: Points above which scatters and images inside vector figures are rasterised.
RASTER_ABOVE = 2000
_LEGEND_WIDTH = 30  # characters


def _check_is_axes(value: Any) -> Any:
    from matplotlib.axes import Axes

    if isinstance(value, Axes):
        return value
    hint = ""
    if isinstance(value, (Sequence, np.ndarray, Mapping)):
        hint = " This plot has one panel: pass one Axes."
    elif hasattr(value, "add_subplot"):
        hint = " Pass figure.subplots()."
    msg = f"ax must be a matplotlib Axes, got {type(value).__name__}.{hint}"
    raise TypeError(msg)


def get_axes(ax: Any | None, *, figsize: tuple[float, float] = (4.0, 3.5)):
    """Return `ax`, or the Axes of a new constrained-layout figure.

    Raises
    ------
    TypeError
        If `ax` is not one Axes.
    """
    if ax is not None:
        return _check_is_axes(ax)
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=figsize, layout="constrained")[1]


def get_panels(
    n: int,
    axes: Sequence[Any] | None,
    *,
    width: float = 3.6,
    height: float = 3.4,
    columns: int | None = None,
    **kwargs: Any,
):
    """Return `n` Axes: those given, or of a new figure with `columns` (all by default) in a row.

    Raises
    ------
    ValueError
        If `axes` has another length.
    TypeError
        If something other than Axes is among them.
    """
    if axes is not None:
        values = list(axes.values()) if isinstance(axes, Mapping) else axes
        given = list(np.ravel(np.asarray(values, dtype=object)))
        if len(given) != n:
            msg = f"ax must hold {n} Axes, got {len(given)}; make them with plt.subplots(1, {n})"
            raise ValueError(msg)
        return [_check_is_axes(value) for value in given]
    import matplotlib.pyplot as plt

    columns = min(n, columns or n)
    rows = -(-n // columns)
    _, new = plt.subplots(
        rows, columns, figsize=(width * columns, height * rows), squeeze=False, layout="constrained", **kwargs
    )
    for unused in new.ravel()[n:]:
        unused.remove()
    return list(new.ravel()[:n])


def check_cmap(value: Any) -> Any:
    """Return `value` if matplotlib knows this colour map, else raise ValueError."""
    from matplotlib import colormaps
    from matplotlib.colors import Colormap

    if isinstance(value, Colormap) or (isinstance(value, str) and value in colormaps):
        return value
    msg = f"cmap={value!r} is no colour map of matplotlib; take one such as 'viridis', 'magma' or 'RdBu_r'"
    raise ValueError(msg)


def plain(name: object, limit: int = 40) -> str:
    """Return a name as it is to be written: no longer than `limit` (cut in the middle), ``$`` never as mathematics."""
    text = " ".join(str(name).split("\n"))
    if len(text) > limit:
        half = (limit - 1) // 2
        text = f"{text[: limit - 1 - half].rstrip()}…{text[len(text) - half :].lstrip()}"
    return text.replace("$", r"\$")


def name_legend(ax: Any, handles: Sequence[Any], names: Sequence[object], **kwargs: Any) -> Any:
    """Draw a legend without frame that shows every name, also one that matplotlib would leave out (``_name``)."""
    rows = max(6, int(size_in_points(ax)[1] // 13))
    kwargs = {"frameon": False, "fontsize": "small", "ncols": -(-len(handles) // rows)} | kwargs
    legend = ax.legend(handles, [str(i) for i in range(len(handles))], **kwargs)
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_text(plain(name, _LEGEND_WIDTH))
    return legend


def legend_inches(names: Sequence[object]) -> float:
    """Return about how wide a column of a legend with these names is, in inches."""
    return 0.4 + 0.075 * max((len(plain(name, _LEGEND_WIDTH)) for name in names), default=0)


def slanted_inches(names: Sequence[object], limit: int = 40) -> float:
    """Return about how much more height slanted names below an axis take than short ones, in inches."""
    return max(0.0, 0.058 * max((len(plain(name, limit)) for name in names), default=0) - 0.6)


def open_frame(ax: Any) -> None:
    """Hide the upper and the right edge of the frame."""
    ax.spines[["top", "right"]].set_visible(False)


def log_ticks(axis: Any) -> None:
    """Give a logarithmic axis few ticks, with plain numbers; where the range is small, at 2 and 5 as well."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1,) if high > 100 * low else (1, 2, 5)))
    axis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axis.set_minor_formatter(NullFormatter())


def size_in_points(ax: Any) -> tuple[float, float]:
    """Return the width and height of `ax` in points (1/72 inch), before any layout engine has run."""
    box = ax.get_position()
    width, height = ax.figure.get_size_inches()
    return float(box.width * width * 72), float(box.height * height * 72)


def layout_of(adata: AnnData, basis: str) -> np.ndarray:
    """Return the first two columns of ``obsm[basis]``, places that are not finite as NaN (they are not drawn)."""
    check_key(basis, adata.obsm.keys(), name="basis", where="adata.obsm")
    xy = np.asarray(adata.obsm[basis], dtype=np.float64)
    if xy.ndim != 2 or xy.shape[1] < 2:
        msg = f"basis={basis!r} must have at least two columns, adata.obsm[{basis!r}] has shape {xy.shape}"
        raise ValueError(msg)
    return np.where(np.isfinite(xy[:, :2]), xy[:, :2], np.nan)


def legend_outside(ax: Any, colors: dict[Any, str], *, title: str | None = None, marker: str = "o") -> None:
    """Draw a legend of the categories to the right of `ax`, in as many columns as its height asks for."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], linestyle="", marker=marker, color=color, markersize=6) for color in colors.values()]
    name_legend(
        ax, handles, list(colors), title=title, loc="center left", bbox_to_anchor=(1.02, 0.5),
        title_fontsize="small", handletextpad=0.2, borderaxespad=0, columnspacing=1.0,
    )  # fmt: skip


def order_cells(labels: pd.Series) -> np.ndarray:
    """Return the cells sorted by category, stable inside each."""
    return np.argsort(labels.cat.codes.to_numpy(), kind="stable")


def spread(positions: np.ndarray, gap: float | np.ndarray, *, low: float, high: float) -> np.ndarray:
    """Move sorted positions apart to at least `gap` within [low, high], each as little as possible (least squares).

    `gap` is one for all neighbours, or one for each pair. Where there is no room for that, the gaps shrink alike.
    """
    from scipy.optimize import isotonic_regression

    positions = np.asarray(positions, dtype=float)
    n = len(positions)
    if n < 2:
        return np.clip(positions, low, high)
    gaps = np.broadcast_to(np.asarray(gap, dtype=float), n - 1)
    gaps = gaps * min(1.0, (high - low) / max(gaps.sum(), np.finfo(float).tiny))
    steps = np.concatenate([[0.0], np.cumsum(gaps)])
    return np.clip(isotonic_regression(positions - steps).x, low, high - steps[-1]) + steps


def text_sizes(figure: Any, texts: Sequence[str], *, fontsize: float, renderer: Any = None) -> np.ndarray:
    """Return width and height of texts as `figure` draws them, in points: array of shape (n, 2)."""
    from matplotlib.text import Text

    sizes = np.zeros((len(texts), 2))
    for row, text in zip(sizes, texts, strict=True):
        artist = Text(text=text, fontsize=fontsize)
        artist.set_figure(figure)
        row[:] = artist.get_window_extent(renderer).size
    return sizes * 72 / figure.dpi
