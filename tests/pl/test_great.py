"""Plots of enrichment tables."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk


@pytest.fixture(scope="module")
def result():
    toy = sk.datasets.toy_study()
    var = toy.adata.var
    peaks = var[var["specific_to"] != ""].rename(columns={"specific_to": "group"})
    return sk.tl.great(peaks, "hg38", toy.gene_sets, tss=toy.genes, return_result=True)


def test_bars_are_the_best_terms(result):
    ax = sk.pl.great_bar(result.table, n_top=1, groups=["type_2", "type_1"])
    assert [t.get_text() for t in ax.get_yticklabels()] == ["TERM_2", "TERM_1"]
    widths = [p.get_width() for p in ax.patches]
    row = result.table[(result.table["ID"] == "TERM_2") & (result.table["group"] == "type_2")].iloc[0]
    decides = max(row["Binom_Adjp_BH"], row["Hyper_Adjp_BH"])
    assert widths[0] == pytest.approx(-np.log10(decides))
    assert ax.get_xlabel() == "−log₁₀ adjusted p (the larger of both tests)"
    assert [line.get_xdata()[0] for line in ax.lines] == [pytest.approx(-np.log10(0.05))]


def test_terms_with_the_same_genes_are_drawn_once():
    table = pd.DataFrame({"group": ["g"] * 4, "ID": list("abcd"), "name": ["A", "B", "C", "D"], "ontology": ""})
    table["P-value"] = table["Adjusted P-value"] = [1e-5, 1e-4, 1e-3, 1e-2]
    table["Odds Ratio"], table["Genes"] = 3.0, ["x;y", "x;y;z", "v;w", "x;v"]
    labels = [text.get_text() for text in sk.pl.great_bar(table).get_yticklabels()]
    assert labels == ["A +1", "C", "D"]
    assert [text.get_text() for text in sk.pl.great_dot(table).get_yticklabels()] == ["A", "C", "D"]
    for every in ({"similar": None}, {"similar": 0.7}):
        assert len(sk.pl.great_bar(table, **every).patches) == 4
    assert len(sk.pl.great_bar(table, n_top=1).patches) == 1
    assert len(sk.pl.great_bar(table.drop(columns="Genes")).patches) == 4
    with pytest.raises(ValueError, match="similar"):
        sk.pl.great_bar(table, similar=0)


def test_dots(result):
    _, given = plt.subplots()
    ax = sk.pl.great_dot(result.table, n_top=2, ax=given)
    assert ax is given
    assert len(ax.get_xticks()) == 5
    assert len(ax.collections[0].get_offsets()) == 5
    assert ax.figure.axes[-1].get_ylabel() == "−log₁₀ adjusted p\n(the larger of both tests)"


def test_distances(result):
    ax = sk.pl.great_distances(result)
    heights = np.array([p.get_height() for p in ax.patches]).reshape(5, -1)
    np.testing.assert_allclose(heights.sum(axis=1), 100)
    alone = sk.pl.great_distances(pd.DataFrame({"distance": [-600_000, -3, 0, 4_999, 5_000, 500_000]}))
    assert [round(p.get_height() * 6 / 100) for p in alone.patches] == [1, 0, 0, 1, 2, 1, 0, 1]


def test_other_tables():
    table = pd.DataFrame({"ontology": "", "ID": ["a", "b"], "name": ["A", "B" * 90], "P-value": [0.0, 0.5]})
    table["Adjusted P-value"], table["Odds Ratio"] = [0.0, 0.5], [np.inf, 3.0]
    assert len(sk.pl.great_bar(table).patches) == 1
    assert sk.pl.great_bar(table, max_fdr=1).get_yticklabels()[1].get_text().endswith("…")


def test_errors(result):
    with pytest.raises(ValueError, match=r"the smallest adjusted p is \S+ \(max_fdr=0.0\)"):
        sk.pl.great_bar(result.table, max_fdr=0.0)
    with pytest.raises(ValueError, match=r"of the \d+ with such a p, the largest enrichment is \S+ \(min_fold=1000\)"):
        sk.pl.great_bar(result.table, min_fold=1000)
    with pytest.raises(ValueError, match=r"tl\.great"):
        sk.pl.great_dot(pd.DataFrame({"x": [1]}))
    with pytest.raises(ValueError, match="not in the table"):
        sk.pl.great_bar(result.table, groups=["type_9"])
    with pytest.raises(ValueError, match="is empty"):
        sk.pl.great_distances(result.associations.iloc[:0])


def test_groups_of_an_anndata_have_its_colours():
    toy = sk.datasets.toy_study(n_cells=150, n_peaks=500)
    adata = toy.adata
    sk.tl.enhance(adata, 5, method="sccase")
    sk.tl.specific_peaks(adata, "cell_type", n_top=40)
    sk.tl.great(adata, "hg38", toy.gene_sets, tss=toy.genes)
    adata.uns["cell_type_colors"] = ["#111111", "#222222", "#333333", "#444444", "#555555"]
    drawn = {text.get_text(): text.get_color() for text in sk.pl.great_bar(adata, max_fdr=1, min_fold=0).texts}
    assert drawn == dict(zip(adata.obs["cell_type"].cat.categories, adata.uns["cell_type_colors"], strict=True))
    bars = sk.pl.great_distances(adata).containers
    assert [plt.matplotlib.colors.to_hex(bar.patches[0].get_facecolor()) for bar in bars] == adata.uns[
        "cell_type_colors"
    ]
    adata.obs["cell_type"] = adata.obs["cell_type"].cat.rename_categories(str.upper)  # other groups by now
    other = {text.get_text(): text.get_color() for text in sk.pl.great_bar(adata, max_fdr=1, min_fold=0).texts}
    assert list(other.values()) == sk.pl.colors.PALETTE[:5]
