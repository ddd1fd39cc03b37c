"""Strips of category colours next to an image, with names that never touch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ._style import plain, spread, text_sizes

_FONT, _AWAY, _THICK, _LEADER = 8.0, 2.0, 9.0, 8.0  # points
_LONGEST = 30  # characters of a name
_UNMOVED = 2.0  # points that a name may stand next to the middle of its category without a line
_EASE = 1.25  # room for names to be turned back: turned ones take room too, and a layout must come to an end


def color_strip(ax: Any, labels: pd.Series, colors: dict[Any, str], *, side: str = "top", label: str = "") -> Any:
    """Draw a strip of category colours along an image axis, with the names next to it; return its Axes.

    Names that would touch are turned, moved apart and joined to their category by a line, and made smaller, whichever
    of these it takes.

    Parameters
    ----------
    ax
        Axes of an image whose columns (``side="top"``) or rows (``side="left"``) are the cells in order.
    labels
        Ordered categorical labels of these cells; at the right, labels of the rows in any order.
    colors
        Colour of each category.
    side
        ``"top"``, ``"left"``, or ``"right"``: then without names.
    label
        What the axis shows, written beyond the names at the left.
    """
    from matplotlib.colors import to_rgb

    labels = labels.cat.remove_unused_categories()
    codes, categories = labels.cat.codes.to_numpy(), labels.cat.categories
    image = np.array([to_rgb(colors[v]) for v in categories])[codes]
    strip = ax.inset_axes([0, 1, 1, 0.1])  # placed by its locator, like the names
    strip.imshow(image[None] if side == "top" else image[:, None], aspect="auto", interpolation="nearest")
    strip.set(xticks=[], yticks=[])
    strip.set_axes_locator(_Outside(ax, side=side))
    strip.spines[:].set_visible(False)
    if side == "right":
        return strip
    names = ax.inset_axes([0, 1, 1, 0.1])
    middles = np.array([np.flatnonzero(codes == c).mean() + 0.5 for c in range(len(categories))]) / len(codes)
    names.set_axes_locator(
        _Names(ax, names, middles, [plain(category, _LONGEST) for category in categories], side=side)
    )
    names.patch.set_visible(False)
    names.set_ylabel(label)
    names.spines[:].set_visible(False)
    return strip


def extra_inches(labels: pd.Series) -> float:
    """Return how much larger a figure should be for long names beside an image; 0 for names of usual length."""
    names = [plain(category, _LONGEST) for category in labels.cat.remove_unused_categories().cat.categories]
    return max(0.0, 0.062 * max((len(name) for name in names), default=0) - 0.9)


def arrange(
    middles: np.ndarray, sizes: np.ndarray, length: float, *, top: bool, angle: int = 0
) -> tuple[np.ndarray, int, float]:
    """Return where names of categories stand along a strip, their angle, and the factor of their size.

    Above a strip they lie flat if they can do so almost at their places, else at 45° if there is room for that, else
    upright. Beside a strip they lie flat.

    Parameters
    ----------
    middles
        Sorted middles of the categories along the strip.
    sizes
        Width and height of each name.
    length
        Length of the strip, in the unit of the others.
    top
        Whether the strip is above the image.
    angle
        The angle at which the names are now; to be turned back they need more room than to stay.
    """
    width, height = sizes[:, 0], 1.1 * sizes[:, 1].max()
    if top:
        gaps = ((width[1:] + width[:-1]) / 2 + height / 2) * (_EASE if angle > 0 else 1)
        moved = spread(middles, gaps, low=width[0] / 2, high=max(width[0] / 2, length - width[-1] / 2))
        if np.abs(moved - middles).max() <= _UNMOVED:
            return moved, 0, 1.0
        slanted = height * np.sqrt(2)
        if slanted * len(middles) * (_EASE if angle > 45 else 1) <= length:
            return spread(middles, slanted, low=0, high=length), 45, 1.0
    scale = min(1.0, length / (height * len(middles)))
    edge = height * scale / 2
    return spread(middles, height * scale, low=edge, high=length - edge), 90 if top else 0, scale


class _Outside:
    """Locator of Axes outside of others, along the upper, left or right edge: in points, whatever size these get."""

    def __init__(self, ax: Any, *, side: str) -> None:
        self.ax, self.top, self.right = ax, side == "top", side == "right"
        self.away, self.thick = _AWAY, _THICK

    def __call__(self, axes: Any, renderer: Any) -> Any:
        from matplotlib.transforms import Bbox

        box, point = self.ax.bbox, self.ax.figure.dpi / 72
        near, far = self.away * point, (self.away + self.thick) * point
        if self.top:
            place = Bbox.from_extents(box.x0, box.y1 + near, box.x1, box.y1 + far)
        elif self.right:
            place = Bbox.from_extents(box.x1 + near, box.y0, box.x1 + far, box.y1)
        else:
            place = Bbox.from_extents(box.x0 - far, box.y0, box.x0 - near, box.y1)
        return place.transformed(self.ax.figure.transSubfigure.inverted())


class _Names(_Outside):
    """Locator of Axes that show only names, as ticks; it arranges them whenever the figure is laid out or drawn.

    The length of the strip is known only then: bars of colour, other names, other panels and the page change it.
    """

    def __init__(self, ax: Any, names: Any, middles: np.ndarray, texts: Sequence[str], *, side: str) -> None:
        from matplotlib.collections import LineCollection

        super().__init__(ax, side=side)
        self.names, self.middles, self.texts = names, middles, texts
        self.lines = names.add_collection(LineCollection([], colors="0.5", linewidths=0.6, clip_on=False))
        self.known: tuple[float, float] | None = None
        self.angle = 0
        names.set(xlim=(0, 1), ylim=(0, 1) if self.top else (1, 0), xticks=[], yticks=[])
        names.tick_params(length=0, pad=2)
        if self.top:
            names.xaxis.tick_top()

    def __call__(self, axes: Any, renderer: Any) -> Any:
        dpi = self.ax.figure.dpi
        length = (self.ax.bbox.width if self.top else self.ax.bbox.height) * 72 / dpi
        if (length, dpi) != self.known and length > 0:
            self.known = length, dpi
            self._arrange(length, renderer)
        return super().__call__(axes, renderer)

    def _arrange(self, length: float, renderer: Any) -> None:
        sizes = text_sizes(self.ax.figure, self.texts, fontsize=_FONT, renderer=renderer)
        moved, self.angle, scale = arrange(self.middles * length, sizes, length, top=self.top, angle=self.angle)
        moved = moved / length
        joined = np.abs(moved - self.middles).max() * length > _UNMOVED
        self.away, self.thick = (_AWAY + _THICK, _LEADER) if joined else (_AWAY, _THICK)
        along = np.stack([self.middles, self.middles, moved, moved], axis=1)
        across = np.broadcast_to([0, 0.15, 0.85, 1] if self.top else [1, 0.85, 0.15, 0], along.shape)
        self.lines.set_segments(np.stack([along, across] if self.top else [across, along], axis=2) if joined else [])
        style = {"fontsize": _FONT * scale, "rotation": self.angle, "rotation_mode": "anchor"}
        if self.top:
            style |= {"ha": "left" if self.angle else "center", "va": "center" if self.angle == 90 else "baseline"}
            self.names.set_xticks(moved, self.texts, **style)
        else:
            self.names.set_yticks(moved, self.texts, **style)
