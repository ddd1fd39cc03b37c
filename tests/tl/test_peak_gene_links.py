"""Links on AnnData: planted links are found, over cells and pools, with expression and activities; bad input."""

from __future__ import annotations

import warnings

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats

import sccase_kit as sk


@pytest.fixture(scope="module")
def toy():
    made = sk.datasets.toy_multiome(n_cells=500, n_peaks=1200, rng=0)
    sk.tl.enhance(made.atac, 8, method="sccase", max_iter=10)
    return made


@pytest.fixture(scope="module")
def links(toy):
    made = sk.tl.peak_gene_links(toy.atac, toy.rna, toy.genes, copy=True)
    return made.uns["peak_gene_links"]["links"]


def is_planted(toy, table):
    planted = {*zip(toy.links["peak"], toy.links["gene"], strict=True)}
    return np.array([pair in planted for pair in zip(table["peak"], table["gene"], strict=True)])


def test_planted_links_come_first(toy, links):
    planted = is_planted(toy, links)
    tested = links["z"].notna().to_numpy()
    # decoys open in the same type follow the gene too, but less than the peaks that drive it
    assert planted[:40].mean() > 1.5 * planted.mean()
    test = stats.mannwhitneyu(links["z"][planted & tested], links["z"][~planted & tested], alternative="greater")
    assert test.pvalue < 1e-7
    assert test.statistic > 0.7 * (planted & tested).sum() * (~planted & tested).sum()
    far = (links["distance"].abs() > 110_000).to_numpy() & tested  # no planted link lies there
    assert (links["p_value"][far] < 0.05).mean() < 0.1


def test_table(toy, links):
    assert list(links) == [
        *["peak", "gene", "chrom", "start", "end", "tss", "distance", "correlation", "z", "p_value", "p_value_adj"]
    ]
    assert links["p_value"].dropna().is_monotonic_increasing
    var = toy.atac.var.loc[links["peak"]]
    assert (var["start"].to_numpy() == links["start"]).all()
    assert (links["distance"].abs() <= 500_000).all()
    known = links["p_value"].notna()
    wanted = stats.false_discovery_control(links["p_value"][known])
    np.testing.assert_allclose(links["p_value_adj"][known], wanted)


def test_correlation_is_of_log_normalised_values(toy, links):
    row = links.iloc[0]
    x = toy.atac[:, row["peak"]].X.toarray().ravel() / np.asarray(toy.atac.X.sum(axis=1)).ravel()
    y = toy.rna[:, row["gene"]].X.toarray().ravel() / np.asarray(toy.rna.X.sum(axis=1)).ravel()
    wanted = stats.pearsonr(np.log1p(1e4 * x), np.log1p(1e4 * y)).statistic
    assert row["correlation"] == pytest.approx(wanted, rel=1e-9)


def test_normalised_expression_gives_the_same(toy, links):
    rna = toy.rna.copy()
    depth = np.asarray(rna.X.sum(axis=1)).ravel()
    rna.layers["log"] = sparse.csr_matrix(rna.X.multiply(1e4 / depth[:, None])).log1p()
    made = sk.tl.peak_gene_links(toy.atac, rna, toy.genes, expression_layer="log", copy=True)
    pd.testing.assert_frame_equal(made.uns["peak_gene_links"]["links"], links, rtol=1e-9)


@pytest.mark.parametrize("storage", ["csc", "dense", "array"])
def test_storage_does_not_matter(toy, links, storage):
    change = {"csc": sparse.csc_matrix, "dense": lambda m: m.toarray(), "array": sparse.csr_array}[storage]
    atac, rna = toy.atac.copy(), toy.rna.copy()
    atac.X, rna.X = change(atac.X), change(rna.X)
    sk.tl.peak_gene_links(atac, rna, toy.genes)
    pd.testing.assert_frame_equal(atac.uns["peak_gene_links"]["links"], links, rtol=1e-9)


def test_order_of_genes_and_blocks_do_not_matter(toy, links, monkeypatch):
    monkeypatch.setattr("sccase_kit.tl._peak_gene_links._GENES_AT_ONCE", 7)
    order = np.random.default_rng(0).permutation(toy.rna.n_vars)
    made = sk.tl.peak_gene_links(toy.atac, toy.rna[:, order].copy(), toy.genes, copy=True)
    found = made.uns["peak_gene_links"]["links"].astype({"peak": str, "gene": str}).set_index(["peak", "gene"])
    wanted = links.astype({"peak": str, "gene": str}).set_index(["peak", "gene"])
    np.testing.assert_allclose(found.loc[wanted.index, "correlation"], wanted["correlation"], rtol=1e-9)


def test_over_pools(toy):
    made = sk.tl.peak_gene_links(toy.atac, toy.rna, toy.genes, use_rep="X_sccase", n_pools=100, copy=True)
    table = made.uns["peak_gene_links"]["links"]
    assert table["correlation"].max() > 0.6
    planted, tested = is_planted(toy, table), table["z"].notna().to_numpy()
    assert table["z"][planted & tested].median() > table["z"][~planted & tested].median()


def test_some_genes_only(toy, links):
    some = [str(gene) for gene in links["gene"].iloc[:3].unique()]
    made = sk.tl.peak_gene_links(toy.atac, toy.rna, toy.genes, genes=some, copy=True)
    table = made.uns["peak_gene_links"]["links"]
    assert {*table["gene"].astype(str)} == {*some}
    part = links[links["gene"].isin(some)]
    np.testing.assert_allclose(table["z"], part["z"], rtol=1e-9)  # the background does not depend on the genes
    rest = toy.rna[:, toy.rna.var_names != "Toy1"].copy()
    with pytest.warns(UserWarning, match=r"1 of the genes are not in expression.*Toy1'"):
        sk.tl.peak_gene_links(toy.atac, rest, toy.genes, genes=[*some, "Toy1"], copy=True)


def test_genes_by_id_and_without_a_place(toy, links):
    rna = toy.rna.copy()
    rna.var_names = [f"anything {i}" for i in range(rna.n_vars)]  # found by var["gene_ids"]
    made = sk.tl.peak_gene_links(toy.atac, rna, toy.genes, copy=True)
    np.testing.assert_allclose(made.uns["peak_gene_links"]["links"]["z"], links["z"])
    with pytest.warns(UserWarning, match=r"of 73\d|genes of expression are not in genome"):
        sk.tl.peak_gene_links(toy.atac, toy.rna, toy.genes[5:], copy=True)


@pytest.mark.parametrize("source", ["counts", "enhanced"])
def test_activities(toy, source):
    atac = toy.atac.copy()
    near = toy.genes[toy.genes["specific_to"] != ""]
    sk.tl.gene_activity(atac, near, weights="exponential", source=source)
    sk.tl.peak_gene_links(atac, "gene_activity", use_rep="X_sccase", n_pools=100)
    table = atac.uns["peak_gene_links"]["links"]
    weights = atac.varm["gene_activity"].toarray()
    names = atac.uns["gene_activity"]["genes"]["symbol"].tolist()
    at = atac.var_names.get_indexer(table["peak"]), [names.index(gene) for gene in table["gene"]]
    assert (table["in_activity"].to_numpy() == (weights[at] > 0)).all()
    own, other = table[table["in_activity"]], table[~table["in_activity"]]
    assert own["correlation"].median() > other["correlation"].median() + 0.1


def test_record_and_file(toy, tmp_path):
    atac = toy.atac.copy()
    sk.tl.peak_gene_links(atac, toy.rna, toy.genes, key_added="links", distance=100_000)
    entry = atac.uns["links"]
    assert entry["function"] == "tl.peak_gene_links"
    assert entry["params"]["distance"] == 100_000
    assert {*entry["objects"]} == {"expression", "genome"}
    atac.write_h5ad(tmp_path / "a.h5ad")
    back = ad.read_h5ad(tmp_path / "a.h5ad").uns["links"]["links"]
    wanted = entry["links"]
    assert back["peak"].astype(str).tolist() == wanted["peak"].astype(str).tolist()
    np.testing.assert_array_equal(back["z"], wanted["z"])


def test_few_peaks_on_one_chromosome(toy):
    one = toy.atac[:, toy.atac.var["chrom"] == "chr1"].copy()
    with pytest.warns(UserWarning, match="could not be tested.*other chromosomes"):
        sk.tl.peak_gene_links(one, toy.rna, toy.genes)
    table = one.uns["peak_gene_links"]["links"]
    assert table["correlation"].notna().any()
    assert table["p_value_adj"].isna().all()


def refused(toy, error, match, **given):
    atac = given.pop("atac", toy.atac)
    before = set(atac.uns)
    given = {"expression": toy.rna, "genome": toy.genes} | given
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(error, match=match):
            sk.tl.peak_gene_links(atac, **given)
    assert set(atac.uns) == before


@pytest.mark.parametrize(
    ("error", "match", "given"),
    [
        (ValueError, "genome is needed", {"genome": None}),
        (ValueError, "use_rep|distance", {"distance": -1}),
        (KeyError, "use_rep='nobody'|nobody", {"use_rep": "nobody"}),
        (KeyError, "nobody", {"bias": "nobody"}),
        (KeyError, "tl.gene_activity", {"expression": "gene_activity"}),
        (KeyError, "nobody", {"genes": ["nobody"]}),
        (KeyError, "nobody", {"layer": "nobody"}),
        (KeyError, "nobody", {"expression_layer": "nobody"}),
        (ValueError, "n_background", {"n_background": 3}),
        (ValueError, "min_cells=10000", {"min_cells": 10_000}),
        (TypeError, "expression must be an AnnData", {"expression": 3}),
        (ValueError, "genes", {"genes": []}),
    ],
    ids=str,
)
def test_bad_arguments(toy, error, match, given):
    refused(toy, error, match, **given)


def test_bad_data(toy):
    refused(toy, ValueError, "same order; 499 of its 499", expression=toy.rna[1:].copy())
    scaled = toy.rna.copy()
    scaled.X = scaled.X.toarray() - 0.5
    refused(toy, ValueError, "expression.*negative", expression=scaled)
    other = toy.rna.copy()
    other.var_names, other.var["gene_ids"] = [f"x{i}" for i in range(other.n_vars)], "y"
    refused(toy, ValueError, "none of the .* genes of expression", expression=other)
    refused(toy, ValueError, "within distance=0", distance=0, genome=toy.genes.assign(tss=5))
