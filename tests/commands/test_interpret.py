"""The command that writes the folder of interpretations."""

import json
import shutil

import pandas as pd
import pytest

pytestmark = pytest.mark.skipif(shutil.which("bedtools") is None, reason="the program bedtools is not installed")


@pytest.fixture(scope="module")
def files(study, tmp_path_factory):
    return study.write(tmp_path_factory.mktemp("study"))


def test_folder_and_summary(call_json, enhanced_file, files, tmp_path):
    argv = ["interpret", enhanced_file, "-g", "cell_type", "-n", 40, "--genome", "hg38", "-o", tmp_path / "out"]
    given = call_json(*argv, "--gene-sets", files["gene_sets"], "--tss", files["genes"])
    assert given["groups"] == [f"type_{i}" for i in range(1, 6)] + ["background"]
    table = pd.read_csv(tmp_path / "out" / "great" / "result.tsv", sep="\t")
    assert given["rows of the tables"]["great"] == len(table)
    best = table.sort_values("Binom_Raw_PValue").groupby("group").head(1).set_index("group")["ID"]
    assert best["type_1"] == "TERM_1"
    before = (tmp_path / "out" / "great" / "step.json").stat().st_mtime_ns
    call_json(*argv, "--gene-sets", files["gene_sets"], "--tss", files["genes"])
    assert (tmp_path / "out" / "great" / "step.json").stat().st_mtime_ns == before
    page = tmp_path / "page.html"
    call_json("report", enhanced_file, "-o", page, "-g", "cell_type", "--tables", tmp_path / "out", "--max-cells", 60)
    assert "Functions of nearby genes" in page.read_text(encoding="utf-8")
    assert "fingerprint" in json.loads((tmp_path / "out" / "great" / "step.json").read_text())


def test_tissues_from_files(call_json, enhanced_file, files, tmp_path):
    snps = tmp_path / "snps.bed"
    table = pd.read_csv(files["snps"], sep="\t")
    bed = table.assign(start=table["pos"] - 1)[["chrom", "start", "pos", "snp"]]
    bed.to_csv(snps, sep="\t", header=False, index=False)
    given = call_json(
        "interpret", enhanced_file, "-g", "cell_type", "-n", 40, "--genome", "hg38", "--data-genome", "hg38",
        "-o", tmp_path / "out", "--snps", snps, "--gene-matrix", files["expression"], "--gene-intervals",
        files["gene_intervals"], "--snp-intervals", files["snp_intervals"], "--null-snps", files["null_snps"],
    )  # fmt: skip
    assert given["rows of the tables"]["snpsea"] > 0


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--genome", "hg17"], "genome must be one of"),
        (["--genome", "hg38", "--gene-matrix", "x.gct"], "--gene-matrix is given without --snps"),
        (["--genome", "hg38", "--sumstats", "height=x.gz"], "--sumstats is given without --panel"),
        (["--genome", "hg38", "--panel", "p.", "--sumstats", "=x.gz"], "TRAIT=FILE is expected"),
        (["--genome", "hg38", "--panel", "p."], "give chain="),
    ],
)
def test_refusals(call, enhanced_file, tmp_path, argv, message):
    code, _, err = call("interpret", enhanced_file, "-g", "cell_type", "-o", tmp_path / "out", *argv)
    assert code != 0
    assert message in err
    assert not (tmp_path / "out").exists()


def test_report_of_a_folder_without_results(call, enhanced_file, tmp_path):
    code, _, err = call("report", enhanced_file, "-o", tmp_path / "a.html", "--tables", tmp_path)
    assert code != 0
    assert "holds no result of sccase-kit interpret" in err
    assert not (tmp_path / "a.html").exists()
