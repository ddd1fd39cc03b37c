"""`links`: planted links from a file, another modality or activities; shared cells; refusals."""

from __future__ import annotations

import io
from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk


@pytest.fixture(scope="module")
def multiome():
    return sk.datasets.toy_multiome(n_cells=150, n_peaks=400)


@pytest.fixture(scope="module")
def files(multiome, tmp_path_factory):
    folder = tmp_path_factory.mktemp("multiome")
    multiome.atac.write_h5ad(folder / "atac.h5ad")
    multiome.rna.write_h5ad(folder / "rna.h5ad")
    multiome.rna[::-1][20:].write_h5ad(folder / "fewer.h5ad")
    multiome.genes.to_csv(folder / "genes.tsv", sep="\t", index=False)
    return folder


@pytest.fixture(scope="module")
def expected(multiome):
    adata = multiome.atac.copy()
    sk.tl.peak_gene_links(adata, multiome.rna, multiome.genes)
    return adata.uns["peak_gene_links"]["links"]


def test_the_table_is_that_of_the_function(call, call_json, files, expected, tmp_path):
    argv = ["links", files / "atac.h5ad", "--expression", files / "rna.h5ad", "--genome", files / "genes.tsv"]
    argv += ["--bias", "gc"]
    code, out, err = call(*argv)
    assert code == 0, err
    table = pd.read_csv(io.StringIO(out), sep="\t")
    assert table["peak"].tolist() == expected["peak"].astype(str).tolist()
    np.testing.assert_allclose(table["z"], expected["z"], rtol=1e-5)
    given = call_json(*argv, "-o", tmp_path / "out.h5ad")
    n = int((expected["p_value_adj"] <= 0.05).sum())
    assert (given["pairs"], given["links (FDR 0.05)"], given["cells"]) == (len(expected), n, 150)
    assert given["stored in"] == "uns['peak_gene_links']"
    stored = sk.read(tmp_path / "out.h5ad").uns["peak_gene_links"]["links"]
    np.testing.assert_allclose(stored["z"], expected["z"])
    call_json(*argv, "--max-padj", 0.05, "-o", tmp_path / "out.tsv")
    assert len(pd.read_csv(tmp_path / "out.tsv", sep="\t")) == n > 0


@pytest.mark.filterwarnings("default:links are of the 130 cells")
def test_cells_that_both_have_are_used_and_the_data_keep_all(call, files, multiome, tmp_path):
    argv = ["links", files / "atac.h5ad", "--expression", files / "fewer.h5ad", "--genome", files / "genes.tsv"]
    code, _, err = call(*argv, "--bias", "gc", "-o", tmp_path / "out.h5ad")
    assert code == 0, err
    assert "the 130 cells that are in both (peaks: 150, expression: 130)" in err
    made = sk.read(tmp_path / "out.h5ad")
    assert made.n_obs == 150
    part = multiome.atac[: 150 - 20].copy()
    sk.tl.peak_gene_links(part, multiome.rna[part.obs_names].copy(), multiome.genes)
    links = made.uns["peak_gene_links"]["links"]
    np.testing.assert_allclose(links["z"], part.uns["peak_gene_links"]["links"]["z"])


def test_another_modality_and_the_10x_file_give_the_same(call, files, multiome, expected, tmp_path):
    mudata = pytest.importorskip("mudata")
    path = tmp_path / "both.h5mu"
    with mudata.set_options(pull_on_update=False) if hasattr(mudata, "set_options") else nullcontext():
        mudata.MuData({"atac": multiome.atac, "rna": multiome.rna}).write(path)
    code, out, err = call("links", path, "--genome", files / "genes.tsv", "--bias", "gc")
    assert code == 0, err
    assert "left out" not in err
    np.testing.assert_allclose(pd.read_csv(io.StringIO(out), sep="\t")["z"], expected["z"], rtol=1e-5)


@pytest.mark.filterwarnings("ignore:only .* of the .* genes have a peak in reach")
def test_activities_are_computed_where_there_are_none(call, call_json, enhanced_file, study, tmp_path):
    table = tmp_path / "genes.tsv"
    study.genes.to_csv(table, sep="\t", index=False)
    adata = sk.read(enhanced_file)
    sk.tl.gene_activity(adata, study.genes, weights="promoter")
    genes = adata.uns["gene_activity"]["genes"]
    gene = genes.loc[genes["n_peaks"] > 0, "symbol"].iloc[0]
    argv = ["links", enhanced_file, "--expression", "gene_activity"]
    given = call_json(*argv, "--genome", table, "-o", tmp_path / "out.h5ad", "--genes", gene)
    made = sk.read(tmp_path / "out.h5ad")
    assert made.uns["gene_activity"]["params"]["weights"] == "promoter"
    assert given["genes"] == 1
    assert "in_activity" in made.uns["peak_gene_links"]["links"]
    code, _, err = call("links", tmp_path / "out.h5ad", "--expression", "gene_activity")
    assert code == 0, err
    assert "activities of genes are those in the file" in err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "--expression is needed"),
        (["--expression", "gene_activity"], "--genome is needed for the activities"),
        (["--expression", "{folder}/rna.h5ad"], "--genome is needed to place the genes"),
        (["--expression", "{folder}/none.h5ad", "--genome", "hg38"], "none.h5ad"),
        (["--expression", "{folder}/none.h5", "--genome", "hg38"], "no such file"),
        (["--expression", "{folder}/rna.h5ad", "--genome", "hg38", "--max-padj", "2"], "--max-padj"),
    ],
)
def test_refusals(call, files, argv, message):
    code, out, err = call("links", files / "atac.h5ad", *[word.format(folder=files) for word in argv])
    assert (code, out) == (1, "")
    assert message in err


def test_no_cell_in_both(call, files, multiome, tmp_path):
    other = multiome.rna.copy()
    other.obs_names = [f"other{k}" for k in range(other.n_obs)]
    other.write_h5ad(tmp_path / "other.h5ad")
    argv = ["--expression", tmp_path / "other.h5ad", "--genome", files / "genes.tsv"]
    code, _, err = call("links", files / "atac.h5ad", *argv)
    assert code == 1
    assert "no cell is in both" in err
