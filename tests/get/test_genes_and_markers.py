"""Gene activities on demand, and marker peaks as a table."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pytest

import sccase_kit as sk

pytestmark = pytest.mark.filterwarnings("ignore:only .* genes have a peak in reach")


@pytest.fixture(scope="module")
def study():
    study = sk.datasets.toy_study(n_cells=200, n_peaks=1500, rng=0)
    sk.tl.enhance(study.adata, 8)
    return study


@pytest.mark.parametrize("source", ["enhanced", "counts"])
@pytest.mark.parametrize("weights", ["archr", "promoter"])
def test_activities_are_those_of_the_whole_matrix(study, source, weights, tmp_path):
    adata = study.adata.copy()
    sk.tl.gene_activity(adata, study.genes, weights=weights, source=source)
    table = adata.uns["gene_activity"]["genes"]
    columns = np.flatnonzero(table["n_peaks"])[[5, 2, 9]]
    names = table["symbol"].iloc[columns].tolist()
    open_ = adata.X.toarray() > 0
    whole = sk.get.enhanced(adata).astype(float) if source == "enhanced" else open_
    share = (whole @ adata.varm["gene_activity"].toarray()[:, columns]) / whole.sum(axis=1, keepdims=True)
    found = sk.get.gene_activity(adata, names)
    np.testing.assert_allclose(found.X, np.log1p(np.median(open_.sum(axis=1)) * share), rtol=1e-4, atol=1e-6)
    assert found.var_names.tolist() == names
    assert found.obs.equals(adata.obs)
    part = sk.get.gene_activity(adata[10:20], names[0], obs_names=slice(2, 5))
    np.testing.assert_allclose(part.X, found.X[12:15, :1], rtol=1e-5)
    adata.write_h5ad(tmp_path / "a.h5ad")
    again = sk.get.gene_activity(ad.read_h5ad(tmp_path / "a.h5ad"), names)
    np.testing.assert_allclose(again.X, found.X, rtol=1e-6)


def test_planted_genes_are_most_active_in_their_type(study):
    adata = study.adata.copy()
    sk.tl.gene_activity(adata, study.genes)
    for name in ("type_1", "type_2"):
        genes = study.genes.loc[study.genes["specific_to"] == name, "symbol"].tolist()
        values = sk.get.gene_activity(adata, genes)
        mean = values.to_df().mean(axis=1).groupby(adata.obs["cell_type"], observed=True).mean()
        assert mean.idxmax() == name


def test_genes_that_are_not_there(study):
    adata = study.adata.copy()
    with pytest.raises(KeyError, match="gene_activity"):
        sk.get.gene_activity(adata, "Toy1")
    sk.tl.gene_activity(adata, study.genes, weights="archr")
    with pytest.raises(KeyError, match="1 of 2 are not among"):
        sk.get.gene_activity(adata, ["Toy1", "GATA1"])
    with pytest.raises(ValueError, match="peaks, adata has"):
        sk.get.gene_activity(adata[:, :50].copy(), "Toy1")
    table = adata.uns["gene_activity"]["genes"]
    closed = table.loc[table["n_peaks"] == 0, "symbol"]
    if len(closed):
        with pytest.warns(UserWarning, match="no peak in reach"):
            assert (sk.get.gene_activity(adata, closed.iloc[0]).X == 0).all()
    everything = sk.get.gene_activity(adata, "all")
    assert everything.n_vars == (table["n_peaks"] > 0).sum()


def test_a_wrong_genome_and_few_genes_are_told(study):
    adata = study.adata.copy()
    with pytest.raises(ValueError, match="no peak is in reach"):
        sk.tl.gene_activity(adata, study.genes.assign(tss=240_000_000, start=240_000_000, end=240_000_001))
    with pytest.warns(UserWarning, match="genes have a peak in reach"):
        sk.tl.gene_activity(adata, "hg38", weights="promoter", source="counts")
    bare = ad.AnnData(np.ones((3, 2)))
    with pytest.raises(ValueError, match="none of the 2 peaks has coordinates"):
        sk.tl.gene_activity(bare, study.genes, source="counts")


def test_chromosomes_without_chr_give_the_same_activities(study):
    adata, renamed = study.adata.copy(), study.adata.copy()
    renamed.var["chrom"] = renamed.var["chrom"].astype(str).str.removeprefix("chr")
    renamed.var_names = renamed.var_names.str.removeprefix("chr")
    for data in (adata, renamed):
        sk.tl.gene_activity(data, study.genes)
    expected, found = (data.varm["gene_activity"].toarray() for data in (adata, renamed))
    assert expected.any()
    np.testing.assert_array_equal(found, expected)
    table = adata.uns["gene_activity"]["genes"]
    names = table.loc[table["n_peaks"] > 0, "symbol"].iloc[:5].tolist()
    values = [sk.get.gene_activity(data, names).X for data in (adata, renamed)]
    np.testing.assert_allclose(values[1], values[0], rtol=1e-6)


def test_marker_table_is_that_of_scanpy(study):
    adata = study.adata.copy()
    sk.tl.specific_peaks(adata, "cell_type", n_top=30)
    table = adata.uns["specific_peaks"]["peaks"]
    assert sk.get.specific_peaks(adata).equals(table)
    two = sk.get.specific_peaks(adata, ["type_2", "type_1"])
    assert set(two["group"]) == {"type_1", "type_2"}
    theirs = sk.get.specific_peaks(adata, "type_1", columns="scanpy")
    assert list(theirs.columns) == [
        *["group", "names", "scores", "logfoldchanges", "pvals", "pvals_adj", "pct_nz_group", "pct_nz_reference"]
    ]
    assert (sk.get.specific_peaks(adata, max_padj=0.01)["padj"] <= 0.01).all()
    assert (sk.get.specific_peaks(adata, min_log2fc=1)["log2fc"] >= 1).all()
    with pytest.raises(ValueError, match="group must be one of"):
        sk.get.specific_peaks(adata, "type_9")
    with pytest.raises(KeyError, match=r"tl\.specific_peaks"):
        sk.get.specific_peaks(study.adata, key="none")
