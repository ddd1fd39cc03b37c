"""Groups of one name against each other: progenitors among them, on counts made for it; and what stays as it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from sccase_kit.genes import gene_scores, set_scores, set_support
from sccase_kit.peaks import level_profiles
from sccase_kit.tl._annotate_cells import cell_pvalues
from sccase_kit.tl._annotate_related import AMONG, Evidence, mark_progenitors

GROUPS, N_CELLS, N_GENES = ["GMP", "monocyte", "old monocyte", "stem", "T"], 80, 260
MEMBERS = {"Mono": np.arange(10), "HSC": np.arange(10, 20), "GMP": np.arange(20, 26), "T cell": np.arange(30, 40)}
FAMILIES = {"Progenitor": ["HSC", "GMP"], "Myeloid": ["GMP", "Mono"], "Any": ["GMP", "Mono", "T cell"]}


@pytest.fixture(scope="module")
def evidence():
    """Every gene is a peak. A GMP has most of a monocyte's and a little of a stem cell's, which has all of its own."""
    rng = np.random.default_rng(0)
    open_share = np.full((len(GROUPS), N_GENES), 0.12)
    for group, kind, share in (
        ("GMP", "Mono", 0.5), ("monocyte", "Mono", 0.8), ("old monocyte", "Mono", 0.8), ("GMP", "HSC", 0.25),
        ("monocyte", "HSC", 0.03), ("old monocyte", "HSC", 0.03), ("stem", "HSC", 0.9), ("T", "T cell", 0.9),
    ):  # fmt: skip
        open_share[GROUPS.index(group), MEMBERS[kind]] = share
    codes = np.repeat(np.arange(len(GROUPS)), N_CELLS)
    counts = rng.random((len(codes), N_GENES)) < open_share[codes]
    opens = np.array([counts[codes == g].sum(axis=0) for g in range(len(GROUPS))])
    profiles = opens / N_CELLS
    weights = sparse.csr_matrix(np.eye(N_GENES))
    symbols = np.array([f"g{k}" for k in range(N_GENES)], dtype=object)
    return Evidence(opens, profiles, weights, MEMBERS, np.eye(len(GROUPS))[codes], profiles.T, codes, symbols)


@pytest.fixture
def table(evidence):
    """The table and support as they are after groups were named."""
    scored = evidence.scored(np.arange(len(GROUPS)), np.random.default_rng(0))
    kinds = list(MEMBERS)
    best = [kinds[k] for k in scored.result.scores.argmax(axis=1)]
    assert best == ["Mono", "Mono", "Mono", "HSC", "T cell"]  # of all cells, a GMP is a monocyte
    support = pd.DataFrame(scored.support, GROUPS, kinds)
    rows = {"group": GROUPS, "label": best, "best": best, "support": support.max(axis=1).to_numpy(), "reason": ""}
    return pd.DataFrame(rows), support


def marked(table, support, families, evidence):
    table = table.copy()
    table.attrs["among"] = mark_progenitors(table, support, families, evidence, np.random.default_rng(1), alpha=0.05)
    return table


def test_a_progenitor_among_its_descendants_is_named_after_the_lineage(evidence, table):
    table, support = table
    found = marked(table, support, FAMILIES, evidence)
    assert found["label"].tolist() == ["Myeloid", "Mono", "Mono", "HSC", "T cell"]
    assert (
        found["note"]
        .iloc[0]
        .startswith("rather a progenitor: compared with the other 2 groups of Myeloid alone, it fits HSC best (score ")
    )
    assert (found["note"].iloc[1:] == "").all()
    assert found["support"].iloc[0] == pytest.approx(support.loc["GMP", ["GMP", "Mono"]].sum())
    rest = ["group", "best", "reason"]
    pd.testing.assert_frame_equal(found[rest], table[rest])


def test_what_was_compared_is_told(evidence, table):
    table, support = table
    among = marked(table, support, FAMILIES, evidence).attrs["among"]
    assert among["group"].tolist() == GROUPS[:3]
    assert among["rather"].tolist() == [True, False, False]
    assert set(among["among"]) == {"Myeloid"}
    assert set(among["called"]) == {"Mono"}
    assert (among["n_groups"] == 3).all()
    scored = evidence.scored(np.arange(3), np.random.default_rng(1))
    kinds = list(MEMBERS)
    np.testing.assert_allclose(among["score_called"], scored.result.scores[:, kinds.index("Mono")])
    young = scored.result.scores[:, [kinds.index("HSC"), kinds.index("GMP")]]
    np.testing.assert_allclose(among["score_progenitor"], young.max(axis=1))
    assert among["progenitor"].iloc[0] == "HSC"
    np.testing.assert_allclose(among["support_called"], scored.support[:, kinds.index("Mono")])
    first = among["genes"].iloc[0].split(", ")
    opens, depth = evidence.opens[:3], evidence.opens[:3].sum(axis=1)
    own = sorted(MEMBERS["HSC"], key=lambda gene: -scored.values[0, gene])[:3]
    folds = [opens[0, gene] / (opens[:, gene].sum() * depth[0] / depth.sum()) for gene in own]
    assert first == [f"g{gene} {fold:.1f}×" for gene, fold in zip(own, folds, strict=True)]


def test_a_group_without_a_name_is_compared_with_those_it_is_nearest_to(evidence, table):
    """It keeps no name, and gets the note; without the p-value that a name needs it is left out."""
    table, support = table
    unnamed = table.assign(padj=0.001)
    unnamed.loc[0, ["label", "reason"]] = "unknown", "it is best in only 60% of resamplings"
    found = marked(unnamed, support, FAMILIES, evidence)
    assert found["label"].tolist() == ["unknown", "Mono", "Mono", "HSC", "T cell"]
    assert found["note"].iloc[0].startswith("rather a progenitor")
    unnamed.loc[0, "padj"] = 0.2
    found = marked(unnamed, support, FAMILIES, evidence)
    assert (found["note"] == "").all()
    assert found.attrs["among"]["group"].tolist() == GROUPS[1:3]


def test_without_kin_or_without_a_lineage_names_stay(evidence, table):
    table, support = table
    for families in ({}, {"Progenitor": ["HSC"]}, {k: v for k, v in FAMILIES.items() if k != "Progenitor"}):
        found = marked(table, support, families, evidence)
        assert found["label"].tolist() == table["label"].tolist()
        assert (found["note"] == "").all()
        assert found.attrs["among"].columns.tolist() == AMONG
        assert found.attrs["among"].empty
    alone = table.copy()
    alone["padj"] = 0.001
    alone.loc[[1, 2], ["reason", "padj"]] = "adjusted p-value 0.2", 0.2
    assert marked(alone, support, FAMILIES, evidence)["label"].tolist() == table["label"].tolist()


def test_the_wider_name_holds_a_lineage_too(evidence, table):
    table, support = table
    named = table.assign(label=["Monocytes", "Monocytes", "Monocytes", "HSC", "T cell"])
    found = marked(named, support, FAMILIES | {"Monocytes": ["Mono"]}, evidence)
    assert found["label"].tolist() == ["Myeloid", "Monocytes", "Monocytes", "HSC", "T cell"]


@pytest.mark.parametrize("groups", [np.arange(5), np.array([0, 2])])
def test_scores_among_some_groups_are_those_of_their_arrays(evidence, groups):
    found = evidence.scored(groups, np.random.default_rng(3))
    rng = np.random.default_rng(3)
    inside = np.isin(evidence.codes, groups)
    codes = pd.Categorical(evidence.codes[inside]).codes
    opens = evidence.opens[groups]
    values = gene_scores(opens, evidence.weights, level_profiles(evidence.profiles[groups]))
    result = set_scores(values, MEMBERS, rng=rng)
    own = cell_pvalues(evidence.cells[inside], evidence.peaks, opens, evidence.weights, MEMBERS, codes=codes)
    np.testing.assert_array_equal(found.values, values)
    np.testing.assert_array_equal(found.result.scores, result.scores)
    np.testing.assert_array_equal(found.pvalues, np.maximum(result.pvalues, own))
    np.testing.assert_array_equal(found.support, set_support(values, MEMBERS, rng=rng))


def test_genes_that_share_a_peak_count_once_among_groups_of_one_name(evidence, table):
    """A locus of a progenitor's genes that are one peak does not make one of a monocyte."""
    table, support = table
    members = {kind: genes for kind, genes in MEMBERS.items() if kind != "HSC"}
    one = np.array([12, *range(200, 208)])  # nine genes, all of the peak of gene 12
    weights = evidence.weights.tolil()
    for gene in one:
        weights[:, gene] = 0
        weights[12, gene] = 1
    cluster = replace(evidence, weights=sparse.csr_matrix(weights), members=members | {"HSC": one})
    among = mark_progenitors(table.copy(), support, FAMILIES, cluster, np.random.default_rng(1), alpha=0.05)
    alone = replace(cluster, members=members | {"HSC": np.array([12])})
    expected = mark_progenitors(table.copy(), support, FAMILIES, alone, np.random.default_rng(1), alpha=0.05)
    pd.testing.assert_series_equal(among["score_progenitor"], expected["score_progenitor"])
    assert among["score_progenitor"].max() <= 4
