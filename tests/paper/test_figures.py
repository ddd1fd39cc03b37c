"""Figures of tissues, heritability, motifs and the embedding, on small tables."""

from __future__ import annotations

from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from sccase_kit.paper.experiments import embedding, heritability, motifs, tissues
from sccase_kit.paper.figures import heatmaps, side_by_side
from sccase_kit.paper.study import OURS

WAYS = {OURS: ("a", "b"), "background": ("background",), "EpiScanpy": ("a", "b")}


def drawn(experiment, table):
    (drawing,) = experiment.EXPERIMENT.draw({"toy": table})
    assert drawing.caption.startswith("toy: ")
    ax = drawing.draw()
    ax.figure.canvas.draw()
    return ax.figure


def test_tissues_show_log_p_of_the_first_tissues():
    rows = [
        {"peaks": way, "group": group, "condition": f"t{i}", "pvalue": 10.0 ** -(i % 7) if way == OURS else 1.0}
        for way, groups in WAYS.items()
        for group, i in product(groups, range(40))
    ]
    figure = drawn(tissues, pd.DataFrame(rows))
    images = [ax.images[0] for ax in figure.axes if ax.images]
    assert [image.get_array().shape for image in images] == [(30, 2), (30, 1), (30, 2)]
    assert images[0].get_array().max() == pytest.approx(6)
    assert images[2].get_array().max() == 0
    assert images[0].get_clim() == images[2].get_clim()
    plt.close(figure)


def test_heritability_shows_every_trait_and_error():
    rows = [
        {"trait": trait, "peaks": way, "group": group, "Enrichment": 2.0 + len(way), "Enrichment_std_error": 0.5}
        for trait in ("eos", "phosphate")
        for way, groups in WAYS.items()
        for group in groups
    ]
    figure = drawn(heritability, pd.DataFrame(rows))
    assert [ax.get_title() for ax in figure.axes] == ["eos", "phosphate"]
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert heights == [2.0 + len(way) for way, groups in WAYS.items() for _ in groups]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(WAYS)
    plt.close(figure)


def test_motifs_show_the_most_variable_by_type():
    rng = np.random.default_rng(0)
    parts = []
    for way in (OURS, "EpiScanpy"):
        table = pd.DataFrame({"name": [f"M{i}" for i in range(60)], "variability": np.arange(60.0)})
        table = table.assign(type=np.where(table.index % 2, "x", "y"), between_types=0.5)
        parts.append(
            table.assign(**{"mean z in x": rng.normal(size=60), "mean z in y": rng.normal(size=60)}, peaks=way)
        )
    figure = drawn(motifs, pd.concat(parts, ignore_index=True))
    first = figure.axes[0]
    names = [text.get_text() for text in first.get_yticklabels()]
    assert len(names) == 50
    assert {"M59", "M10"} <= set(names)
    assert "M9" not in names
    low, high = first.images[0].get_clim()
    assert low == -high
    plt.close(figure)


def test_components_are_named_by_the_type_they_tell_apart():
    rng = np.random.default_rng(1)
    group = np.repeat(["a", "b", "c"], 20)
    values = rng.random((60, 4))
    for i, name in enumerate("cab"):
        values[group == name, i] += 2
    table = pd.DataFrame(values, columns=[f"component {i}" for i in range(4)]).assign(group=group)
    found = embedding.best(table).set_index("type")
    assert found["component"].to_dict() == {"a": "component 1", "b": "component 2", "c": "component 0"}
    assert (found["auc"] == 1).all()
    finding = embedding.find({"toy": table, "noise": table.assign(**{f"component {i}": 1.0 for i in range(4)})})
    assert finding["components of types"].ours == pytest.approx(0.75)
    assert finding["components of types"].holds is False
    figure = drawn(embedding, table)
    assert figure.axes
    plt.close(figure)


def test_tables_side_by_side():
    table = pd.DataFrame(
        {"peaks": ["u", "u", "v"], "group": ["a", "b", "a"], "r": ["x", "y", "x"], "n": [1.0, 2.0, 3.0]}
    )
    frames = side_by_side(table, rows="r", values="n", order=pd.Index(["y", "x"]))
    assert frames["u"].loc["y", "b"] == 2
    assert np.isnan(frames["v"].loc["y", "a"])
    ax = heatmaps(frames, label="n")
    assert [text.get_text() for text in ax.get_yticklabels()] == ["y", "x"]
    plt.close(ax.figure)
