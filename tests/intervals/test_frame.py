"""Tables of regions: coercion, checks, messages."""

import gzip

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from sccase_kit.intervals.assembly import in_names_of
from sccase_kit.intervals.frame import check_chrom_style
from sccase_kit.regions import check_regions, parse_names, read_bed


def table(*rows, **more):
    return pd.DataFrame(rows, columns=["chrom", "start", "end"]).assign(**more)


def test_reads_bed_plain_and_packed(tmp_path):
    text = "#chrom\ttrack\ntrack name=x\n\nchr1\t0\t5\ta\nchr2\t7\t9\tb\n"
    (tmp_path / "a.bed").write_text(text)
    with gzip.open(tmp_path / "b.bed", "wt") as handle:
        handle.write(text)
    for name in ("a.bed", "b.bed"):
        bed = read_bed(tmp_path / name)
        assert bed.to_dict("list") == {"chrom": ["chr1", "chr2"], "start": [0, 7], "end": [5, 9], "name": ["a", "b"]}
        assert bed["start"].dtype == np.int64


@pytest.mark.parametrize("line", ["chr1\t5", "chr1\tx\t9", "chr1\t9\t9", "chr1\t-1\t4"])
def test_bed_errors_name_file_and_line(tmp_path, line):
    path = tmp_path / "bad.bed"
    path.write_text(f"chr1\t0\t5\n\n{line}\n")
    with pytest.raises(ValueError, match=r"bad\.bed, line 3"):
        read_bed(path)


def test_names():
    parsed = parse_names(["chr1:1-20", "chr2_3_4", "chrUn_KI270742v1:5-6", "chrX-7-8"])
    assert parsed["chrom"].tolist() == ["chr1", "chr2", "chrUn_KI270742v1", "chrX"]
    assert parsed["start"].tolist() == [1, 3, 5, 7]
    assert parsed["end"].dtype == np.int64
    with pytest.raises(ValueError, match="first: 'peak7'"):
        parse_names(["chr1:1-2", "peak7"])


def test_every_kind_of_input(tmp_path):
    frame = table(("chr1", 1, 5), score=1.5)
    frame.index = ["peak"]
    path = tmp_path / "r.bed"
    path.write_text("chr1\t1\t5\n")
    by_var = AnnData(np.zeros((2, 1), np.float32), var=frame)
    by_name = AnnData(np.zeros((2, 1), np.float32), var=pd.DataFrame(index=["chr1:1-5"]))
    for value in (frame, by_var, by_name, path, str(path), ["chr1:1-5"], pd.Index(["chr1_1_5"])):
        checked = check_regions(value, genome="hg38")
        assert checked[["chrom", "start", "end"]].values.tolist() == [["chr1", 1, 5]]
    assert check_regions(frame).loc["peak", "score"] == 1.5
    with pytest.raises(TypeError, match="got int"):
        check_regions(3)
    with pytest.raises(FileNotFoundError, match="pass a list"):
        check_regions("chr1:1-5")


def test_input_is_not_changed():
    frame = table(("chr2", 1, 5), ("chr1", 1.0, 5))
    before = frame.copy()
    check_regions(frame, sort=True)
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    ("frame", "error", "match"),
    [
        (pd.DataFrame({"chr": ["a"], "start": [1]}), KeyError, "Rename first.*'chr': 'chrom'"),
        (pd.DataFrame({"chr": ["a"], "Start": ["x"], "End": [2]}), TypeError, r"\['Start'\] holds text.*'x'"),
        (pd.DataFrame({"chr": ["chr1"] * 2, "Start": [1, 7], "End": [2, 7]}), ValueError, "in 1 of 2 rows"),
        (pd.DataFrame({"chrom": [], "start": [], "end": []}), ValueError, "empty"),
        (table(("chr1", 1, 5), ("1", 1, 5)), ValueError, "with and without 'chr'"),
        (table(("chr1", 5, 5)), ValueError, "end <= start"),
        (table(("chr1", -1, 5)), ValueError, "start below 0"),
        (table(("chr1", 1.5, 5)), ValueError, "fractional"),
        (table(("chr1", np.nan, 5)), ValueError, "missing in 1 of 1"),
        (table((None, 1, 5)), ValueError, "missing in 1 of 1"),
        (table(("chr1", "one", 5)), TypeError, r"regions\['start'\] holds text that is no position, such as 'one'"),
        (table(("chr1", 1, 5), genome="hg19"), ValueError, "belongs to"),
        (table(("chr1", 1, 5), ("chr1", 1, 5), genome=["hg19", "hg38"]), ValueError, "one genome|belongs to"),
        (table(("NC_000001.10", 1, 5)), ValueError, "accessions of hg19, but genome='hg38'"),
        (table(("GRCh38_chr1", 1, 5), ("mm10_chr1", 1, 5)), ValueError, "several genomes"),
        (table(("chr99", 1, 5)), ValueError, "chr99"),
        (table(("chr1", 1, 5), ("chr1", 1, 249_250_621)), ValueError, "would fit hg19"),
    ],
)
def test_messages(frame, error, match):
    with pytest.raises(error, match=match):
        check_regions(frame, genome="hg38")


def test_unknown_sequences():
    frame = table(("chr1", 1, 5), ("chrUn_1", 1, 5))
    with pytest.raises(ValueError, match="1 of 2 rows"):
        check_regions(frame, genome="hg38")
    with pytest.warns(UserWarning, match="left out"):
        assert len(check_regions(frame, genome="hg38", unknown="drop")) == 1
    assert len(check_regions(frame, genome="hg38", unknown="keep")) == 2


def test_sorting():
    frame = table(("chr10", 5, 6), ("chr2", 9, 10), ("chrX", 1, 2), ("chr2", 3, 8), ("chr2", 3, 4))
    assert check_regions(frame, sort=True).index.tolist() == [4, 3, 1, 0, 2]
    assert check_regions(frame, sort=True, chrom_sizes={"chrX": 9, "chr10": 9, "chr2": 99}).index[0] == 2
    with pytest.raises(ValueError, match="must be sorted"):
        check_regions(frame, require_sorted=True)
    with pytest.raises(ValueError, match="must be sorted"):
        check_regions(table(("a", 1, 2), ("b", 1, 2), ("a", 3, 4)), require_sorted=True)
    check_regions(check_regions(frame, sort=True), require_sorted=True)


def test_styles():
    assert check_chrom_style(["chr1", "chrX"]) == "chr"
    assert check_chrom_style(["1", "MT"]) == "bare"
    assert check_chrom_style(["scaffold_1"]) == "other"


@pytest.mark.parametrize(
    ("names", "known", "read"),
    [
        (["1", "7", "MT", "x"], ["chr1", "chrM"], ["chr1", "chr7", "chrM", "chrX"]),
        (["chr1", "chrX", "KI270713.1"], ["1", "23"], ["1", "23", "KI270713.1"]),
        (["1", "2"], ["chr1", "1", "2"], ["1", "2"]),
        (["1"], ["scaffold_1"], ["1"]),
    ],
)
def test_names_of_the_other_side(names, known, read):
    frame = pd.DataFrame({"chrom": names})
    assert in_names_of(frame, known, name="a", where="b")["chrom"].tolist() == read
    assert frame["chrom"].tolist() == names
