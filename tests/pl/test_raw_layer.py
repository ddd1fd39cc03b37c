"""What plots take as the raw data of a fit: the matrix that was enhanced, whatever `X` holds now."""

import matplotlib as mpl
import numpy as np
import pytest

import sccase_kit as sk
from sccase_kit._record import recorded
from sccase_kit.get.raw import raw_layer
from sccase_kit.report._figures import drawing_copy


def drawn(adata, **kwargs):
    """Values of the raw panels of every plot that has one."""
    adata = adata.copy()
    peaks = list(adata.var_names[:20])
    place = adata.var.iloc[0]
    locus = f"{place['chrom']}:{place['start']}-{place['end'] + 200_000}"
    maps = sk.pl.raw_against_enhanced(adata, "cell_type", method="tsne", **kwargs)
    tracks = sk.pl.genome_tracks(adata, locus, "cell_type", show="raw", **kwargs)
    bars = sk.pl.depth_correlation(adata, n_components=3, **kwargs)
    return {
        "heatmap": sk.pl.peak_heatmap(adata, peaks, "cell_type", **kwargs)[0].images[0].get_array(),
        "map": np.concatenate([c.get_offsets() for c in maps[0].collections]),
        "tracks": np.array([bar.get_height() for panel in tracks for bar in panel.patches]),
        "bars": np.array([bar.get_height() for bar in bars.patches[:3]]),
    }


@pytest.fixture(scope="module")
def raw():
    """A study whose `X` holds the counts."""
    adata = sk.datasets.toy_study(n_cells=80, n_peaks=400, depth_sd=1.0).adata
    sk.tl.enhance(adata, 5, method="sccase")
    return adata


@pytest.fixture(scope="module")
def logged():
    """The same with the counts in a layer; `X` holds logarithms, of other cells so that every plot would show it."""
    adata = sk.datasets.toy_study(n_cells=80, n_peaks=400, depth_sd=1.0).adata
    adata.layers["counts"] = adata.X.copy()
    sk.tl.enhance(adata, 5, method="sccase", layer="counts")
    adata.X = np.log1p(adata.X.toarray()[::-1])
    return adata


def test_raw_panels_are_of_what_was_enhanced(raw, logged):
    expected, found = drawn(raw), drawn(logged)
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)
    logged.layers["other"] = logged.X
    other = drawn(logged, layer="other")
    for name, values in expected.items():
        assert not np.array_equal(other[name], values), name


def test_a_map_is_drawn_again_only_where_its_settings_changed(logged):
    adata = logged.copy()
    adata.layers["other"] = adata.X
    mine = np.zeros((adata.n_obs, 2), dtype=np.float32)

    def maps(**kwargs):
        sk.pl.raw_against_enhanced(adata, "cell_type", method="tsne", **kwargs)
        return {name: adata.obsm[f"X_tsne_{name}"].copy() for name in ("raw", "sccase")}

    def changed(first, second):
        return [name for name in first if not np.array_equal(first[name], second[name])]

    first = maps()
    for name in first:
        adata.obsm[f"X_tsne_{name}"] += 1  # shows whether it is drawn again
    shown = maps()
    assert changed(shown, first) == ["raw", "sccase"]
    assert changed(maps(layer="other"), shown) == ["raw"]
    assert changed(maps(layer="counts", rng=1), shown) == ["raw", "sccase"]
    assert changed(maps(), first) == []
    sk.tl.enhance(adata, 4, method="sccase", layer="counts")
    assert "X_tsne_sccase" not in adata.obsm
    assert changed(maps(), first) == ["sccase"]
    del adata.uns["sccase_kit_layouts"]
    adata.obsm["X_tsne_sccase"] = mine
    sk.tl.enhance(adata, 5, method="sccase", layer="counts")
    assert changed(maps(rng=3), {**first, "sccase": mine}) == []


def test_a_layer_that_is_gone_is_named(logged):
    adata = logged.copy()
    del adata.layers["counts"]
    with pytest.raises(KeyError, match=r"'sccase' was made from adata\.layers\['counts'\], which is no longer there"):
        sk.pl.peak_heatmap(adata, list(adata.var_names[:3]), "cell_type")


def test_fits_of_different_matrices_need_a_layer(logged):
    adata = logged.copy()
    adata.uns["second"] = recorded(adata.uns["sccase"]).with_params(layer=None).entry()
    with pytest.raises(ValueError, match=r"different matrices, \['X', 'counts'\]; pass layer="):
        raw_layer(adata, ["sccase", "second"])
    assert raw_layer(adata, ["sccase", "second"], "counts") == "counts"
    assert raw_layer(adata, "second") is None
    assert raw_layer(adata, "sccase") == "counts"
    assert raw_layer(adata, "nobody") is None


def test_the_copy_for_the_report_is_drawn_from_its_own_counts(raw, logged):
    given = {"key": "sccase", "max_cells": 100, "rng": 0}
    view = drawing_copy(logged, layer=raw_layer(logged, "sccase"), **given)
    assert not view.layers
    expected, found = drawn(raw), drawn(view)
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)
    assert logged.uns["sccase"]["params"]["layer"] == "counts"


def test_maps_with_tfidf_first():
    adata = sk.datasets.toy_study(n_cells=60, n_peaks=300, n_types=3).adata
    sk.tl.enhance(adata, 4, method="sccase")
    plain = sk.pl.raw_against_enhanced(adata, "cell_type", method="tsne")
    before = adata.obsm["X_tsne_raw"].copy(), adata.obsm["X_tsne_sccase"].copy()
    first = sk.pl.raw_against_enhanced(adata, "cell_type", method="tsne", pipeline="tfidf")
    for old, slot in zip(before, ("X_tsne_raw", "X_tsne_sccase"), strict=True):
        assert not np.array_equal(old, adata.obsm[slot])
        assert adata.uns["sccase_kit_layouts"][slot]["pipeline"] == "tfidf"
    sk.pl.raw_against_enhanced(adata, "cell_type", method="tsne")
    assert np.array_equal(before[0], adata.obsm["X_tsne_raw"])  # each map is drawn of what is asked for
    assert len(plain) == len(first) == 2
    with pytest.raises(ValueError, match="pipeline"):
        sk.pl.raw_against_enhanced(adata, "cell_type", pipeline="nope")


def test_marker_peaks_are_drawn_by_the_name_of_the_groups(raw):
    """As stored: each peak once, with the first group that has it, marked at the left."""
    adata = raw.copy()
    with pytest.raises(KeyError, match=r"no marker peaks of 'cell_type': run sccase_kit.tl.specific_peaks"):
        sk.pl.peak_heatmap(adata, "cell_type")
    with pytest.raises(TypeError, match=r"groupby is missing: the column of obs .* after peaks='chr.*available: "):
        sk.pl.peak_heatmap(adata, adata.var_names[0])
    sk.tl.specific_peaks(adata, "cell_type", n_top=40, min_significant=0)
    table = adata.uns["specific_peaks"]["peaks"]
    top = table[table["rank"] <= 30].drop_duplicates("peak")
    panel = sk.pl.peak_heatmap(adata, "cell_type")[0]
    np.testing.assert_array_equal(
        panel.images[0].get_array(), sk.pl.peak_heatmap(adata, list(top["peak"]), "cell_type")[0].images[0].get_array()
    )
    panel.figure.canvas.draw()
    labels = [axes.get_ylabel() for axes in panel.child_axes]
    assert f"{len(top)} peaks, by their group" in labels
    strip = next(
        axes.images[0].get_array()
        for axes in panel.child_axes
        if axes.images and len(axes.images[0].get_array()) == len(top)
    )
    changes = np.flatnonzero(np.any(np.diff(strip[:, 0], axis=0) != 0, axis=1)) + 1
    np.testing.assert_array_equal(
        changes, np.flatnonzero(top["group"].to_numpy()[1:] != top["group"].to_numpy()[:-1]) + 1
    )


def test_the_group_in_which_a_marker_peak_is_highest_is_marked_and_counted(raw):
    """At equal depth in the counts, by the mean in the enhanced data, held against sums by group written out here."""
    adata = raw.copy()
    sk.tl.specific_peaks(adata, "cell_type", n_top=30, min_significant=0)
    top = adata.uns["specific_peaks"]["peaks"].drop_duplicates("peak")
    axes = sk.pl.peak_heatmap(adata, "cell_type")
    axes[0].figure.canvas.draw()
    labels = adata.obs["cell_type"].astype(str).to_numpy()
    names = list(adata.obs["cell_type"].cat.categories)
    columns = adata.var_names.get_indexer(top["peak"])
    counts = adata.X.toarray()
    enhanced = sk.get.enhanced(adata)[:, columns]
    rates = [(counts[labels == name][:, columns] > 0).sum(axis=0) / counts[labels == name].sum() for name in names]
    means = [enhanced[labels == name].mean(axis=0) for name in names]
    colors = dict(zip(names, adata.uns["cell_type_colors"], strict=True))
    for panel, values in zip(axes, [rates, means], strict=True):
        best = [names[i] for i in np.argmax(values, axis=0)]
        own = int((np.array(best) == top["group"].astype(str).to_numpy()).sum())
        assert f"\n{own:,} of {len(top):,} highest in their own group" in panel.get_title()
        shown = [
            one.images[0].get_array()[:, 0] for one in panel.child_axes if one.images and one.get_position().x0 > 0
        ]
        wanted = np.array([mpl.colors.to_rgb(colors[name]) for name in best])
        assert any(strip.shape == wanted.shape and np.allclose(strip, wanted) for strip in shown)
    assert sk.pl.peak_heatmap(adata, list(top["peak"]), "cell_type")[0].get_title() == "raw"


def test_cells_are_on_the_enhanced_map_without_a_basis(raw):
    adata = raw.copy()
    adata.obsm["X_umap_sccase"] = np.random.default_rng(0).normal(size=(adata.n_obs, 2)).astype(np.float32)
    adata.obsm["X_umap"] = np.zeros((adata.n_obs, 2), dtype=np.float32)

    def places():
        drawn = [np.asarray(dots.get_offsets()) for dots in sk.pl.cell_map(adata, "cell_type").collections]
        return np.unique(np.concatenate(drawn), axis=0)

    assert len(places()) == adata.n_obs
    del adata.uns["sccase"]
    np.testing.assert_array_equal(places(), [[0, 0]])
