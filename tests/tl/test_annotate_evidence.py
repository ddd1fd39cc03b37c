"""What speaks for and against types, and which were looked for: against loops over groups and genes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import sccase_kit as sk
from sccase_kit.tl._annotate_evidence import panel_table, rival_table


@pytest.fixture(scope="module")
def rivals():
    """Two groups, three types; genes A and B rest on one peak, F on none."""
    opens = np.array([[30, 5, 10, 8], [10, 20, 10, 9]])
    weights = np.array([[1, 1, 0, 0, 0, 0], [0, 0, 2, 0, 0, 0], [0, 0, 0, 1, 0, 0], [0, 0, 1, 0, 1, 0]], dtype=float)
    values = np.array([[3.0, 3.0, -1.0, 0.2, 0.1, np.nan], [-2.0, -2.0, 2.0, -0.3, 0.1, np.nan]])
    genes = pd.DataFrame({"symbol": list("ABCDEF"), "tss": [50, 400, 350, 700, 1130, 5000]})
    places = pd.DataFrame({"chrom": "chr1", "start": [100, 300, 700, 1100], "end": [110, 320, 720, 1120]})
    places.index = list("pqrs")
    members = {"left": np.array([0, 1, 5]), "right": np.array([2, 3]), "none": np.array([4])}
    scores = pd.DataFrame([[2.0, 0.5, 0.1], [1.0, 2.0, 0.0]], ["x", "y"], list(members))
    support = pd.DataFrame([[0.9, 0.1, 0.0], [0.3, 0.3, 0.4]], ["x", "y"], list(members))
    behind = {"opens": opens, "weights": sparse.csr_matrix(weights), "genes": genes, "places": places}
    return rival_table(values, scores, support, members, **behind), opens


def test_types_come_by_support_after_the_best(rivals):
    table, _ = rivals
    order = table.drop_duplicates(["group", "type"])
    found = {group: part["type"].tolist() for group, part in order.groupby("group")}
    assert found == {"x": ["left", "right"], "y": ["right", "none", "left"]}  # without support only the best
    assert order.groupby("group")["rank"].agg(list).to_dict() == {"x": [1, 2], "y": [1, 2, 3]}
    assert order.set_index(["group", "type"])["support"].loc[("y", "none")] == 0.4


def test_every_gene_says_something_and_those_of_one_peak_are_one(rivals):
    table, opens = rivals
    own = table[table["group"] == "x"].set_index("gene")
    assert own["says"].to_dict() == {"A/B": "for", "F": "no peak", "D": "silent", "C": "silent"}
    share = opens[0].sum() / opens.sum()
    assert own.loc["A/B", "fold"] == pytest.approx(30 / (share * 40))
    assert own.loc["C", "fold"] == pytest.approx((2 * 5 + 8) / (share * (2 * 25 + 17)))
    assert own.loc["A/B", ["n_peaks", "peak", "distance"]].tolist() == [1, "p", 50]
    assert own.loc["F", ["n_peaks", "peak"]].tolist() == [0, ""]
    assert np.isnan(own.loc["F", "distance"])
    assert own.loc["D", "says"] == "silent"  # a value above 0, but no more open than expected
    assert own.loc["D", "fold"] < 1


def test_types_that_were_looked_for():
    scores = pd.DataFrame({"a": [1.0, 3.0], "b": [2.0, 0.0], "c": [np.nan, np.nan], "d": [0.1, 0.2]}, ["x", "y"])
    support = pd.DataFrame({"a": [0.1, 0.9], "b": [0.8, 0.0], "c": [0.0, 0.0], "d": [0.1, 0.1]}, ["x", "y"])
    names = pd.DataFrame({"label": ["ab", "unknown"], "best": ["b", "a"], "reason": ["", "adjusted p"]})
    sizes = {"n_markers": [5, 4, 3, 2], "n_covered": [4, 4, 0, 1]}
    found = panel_table(names, scores, support, {"ab": ["a", "b"], "b": ["b"]}, **sizes).set_index("type")
    assert found["group"].to_dict() == {"a": "y", "b": "x", "c": "", "d": "y"}
    assert found["score"].dropna().to_dict() == {"a": 3.0, "b": 2.0, "d": 0.2}
    assert found["support"].to_dict() == {"a": 0.9, "b": 0.8, "c": 0.0, "d": 0.1}
    assert found["n_lineage"].to_dict() == {"a": 1, "b": 1, "c": 0, "d": 0}
    assert found["n_nearest"].to_dict() == {"a": 1, "b": 0, "c": 0, "d": 0}
    assert (found["n_named"] == 0).all()
    assert found["n_markers_covered"].tolist() == [4, 4, 0, 1]


def test_they_are_stored_with_the_names():
    study = sk.datasets.toy_study(n_cells=300, n_peaks=1500, rng=0)
    sk.tl.enhance(study.adata, 8, method="sccase")
    planted = study.genes[study.genes["specific_to"] != ""]
    markers = planted.groupby("specific_to")["symbol"].agg(list).to_dict()
    sk.tl.annotate(study.adata, "cell_type", markers, genome=study.genes)
    entry = study.adata.uns["annotation"]
    first = entry["rivals"][entry["rivals"]["rank"] == 1].drop_duplicates("group")
    table = entry["table"].set_index("group")
    assert (first.set_index("group")["type"] == table["best"]).all()
    np.testing.assert_allclose(first.set_index("group")["score"], table["score"])
    speaking = entry["rivals"].query("rank == 1 and says == 'for'").groupby("group")["gene"].agg(list)
    assert all(speaking[group][:5] == names.split(", ") for group, names in table["genes"].items() if names)
    panel = entry["panel"].set_index("type")
    assert set(panel.index) == set(markers)
    assert (panel["n_markers"] == pd.Series({kind: len(genes) for kind, genes in markers.items()})[panel.index]).all()
    assert panel["n_named"].sum() == (table["reason"] == "").sum()
