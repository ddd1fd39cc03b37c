"""Axes, colours and names of categories: what every plot relies on."""

import anndata as ad
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import is_color_like, to_hex, to_rgb

from sccase_kit._record import record
from sccase_kit.pl._style import PALETTE, get_axes, get_panels, spread, text_sizes
from sccase_kit.pl.colors import MISSING, UNKNOWN, category_colors, colors_of, column_colors


@pytest.fixture
def adata():
    kinds = pd.Categorical(["a", "b", "a", np.nan], categories=["a", "unused", "b"])
    return ad.AnnData(np.ones((4, 2)), obs=pd.DataFrame({"kind": kinds}, index=list("wxyz")))


@pytest.mark.parametrize("n", [0, 1, len(PALETTE), len(PALETTE) + 1, 72, 90])
def test_as_many_colours_as_categories(n):
    colors = category_colors(n)
    assert len(colors) == n
    assert all(map(is_color_like, colors))
    assert colors[: len(PALETTE)] == PALETTE[:n]
    assert len(set(colors[:72])) == min(n, 72)


def test_colours_are_kept_as_scanpy_keeps_them(adata):
    labels, colors = colors_of(adata, "kind", allow_missing=True)
    assert labels.cat.categories.tolist() == ["a", "b"]
    assert adata.uns["kind_colors"] == PALETTE[:3]
    assert colors == {"a": PALETTE[0], "b": PALETTE[2]}
    adata.uns["kind_colors"] = np.array(["red", "#00ff00", "blue"])
    assert colors_of(adata, "kind", allow_missing=True)[1] == {"a": "red", "b": "blue"}
    adata.uns["kind_colors"] = ["red"]  # too few
    assert colors_of(adata, "kind", allow_missing=True)[1] == {"a": PALETTE[0], "b": PALETTE[2]}


def test_no_colour(adata):
    adata.uns["kind_colors"] = ["red", "reddish", "blue"]
    with pytest.warns(UserWarning, match=r"adata.uns\['kind_colors'\] holds 'reddish', which is no colour"):
        colors_of(adata, "kind", allow_missing=True)
    assert adata.uns["kind_colors"] == PALETTE[:3]


def lab(color):
    """Return a colour in CIE L*a*b* (D65), by the formulas of the standard."""
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    matrix = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
    )
    xyz = matrix @ linear / [0.95047, 1, 1.08883]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_the_palette_can_be_told_apart():
    """From each other, from the greys of what is not known, from paper."""
    places = np.array([lab(color) for color in [*PALETTE, UNKNOWN, MISSING, "#FFFFFF"]])
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)[: len(PALETTE)]
    apart[np.arange(len(PALETTE)), np.arange(len(PALETTE))] = np.inf
    assert len(PALETTE) >= 24
    assert apart.min() >= 26


def test_colours_are_shared_only_by_the_same_cells():
    obs = pd.DataFrame({"type": list("aaabbbccc"), "cluster": list("000111212"), "same": list("zzzyyyxxx")})
    colors = column_colors(obs, {}, ["type", "cluster", "same"])
    assert colors["cluster"]["0"] == colors["type"]["a"] == colors["same"]["z"]
    assert colors["cluster"]["1"] == colors["type"]["b"]
    every = [color for column in ("type", "cluster") for color in colors[column].values()]
    assert len(set(every)) == 3 + 3 - 3 + (colors["cluster"]["2"] != colors["type"]["c"])
    split = pd.DataFrame({"type": list("aaaa"), "cluster": list("0123")})
    apart = column_colors(split, {}, ["type", "cluster"])
    assert apart["type"]["a"] not in apart["cluster"].values()
    stored = column_colors(obs, {"type_colors": ["red", "#00ff00", "k"]}, ["type"])
    assert stored["type"] == {"a": "#ff0000", "b": "#00ff00", "c": "#000000"}
    with pytest.warns(UserWarning, match="'no', which is no colour"):
        bad = column_colors(obs, {"type_colors": ["red", "no", "k"]}, ["type"])
    assert len(set(bad["type"].values())) == 3


def named_clusters():
    """Return data with four clusters, two of which have the same name, and one none."""
    data = ad.AnnData(np.ones((40, 2)))
    data.obs["louvain"] = pd.Categorical(np.repeat(list("0123"), 10))
    data.obs["annotation"] = pd.Categorical(np.repeat(["T cell", "T cell", "B lineage", "unknown"], 10))
    data.obs["donor"] = pd.Categorical(np.tile(["x", "y"], 20))
    record(data, "louvain", "tl.cluster", params={})
    record(data, "annotation", "tl.annotate", params={"groupby": "louvain"})
    return data


@pytest.mark.parametrize("order", [["annotation", "louvain", "donor"], ["donor", "louvain", "annotation"]])
def test_every_plot_and_the_page_have_the_same_colours(order):
    """Whatever is drawn first: names have no cluster's colour by accident, and what is unknown is grey."""
    data = named_clusters()
    page = column_colors(data.obs, data.uns, ["louvain", "annotation", "donor"])
    page = {name: {label: color.lower() for label, color in colors.items()} for name, colors in page.items()}
    drawn = {name: {str(label): to_hex(color) for label, color in colors_of(data, name)[1].items()} for name in order}
    assert {name: drawn[name] for name in ("louvain", "annotation")} == {n: page[n] for n in ("louvain", "annotation")}
    names, clusters = drawn["annotation"], drawn["louvain"]
    assert names["unknown"] == UNKNOWN.lower()
    assert names["B lineage"] == clusters["2"]  # the same cells
    every = [*clusters.values(), names["T cell"], *drawn["donor"].values()]
    assert len(set(every)) == len(every)  # "T cell" is two clusters, so it is neither
    assert UNKNOWN.lower() not in clusters.values()


def test_categories_that_are_equal_as_text_have_their_own_colours():
    data = ad.AnnData(np.ones((4, 2)))
    data.obs["kind"] = pd.Categorical([1, "1", "b", 1], categories=[1, "1", "b"])
    assert list(colors_of(data, "kind")[1].values()) == PALETTE[:3]


def test_views_are_not_written_to(adata):
    view = adata[["w", "x"]]
    colors_of(view, "kind")
    assert view.is_view
    assert "kind_colors" not in adata.uns


def test_cells_without_a_label_are_refused_unless_allowed(adata):
    with pytest.raises(ValueError, match="kind"):
        colors_of(adata, "kind")
    with pytest.raises(KeyError, match="sort"):
        colors_of(adata, "sort", allow_missing=True)


def test_axes_and_nothing_else():
    figure, axes = plt.subplots(1, 2)
    assert get_axes(axes[0]) is axes[0]
    with pytest.raises(TypeError, match="pass one Axes"):
        get_axes(axes)
    with pytest.raises(TypeError, match=r"got Figure. Pass figure.subplots\(\)"):
        get_axes(figure)
    with pytest.raises(TypeError, match="got int"):
        get_axes(3)


def test_panels():
    panels = get_panels(5, None, columns=3)
    assert len(panels) == 5
    assert panels[0].figure.axes == panels  # the sixth is removed
    _, axes = plt.subplots(1, 2)
    assert get_panels(2, axes) == list(axes)
    with pytest.raises(ValueError, match="ax must hold 3 Axes, got 2"):
        get_panels(3, axes)


def test_names_are_moved_apart_as_little_as_possible():
    np.testing.assert_allclose(spread([1, 5, 9], 2, low=0, high=10), [1, 5, 9])
    np.testing.assert_allclose(spread([5, 5], 2, low=0, high=10), [4, 6])
    np.testing.assert_allclose(spread([9, 9.5, 10], 2, low=0, high=10), [6, 8, 10])
    np.testing.assert_allclose(spread([5, 5, 5], 100, low=0, high=10), [0, 5, 10])
    np.testing.assert_allclose(spread([12], 2, low=0, high=10), [10])
    assert spread([], 2, low=0, high=10).size == 0
    np.testing.assert_allclose(spread([5, 5, 6], np.array([1, 3]), low=0, high=10), [3.6666667, 4.6666667, 7.6666667])
    np.testing.assert_allclose(spread([5, 5, 6], np.array([10, 30]), low=0, high=10), [0, 2.5, 10])


def test_sizes_of_texts_are_in_points():
    figure = plt.figure(dpi=100)
    wide = text_sizes(figure, ["ii", "WWWW", ""], fontsize=10)
    assert wide.shape == (3, 2)
    assert wide[0, 0] < 10 < 30 < wide[1, 0] < 60
    assert wide[2].tolist() == [0, 0]
    assert 8 < wide[0, 1] < 16
    figure.set_dpi(200)
    np.testing.assert_allclose(text_sizes(figure, ["WWWW"], fontsize=20) / wide[1], [[2, 2]], rtol=0.1)
    assert text_sizes(figure, [], fontsize=10).shape == (0, 2)
