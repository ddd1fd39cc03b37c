"""Names of regions in every spelling, and what is none."""

from __future__ import annotations

import pytest

from sccase_kit.intervals.chromosomes import is_chromosome
from sccase_kit.intervals.names import places_table, share_of_places, split_name, split_names, whole_number


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("chr1:1-2", ("chr1", 1, 2)),
        ("1:1-2", ("1", 1, 2)),
        ("X:1-2", ("X", 1, 2)),
        ("chr1_1_2", ("chr1", 1, 2)),
        ("chr1-1-2", ("chr1", 1, 2)),
        ("chr1:1..2", ("chr1", 1, 2)),
        ("chr1.1.2", ("chr1", 1, 2)),
        ("chr1|1|2", ("chr1", 1, 2)),
        ("GL000194.1:1-2", ("GL000194.1", 1, 2)),
        ("GL000194.1.1.2", ("GL000194.1", 1, 2)),
        ("KI270713.1-1-2", ("KI270713.1", 1, 2)),
        ("chrUn_KI270742v1_1_50", ("chrUn_KI270742v1", 1, 50)),
        ("NC_000001.11:5-9", ("NC_000001.11", 5, 9)),
        ("HLA-A*01:01:1-5", ("HLA-A*01:01", 1, 5)),
        ("chr1:1e+05-100500", ("chr1", 100000, 100500)),
        ("chr1_185995000_1.86e+08", ("chr1", 185995000, 186000000)),
        ("chr1-1e5-2E+05", ("chr1", 100000, 200000)),
        ("chr1.1e.05.100500", ("chr1", 100000, 100500)),
        ("chr1:1,000-2,000", ("chr1", 1000, 2000)),
        ("chr1:100.0-600.0", ("chr1", 100, 600)),
        ("chr1:1-2:+", ("chr1", 1, 2)),
        ("chr1:1-2(-)", ("chr1", 1, 2)),
        ("atac:chr1:1-2", ("chr1", 1, 2)),
        ("chr1\t5\t9\tpeak", ("chr1", 5, 9)),
        (" chr1:1-2 ", ("chr1", 1, 2)),
    ],
)
def test_spellings(name, place):
    assert split_name(name) == place


@pytest.mark.parametrize(
    "name",
    ["", "chr1", "chr1:100", "chr1:1,00-2", "chr1:1.5-2.5", "chr1:-5-10", ":1-2", "1-2", "chr 1:1-2",
     "ENSG00000243485.5", "AAACGAAAGC-1", "GATA1", "chr1:1.234e+01-20", f"chr1:1-{10**25}", "chr1:1e+99-2"],
)  # fmt: skip
def test_what_is_no_place(name):
    assert split_name(name) is None


def test_r_puts_an_x_before_names_that_start_with_a_digit():
    assert [p.chrom for p in split_names(["X1.100.600", "X12.5.9", "X.1.2"])] == ["1", "12", "X"]
    assert [p.chrom for p in split_names(["X1.100.600", "chr2.5.9"])] == ["X1", "chr2"]


@pytest.mark.parametrize(
    ("text", "number"),
    [("100", 100), ("1e+05", 100000), ("1.86e+08", 186000000), ("1,000", 1000), ("1,000,000", 1000000),
     ("100.0", 100), ("1,00", None), ("1.5", None), ("1.5e0", None),
     ("", None), ("-1", None), ("a", None), ("1e99", None), ("٣", None)],
)  # fmt: skip
def test_numbers_as_programs_write_them(text, number):
    assert whole_number(text) == number


def test_places_that_end_before_they_start_have_no_coordinates():
    table = places_table(["chr1:600-100", "chr1:5-5", "chr1:5-6"])
    assert table["start"].tolist() == [-1, -1, 5]
    assert table["chrom"].tolist() == ["", "", "chr1"]


@pytest.mark.parametrize("on_chromosomes", [True, False])
@pytest.mark.parametrize("other", [[], ["x"], ["KI270713.1:5-9"]])
def test_share_of_places_at_once_is_that_of_single_names(on_chromosomes, other):
    names = ["chr1:1-2", "s_1_2", "chrX:9-5", "1:7-7", "GL000194-1-2", *other]
    places = [p for p in split_names(names) if p is not None and p.start < p.end]
    good = [p for p in places if not on_chromosomes or is_chromosome(p.chrom)]
    assert share_of_places(names, on_chromosomes=on_chromosomes) == len(good) / len(names)
    assert share_of_places([]) == 0


def test_share_of_places():
    assert share_of_places(["chr1:1-2", "GL000194.1:1-2", "x"] * 100) == pytest.approx(2 / 3, abs=0.02)
    assert share_of_places(["s_1_2", "t_3_4"]) == 0
    assert share_of_places(["s_1_2", "t_3_4"], on_chromosomes=False) == 1
    assert share_of_places([]) == 0
