"""The command that writes the folder of interpretations."""

import json
import shutil

import pandas as pd
import pytest

pytestmark = pytest.mark.skipif(shutil.which("bedtools") is None, reason="the program bedtools is not installed")


@pytest.fixture(scope="module")
def files(study, tmp_path_factory):
    return study.write(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def variants(study, tmp_path_factory):
    peaks = study.adata.var[study.adata.var["specific_to"].astype(str) == "type_2"].iloc[:40]
    path = tmp_path_factory.mktemp("variants") / "here.bed"
    bed = pd.DataFrame({"c": peaks["chrom"], "s": peaks["start"] + 5, "e": peaks["start"] + 6, "n": "rs", "p": 0.9})
    bed.to_csv(path, sep="\t", header=False, index=False)
    return path


@pytest.mark.filterwarnings("ignore:only .* of the .* genes have a peak in reach", "ignore:no factor of the motifs")
def test_folder_and_summary(call_json, enhanced_file, files, variants, tmp_path):
    argv = ["interpret", enhanced_file, "-g", "cell_type", "-n", 40, "--genome", "hg38", "-o", tmp_path / "out"]
    cells = ["--fasta", files["sequences"], "--motifs", files["motifs"], "--variants", f"here={variants}"]
    given = call_json(*argv, "--gene-sets", files["gene_sets"], "--tss", files["genes"], *cells)
    assert given["rows of the tables"]["motifs"] == 5 * 15
    assert given["rows of the tables"]["traits"] == 5
    assert given["groups"] == [f"type_{i}" for i in range(1, 6)] + ["background"]
    assert "not looked at" not in given
    table = pd.read_csv(tmp_path / "out" / "great" / "result.tsv", sep="\t")
    assert given["rows of the tables"]["great"] == len(table)
    best = table.sort_values("Binom_Raw_PValue").groupby("group").head(1).set_index("group")["ID"]
    assert best["type_1"] == "TERM_1"
    before = (tmp_path / "out" / "great" / "step.json").stat().st_mtime_ns
    call_json(*argv, "--gene-sets", files["gene_sets"], "--tss", files["genes"], *cells)
    assert (tmp_path / "out" / "great" / "step.json").stat().st_mtime_ns == before
    page = tmp_path / "page.html"
    call_json("report", enhanced_file, "-o", page, "-g", "cell_type", "--tables", tmp_path / "out", "--max-cells", 60)
    text = page.read_text(encoding="utf-8")
    for words in ("Functions of nearby genes", "Motif deviations (folder", "Fine-mapped variants (folder"):
        assert words in text
    table = pd.read_csv(tmp_path / "out" / "motifs" / "result.tsv", sep="\t").dropna(subset="effect_size")
    best = table.sort_values("effect_size").groupby("group").tail(1).set_index("group").loc["type_1"]
    assert f"{best['set']} ({best['effect_size']:.1f})" in text
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
    assert given["not looked at"] == (
        "motifs (--fasta genome.fa, or --sites FOLDER), great (--gene-sets GO:BP), traits (--variants TRAIT=FILE)"
    )
    assert "- Motifs: give the sequence of the genome" in (tmp_path / "out" / "README.md").read_text()
    assert given["rows of the tables"]["snpsea"] > 0


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--genome", "hg17"], "genome must be one of"),
        (["--genome", "hg38", "--gene-matrix", "x.gct"], "--gene-matrix is given without --snps"),
        (["--genome", "hg38", "--sumstats", "height=x.gz"], "--sumstats is given without --panel"),
        (["--genome", "hg38", "--panel", "p.", "--sumstats", "=x.gz"], "TRAIT=FILE is expected"),
        (["--genome", "hg38", "--panel", "p."], "(--chain FILE; or --data-genome GENOME)"),
        (["--genome", "hg38", "--motifs", "JASPAR"], "--motifs needs --fasta"),
        (["--genome", "hg38", "--fasta", "x.fa", "--stored-motifs"], "leave one of them out"),
        (["--genome", "hg38", "--variants", "a=x.bed", "--variants", "a=y.bed"], "every trait once"),
    ],
)
def test_refusals(call, enhanced_file, tmp_path, argv, message):
    code, _, err = call("interpret", enhanced_file, "-g", "cell_type", "-o", tmp_path / "out", *argv)
    assert code != 0
    assert message in err
    assert not (tmp_path / "out").exists()


def test_a_readme_of_somebody_else_is_kept(call, call_json, enhanced_file, tmp_path):
    argv = ["interpret", enhanced_file, "-g", "cell_type", "-n", 20, "--genome", "hg38", "-o", tmp_path]
    mine = tmp_path / "README.md"
    mine.write_text("# My project\n")
    code, _, err = call(*argv)
    assert code == 1
    assert "holds another 'README.md', which would be replaced: choose another folder" in err
    assert mine.read_text() == "# My project\n"
    assert [p.name for p in tmp_path.iterdir()] == ["README.md"]
    mine.write_text("# What the peaks mean\n\nof a run whose folders were removed\n")
    call_json(*argv)
    assert "Specific (marker) peaks of the groups in `cell_type`" in mine.read_text()
    mine.write_text("# What the peaks mean, with my notes\n")
    call_json(*argv)  # a folder of the package
    assert mine.read_text().startswith("# What the peaks mean\n")


def test_a_step_that_fails_says_how_to_go_on(call, enhanced_file, tmp_path):
    bad = tmp_path / "bad.gmt"
    bad.write_text("A\n")
    argv = ["-g", "cell_type", "-n", 20, "--genome", "hg38", "-o", tmp_path / "out", "--gene-sets", bad]
    code, _, err = call("interpret", enhanced_file, *argv)
    assert code == 1
    assert err.endswith(f"Finished steps are kept in {tmp_path / 'out'}: mend it and run again.\n")


def test_report_of_a_folder_with_peaks_alone(call_json, enhanced_file, tmp_path):
    call_json("interpret", enhanced_file, "-g", "cell_type", "-n", 20, "--genome", "hg38", "-o", tmp_path / "out")
    page = tmp_path / "page.html"
    call_json("report", enhanced_file, "-o", page, "-g", "cell_type", "--tables", tmp_path / "out", "--max-cells", 60)
    text = page.read_text(encoding="utf-8")
    assert "<h2>Other tables</h2>" in text
    assert f"Marker peaks (folder {tmp_path / 'out'})" in text


def test_report_of_a_folder_without_results(call, enhanced_file, tmp_path):
    code, _, err = call("report", enhanced_file, "-o", tmp_path / "a.html", "--tables", tmp_path)
    assert code != 0
    assert "holds no result of sccase-kit interpret" in err
    assert not (tmp_path / "a.html").exists()
