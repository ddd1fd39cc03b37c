"""Hostile data in the plots of an AnnData: a figure that can be drawn, or a clear error and no change."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from small_tables import WILD

import sccase_kit as sk
from sccase_kit import pl

N = 48
LOCUS = "chr1:0-240,000,000"
ELSEWHERE = {"accuracy_boxplot", "differential_volcano", "great_bar", "great_distances", "great_dot", "ldsc"}
ELSEWHERE |= {"robustness", "score_bars", "snpsea"}  # test_hostile_plot_tables


@functools.cache
def made() -> tuple[AnnData, Any]:
    toy = sk.datasets.toy_study(n_cells=N, n_peaks=120, n_types=3, rng=0)
    adata = toy.adata
    sk.tl.enhance(adata, 4, method="sccase", max_iter=3)
    sk.tl.estimate_k(adata, k_values=range(2, 5))
    rng = np.random.default_rng(0)
    adata.varm["sets"] = pd.DataFrame(rng.random((120, 6)) < 0.3, adata.var_names, [f"TF_{i}" for i in range(6)])
    adata.var["gc"] = rng.uniform(0.3, 0.7, 120)
    sk.tl.chromvar(adata, "sets", bias="gc", n_background=5, n_bootstrap=20)
    for name in ("X_umap", "X_umap_raw", "X_umap_sccase"):
        adata.obsm[name] = rng.normal(size=(N, 2)).astype(np.float32)
    adata.obs["depth"] = np.asarray(adata.X.sum(axis=1)).ravel().astype(float)
    adata.uns["motifs"] = {
        "names": ["M1 one"], "ids": ["M1"], "tf": ["one"], "widths": np.array([3]), "profiles": np.full((4, 3), 0.25),
    }  # fmt: skip
    return adata, toy


def study() -> AnnData:
    return made()[0].copy()


# AnnData first
ADATA: dict[str, Callable[..., Any]] = {
    "cell_map": lambda a, label="cell_type", **k: pl.cell_map(a, label, basis="X_umap", **k),
    "deviation_map": lambda a, **k: pl.deviation_map(a, "TF_1", **k),
    "depth_correlation": lambda a, **k: pl.depth_correlation(a, **k),
    "embedding_heatmap": lambda a, label="cell_type", **k: pl.embedding_heatmap(a, label, **k),
    "estimate_k": lambda a, **k: pl.estimate_k(a, **k),
    "genome_tracks": lambda a, label="cell_type", **k: pl.genome_tracks(a, LOCUS, label, **k),
    "motif_heatmap": lambda a, label="cell_type", **k: pl.motif_heatmap(a, label, **k),
    "objective_trace": lambda a, **k: pl.objective_trace(a, **k),
    "peak_heatmap": lambda a, label="cell_type", **k: pl.peak_heatmap(a, list(study().var_names[:9]), label, **k),
    "raw_against_enhanced": lambda a, label="cell_type", **k: pl.raw_against_enhanced(a, label, **k),
    "similarity_heatmap": lambda a, label="cell_type", **k: pl.similarity_heatmap(a, label, **k),
    "variability_rank": lambda a, **k: pl.variability_rank(a, **k),
}
GROUPED = ["cell_map", "embedding_heatmap", "genome_tracks", "motif_heatmap", "peak_heatmap", "raw_against_enhanced"]
GROUPED += ["similarity_heatmap"]


EFFECTS = pd.DataFrame({"set": ["TF_1"], "effect_size": [1.0], "p_value_adj": [0.1]})
#: Plots of results that this study does not hold; what they draw is tested in tests/pl.
OF_RESULTS: dict[str, Callable[[Any], Any]] = {
    "annotation": lambda a: pl.annotation(a),
    "barcode_rank": lambda a: pl.barcode_rank(a),
    "fragment_lengths": lambda a: pl.fragment_lengths(a),
    "fragment_quality": lambda a: pl.fragment_quality(a),
    "top_motifs": lambda a: pl.top_motifs(a, EFFECTS),
    "trait_groups": lambda a: pl.trait_groups(a),
    "tss_by_depth": lambda a: pl.tss_by_depth(a),
    "tss_profile": lambda a: pl.tss_profile(a),
}
OF_TABLES: dict[str, Callable[[Any], Any]] = {
    "accessibility_ma": lambda a: pl.accessibility_ma(a),
    "accessibility_volcano": lambda a: pl.accessibility_volcano(a),
    "held_out": lambda a: pl.held_out(a),
    "peak_gene_links": lambda a: pl.peak_gene_links(a, "GENE2"),
}


def test_the_tables_are_complete():
    assert {*ADATA, *OF_RESULTS, *OF_TABLES, "motif_logo"} | ELSEWHERE == set(pl.__all__)


@pytest.mark.parametrize("value", [None, "cells.h5ad", 3, np.ones((3, 3))], ids=str)
@pytest.mark.parametrize("name", OF_RESULTS)
def test_results_of_no_anndata(attempt_plot, name, value):
    assert "must be an AnnData" in attempt_plot(lambda: OF_RESULTS[name](value))


@pytest.mark.parametrize("name", [name for name in OF_RESULTS if name != "top_motifs"])  # its table is given
def test_results_that_are_not_there(attempt_plot, name):
    given = study()
    message = attempt_plot(lambda: OF_RESULTS[name](given), given)
    assert isinstance(message, str)
    assert message


@pytest.mark.parametrize("value", [None, "table.tsv", 3, np.ones((3, 3)), pd.DataFrame({"a": [1]})], ids=str)
@pytest.mark.parametrize("name", OF_TABLES)
def test_tables_of_something_else(attempt_plot, name, value):
    message = attempt_plot(lambda: OF_TABLES[name](value))
    assert isinstance(message, str)
    assert message


@pytest.mark.parametrize("name", ADATA)
def test_what_is_sound_is_drawn(attempt_plot, name):
    given = study()
    axes = attempt_plot(lambda: ADATA[name](given), given, inside=True)
    assert not isinstance(axes, str), axes


@pytest.mark.parametrize("value", [None, "cells.h5ad", 3, pd.DataFrame({"a": [1]}), np.ones((3, 3))], ids=str)
@pytest.mark.parametrize("name", ADATA)
def test_not_an_anndata(attempt_plot, name, value):
    message = attempt_plot(lambda: ADATA[name](value))
    assert "must be an AnnData" in message


@pytest.mark.parametrize("name", [n for n in ADATA if n != "cell_map"])
def test_never_enhanced(attempt_plot, name):
    bare = AnnData(study().X, obs=study().obs[["cell_type"]], var=study().var)
    message = attempt_plot(lambda: ADATA[name](bare), bare)
    assert re.search(r"sccase_kit\.tl\.", message), message


@pytest.mark.parametrize("keep", [0, 1, 2], ids=["no cell", "one cell", "two cells"])
@pytest.mark.parametrize("name", ADATA)
def test_few_cells(attempt_plot, name, keep):
    adata = study()[:keep].copy()
    attempt_plot(lambda: ADATA[name](adata), adata)


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0, 1e30])
@pytest.mark.parametrize("name", ADATA)
def test_values_that_are_no_values(attempt_plot, name, value):
    adata = study()
    for key in list(adata.obsm):
        adata.obsm[key] = adata.obsm[key] * 0 + value
    adata.uns["sccase"]["objective"] = np.full(3, value)
    attempt_plot(lambda: ADATA[name](adata), adata)


LABELS: dict[str, Any] = {
    "missing column": None,
    "one group": ["a"] * N,
    "a group of one cell": ["a"] * (N - 1) + ["b"],
    "with NaN": ["a"] * 30 + [np.nan] * (N - 30),
    "all NaN": [np.nan] * N,
    "numbers": [1, 2] * (N // 2),
    "floats with NaN and inf": [1.5, np.nan, np.inf, -np.inf] * (N // 4),
    "all infinite": [np.inf] * N,
    "booleans": [True, False] * (N // 2),
    "mixed": [1, "b"] * (N // 2),
    "unused category": pd.Categorical(["a", "b"] * (N // 2), ["c", "b", "a"]),
    "60 categories": pd.Categorical([str(i) for i in range(N)], [str(i) for i in range(60)]),
    "dates": np.resize(pd.date_range("2020-01-01", periods=20), N),
    "wild names": np.resize(WILD, N),
    "equal as text": [1, "1"] * (N // 2),
}


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("name", GROUPED)
def test_labels(attempt_plot, name, labels):
    adata = study()
    column = "$x^$ {_label}%"
    if LABELS[labels] is not None:
        object_type = object if labels in ("mixed", "equal as text") else None
        adata.obs[column] = pd.Series(LABELS[labels], index=adata.obs_names, dtype=object_type)
    fewer = {"show": "enhanced"} if name == "genome_tracks" else {}  # Axes: one column of tracks, not two
    result = attempt_plot(lambda: ADATA[name](adata, column, **fewer), adata, inside=labels == "wild names")
    if labels == "missing column":
        assert column in result
    if isinstance(result, str):
        assert "label" in result or "group" in result or column in result
    if labels == "wild names":
        assert not isinstance(result, str), result


SPECIAL: dict[str, Callable[[AnnData], Any]] = {
    "cell_map, flat layout": lambda a: pl.cell_map(a, "cell_type", basis="flat"),
    "cell_map, several colours": lambda a: pl.cell_map(a, ["cell_type", "depth", "missing"], basis="X_umap"),
    "cell_map, no colour": lambda a: pl.cell_map(a, [], basis="X_umap"),
    "cell_map, colour is None": lambda a: pl.cell_map(a, None, basis="X_umap"),
    "cell_map, unknown map": lambda a: pl.cell_map(a, "depth", basis="X_umap", cmap="no such map"),
    "cell_map, unknown layout": lambda a: pl.cell_map(a, "depth", basis="X_nobody"),
    "cell_map, log of negatives": lambda a: pl.cell_map(a, "negative", basis="X_umap", log10=True),
    "deviation_map, no set": lambda a: pl.deviation_map(a, []),
    "deviation_map, unknown set": lambda a: pl.deviation_map(a, ["TF_1", "$^{"]),
    "deviation_map, flat layout": lambda a: pl.deviation_map(a, "TF_1", basis="flat"),
    "deviation_map, limit": lambda a: pl.deviation_map(a, "TF_1", limit=np.nan),
    "depth_correlation, no fit": lambda a: pl.depth_correlation(a, []),
    "depth_correlation, many": lambda a: pl.depth_correlation(a, n_components=10**6),
    "depth_correlation, 30 fits": lambda a: pl.depth_correlation(a, ["sccase"] * 30),
    "objective_trace, no fit": lambda a: pl.objective_trace(a, []),
    "objective_trace, key is None": lambda a: pl.objective_trace(a, None),
    "embedding_heatmap, flat": lambda a: pl.embedding_heatmap(a, "cell_type", basis="flat"),
    "embedding_heatmap, max_cells": lambda a: pl.embedding_heatmap(a, "cell_type", max_cells=0),
    "similarity_heatmap, max_cells": lambda a: pl.similarity_heatmap(a, "cell_type", max_cells=-1),
    "peak_heatmap, no peak": lambda a: pl.peak_heatmap(a, [], "cell_type"),
    "peak_heatmap, unknown peak": lambda a: pl.peak_heatmap(a, ["nobody"], "cell_type"),
    "peak_heatmap, one text": lambda a: pl.peak_heatmap(a, a.var_names[0], "cell_type"),
    "peak_heatmap, beyond": lambda a: pl.peak_heatmap(a, [10**6], "cell_type"),
    "peak_heatmap, table": lambda a: pl.peak_heatmap(a, pd.DataFrame({"x": [1]}), "cell_type"),
    "peak_heatmap, layer": lambda a: pl.peak_heatmap(a, a.var_names[:3], "cell_type", layer="nobody"),
    "motif_heatmap, no set": lambda a: pl.motif_heatmap(a, "cell_type", sets=[]),
    "motif_heatmap, limit": lambda a: pl.motif_heatmap(a, "cell_type", limit=-1),
    "motif_heatmap, n_top": lambda a: pl.motif_heatmap(a, "cell_type", n_top=0),
    "variability_rank, label": lambda a: pl.variability_rank(a, labels=["nobody"]),
    "variability_rank, n_label": lambda a: pl.variability_rank(a, n_label=-1),
    "motif_logo, name alone": lambda _: pl.motif_logo("M1"),
    "motif_logo, unknown": lambda a: pl.motif_logo("$^{", a),
    "motif_logo, stored": lambda a: pl.motif_logo("M1", a),
    "motif_logo, counts of 0": lambda _: pl.motif_logo(np.zeros((4, 3))),
    "motif_logo, NaN": lambda _: pl.motif_logo(np.full((4, 3), np.nan)),
    "motif_logo, shape": lambda _: pl.motif_logo(np.ones((3, 4))),
    "motif_logo, no column": lambda _: pl.motif_logo(np.ones((4, 0))),
    "motif_logo, None": lambda _: pl.motif_logo(None),
    "motif_logo, wild": lambda _: pl.motif_logo(sk.motifs.Motif("$^{", "x" * 300, np.ones((4, 3)))),
    "genome_tracks, locus": lambda a: pl.genome_tracks(a, "chr1", "cell_type"),
    "genome_tracks, locus is None": lambda a: pl.genome_tracks(a, None, "cell_type"),
    "genome_tracks, backwards": lambda a: pl.genome_tracks(a, "chr1:9-3", "cell_type"),
    "genome_tracks, nothing there": lambda a: pl.genome_tracks(a, "chr99:0-100", "cell_type"),
    "genome_tracks, no group": lambda a: pl.genome_tracks(a, LOCUS, "cell_type", groups=[]),
    "genome_tracks, group": lambda a: pl.genome_tracks(a, LOCUS, "cell_type", groups=["nobody"]),
    "genome_tracks, genes": lambda a: pl.genome_tracks(a, LOCUS, "cell_type", genes=made()[1].genes),
    "genome_tracks, genes by path": lambda a: pl.genome_tracks(a, LOCUS, "cell_type", genes="genes.tsv"),
    "genome_tracks, genes lack": lambda a: pl.genome_tracks(a, LOCUS, "cell_type", genes=pd.DataFrame({"chrom": []})),
    "genome_tracks, wild genes": lambda a: pl.genome_tracks(
        a, LOCUS, "cell_type", genes=pd.concat([made()[1].genes] * 2).assign(symbol="$^{")
    ),
    "estimate_k, key": lambda a: pl.estimate_k(a, key="nobody"),
    "estimate_k, other entry": lambda a: pl.estimate_k(a, key="sccase"),
}


@pytest.mark.parametrize("name", SPECIAL)
def test_arguments(attempt_plot, name):
    adata = study()
    adata.obsm["flat"] = np.zeros((N, 1))
    adata.obs["negative"] = -1.0
    attempt_plot(lambda: SPECIAL[name](adata), adata, inside="wild" in name)


@pytest.mark.parametrize("name", ADATA)
def test_axes(attempt_plot, name):
    given = study()
    n = len(np.ravel(np.asarray(ADATA[name](given), dtype=object)))
    for wrong in ("axes", 3, [], [None] * n, ["axes"] * n, {"a": 1}):
        message = attempt_plot(lambda w=wrong: ADATA[name](given, ax=w), given)
        assert "ax must" in message, f"ax={wrong!r} was taken"
    figure, panels = plt.subplots(1, n, squeeze=False)
    for wrong in (figure, [*panels[0], panels[0][0]]):
        with pytest.raises((TypeError, ValueError), match="ax must"):
            ADATA[name](given, ax=wrong)
    result = ADATA[name](given, ax=panels[0][0] if n == 1 else list(panels[0]))
    assert [id(ax) for ax in np.ravel(np.asarray(result, dtype=object))] == [id(ax) for ax in panels[0]]
    figure.canvas.draw()
    assert plt.get_fignums() == [figure.number]
