"""Plots of results take the table, or the data that hold it, and draw the same."""

from __future__ import annotations

import anndata as ad
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from picture_data import annotated, differential_table, held_out_scores, linked, with_traits

import sccase_kit as sk
from sccase_kit._record import record
from sccase_kit.pl._given import table_of


def empty() -> ad.AnnData:
    return ad.AnnData(np.ones((2, 2), dtype=np.float32))


def numbers(axes: object) -> list[np.ndarray]:
    """Return what was drawn: places of dots and lines, sizes of bars."""
    drawn = []
    for ax in np.ravel(np.asarray(axes, dtype=object)):
        drawn += [np.asarray(c.get_offsets()) for c in ax.collections if len(c.get_offsets())]
        drawn += [np.asarray(line.get_xydata()) for line in ax.lines]
        drawn += [np.array([p.get_height()]) for p in ax.patches if hasattr(p, "get_height")]
        drawn += [np.asarray(image.get_array()) for image in ax.images]
    plt.close("all")
    return drawn


def ldsc() -> pd.DataFrame:
    table = pd.DataFrame({"trait": "height", "group": ["B", "NK", "background"], "Enrichment": [6.0, 1.2, 0.9]})
    return table.assign(Enrichment_std_error=0.5, Enrichment_p=[1e-4, 0.7, 0.6])


def snpsea() -> pd.DataFrame:
    names = ["liver", "lung", "skin"]
    table = pd.DataFrame({"group": "B", "condition": names, "pvalue": [0.001, 0.2, 0.9], "nulls_observed": 5})
    table.attrs["correlation"] = pd.DataFrame(np.eye(3), names, names).to_dict("split")
    return table


def effects() -> pd.DataFrame:
    table = pd.DataFrame({"group": "B", "set": ["a", "b"], "difference": [1.0, -2.0], "p_value": [0.01, 0.02]})
    return table.assign(p_value_adj=0.02)


TABLES = {
    "accessibility_ma": differential_table,
    "accessibility_volcano": differential_table,
    "differential_volcano": effects,
    "ldsc": ldsc,
    "peak_gene_links": linked,
    "snpsea": snpsea,
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("stored", ["table", "record"])
def test_table_or_data(name, stored):
    table = TABLES[name]()
    draw = getattr(sk.pl, name)
    more = ("GENE2",) if name == "peak_gene_links" else ()
    adata = empty()
    if name == "peak_gene_links":
        record(adata, "mine", "tl.peak_gene_links", params={}, links=table)
    elif stored == "record":
        record(adata, "mine", "tl.anything", params={}, table=table)
    else:
        adata.uns["mine"] = table
    wanted = numbers(draw(table, *more))
    assert wanted
    for found in (numbers(draw(adata, *more, key="mine")), numbers(draw(adata, *more, key="mine"))):
        assert len(found) == len(wanted)
        for a, b in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(a, b)
    if name != "peak_gene_links":
        assert len(numbers(draw(adata))) == len(wanted)
        with pytest.raises(KeyError, match=r"holds no table of sccase_kit.tl"):
            draw(empty())
        with pytest.raises(KeyError, match=r"nobody.*there are .'mine'"):
            draw(adata, key="nobody")
        adata.uns["other"] = table
        with pytest.raises(KeyError, match=r"key is needed.*mine.*other"):
            draw(adata)
    assert not plt.get_fignums()


def test_traits():
    adata = with_traits(empty())
    table = adata.uns["traits"]["groups"]
    of_data, of_table = (numbers(sk.pl.trait_groups(given)) for given in (adata, table))
    assert [part.shape for part in of_data] == [part.shape for part in of_table]
    assert sorted(of_data[0].ravel()) == sorted(of_table[0].ravel())
    with pytest.raises(KeyError, match="score"):
        sk.pl.trait_groups(table.drop(columns="score"))


def test_held_out():
    result = held_out_scores()
    with pytest.raises(KeyError, match="held_out"):
        sk.pl.held_out(empty())
    assert len(numbers(sk.pl.held_out(result))) > 3


def test_held_out_of_data():
    adata = sk.datasets.toy_study(n_cells=300, n_peaks=800).adata
    sk.pp.filter_peaks(adata, min_fraction=0.03)
    sk.pp.filter_cells(adata, min_peaks=8)
    methods = {"mean": lambda a: np.broadcast_to(np.asarray(a.X.mean(axis=0)).ravel() + 1e-3, a.shape)}
    result = sk.metrics.held_out(adata, methods, n_splits=1, min_cells=1, key_added="held_out")
    for a, b in zip(numbers(sk.pl.held_out(adata)), numbers(sk.pl.held_out(result)), strict=True):
        np.testing.assert_allclose(a, b)


def test_variability_and_curves():
    table = pd.DataFrame({"variability": [2.0, 1.0], "p_value_adj": [0.01, 0.5]}, index=["a", "b"])
    assert len(numbers(sk.pl.variability_rank(table))) >= 1
    with pytest.raises(TypeError, match="must be an AnnData, or a table"):
        sk.pl.variability_rank(pd.DataFrame({"a": [1]}))
    k = np.arange(3, 6)
    names = ["inertia", "davies_bouldin", "silhouette_louvain", "silhouette_leiden"]
    curves = pd.DataFrame({"k": k, **dict.fromkeys(names, k / 2)})
    axes = sk.pl.estimate_k(curves)
    assert [ax.get_title() for ax in axes] == ["", "", ""]
    plt.close("all")
    with pytest.raises(TypeError, match="must be an AnnData, or the curves"):
        sk.pl.estimate_k(curves.drop(columns="inertia"))


def test_what_is_no_data_is_left_for_the_check():
    assert table_of(3, ["a"], key=None, run="tl.ldsc") == 3


def test_names_of_groups_from_the_scores_are_those_of_the_data():
    adata = annotated(empty())
    entry = adata.uns["annotation"]
    expected = numbers(sk.pl.annotation(adata))
    for given, wanted in zip(numbers(sk.pl.annotation(entry["scores"], table=entry["table"])), expected, strict=True):
        np.testing.assert_array_equal(given, wanted)
    names = [text.get_text() for text in sk.pl.annotation(adata, groups=["cluster 3", "cluster 1"]).get_yticklabels()]
    assert names == ["cluster 3", "cluster 1"]
    with pytest.raises(ValueError, match=r"groups: \['x'\] are not annotated; available"):
        sk.pl.annotation(adata, groups=["cluster 1", "x"])
    shuffled = numbers(sk.pl.annotation(entry["scores"], table=entry["table"].iloc[::-1]))
    assert len(shuffled) == len(expected)
    assert {tuple(marks.ravel()) for marks in shuffled if marks.shape == (1, 2)} == {
        tuple(marks.ravel()) for marks in expected if marks.shape == (1, 2)
    }


def test_names_with_a_slash_are_marked_in_the_stored_scores():
    entry = annotated(empty()).uns["annotation"]
    scores = entry["scores"].rename(columns={"NK cell": "HSC|MPP"})
    table = entry["table"].replace({"NK cell": "HSC/MPP"})
    ax = sk.pl.annotation(scores, table=table)
    assert len(ax.lines) == len(table)
    assert "HSC/MPP" in [text.get_text() for text in ax.get_xticklabels()]
    plt.close("all")


def test_scores_alone_have_no_marks():
    scores = annotated(empty()).uns["annotation"]["scores"]
    ax = sk.pl.annotation(scores)
    assert not ax.lines
    assert ax.images[0].get_array().shape == scores.shape
    plt.close("all")


def test_scores_of_names_that_do_not_fit():
    adata = annotated(empty())
    scores, table = adata.uns["annotation"]["scores"], adata.uns["annotation"]["table"]
    with pytest.raises(ValueError, match=r"adata is the table of names; the scores are drawn"):
        sk.pl.annotation(table)
    with pytest.raises(ValueError, match=r"groups without scores: \['other'\]"):
        sk.pl.annotation(scores, table=table.assign(group="other").iloc[:1])
    with pytest.raises(ValueError, match="table goes with scores"):
        sk.pl.annotation(adata, table=table)
    with pytest.raises(KeyError, match="'label'"):
        sk.pl.annotation(scores, table=table.drop(columns="label"))
    with pytest.raises(ValueError, match="holds no score"):
        sk.pl.annotation(scores * np.nan)
    with pytest.raises(ValueError, match="several rows of one group"):
        sk.pl.annotation(pd.concat([scores, scores]))
    assert not plt.get_fignums()
