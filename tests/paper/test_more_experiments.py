"""Peaks, maps, starts, λ, K, robustness, batches, references, resources: on a toy study, each with its figures."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk
from sccase_kit.paper import features
from sccase_kit.paper.cohorts import Candidate, make_cohort
from sccase_kit.paper.experiments import (
    accuracy,
    batches,
    components,
    lambdas,
    maps,
    peaks_heatmap,
    reference_subsets,
    resources,
    robustness,
    starts,
)
from sccase_kit.paper.study import DEFAULT, KNN, OURS, RAW, Study, standard_methods


@pytest.fixture(scope="module")
def study():
    adata = sk.datasets.toy_study(n_cells=150, n_peaks=600, n_types=3).adata
    methods = standard_methods(150)
    del methods["scCASE program"]
    return Study(make_cohort(Candidate("toy", "memory", adata.copy)), methods, {})


def run(module, study, **settings):
    table = module.run(study.with_settings({**module.EXPERIMENT.settings(True), **settings}))
    return {"toy": table}


def look(module, tables):
    """Draw every figure, make the summary, and return the findings."""
    import matplotlib.pyplot as plt

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for drawing in module.EXPERIMENT.draw(tables):
            assert drawing.draw() is not None
            assert drawing.caption.endswith(".")
    plt.close("all")
    if module.EXPERIMENT.summary is not None:
        assert len(module.EXPERIMENT.summary(tables))
    found = module.EXPERIMENT.find(tables)
    assert {*found} == {claim.name for claim in module.EXPERIMENT.claims}
    return found


def test_peaks_are_episcanpys(study):
    counts, labels = study.adata.X, study.labels
    found = features.episcanpy_peaks(counts, labels, n_top=10)
    x = counts.toarray().astype(float)
    x = np.log1p(x / x.sum(axis=1, keepdims=True) * np.median(x.sum(axis=1)))
    for name, positions in found.items():
        a, b = x[labels == name], x[labels != name]
        spread = a.var(axis=0, ddof=1) / len(a) + b.var(axis=0, ddof=1) / len(b)
        t = (a.mean(axis=0) - b.mean(axis=0)) / np.sqrt(np.where(spread > 0, spread, np.inf))
        np.testing.assert_allclose(t[positions], np.sort(t)[::-1][:10], rtol=1e-4)


def test_peaks_are_equal_to_those_of_episcanpy_itself(study):
    from sccase_kit.peaks.episcanpy import import_episcanpy

    try:
        episcanpy = import_episcanpy()
    except ImportError:
        pytest.skip("EpiScanpy is not installed")
    raw = features.prepared(study.adata.X, study.labels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        episcanpy.tl.rank_features(raw, "type", omic="ATAC", use_raw=False, n_features=20)
    names = raw.uns["rank_features_groups"]["names"]
    for name, positions in features.episcanpy_peaks(study.adata.X, study.labels, n_top=20).items():
        assert np.asarray(names[name], dtype=int).tolist() == positions.tolist()


def test_heatmaps_of_the_peaks(study):
    tables = run(peaks_heatmap, study)
    assert tables["toy"].shape == (3 * study.adata.n_obs, 2 + 30)
    areas = peaks_heatmap.areas(tables["toy"]).set_index(["matrix", "type"])
    top = features.episcanpy_peaks(study.adata.X, study.labels, n_top=10)["type_1"]
    own = study.adata.X[study.labels == "type_1"][:, top].toarray()
    assert areas.loc[(RAW, "type_1"), "closed"] == pytest.approx((own == 0).mean())
    found = look(peaks_heatmap, tables)["patterns"]
    assert found.holds is True
    assert found.ours > areas.loc[RAW, "auc"].mean()


def test_maps(study):
    tables = run(maps, study, layouts=["tsne"], pipelines=[maps.TFIDF, maps.PLAIN])
    table = tables["toy"]
    assert len(table) == 4 * 2 * study.adata.n_obs
    pure = maps.purities(table).groupby(["method", "pipeline"])["purity"].mean()
    assert pure[(DEFAULT, maps.PLAIN)] > pure[(RAW, maps.PLAIN)], pure
    found = look(maps, tables)
    assert found["maps separate"].ours == pytest.approx(pure[(OURS, maps.TFIDF)])
    assert found["hard types"].ours is None
    named = maps.find({"bm0828": table.replace({"type": {"type_1": "LMPP", "type_2": "MEP", "type_3": "CMP"}})})
    assert named["hard types"].ours == pytest.approx(named["maps separate"].ours)


def test_starts(study):
    tables = run(starts, study)
    assert list(tables["toy"]["method"]) == [starts.AS_IS, starts.RANDOM_H, starts.RANDOM_Z]
    found = look(starts, tables)
    assert found["random h"].ours < 0
    large = sk.datasets.simulate(900, 300, n_types=3, library_size=60, rng=0)
    cohort = make_cohort(Candidate("large", "memory", large.copy))
    assert "900 cells: the program is dense" in starts.needs(Study(cohort, {}, {}))


def test_lambdas_and_components(study):
    tables = run(lambdas, study)
    assert tables["toy"]["lambda"].tolist() == [1e5, 1e6, 1e8]
    found = look(lambdas, tables)["lambda range"]
    assert found.ours == pytest.approx(max(np.ptp(tables["toy"][s]) for s in ("ari", "ami", "fmi", "silhouette")))
    tables = run(components, study)
    assert tables["toy"]["k"].tolist() == [3, 5, 10, 25]
    over = tables["toy"].set_index("k")["over"]
    assert look(components, tables)["few components"].ours == pytest.approx(over[[3, 5]].mean() - over[10])


def test_accuracy(study):
    tables = run(accuracy, study)
    table = tables["toy"]
    own = table[(table["method"] == OURS) & (table["axis"] == "cell")]
    plain = study.fit(OURS).plain
    cell = sk.metrics.accuracies.curve_areas(plain.block()[:1], study.adata.layers["truth"][:1].toarray() > 0)
    assert own["auprc"].iloc[0] == pytest.approx(cell[0][0], abs=1e-5)
    found = look(accuracy, tables)
    assert found["cells recovered"].ours == pytest.approx(own["auprc"].mean())
    assert found["worst type recovered"].ours == pytest.approx(own.groupby("type")["auprc"].mean().min())
    del study.adata.layers["truth"]
    assert "simulated data only" in accuracy.needs(study)


def test_robustness(study):
    tables = run(robustness, study)
    losses = robustness.losses(tables["toy"], "dropout")
    table = tables["toy"].query("kind == 'dropout' and method == 'scCASE'").set_index("level")["ari"]
    assert losses.loc[OURS, ["none", "strongest"]].tolist() == pytest.approx([table[0.0], table[0.6]])
    assert set(losses.index) == {RAW, KNN, OURS, DEFAULT}
    look(robustness, tables)


def test_batches(study):
    assert batches.needs(study) == ""
    tables = run(batches, study)
    assert set(tables["toy"]["method"]) == {RAW, KNN, OURS, DEFAULT, f"{OURS}, batch_key", f"{DEFAULT}, batch_key"}
    found = look(batches, tables)
    kbet = tables["toy"].set_index("method")["kbet"]
    assert found["batches corrected"].ours == pytest.approx(kbet[f"{OURS}, batch_key"])


def test_incomplete_references(study):
    tables = run(reference_subsets, study)
    table = tables["toy"]
    assert table["clusters"].iloc[0] == 0
    assert table["clusters"].max() == table["of"].iloc[0]
    means = table.groupby("clusters")["ari"].mean()
    found = reference_subsets.find(tables)
    if len(means) > 2:
        expected = means.iloc[1:-1].mean() - means[0]
        assert found["incomplete better than none"].ours == pytest.approx(expected)
    look_at = reference_subsets.EXPERIMENT.draw(tables)[0].draw()
    assert look_at.get_xlabel() == "clusters in the reference"


def test_growth_of_memory():
    rows = [(OURS, 20000, 1.0, 100.0), (OURS, 100000, 4.0, 300.0), (DEFAULT, 20000, 2.0, 200.0)]
    rows += [(DEFAULT, 100000, 9.0, 300.0), (OURS, 500, 0.5, 9.0), (DEFAULT, 500, 0.75, 9.0)]
    rows += [("scCASE program", 500, 3.0, 400.0)]
    table = pd.DataFrame(rows, columns=["method", "cells", "seconds", "added_mb"]).assign(peaks=5, peak_mb=999.0)
    found = look(resources, {"once": table})
    assert (found["memory growth"].ours, found["memory growth"].default) == (3.0, 1.5)
    assert found["memory growth"].holds is True
    assert (found["time"].ours, found["time"].default) == (6.0, 4.0)
    small = look(resources, {"once": table.replace({"cells": {20000: 2000, 100000: 10000}})})["memory growth"]
    assert (small.ours, small.default, small.holds) == (None, None, None)  # no test of the claim: said, not judged
    assert "scCASE 100 to 300 MB, 3.00 times" in small.note
    assert "--memory-cells 20000" in small.note
    alone = table[table["method"] != "scCASE program"]
    assert "time" not in resources.find({"once": alone})


def test_the_sizes_of_the_memory_experiment_can_be_given(monkeypatch, tmp_path):
    sizes = []
    known = dataclasses.replace(resources.EXPERIMENT, run=lambda study: sizes.append(dict(study.settings)))
    monkeypatch.setattr(sk.paper.run, "list_experiments", lambda: {"resources": known})
    sk.reproduce(out=tmp_path, only=["resources"], memory_cells=20_000)
    sk.reproduce(out=tmp_path, only=["resources"])
    sk.reproduce(out=tmp_path, only=["resources"], memory_cells=20_000, memory_peaks=4000)
    assert sizes.pop() == {**sizes[0], "peaks": 4000}
    assert [size["cells"] for size in sizes] == [20_000, 2000]
    with pytest.raises(ValueError, match="memory_cells"):
        sk.reproduce(out=tmp_path, memory_cells=5)


@pytest.mark.slow  # two processes that import everything
def test_resources_are_measured_in_processes(study, monkeypatch, tmp_path):
    monkeypatch.setattr(resources, "_METHODS", {RAW: "tfidf", OURS: "sccase"})
    own = np.ones(80_000_000)  # the peak of this process is not that of its children
    table = resources.run(Study(None, {}, {"cells": 600, "peaks": 4000, "dense": 100}))
    assert own.sum() == len(own)
    assert table["method"].tolist() == [RAW, OURS] * 3
    table = table[table["method"] == OURS]
    assert table["cells"].tolist() == [100, 600, 3000]
    assert (table["added_mb"] >= 0).all()
    assert table["added_mb"].iloc[-1] > table["added_mb"].iloc[0]
    assert (table["peak_mb"] > 50).all()
    # 3,000 × 4,000 × 5 % counts take 7 MB: a call adds some copies of them, not the libraries
    assert 5 < table["added_mb"].iloc[-1] < 200
    with pytest.raises(RuntimeError, match=r"nope on 100 cells: .*none\.h5ad"):
        resources._measure(tmp_path / "none.h5ad", "nope", "none", where="nope on 100 cells")


def test_maps_are_coloured_by_type_and_by_depth():
    cells = pd.DataFrame({"x": [0.0, 1, 2, 3], "y": [0.0, 1, 0, 1], "type": list("abab"), "depth": [1.0, 2, 3, 4]})
    parts = [cells.assign(method=name, pipeline="TF-IDF first", layout="umap") for name in (RAW, OURS)]
    by_type, by_depth = maps.draw({"toy": pd.concat(parts)})
    figure = by_type.draw()
    named = [text.get_text() for ax in figure.axes for text in (ax.get_legend().get_texts() if ax.get_legend() else [])]
    assert {"a", "b"} <= set(named)
    assert "nan" not in named
    shown = [points.get_array() for ax in by_depth.draw().axes for points in ax.collections]
    depths = [values for values in shown if values is not None and len(values) == 4]
    assert len(depths) == 2
    assert sorted(np.asarray(depths[0])) == [1, 2, 3, 4]
