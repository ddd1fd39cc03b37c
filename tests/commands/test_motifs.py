"""`motifs`: the planted motifs are found, from peak and genome sequences, as a table and as data."""

from __future__ import annotations

import gzip
import io

import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk


@pytest.fixture(scope="module")
def files(study, tmp_path_factory):
    paths = study.write(tmp_path_factory.mktemp("motifs"))
    return {"fasta": paths["sequences"], "motifs": paths["motifs"]}


@pytest.fixture(scope="module")
def with_motifs(study, files, enhanced_file, tmp_path_factory):
    """An enhanced file in which the motifs were matched."""
    adata = sk.read(enhanced_file)
    sk.tl.match_motifs(adata, files["motifs"], sequences=study.sequences)
    path = tmp_path_factory.mktemp("matched") / "m.h5ad"
    adata.write_h5ad(path)
    return path


def test_a_table_of_variability(call, enhanced_file, with_motifs, files):
    code, out, err = call("motifs", enhanced_file, "--fasta", files["fasta"], "--motifs", files["motifs"])
    assert code == 0
    table = pd.read_csv(io.StringIO(out), sep="\t")
    adata = sk.read(with_motifs)
    sk.tl.chromvar(adata)
    expected = adata.uns["chromvar"]["variability"].sort_values("variability", ascending=False, kind="stable")
    assert table["motif"].tolist() == list(expected.index)
    np.testing.assert_allclose(table["variability"], expected["variability"], rtol=1e-5)
    assert "variable motifs" in err


def test_only_data_are_said_to_store_the_result(call_json, with_motifs, tmp_path):
    printed = call_json("motifs", with_motifs)
    table = call_json("motifs", with_motifs, "-o", tmp_path / "m.txt")
    data = call_json("motifs", with_motifs, "-o", tmp_path / "m.h5ad")
    assert "stored in" not in printed | table
    assert data["stored in"] == "obsm['chromvar_deviations'], obsm['chromvar_z'], uns['chromvar']"
    assert pd.read_csv(tmp_path / "m.txt", sep="\t")["motif"].nunique() == data["motifs"]


@pytest.mark.filterwarnings("ignore:only .* of the .* genes have a peak in reach", "ignore:.*have no gene in genes")
def test_the_genes_of_the_factors(call_json, study, enhanced_file, files, tmp_path):
    adata = sk.read(enhanced_file)
    near = sk.get.specific_peaks(sk.tl.specific_peaks(adata, "cell_type", genome="hg38", copy=True), "type_1")
    genes = [gene for gene in dict.fromkeys(near["nearest_gene"]) if gene][:3]
    motifs = [sk.motifs.Motif(gene, gene, counts) for gene, counts in zip(genes, study.motifs.values(), strict=False)]
    sk.tl.match_motifs(adata, motifs, sequences=study.sequences)
    adata.write_h5ad(tmp_path / "named.h5ad")
    out = tmp_path / "m.h5ad"
    given = call_json("motifs", tmp_path / "named.h5ad", "-g", "cell_type", "--genome", "hg38", "-o", out)
    assert given["stored in"].endswith("uns['chromvar_groups'], uns['motif_genes']")
    found = sk.read(out)
    table = found.uns["motif_genes"]["table"]
    expected = sk.tl.motif_genes(found)
    np.testing.assert_allclose(table["correlation"], expected["correlation"])
    assert given["factors that fit"] == int((expected["correlation"] >= 0.5).sum())
    text = tmp_path / "m.tsv"
    call_json("motifs", tmp_path / "named.h5ad", "-g", "cell_type", "--genome", "hg38", "-o", text)
    assert {"gene", "gene_correlation", "rank_in_family"} <= set(pd.read_csv(text, sep="\t").columns)


@pytest.fixture(scope="module")
def sites(study, tmp_path_factory):
    """A folder with a BED file of the peaks that hold each planted motif."""
    folder = tmp_path_factory.mktemp("sites")
    var = study.adata.var[["chrom", "start", "end"]]
    for name, column in zip(study.motifs, np.asarray(study.adata.varm["planted_motifs"]).T, strict=True):
        if column.any():
            var[column].to_csv(folder / f"{name}.bed", sep="\t", header=False, index=False)
    return folder


@pytest.mark.filterwarnings("default:the GC content")
def test_sites_need_no_sequence(call, enhanced_file, sites, tmp_path):
    bare = sk.read(enhanced_file)
    bare.var = bare.var.drop(columns="gc")
    bare.write_h5ad(tmp_path / "bare.h5ad")
    out = tmp_path / "m.h5ad"
    code, _, err = call("motifs", tmp_path / "bare.h5ad", "--sites", sites, "-g", "cell_type", "-o", out)
    assert code == 0
    assert "background peaks are matched by reads alone" in err
    found = sk.read(out)
    assert found.obsm["chromvar_z"].shape[1] == len(list(sites.iterdir()))
    sk.tl.match_sites(bare, sites)
    sk.tl.chromvar(bare, method="analytic", bias=None)
    np.testing.assert_allclose(found.obsm["chromvar_z"], bare.obsm["chromvar_z"], rtol=1e-9)
    first = found.uns["chromvar_groups"]["table"].groupby("group", observed=True).head(1)
    assert sum(first["motif"].str[-1].to_numpy() == first["group"].astype(str).str[-1].to_numpy()) >= 3


def test_sites_replace_motifs_and_take_the_gc_content_of_a_sequence(call_json, with_motifs, sites, files, tmp_path):
    out = tmp_path / "m.h5ad"
    call_json("motifs", with_motifs, "--sites", sites, "--fasta", files["fasta"], "-o", out)
    found = sk.read(out)
    assert list(found.uns["motifs"]["names"]) == sorted(path.stem for path in sites.iterdir())
    assert found.uns["chromvar"]["params"]["bias"] == "gc"
    assert found.uns["chromvar"]["params"]["method"] == "permuted"


def test_sites_and_motifs_exclude_each_other(call, enhanced_file, sites, files):
    code, out, err = call("motifs", enhanced_file, "--sites", sites, "--fasta", files["fasta"], "--motifs", "JASPAR")
    assert (code, out) == (1, "")
    assert "leave one of them out" in err
    code, _, err = call("motifs", enhanced_file, "--sites", sites / "absent")
    assert code == 1
    assert "absent" in err


def test_motifs_are_not_ignored_where_earlier_ones_would_be_used(call, with_motifs, files):
    code, out, err = call("motifs", with_motifs, "--motifs", files["motifs"])
    assert (code, out) == (1, "")
    assert "--motifs needs --fasta" in err


def test_an_unknown_release_of_jaspar(call, enhanced_file, files):
    pytest.importorskip("pyjaspar")
    code, out, err = call("motifs", enhanced_file, "--fasta", files["fasta"], "--motifs", "JASPAR1999")
    assert (code, out) == (1, "")
    assert "release='JASPAR1999': JASPAR1999 is not available. Available releases are:" in err
    assert "JASPAR2024" in err


def test_matched_motifs_are_used_again(call_json, enhanced_file, with_motifs, files):
    again = call_json("motifs", with_motifs)
    assert again == call_json("motifs", enhanced_file, "--fasta", files["fasta"], "--motifs", files["motifs"])


def test_groups_and_data(call_json, with_motifs, tmp_path):
    result = call_json("motifs", with_motifs, "-g", "cell_type", "-o", tmp_path / "a.h5ad")
    assert "table" not in result
    adata = sk.read(tmp_path / "a.h5ad")
    assert adata.obsm["chromvar_z"].shape == (120, result["motifs"])
    table = adata.uns["chromvar_groups"]["table"]
    assert set(table["group"]) == set(adata.obs["cell_type"])
    first = table.groupby("group", observed=True).head(1).set_index("group")["motif"]
    found = sum(first[f"type_{i}"] == f"TF_{i}" for i in range(1, 1 + adata.obs["cell_type"].nunique()))
    assert found >= 2


def test_the_enhanced_signal(call_json, with_motifs, tmp_path):
    call_json("motifs", with_motifs, "--source", "enhanced", "-o", tmp_path / "a.h5ad")
    assert sk.read(tmp_path / "a.h5ad").uns["chromvar"]["params"]["source"] == "enhanced"


def test_fasta_of_peaks_gzipped_and_of_a_genome(study, tmp_path):
    from sccase_kit._commands.motifs import peak_sequences

    text = "".join(f">{n} a comment\n{s[:10]}\n{s[10:]}\n" for n, s in study.sequences.items())
    with gzip.open(tmp_path / "peaks.fa.gz", "wt") as out:
        out.write(text)
    assert peak_sequences(study.adata, tmp_path / "peaks.fa.gz") == study.sequences
    (tmp_path / "genome.fa").write_text(">chr1\nACGT\n")
    assert peak_sequences(study.adata, tmp_path / "genome.fa") is None


def test_refusals(call, counts_file, enhanced_file, files, tmp_path):
    (tmp_path / "no.fa").write_text("ACGT\n")
    (tmp_path / "genome.fa").write_text(">chr1\nACGT\n")
    fasta = ["--fasta", files["fasta"]]
    motifs = ["--motifs", files["motifs"]]
    cases = [
        ([enhanced_file], "--fasta or --sites is needed"),
        ([enhanced_file, *motifs], "--motifs needs --fasta"),
        ([enhanced_file, "--fasta", tmp_path / "absent.fa", *motifs], "no such file"),
        ([enhanced_file, "--fasta", tmp_path / "no.fa", *motifs], "a FASTA file starts with '>'"),
        ([enhanced_file, "--fasta", tmp_path / "genome.fa", *motifs, "--unknown", "error"], "chr"),
        ([enhanced_file, *fasta, "--motifs", tmp_path / "absent.meme"], "motifs: no file"),
        ([enhanced_file, *fasta, *motifs, "-g", "donor"], "groupby='donor' is not in adata.obs"),
        ([enhanced_file, *fasta, *motifs, "-o", tmp_path / "a.xlsx"], "--output must end in"),
        ([enhanced_file, *fasta, *motifs, "-o", tmp_path / "a.bed"], "--output must end in .h5ad, .zarr, .tsv, .txt"),
    ]
    for argv, message in cases:
        code, out, err = call("motifs", *argv)
        assert (code, out) == (1, ""), argv
        assert message in err
    assert {p.name for p in tmp_path.iterdir()} <= {"no.fa", "genome.fa", "genome.fa.fai"}
