"""Axes, legends and strips of categories shared by all plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .._validate import check_key
from ._colors import DIVERGING, MISSING, PALETTE, SEQUENTIAL, category_colors, colors_of

__all__ = [
    "DIVERGING",
    "MISSING",
    "PALETTE",
    "RASTER_ABOVE",
    "SEQUENTIAL",
    "category_colors",
    "check_cmap",
    "color_strip",
    "colors_of",
    "get_axes",
    "get_panels",
    "layout_of",
    "legend_inches",
    "legend_outside",
    "name_legend",
    "open_frame",
    "order_cells",
    "plain",
    "size_in_points",
    "spread",
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


def open_frame(ax: Any) -> None:
    """Hide the upper and the right edge of the frame."""
    ax.spines[["top", "right"]].set_visible(False)


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


def spread(positions: np.ndarray, gap: float, *, low: float, high: float) -> np.ndarray:
    """Move sorted positions apart to at least `gap` within [low, high], each as little as possible (least squares).

    Where there is no room for that, they are spaced evenly.
    """
    from scipy.optimize import isotonic_regression

    positions = np.asarray(positions, dtype=float)
    n = len(positions)
    if n < 2:
        return np.clip(positions, low, high)
    gap = min(gap, (high - low) / (n - 1))
    steps = gap * np.arange(n)
    return np.clip(isotonic_regression(positions - steps).x, low, high - steps[-1]) + steps


def color_strip(ax: Any, labels: pd.Series, colors: dict[Any, str], *, side: str = "top", names: bool = True) -> Any:
    """Draw a strip of category colours along an image axis, with the names beside it; return its Axes.

    Names that would touch are moved apart and joined to their category by a line.

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
    names
        Write the names.
    """
    from matplotlib.colors import to_rgb

    top = side == "top"
    labels = labels.cat.remove_unused_categories()
    codes, categories = labels.cat.codes.to_numpy(), labels.cat.categories
    image = np.array([to_rgb(colors[v]) for v in categories])[codes]
    width, height = size_in_points(ax)
    length, depth = (width, height) if top else (height, width)
    thick, away = 9 / depth, 2 / depth
    box = [0, 1 + away, 1, thick] if top else [-away - thick, 0, thick, 1]
    strip = ax.inset_axes(box)
    strip.imshow(image[None] if top else image[:, None], aspect="auto", interpolation="nearest")
    strip.set(xticks=[], yticks=[])
    strip.spines[:].set_visible(False)
    if not names:
        return strip
    n, texts = len(codes), [plain(category, 24) for category in categories]
    at = np.array([np.flatnonzero(codes == c).mean() for c in range(len(categories))]) + 0.5
    many = len(texts) > 20
    font = 6 if many else 8
    room = np.array([len(text) for text in texts]) * 0.6 * font * n / length
    flat = top and len(texts) > 1 and (np.diff(at) > (room[1:] + room[:-1]) / 2 + 0.5 * font * n / length).all()
    flat = flat or (top and len(texts) == 1)
    gap = (0.0 if flat else font * ((1.25 if many else 1.75) if top else 1.15)) * n / length
    moved = spread(at, gap, low=0, high=n) if gap else at
    if np.abs(moved - at).max() * length / n > 2:  # points
        strip = _leaders(ax, at, moved, n, box=box, thick=8 / depth, top=top)
    else:
        moved = moved - 0.5  # centres of pixels
    if top:
        angle = 0 if flat else (90 if many else 45)
        strip.set_xticks(moved, texts, rotation=angle, ha="left" if angle == 45 else "center", rotation_mode="anchor")
        if angle:
            for text in strip.get_xticklabels():
                text.set(va="center" if many else "baseline", ha="left")
        strip.xaxis.tick_top()
    else:
        strip.set_yticks(moved, texts)
    strip.tick_params(length=0, pad=2, labelsize=font)
    return strip


def _leaders(ax: Any, at: np.ndarray, moved: np.ndarray, n: int, *, box: list[float], thick: float, top: bool) -> Any:
    """Draw lines from the centres of the categories to where their names stand; return the Axes of the lines."""
    lines = ax.inset_axes([0, box[1] + box[3], 1, thick] if top else [box[0] - thick, 0, thick, 1])
    for start, stop in zip(at, moved, strict=True):
        along, across = [start, start, stop, stop], [0, 0.15, 0.85, 1]
        lines.plot(*((along, across) if top else (across, along)), color="0.5", linewidth=0.6, clip_on=False)
    lines.set(xlim=(0, n) if top else (1, 0), ylim=(0, 1) if top else (n, 0), xticks=[], yticks=[])
    lines.patch.set_visible(False)
    lines.spines[:].set_visible(False)
    return lines
