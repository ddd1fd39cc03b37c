"""Names of points: inside the Axes, apart from each other, off the points, joined to them by a line."""

from __future__ import annotations

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.text import Text

from sccase_kit.pl._names import name_at_sides


def points(n, *, side="both", seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return {"both": x, "left": -np.abs(x), "right": np.abs(x)}[side], rng.exponential(size=n) ** 3


def scatter(x, y, *, size=(5.0, 3.8), panels=1):
    _, axes = plt.subplots(1, panels, figsize=size, layout="constrained", squeeze=False)
    axes[0, 0].scatter(x, y, s=14, linewidths=0)
    axes[0, 0].set(xlabel="x", ylabel="y", title="title")
    return axes[0, 0]


def check_names(ax, x, y, *, clear=True):
    """Raise AssertionError unless the names stand apart, inside the Axes and, if `clear`, off every point."""
    ax.figure.canvas.draw()
    boxes = [Text.get_window_extent(text) for text in ax.texts]
    for box in boxes:
        assert box.x0 > ax.bbox.x0 + 1
        assert box.y0 > ax.bbox.y0 + 1
        assert box.x1 < ax.bbox.x1
        assert box.y1 < ax.bbox.y1
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
    places = ax.transData.transform(np.column_stack([x, y]))
    assert not clear or not any(box.contains(*place) for box in boxes for place in places)


@pytest.mark.parametrize("side", ["both", "left", "right"])
@pytest.mark.parametrize("n", [0, 1, 10, 60])
@pytest.mark.parametrize("name", ["TF_{}", "MA{}.2_A long name::of two factors"])
def test_names_at_the_sides(name, n, side):
    x, y = points(80, side=side)
    named = np.argsort(-y)[:n]
    ax = scatter(x, y)
    name_at_sides(ax, x, y, named, [name.format(i) for i in named])
    assert len(ax.texts) == n
    check_names(ax, x, y)
    for text, i in zip(sorted(ax.texts, key=lambda t: t.xy[1]), named[::-1], strict=True):
        assert text.xy == (x[i], y[i])
        assert text.get_text().startswith(name.format(i)[:3])
        assert (text.get_ha() == "right") == (x[i] < 0)


def test_names_fit_however_the_figure_is_laid_out_later():
    x, y = points(40)
    named = np.argsort(-y)[:12]
    ax = scatter(x, y, size=(9, 3), panels=3)
    name_at_sides(ax, x, y, named, [f"DECOY_TF_{i}" for i in named])
    for other in ax.figure.axes[1:]:
        other.set(ylabel="label", ylim=(0, 1e-5))
    check_names(ax, x, y)
    ax.figure.set_dpi(60)
    check_names(ax, x, y)


@pytest.mark.parametrize(("x", "y"), [([0.3], [2.0]), ([0.0, 0.0], [1.0, 1.0]), ([-2.0, -1.0, 1e-9], [0.0, 0.0, 0.0])])
def test_points_at_one_place(x, y):
    x, y = np.array(x), np.array(y)
    ax = scatter(x, y)
    name_at_sides(ax, x, y, np.arange(len(x)), list("abc")[: len(x)])
    check_names(ax, x, y)
    low, high = ax.get_xlim()
    assert low < 0 < high
    assert (low < x).all()
    assert (x < high).all()


def test_small_axes_cut_the_names():
    x, y = points(40)
    named = np.argsort(-y)[:4]
    ax = scatter(x, y, size=(2.4, 2.0))
    name_at_sides(ax, x, y, named, ["a name that is far too long for this"] * 4)
    check_names(ax, x, y)
    assert all("…" in text.get_text() for text in ax.texts)
