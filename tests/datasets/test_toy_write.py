from __future__ import annotations

import gzip
import json
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from sccase_kit.datasets._files import write_table


@pytest.fixture(scope="module")
def paths(small_study, tmp_path_factory):
    return small_study.write(tmp_path_factory.mktemp("toy") / "new" / "folder")


def test_every_file_is_there_and_nothing_else(paths):
    folder = paths["counts"].parent
    assert {p.name for p in folder.iterdir()} == {p.name for p in paths.values()}
    readme = paths["readme"].read_text()
    assert all(path.name in readme for key, path in paths.items() if key != "readme")


def test_counts(small_study, paths):
    back = ad.read_h5ad(paths["counts"])
    assert (back.X != small_study.adata.X).nnz == 0
    assert (back.layers["truth"] != small_study.adata.layers["truth"]).nnz == 0


def test_bed_files(small_study, paths):
    var = small_study.adata.var
    peaks = pd.read_csv(paths["peaks"], sep="\t", header=None)
    assert peaks[0].tolist() == var["chrom"].tolist()
    assert np.array_equal(peaks[[1, 2]].to_numpy(), var[["start", "end"]].to_numpy())
    assert peaks[3].tolist() == var.index.tolist()
    specific = pd.read_csv(paths["specific"], sep="\t", header=None)
    assert specific[3].value_counts().to_dict() == dict.fromkeys(small_study.planted, 30)
    genes = pd.read_csv(paths["gene_intervals"], sep="\t", header=None)
    assert genes[3].tolist() == small_study.genes["gene_id"].tolist()
    blocks = pd.read_csv(paths["snp_intervals"], sep="\t", header=None)
    assert np.array_equal(blocks[[1, 2]].to_numpy(), small_study.snps[["ld_start", "ld_end"]].to_numpy())


def test_fasta(small_study, paths):
    lines = paths["sequences"].read_text().splitlines()
    assert dict(zip([name[1:] for name in lines[::2]], lines[1::2], strict=True)) == small_study.sequences


def test_gene_sets_are_named(small_study, paths):
    rows = [line.split("\t") for line in paths["gene_sets"].read_text().splitlines()]
    assert {row[0]: row[2:] for row in rows} == small_study.gene_sets
    assert all(row[0] == row[1] for row in rows)


def test_meme(small_study, paths):
    blocks = paths["motifs"].read_text().split("MOTIF ")
    assert blocks[0].startswith("MEME version 4\n")
    assert "ALPHABET= ACGT" in blocks[0]
    for block, (name, counts) in zip(blocks[1:], small_study.motifs.items(), strict=True):
        head, matrix, *rows = block.strip().splitlines()
        assert head.split()[0] == name
        assert f"w= {counts.shape[1]} nsites= 200" in matrix
        values = np.array([row.split() for row in rows], dtype=float)
        assert np.allclose(values, (counts / counts.sum(axis=0)).T, atol=1e-6)


def test_gene_sets_and_expression(small_study, paths):
    rows = [line.split("\t") for line in paths["gene_sets"].read_text().splitlines()]
    assert {row[0]: row[2:] for row in rows} == small_study.gene_sets
    version, size, *_ = paths["expression"].read_text().splitlines()
    assert version == "#1.2"
    assert size.split("\t") == [str(n) for n in small_study.expression.shape]
    table = pd.read_csv(paths["expression"], sep="\t", skiprows=2, index_col=0)
    assert table.pop("Description").tolist() == small_study.genes["symbol"].tolist()
    assert np.allclose(table, small_study.expression)
    assert not any(" " in column for column in table)


def test_tables_and_truth(small_study, paths):
    genes = pd.read_csv(paths["genes"], sep="\t", keep_default_na=False)
    assert genes["tss"].tolist() == small_study.genes["tss"].tolist()
    snps = pd.read_csv(paths["snps"], sep="\t", keep_default_na=False)
    assert snps["snp"].tolist() == small_study.snps["snp"].tolist()
    nulls = paths["null_snps"].read_text().splitlines()
    assert nulls == small_study.snps.loc[small_study.snps["null"], "snp"].tolist()
    assert json.loads(paths["planted"].read_text()) == small_study.planted


def test_writing_again_gives_the_same_bytes(small_study, paths, tmp_path):
    again = small_study.write(tmp_path)
    small_study.write(str(tmp_path))
    for key, path in paths.items():
        if key != "counts":
            assert path.read_bytes() == again[key].read_bytes()


def test_a_failed_write_leaves_the_old_file_and_no_other(small_study, tmp_path, monkeypatch):
    (tmp_path / "toy.h5ad").write_text("old")

    def fail(self, path):
        Path(path).write_text("half")
        msg = "disk full"
        raise OSError(msg)

    monkeypatch.setattr("sccase_kit.datasets._toy_write.write_h5ad", fail)
    with pytest.raises(OSError, match="disk full"):
        small_study.write(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["toy.h5ad"]
    assert (tmp_path / "toy.h5ad").read_text() == "old"


def test_compressed_tables_have_no_time_stamp(tmp_path):
    table = pd.DataFrame({"a": [1, 2]})
    write_table(tmp_path / "t.tsv.gz", table)
    assert gzip.decompress((tmp_path / "t.tsv.gz").read_bytes()) == b"a\n1\n2\n"
    assert (tmp_path / "t.tsv.gz").read_bytes()[4:8] == bytes(4)
