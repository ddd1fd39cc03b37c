"""Names of points in a scatter: inside the Axes, apart from each other, with a line to each point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ._style import plain, spread, text_sizes

_FONT, _LEAST, _EDGE, _LINE = 7.0, 1.5, 4.0, 18.0  # points: fonts, and from a name to the edge and to its point
_SIDE, _BARE = 0.42, 0.06  # of the width, at most at a side with names, and at one without


class _Fitted(NamedTuple):
    """Names as they are written, with widths, height of a line and size of the font in points."""

    texts: list[str]
    widths: np.ndarray
    line: float
    font: float


def name_at_sides(ax: Any, x: np.ndarray, y: np.ndarray, named: np.ndarray, texts: Sequence[str]) -> None:
    """Write names in a column next to all points, at the left edge of the Axes for negative `x`, else at the right.

    Sets the limits of x so that there is room, up to 42 % of the width at a side; names that are longer are cut in the
    middle. Where there are more than fit one above the other they are smaller.

    Parameters
    ----------
    ax
        Axes with the points and all that is written around them.
    x, y
        Places of all points.
    named
        Positions of the points to name.
    texts
        Their names.
    """
    from matplotlib.transforms import offset_copy

    width, height = _size(ax)
    sides = [np.flatnonzero(x[named] < 0), np.flatnonzero(x[named] >= 0)]
    room = _SIDE * width - _EDGE - _LINE
    fits = [_fit(ax, [texts[int(i)] for i in rows], room=room, height=height) for rows in sides]
    wide = [fitted.widths.max(initial=0) for fitted in fits]
    shares = [min((_EDGE + w + _LINE) / width, _SIDE) if w else _BARE for w in wide]
    low, high = min(x.min(), 0.0), max(x.max(), 0.0)
    whole = ((high - low) or 1.0) / (1 - sum(shares))
    ax.set_xlim(low - shares[0] * whole, high + shares[1] * whole)
    for right, rows, fitted in zip((False, True), sides, fits, strict=True):
        points, away = named[rows], _EDGE + wide[right]
        edge = offset_copy(ax.transAxes, ax.figure, -away if right else away, units="points")
        _write(ax, fitted, x[points], y[points], start=np.full(len(points), int(right)), of=edge, right=right)


def _size(ax: Any) -> np.ndarray:
    """Return width and height of the Axes in points, as laid out."""
    ax.figure.canvas.draw()
    return ax.bbox.size * 72 / ax.figure.dpi


def _fit(ax: Any, texts: Sequence[str], *, room: float, height: float) -> _Fitted:
    """Return names that fit into `room`, and one above the other into `height` (points)."""
    font, limit = _FONT, min(40, max((len(str(text)) for text in texts), default=0))
    while True:
        shown = [plain(text, limit) for text in texts]
        sizes = text_sizes(ax.figure, shown, fontsize=font)
        widest, line = sizes[:, 0].max(initial=0), 1.1 * sizes[:, 1].max(initial=0)
        if line * len(texts) > height - 2 * _EDGE and font > _LEAST:
            font = max(_LEAST, font * min(0.97, (height - 2 * _EDGE) / (line * len(texts))))
        elif widest > room and limit > 4:
            limit = max(4, min(limit - 1, int(limit * room / widest)))
        else:
            return _Fitted(shown, sizes[:, 0], line, font)


def _write(ax: Any, fitted: _Fitted, x: np.ndarray, y: np.ndarray, *, start: np.ndarray, of: Any, right: bool) -> None:
    """Write names from `start` (in the coordinates `of`) to the right or to the left, with a line to each point."""
    from matplotlib.transforms import blended_transform_factory

    point, low, high = ax.figure.dpi / 72, ax.bbox.y0, ax.bbox.y1
    line, edge = fitted.line * point, (_EDGE + fitted.line / 2) * point
    upwards = np.argsort(-y, kind="stable")[::-1]
    heights = ax.transData.transform(np.column_stack([x, y]))[:, 1]
    heights[upwards] = spread(heights[upwards], line, low=low + edge, high=high - edge)
    coordinates = blended_transform_factory(of, ax.transAxes)
    style = {"arrowstyle": "-", "color": "0.6", "linewidth": 0.5, "shrinkA": 1, "shrinkB": 2}
    style["relpos"] = (0 if right else 1, 0.5)
    for name, *to, along, place in zip(fitted.texts, x, y, start, (heights - low) / (high - low), strict=True):
        ax.annotate(
            name, to, (along, place), textcoords=coordinates, arrowprops=style, fontsize=fitted.font, va="center",
            ha="left" if right else "right",
        )  # fmt: skip
