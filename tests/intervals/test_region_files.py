"""Files of regions of every program give the same regions; what is 1-based is said."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from sccase_kit.intervals.region_files import file_kind
from sccase_kit.regions import check_regions, read_bed

ROWS = [("chr1", 100, 600), ("GL000194.1", 100000, 100500)]
ZERO = {
    "bed": ("bed", "".join(f"{c}\t{s}\t{e}\n" for c, s, e in ROWS)),
    "bed of R": ("bed", "chr1\t100\t600\nGL000194.1\t1e+05\t100500\n"),
    "blanks": ("bed", "track name=x\nchr1 100 600\n\nGL000194.1 100000 100500\n"),
    "narrowPeak": ("bed", "".join(f"{c}\t{s}\t{e}\tp\t0\t.\t1\t2\t3\t4\n" for c, s, e in ROWS)),
    "header": ("table", "chrom\tstart\tend\n" + "".join(f"{c}\t{s}\t{e}\n" for c, s, e in ROWS)),
    "header with #": ("table", "#chr\tstart\tend\n" + "".join(f"{c}\t{s}\t{e}\n" for c, s, e in ROWS)),
    "csv": ("table", "Chromosome,Start,End\n" + "".join(f"{c},{s},{e}\n" for c, s, e in ROWS)),
    "header below the lines of a browser": (
        "table",
        "track type=x name=a\nbrowser position chr1:1-9\n#chrom start end\nchr1 100 600\nGL000194.1 100000 100500\n",
    ),
    "UCSC's tables": ("ucsc", "#bin\tchrom\n" + "".join(f"585\t{c}\t{s}\t{e}\tCpG: 111\n" for c, s, e in ROWS)),
    "numbers of a spreadsheet": (
        "table",
        'chr,start,end\nchr1,100,600\nGL000194.1,"100,000","100,500"\n',
    ),
    "names below a title": ("names", "peak\n" + "".join(f"{c}:{s}-{e}\n" for c, s, e in ROWS)),
    "names": ("names", "".join(f"{c}:{s}-{e}\n" for c, s, e in ROWS)),
}
ONE = {
    "GRanges": ("table", "seqnames\tstart\tend\twidth\tstrand\n"
                + "".join(f"{c}\t{s + 1}\t{e}\t{e - s}\t*\n" for c, s, e in ROWS)),
    "MACS xls": ("table", "# MACS\nchr\tstart\tend\tlength\n"
                 + "".join(f"{c}\t{s + 1}\t{e}\t{e - s}\n" for c, s, e in ROWS)),
    "SAF": ("table", "GeneID\tChr\tStart\tEnd\tStrand\n" + "".join(f"p\t{c}\t{s + 1}\t{e}\t+\n" for c, s, e in ROWS)),
    "HOMER": ("table", "#PeakID\tchr\tstart\tend\tstrand\n"
              + "".join(f"p{s}\t{c}\t{s + 1}\t{e}\t+\n" for c, s, e in ROWS)),
    "GFF": ("gff", "##gff-version 3\n" + "".join(f"{c}\tx\tpeak\t{s + 1}\t{e}\t.\t+\t.\tID=a\n" for c, s, e in ROWS)),
    "interval_list": ("interval_list", "@HD\tVN:1.0\n" + "".join(f"{c}\t{s + 1}\t{e}\t+\tname\n" for c, s, e in ROWS)),
}  # fmt: skip


def check(table):
    assert table["chrom"].tolist() == [c for c, _, _ in ROWS]
    assert table["start"].tolist() == [s for _, s, _ in ROWS]
    assert table["end"].tolist() == [e for _, _, e in ROWS]
    assert table["start"].dtype == np.int64


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", ZERO)
def test_files_that_count_from_0(tmp_path, name, packed):
    kind, text = ZERO[name]
    path = tmp_path / "regions.txt"
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    assert file_kind(path) == kind
    check(read_bed(path))
    check(check_regions(path))


@pytest.mark.parametrize("name", ONE)
def test_files_that_count_from_1(tmp_path, name):
    kind, text = ONE[name]
    path = tmp_path / "regions.txt"
    path.write_text(text)
    assert file_kind(path) == kind
    with pytest.warns(UserWarning, match="1-based"):
        check(read_bed(path))
    check(read_bed(path, one_based=True))
    assert read_bed(path, one_based=False)["start"].tolist() == [s + 1 for _, s, _ in ROWS]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("chr1\t5\n", "line 1: expected chrom, start, end"),
        ("chr1\t5\t9\nchr1\tx\t9\n", "line 2: expected chrom, start, end"),
        ("chr1\t9\t5\n", "line 1: expected 0 <= start < end"),
        ("chrom\tstart\tend\nchr1\tx\t9\n", r"\['start'\] holds text"),
        ("chrom\tstart\tend\nchr1\t9\t5\n", r"1 rows have no 0 <= start < end, the first: \['chr1', '9', '5'\]"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, message):
    path = tmp_path / "r.bed"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_bed(path)


def test_a_table_keeps_its_other_columns(tmp_path):
    (tmp_path / "r.tsv").write_text("group\tchr\tstart\tend\na\t1\t5\t9\nb\tX\t1\t2\n")
    table = read_bed(tmp_path / "r.tsv")
    assert table["group"].tolist() == ["a", "b"]
    assert table["chrom"].tolist() == ["1", "X"]
