"""What the page says for and against types, and of types that were looked for and not found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk
from sccase_kit.pages.blocks import Card, Cards, Lines
from sccase_kit.report._found import Study, found_section
from sccase_kit.report._naming import naming_section
from sccase_kit.report._rivals import not_found, second_types, why_not


@pytest.fixture(scope="module")
def adata():
    study = sk.datasets.toy_study(n_cells=300, n_peaks=1500, rng=0)
    sk.tl.enhance(study.adata, 8, method="sccase")
    planted = study.genes[study.genes["specific_to"] != ""]
    markers = planted.groupby("specific_to")["symbol"].agg(list).to_dict()
    markers["nothing"] = study.genes.loc[study.genes["specific_to"] == "", "symbol"].tolist()[:4]
    sk.tl.annotate(study.adata, "cell_type", markers, genome=study.genes)
    return study.adata


def test_genes_for_and_against_every_type(adata):
    rows = [
        ("a", "NK", 1, 0.31, "NKG7", "for", 2.64, 3, 2200.0),
        ("a", "NK", 1, 0.31, "CD8A/CD8B", "for", 4.0, 1, 0.0),
        ("a", "NK", 1, 0.31, "PRF1", "silent", 0.9, 2, 10.0),
        ("a", "NK", 1, 0.31, "XCL1", "no peak", np.nan, 0, np.nan),
        ("a", "LMPP", 2, 0.24, "SELL", "silent", 0.8, 1, 5.0),
    ]
    columns = ["group", "type", "rank", "support", "gene", "says", "fold", "n_peaks", "distance"]
    view = adata.copy()
    view.uns["annotation"] = {**view.uns["annotation"], "rivals": pd.DataFrame(rows, columns=columns)}
    assert why_not(view, "cell_type")["a"] == [
        (
            "NK, 31%",
            "for it: NKG7 2.6× (3 peaks, 2.2 kb), CD8A/CD8B 4.0× (one peak, at its start); "
            "not more open than in all cells: PRF1; no peak in reach: XCL1",
        ),
        ("LMPP, 24%", "no gene speaks for it; not more open than in all cells: SELL"),
    ]
    assert why_not(view, "batch") == {}


def test_a_second_type_that_is_nearly_as_likely_is_told(adata):
    rows = [
        ("a", "Pre-B", 1, 0.45, "PAX5", "for", 2.6, 3, 2200.0),
        ("a", "B cell", 2, 0.44, "FCRL1", "for", 11.5, 2, 900.0),
        ("a", "B cell", 2, 0.44, "CD19", "silent", 0.9, 1, 0.0),
        ("b", "T cell", 1, 0.70, "CD3E", "for", 3.0, 1, 0.0),
        ("b", "NK", 2, 0.20, "NKG7", "for", 2.0, 1, 0.0),
        ("c", "T cell", 1, 0.60, "CD3E", "for", 3.0, 1, 0.0),
        ("c", "NK", 2, 0.40, "NKG7", "silent", 0.5, 1, 0.0),
    ]
    columns = ["group", "type", "rank", "support", "gene", "says", "fold", "n_peaks", "distance"]
    view = adata.copy()
    view.uns["annotation"] = {**view.uns["annotation"], "rivals": pd.DataFrame(rows, columns=columns)}
    assert second_types(view, "cell_type") == {"a": [("or", "B cell, 44%: FCRL1 11.5× (2 peaks, 0.9 kb)")]}
    assert second_types(view, "batch") == {}


def test_cards_fold_them(adata):
    section = found_section(Study(adata, "cell_type", "sccase", None, {}, (), {}, {}, None))
    cards = next(block for block in section.blocks if isinstance(block, Cards)).cards
    rivals = adata.uns["annotation"]["rivals"]
    for card in cards:
        kinds = rivals[rivals["group"] == card.title].drop_duplicates("rank")["type"]
        assert [word.split(",")[0] for word, _ in card.folded] == kinds.tolist()
        assert "<details><summary>for and against: other types, the next group</summary><dl" in card.html()
    assert "<details>" not in Card("a").html()
    lines = dict(next(block for block in section.blocks if isinstance(block, Lines)).lines)
    assert lines["Not found"] == not_found(adata, "cell_type")


def test_types_in_no_group_are_named_with_their_genes(adata):
    panel = adata.uns["annotation"]["panel"].set_index("type")
    if panel.loc["nothing", ["n_named", "n_lineage", "n_nearest"]].sum() == 0:
        n = panel.loc["nothing", "n_markers_covered"]
        text = f"Of 6 types that were looked for, no group is nearest to or named after nothing ({n} of 4 genes have a"
        assert not_found(adata, "cell_type").startswith(text)
        row = panel.loc["nothing"]
        where = f"; fits {row['group']} best, {row['support']:.0%})"
        assert (where in not_found(adata, "cell_type")) == bool(row["group"])
    view = adata.copy()
    view.uns["annotation"] = {**view.uns["annotation"], "panel": panel.reset_index().assign(n_named=1)}
    assert not_found(view, "cell_type") == ""
    assert not_found(view, "batch") == ""


def test_the_names_section_has_the_tables_behind_them(adata):
    captions = [getattr(block, "caption", "") for block in naming_section(adata).blocks]
    assert "Types that were looked for" in captions
    assert not any("against each other alone" in text for text in captions)  # no lineage of progenitors
    among = {"group": "type_1", "among": "x", "n_groups": 2, "support_progenitor": 0.6, "rather": True}
    view = adata.copy()
    view.uns["annotation"] = {**view.uns["annotation"], "among": pd.DataFrame([among])}
    captions = [getattr(block, "caption", "") for block in naming_section(view).blocks]
    assert any("against each other alone" in text for text in captions)
