"""Strips of categories: names that never touch, whatever the groups and the size of the figure."""

from __future__ import annotations

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from sccase_kit.pl._strips import arrange, color_strip
from sccase_kit.pl._style import category_colors, text_sizes

BLOOD = ["B", "CD14.Mono.1", "CD4.N1", "CD8.CM", "CLP.2", "CMP.LMPP", "GMP", "HSC", "NK", "Pre.B"]
GROUPS = {
    "one": (["Erythroblast progenitors"], [50]),
    "wide": (["B", "NK", "T"], [400, 300, 300]),
    "narrow at the edges": (["B", "Erythroblast progenitors", "T"], [1, 90, 1]),
    "even": (BLOOD, [100] * 10),
    "uneven": (BLOOD, [80, 1, 1, 1, 1, 1, 1, 1, 1, 80]),
    "25": ([f"{name}.{k}" for k in range(3) for name in BLOOD][:25], [500, *[7] * 23, 300]),
    "70": ([f"cluster {k}" for k in range(70)], [1] * 70),
}
ANGLES = {"wide": 0, "narrow at the edges": 0, "even": 45, "uneven": 45, "25": 90, "70": 90}


def with_strip(groups: str, *, side: str = "top", size: tuple[float, float] = (4.6, 4.2)):
    names, sizes = GROUPS[groups]
    labels = pd.Series(pd.Categorical(np.repeat(names, sizes), names))
    figure, ax = plt.subplots(figsize=size, layout="constrained")
    image = ax.imshow(np.zeros((1, len(labels)) if side == "top" else (len(labels), 1)), aspect="auto")
    ax.set(xticks=[], yticks=[], title="title")
    color_strip(ax, labels, dict(zip(names, category_colors(len(names)), strict=True)), side=side)
    figure.colorbar(image, ax=ax)  # takes room after the strip was made
    return ax


def check_names(ax, side: str) -> int:
    """Return the angle of names that stand apart, outside of the strip and inside the figure; else AssertionError."""
    ax.figure.canvas.draw()
    strip, names = ax.child_axes
    texts = names.get_xticklabels() if side == "top" else names.get_yticklabels()
    boxes = [text.get_window_extent() for text in texts]
    (angle,) = {int(text.get_rotation()) for text in texts}
    if side == "left":
        gaps = [upper.y0 - lower.y1 for upper, lower in pairwise(boxes)]
    elif angle == 0:
        gaps = [right.x0 - left.x1 for left, right in pairwise(boxes)]
    else:
        sizes = text_sizes(ax.figure, [t.get_text() for t in texts], fontsize=texts[0].get_fontsize())
        at = names.transData.transform(np.column_stack([names.get_xticks(), np.zeros(len(texts))]))[:, 0]
        gaps = np.diff(at) * np.sin(np.radians(angle)) - sizes[:, 1].max() * ax.figure.dpi / 72
    assert all(gap > 0 for gap in gaps)
    inside = strip.bbox
    for box in boxes:
        assert box.y0 >= inside.y1 if side == "top" else box.x1 <= inside.x0
        assert min(box.x0, box.y0) > -1
        assert box.x1 < ax.figure.bbox.width + 1
        assert box.y1 < ax.title.get_window_extent().y0 + 1 if side == "top" else ax.figure.bbox.height
    return angle


@pytest.mark.parametrize("side", ["top", "left"])
@pytest.mark.parametrize("groups", GROUPS)
def test_names_stand_apart_outside_of_the_strip(groups, side):
    angle = check_names(with_strip(groups, side=side), side)
    if side == "top" and groups in ANGLES:
        assert angle == ANGLES[groups]
    if side == "left":
        assert angle == 0


@pytest.mark.parametrize("groups", ["even", "25"])
def test_names_are_arranged_anew_when_the_figure_changes(groups):
    ax = with_strip(groups)
    before = check_names(ax, "top")
    for size, dpi in (((2.6, 4.2), 100), ((9, 4), 60), ((14, 4), 200)):
        ax.figure.set_size_inches(size)
        ax.figure.set_dpi(dpi)
        angle = check_names(ax, "top")
        assert angle >= before if size[0] < 4.6 else angle <= before
    assert angle < before


def test_the_strip_shows_each_cell_and_lines_join_what_was_moved():
    ax = with_strip("uneven")
    ax.figure.canvas.draw()
    strip, names = ax.child_axes
    image = strip.images[0].get_array()
    assert image.shape == (1, 168, 3)
    assert len(np.unique(np.asarray(image)[0], axis=0)) == 10
    segments = np.stack(names.collections[0].get_segments())
    middles = (np.cumsum(GROUPS["uneven"][1]) - np.array(GROUPS["uneven"][1]) / 2) / 168
    np.testing.assert_allclose(segments[:, 0, 0], middles)
    np.testing.assert_allclose(segments[:, -1, 0], names.get_xticks())
    np.testing.assert_allclose(segments[:, [0, -1], 1], [[0, 1]] * 10)
    assert [text.get_text() for text in names.get_xticklabels()] == BLOOD
    point = ax.figure.dpi / 72
    assert strip.bbox.y0 - ax.bbox.y1 == pytest.approx(2 * point)
    assert strip.bbox.height == pytest.approx(9 * point)
    assert names.bbox.y0 == pytest.approx(strip.bbox.y1)
    ax = with_strip("wide")
    ax.figure.canvas.draw()
    assert not ax.child_axes[1].collections[0].get_segments()


def test_turned_names_need_more_room_to_be_turned_back():
    middles, sizes = np.array([10.0, 30, 50]), np.full((3, 2), [30.0, 10])
    assert arrange(middles, sizes, 60, top=True)[1:] == (45, 1.0)
    assert arrange(middles, sizes, 45, top=True)[1:] == (90, 1.0)
    moved, angle, scale = arrange(middles, sizes, 16.5, top=True)
    assert (angle, scale) == (90, 0.5)
    np.testing.assert_allclose(moved, [2.75, 8.25, 13.75])
    assert arrange(3 * middles, sizes, 180, top=True)[1:] == (0, 1.0)
    assert arrange(2 * middles, sizes, 120, top=True)[1] == 0
    assert arrange(2 * middles, sizes, 120, top=True, angle=45)[1] == 45
    assert arrange(middles, sizes, 50, top=True, angle=90)[1] == 90
    assert arrange(middles, sizes, 50, top=True, angle=45)[1] == 45
    assert arrange(middles, sizes, 60, top=False)[1:] == (0, 1.0)
