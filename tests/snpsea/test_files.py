"""SNPs inside peaks and SNPsea's input."""

import shutil

import pandas as pd
import pytest

from sccase_kit._optional import MissingProgramError
from sccase_kit.io import run_snpsea, write_snpsea
from sccase_kit.snpsea.tables import read_ids, read_intervals

needs_bedtools = pytest.mark.skipif(shutil.which("bedtools") is None, reason="the program bedtools is not installed")

PEAKS = pd.DataFrame(
    {"chrom": "chr1", "start": [100, 300, 500], "end": [200, 400, 600], "group": ["B cell", "B cell", "T/NK"]}
)
SNPS = pd.DataFrame({"chrom": "chr1", "pos": [100, 101, 200, 201, 350, 600], "snp": [f"rs{i}" for i in range(6)]})
INSIDE = ["rs1", "rs2", "rs4", "rs5"]  # start < pos <= end


def ids(path):
    return pd.read_csv(path, sep="\t", comment="#")["SNP"].tolist()


def spell(kind, folder):
    """Write SNPS in one of the accepted formats."""
    path = folder / f"snps.{kind}"
    rows = list(SNPS.itertuples(index=False))
    if kind == "bim":
        lines = [f"1\t{r.snp}\t0\t{r.pos}\tA\tG" for r in rows]
    elif kind == "bed":
        lines = [f"{r.chrom}\t{r.pos - 1}\t{r.pos}\t{r.snp}" for r in rows]
    elif kind == "vcf":
        lines = ["##fileformat=VCFv4.2", "#CHROM\tPOS\tID\tREF\tALT"]
        lines += [f"1\t{r.pos}\t{r.snp}\tA\tG" for r in rows]
    else:
        lines = ["rsid\tA1\tA2\t#CHROM\tPOS", *(f"{r.snp}\tA\tG\t1\t{r.pos}" for r in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


@needs_bedtools
@pytest.mark.parametrize("kind", ["bim", "bed", "vcf", "snplist"])
def test_formats_of_snps_agree(tmp_path, kind):
    written = write_snpsea(PEAKS, spell(kind, tmp_path), tmp_path / "out.gwas")
    assert list(written) == ["peaks"]
    assert ids(written["peaks"]) == INSIDE


@needs_bedtools
def test_file_is_what_the_program_reads(tmp_path):
    path = write_snpsea(PEAKS, SNPS, tmp_path / "out.gwas")["peaks"]
    lines = path.read_text().split("\n")
    assert lines[0].startswith("# ")
    assert lines[1] == "CHR\tPOS\tSNP"
    assert lines[-1] == ""
    assert all(lines[:-1]), "a blank line crashes the program"


@needs_bedtools
def test_one_file_per_group(tmp_path):
    written = write_snpsea(PEAKS, SNPS, tmp_path / "lists", groupby="group")
    assert {g: p.name for g, p in written.items()} == {"B cell": "B_cell.gwas", "T/NK": "T_NK.gwas"}
    assert ids(written["B cell"]) == ["rs1", "rs2", "rs4"]
    assert ids(written["T/NK"]) == ["rs5"]


@needs_bedtools
def test_group_without_snps_writes_nothing(tmp_path):
    with pytest.raises(ValueError, match=r"no SNP lies inside the peaks of \['T/NK'\]"):
        write_snpsea(PEAKS, SNPS.iloc[:5], tmp_path / "lists", groupby="group")
    assert not any(tmp_path.iterdir())


@needs_bedtools
@pytest.mark.parametrize(
    ("peaks", "snps", "error", "message"),
    [
        (PEAKS.iloc[:0], SNPS, ValueError, "empty"),
        (PEAKS, SNPS.drop(columns="pos"), ValueError, "no column for .*pos"),
        (PEAKS, SNPS.assign(pos=[None, 101, 200, 201, 350, 600]), ValueError, "1 of 6 SNPs have no valid position"),
        (PEAKS.assign(chrom=["chr1", "1", "1"]), SNPS, ValueError, "mixes chromosome names"),
        (PEAKS.assign(end=50), SNPS, ValueError, "end <= start"),
        (PEAKS, "nowhere.bim", FileNotFoundError, "there is no file 'nowhere.bim'"),
        (PEAKS, 5, TypeError, "DataFrame chrom, pos, snp or a file"),
    ],
)
def test_bad_input_writes_nothing(tmp_path, peaks, snps, error, message):
    with pytest.raises(error, match=message):
        write_snpsea(peaks, snps, tmp_path / "out.gwas")
    assert not any(tmp_path.iterdir())


@needs_bedtools
def test_list_of_ids_without_positions_is_refused(tmp_path):
    (tmp_path / "snps.txt").write_text("rs1\nrs2\n")
    with pytest.raises(ValueError, match="holds no positions that can be recognised"):
        write_snpsea(PEAKS, tmp_path / "snps.txt", tmp_path / "out.gwas")


def test_unknown_groupby_is_named(tmp_path):
    with pytest.raises(KeyError, match="groupby='kind' is not among the columns of peaks"):
        write_snpsea(PEAKS, SNPS, tmp_path / "lists", groupby="kind")


def test_missing_bedtools_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingProgramError, match=r"'bedtools'.*Install BEDTools"):
        write_snpsea(PEAKS, SNPS, tmp_path / "out.gwas")
    assert not any(tmp_path.iterdir())


def test_missing_program_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    files = dict.fromkeys(("gene_matrix", "gene_intervals", "snp_intervals", "null_snps"), "x")
    with pytest.raises(MissingProgramError, match=r"'snpsea'.*engine='python'"):
        run_snpsea("snps", tmp_path / "out", **files)


@pytest.mark.parametrize(
    "text",
    ["rs1\nrs2\n", "# x\nCHR\tSNP\n1\trs1\n2\trs2\n", "CHR,rsid\n1,rs1\n2,rs2\n", "MarkerName P\nrs1 0.5\nrs2 0.1\n"],
)
def test_ids_under_any_usual_name(tmp_path, text):
    path = tmp_path / "snps.txt"
    path.write_text(text)
    assert read_ids(path, name="snps") == ["rs1", "rs2"]


def test_intervals_with_a_header_or_an_odd_name(tmp_path):
    path = tmp_path / "genes.bed"
    path.write_text("#chrom\tstart\tend\tname\nchr1\t5\t9\tA#1\nchr2\t1\t4\tB\n")
    assert read_intervals(path, name="genes").values.tolist() == [["chr1", 5, 9, "A#1"], ["chr2", 1, 4, "B"]]
