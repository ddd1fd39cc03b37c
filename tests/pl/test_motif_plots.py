"""Plots of motifs and deviations."""

from __future__ import annotations

from itertools import pairwise

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from matplotlib.text import Text

import sccase_kit as sk
from sccase_kit._record import record
from sccase_kit.pl._logos import BASE_COLORS, letter_heights
from sccase_kit.pl._style import PALETTE


@pytest.fixture(scope="module")
def study():
    return sk.datasets.toy_study(n_cells=200, n_peaks=1000, rng=0)


@pytest.fixture(scope="module")
def done(study):
    adata = study.adata.copy()
    sk.tl.match_motifs(adata, study.motifs, sequences=study.sequences)
    sk.tl.chromvar(adata, n_bootstrap=50)
    adata.obsm["X_umap"] = np.random.default_rng(0).normal(size=(adata.n_obs, 2))
    return adata


def test_heatmap_orders_cells_and_sets_by_group(done):
    ax = sk.pl.motif_heatmap(done, "cell_type")
    image = ax.images[0]
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert len(names) == 15
    order = np.argsort(done.obs["cell_type"].cat.codes.to_numpy(), kind="stable")
    expected = done.obsm["chromvar_z"][names].to_numpy()[order].T
    np.testing.assert_array_equal(np.ma.filled(image.get_array(), np.nan), expected)
    low, high = image.get_clim()
    assert low == -high
    assert high == pytest.approx(np.nanquantile(np.abs(expected), 0.98))
    means = done.obsm["chromvar_z"][names].groupby(done.obs["cell_type"], observed=True).mean()
    top = means.to_numpy().argmax(axis=0)
    assert (np.diff(top) >= 0).all()
    assert image.get_rasterized()


def test_heatmap_choices(done):
    _, given = plt.subplots()
    ax = sk.pl.motif_heatmap(done, "cell_type", n_top=3, max_cells=40, limit=2, which="deviations", ax=given)
    assert ax is given
    assert ax.images[0].get_array().shape == (3, 40)
    assert ax.images[0].get_clim() == (-2, 2)
    top = set(sk.get.variability(done).index[:3])
    assert {label.get_text() for label in ax.get_yticklabels()} == top
    ax = sk.pl.motif_heatmap(done, "batch", sets=["TF_2", "TF_1"])
    assert {label.get_text() for label in ax.get_yticklabels()} == {"TF_1", "TF_2"}
    with pytest.raises(KeyError, match="sets='nobody'"):
        sk.pl.motif_heatmap(done, "cell_type", sets=["nobody"])
    with pytest.raises(KeyError, match="Run sccase_kit"):
        sk.pl.motif_heatmap(done, "cell_type", key="nothing")


def test_heatmap_shows_unknown_values(done):
    adata = done.copy()
    adata.obsm["chromvar_z"].loc[:, "TF_1"] = np.nan
    adata.obsm["chromvar_z"].iloc[0, 1] = np.inf
    ax = sk.pl.motif_heatmap(adata, "cell_type", sets=["TF_1", "TF_2"])
    known = np.isfinite(adata.obsm["chromvar_z"][["TF_1", "TF_2"]].to_numpy())
    assert not known[0].any()
    assert np.ma.getmaskarray(ax.images[0].get_array()).sum() == (~known).sum()
    ax.figure.canvas.draw()


def test_variability_is_ranked(done):
    ax = sk.pl.variability_rank(done, n_label=2)
    table = sk.get.variability(done)
    xy = ax.collections[1].get_offsets()
    np.testing.assert_array_equal(xy[:, 0], np.arange(1, 16))
    np.testing.assert_allclose(xy[:, 1], table["variability"])
    assert {text.get_text() for text in ax.texts} == set(table.index[:2])
    ax = sk.pl.variability_rank(done, labels=["DECOY_TF_3"])
    assert [text.get_text() for text in ax.texts] == ["DECOY_TF_3"]
    with pytest.raises(KeyError, match="labels='nobody'"):
        sk.pl.variability_rank(done, labels=["nobody"])


def check_colors(ax, table, strong, words):
    assert {text.get_text() for text in ax.texts} == set(table.index[strong])
    colors = ax.collections[1].get_facecolors()
    assert [tuple(c) == to_rgba(PALETTE[4]) for c in colors] == strong.tolist()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == words


def test_only_significant_sets_are_coloured_and_named(done):
    table = sk.get.variability(done)
    for alpha in (1e-12, 0.05):
        strong = table["p_value_adj"] <= alpha
        ax = sk.pl.variability_rank(done, n_label=50, alpha=alpha)
        check_colors(ax, table, strong, [f"adjusted p ≤ {alpha:g}", f"adjusted p > {alpha:g}"])
    assert (table["variability"][~strong] > 1).any()  # a higher bar than one alone
    adata = done.copy()
    adata.uns["chromvar"]["variability"] = table.drop(columns="p_value_adj")
    ax = sk.pl.variability_rank(adata, n_label=50)
    check_colors(ax, table, table["variability"] > 1, ["variability > 1", "variability ≤ 1"])


def test_names_do_not_overlap(done):
    ax = sk.pl.variability_rank(done, labels=list(done.uns["chromvar"]["names"]))
    ax.figure.canvas.draw()
    boxes = sorted((Text.get_window_extent(text) for text in ax.texts), key=lambda box: -box.y0)
    assert all(upper.y0 >= lower.y1 for upper, lower in pairwise(boxes))
    drawn = [line for lines in (ax.collections[0], ax.collections[2]) for line in lines.get_segments()]  # bars, dashed
    ends = ax.transData.transform(np.concatenate(drawn))[:, 0]
    assert max(ends) < min(box.x0 for box in boxes)
    assert max(ax.get_xticks()) <= 15


def test_volcano(done):
    table = sk.tl.differential_deviations(done, "cell_type")
    ax = sk.pl.differential_volcano(table, "type_2", n_label=3)
    part = table[table["group"] == "type_2"]
    xy = ax.collections[0].get_offsets()
    np.testing.assert_allclose(np.sort(xy[:, 0]), np.sort(part["difference"]))
    np.testing.assert_allclose(xy[:, 1], -np.log10(part["p_value"]))
    assert "TF_2" in {text.get_text() for text in ax.texts}
    assert len(ax.texts) <= 3
    assert ax.get_title() == "type_2"
    one = sk.pl.differential_volcano(part, min_difference=1e9)
    assert not one.texts
    zero = part.assign(p_value=0.0, p_value_adj=0.0)
    assert np.isfinite(sk.pl.differential_volcano(zero).collections[0].get_offsets()).all()
    with pytest.raises(ValueError, match=r"group must be one of \['type_1'"):
        sk.pl.differential_volcano(table)
    with pytest.raises(ValueError, match="table must come from"):
        sk.pl.differential_volcano(pd.DataFrame({"set": []}))


def test_map(done):
    panels = sk.pl.deviation_map(done, ["TF_1", "TF_2"])
    assert [panel.get_title() for panel in panels] == ["TF_1", "TF_2"]
    values = panels[0].collections[1].get_array()
    np.testing.assert_allclose(np.sort(values), np.sort(done.obsm["chromvar_z"]["TF_1"].dropna()))
    assert (np.diff(np.abs(values)) >= 0).all()
    (panel,) = sk.pl.deviation_map(done, "TF_3", which="deviations", limit=0.5)
    assert panel.collections[1].get_clim() == (-0.5, 0.5)
    with pytest.raises(KeyError, match=r"basis='X_tsne' is not in adata\.obsm; .*part = sccase_kit\.get\.deviations"):
        sk.pl.deviation_map(done, "TF_1", basis="X_tsne")
    with pytest.raises(ValueError, match="ax must hold 2 Axes, got 1"):
        sk.pl.deviation_map(done, ["TF_1", "TF_2"], ax=[panel])


def test_map_of_the_enhanced_data_where_there_is_no_other(done):
    adata = done.copy()
    layout = adata.obsm.pop("X_umap")
    with pytest.raises(KeyError, match=r"basis='X_umap' is not in adata\.obsm"):
        sk.pl.deviation_map(adata, "TF_1")
    adata.obsm["X_umap_sccase"] = layout
    record(adata, "sccase", "tl.enhance", params={})
    (panel,) = sk.pl.deviation_map(adata, "TF_1")
    drawn = np.concatenate([np.asarray(points.get_offsets()) for points in panel.collections])
    np.testing.assert_allclose(np.sort(drawn, axis=0), np.sort(layout, axis=0))


def letters(ax):
    """Return column → list of (colour, bottom, height) of the letters, from the bottom."""
    found = {}
    for patch in ax.patches:
        box = patch.get_path().get_extents()
        found.setdefault(round((box.x0 + box.x1) / 2), []).append((patch.get_facecolor(), box.y0, box.height))
    return found


def test_logo_heights():
    counts = np.array([[10, 5, 1, 0], [0, 5, 1, 2], [0, 0, 1, 2], [0, 0, 1, 4]], dtype=float)
    heights = letter_heights(counts, "bits")
    np.testing.assert_allclose(heights.sum(axis=0), [2, 1, 0, 0.5], atol=1e-12)
    np.testing.assert_allclose(heights[:, 3], [0, 0.125, 0.125, 0.25])
    np.testing.assert_allclose(letter_heights(counts, "probability").sum(axis=0), 1)
    ax = sk.pl.motif_logo(counts)
    drawn = letters(ax)
    assert sorted(drawn) == [1, 2, 4]  # a column that tells nothing has no letters
    color = mpl.colors.to_rgba(BASE_COLORS["A"])
    assert drawn[1][0][0] == color
    assert drawn[1][0][2] == pytest.approx(2)
    bottoms = [bottom for _, bottom, _ in drawn[4]]
    np.testing.assert_allclose(bottoms, [0, 0.125, 0.25], atol=1e-9)
    assert ax.get_ylim() == (0, 2)


def test_logo_of_stored_motifs(study, done):
    stored, given = sk.pl.motif_logo("TF_3", done), sk.pl.motif_logo(study.motifs["TF_3"])
    assert letters(stored) == letters(given)
    assert stored.get_title() == "TF_3"
    turned = sk.pl.motif_logo("TF_3", done, reverse_complement=True, scale="probability")
    assert turned.get_title() == "TF_3, reverse complement"
    assert turned.get_ylim() == (0, 1)
    width = study.motifs["TF_3"].shape[1]
    expected = study.motifs["TF_3"][::-1, ::-1] / study.motifs["TF_3"].sum(axis=0)[::-1]
    for column, stack in letters(turned).items():
        np.testing.assert_allclose(max(h for *_, h in stack), expected[:, column - 1].max())
    assert sorted(letters(turned)) == list(range(1, width + 1))
    with pytest.raises(KeyError, match="motif='nobody'") as caught:
        sk.pl.motif_logo("nobody", done)
    assert str(caught.value).count("'TF_3'") == 1
    with pytest.raises(TypeError, match="is a name: pass adata"):
        sk.pl.motif_logo("TF_1")
    with pytest.raises(KeyError, match="Run sccase_kit"):
        sk.pl.motif_logo("TF_1", done, key="nothing")
    with pytest.raises(ValueError, match="scale must be one of"):
        sk.pl.motif_logo("TF_1", done, scale="height")
    with pytest.raises(ValueError, match="must have shape"):
        sk.pl.motif_logo(np.ones((3, 4)))
