"""Coordinates are found under any of their usual names, and nothing of the user's is changed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sccase_kit.intervals.coordinates import as_positions, find_columns, find_coordinates

CHROM, START, END = ["chr1", "chr1", "chr2"], [100, 900, 50], [600, 1400, 550]


def table(*columns, index=("peak_1", "peak_2", "peak_3")):
    return pd.DataFrame(dict(zip(columns, (CHROM, START, END), strict=True)), index=list(index))


@pytest.mark.parametrize(
    "columns",
    [
        ("chrom", "start", "end"),
        ("chr", "start", "end"),
        ("chromosome", "start", "stop"),
        ("Chromosome", "Start", "End"),
        ("#chrom", "chromStart", "chromEnd"),
        ("CHROM", "START", "END"),
        ("chrom", "chr_start", "chr_end"),
        ("peak_chr", "peak_start", "peak_end"),
        ("chromosome_name", "start_position", "end_position"),
        ("chr", "peak.start", "peak.end"),
        ("contig", "begin", "end"),
    ],
)
def test_synonyms(columns):
    found = find_coordinates(table(*columns))
    assert found.columns == columns
    assert found.table["chrom"].tolist() == CHROM
    assert found.table["start"].tolist() == START
    assert found.table["end"].tolist() == END
    assert not found.one_based


@pytest.mark.parametrize(
    "columns", [["start", "end"], ["chrom", "start"], ["a", "b", "c"], [], ["chrom", "pos", "strand"]]
)
def test_columns_that_are_no_coordinates(columns):
    assert find_columns(columns) is None


def test_of_several_columns_the_usual_ones_come_first():
    assert find_columns(["chr", "chromosome", "start", "start_position", "end", "stop"]) == ("chr", "start", "end")
    assert find_columns(["Start", "seqnames", "chrom", "end", "start"]) == ("chrom", "start", "end")


@pytest.mark.parametrize(
    "convert",
    [
        lambda values: [str(v) for v in values],
        lambda values: [f"{v:e}" for v in values],
        lambda values: [f"{v:,}" for v in values],
        lambda values: pd.Categorical([str(v) for v in values]),
        lambda values: pd.Categorical(values),
        lambda values: np.array(values, dtype=np.float32),
        lambda values: np.array(values, dtype=np.uint32),
        lambda values: pd.array(values, dtype="Int64"),
        lambda values: [*values[:-1], np.int64(values[-1])],
    ],
)
def test_numbers_in_any_form(convert):
    var = table("chrom", "start", "end")
    var["start"], var["end"] = convert(START), convert(END)
    before = var.copy()
    found = find_coordinates(var).table
    assert found["start"].tolist() == START
    assert found["end"].tolist() == END
    assert found["start"].dtype == found["end"].dtype == np.int64
    pd.testing.assert_frame_equal(var, before)


@pytest.mark.parametrize("bad", [["100", "x", "50"], [True, False, True], [1.5, 2, 3], [1, 2, 2**50]])
def test_what_is_no_position_names_the_column(bad):
    var = table("chr", "start", "end")
    var["start"] = bad
    with pytest.raises((TypeError, ValueError), match=r"adata\.var\['start'\]"):
        find_coordinates(var)


def test_rows_without_coordinates_are_marked():
    var = pd.DataFrame(
        {"chrom": ["chr1", None, "nan", "chr1", "chr1"], "start": [1, 2, 3, np.nan, 9], "end": [5, 6, 7, 8, 9]}
    )
    found = find_coordinates(var)
    assert found.missing.tolist() == [False, True, True, True, True]
    assert found.table["start"].tolist() == [1, -1, -1, -1, -1]


@pytest.mark.parametrize(
    ("more", "one_based"),
    [
        ({}, True),
        ({"width": [501, 501, 501]}, True),
        ({"width": [500, 500, 500]}, False),
        ({"Length": [501, 501, 501]}, True),
        ({"width": [7, 7, 7]}, True),
    ],
)
def test_intervals_of_r_are_recognised(more, one_based):
    found = find_coordinates(table("seqnames", "start", "end").assign(**more))
    assert found.one_based == one_based
    assert found.table["start"].tolist() == [s - one_based for s in START]
    assert found.table["end"].tolist() == END
    assert ("1-based" in found.note) == one_based


def test_a_start_of_0_is_0_based_whatever_the_names():
    var = table("seqnames", "start", "end")
    var.loc["peak_1", "start"] = 0
    assert not find_coordinates(var).one_based


@pytest.mark.parametrize("columns", [("chrom", "start", "end"), ("seqnames", "start", "end")])
@pytest.mark.parametrize("one_based", [True, False])
def test_what_is_asked_for_counts(columns, one_based):
    found = find_coordinates(table(*columns), one_based=one_based)
    assert found.table["start"].tolist() == [s - one_based for s in START]


def test_widths_tell_whatever_the_columns_are_called():
    found = find_coordinates(table("chr", "start", "end").assign(length=[501, 501, 501]))  # MACS writes .xls so
    assert found.one_based


def test_names_where_columns_have_none():
    names = ["1:5-9", "KI270713.1-1-2", "chr2.3.4"]
    found = find_coordinates(pd.DataFrame({"chr": ["", "", ""]}, index=names))
    assert found.source == "names"
    assert found.table["chrom"].tolist() == ["1", "KI270713.1", "chr2"]
    written_before = pd.DataFrame({"chrom": "", "start": -1, "end": -1}, index=names)
    assert find_coordinates(written_before).table["start"].tolist() == [5, 1, 3]
    assert find_coordinates(written_before, one_based=True).table["start"].tolist() == [4, 0, 2]


@pytest.mark.parametrize("column", ["interval", "gene_ids", "whatever"])
def test_a_column_of_names(column):
    found = find_coordinates(pd.DataFrame({"n": [1, 2], column: ["chr1:1-2", "chr2:5-7"]}, index=["a", "b"]))
    assert found.table["start"].tolist() == [1, 5]
    assert found.columns == (column,)


def test_nothing_at_all():
    for empty in (pd.DataFrame(index=["a", "b"]), pd.DataFrame(index=[])):
        assert find_coordinates(empty).missing.all()


def test_two_columns_of_one_name():
    var = pd.DataFrame([["chr1", 1, 2, 3]], columns=["chrom", "start", "start", "end"])
    with pytest.raises(ValueError, match="several columns called 'start'"):
        find_coordinates(var)


def test_positions_keep_minus_one():
    assert as_positions(pd.Series(["-1", "5", None]), name="x").tolist() == [-1, 5, -1]


@pytest.mark.parametrize("kind", [object, "category", "string"])
@pytest.mark.parametrize("more", [[], [None], ["1e+05", "2,000"], ["7.0"], ["-1"], ["9" * 18], [""], [" 3 "], ["٣"]])
def test_positions_at_once_are_those_of_single_texts(kind, more):
    texts = ["100", "007", "0", *more]
    if more == ["٣"]:
        with pytest.raises(TypeError, match="holds text that is no position"):
            as_positions(pd.Series(texts, dtype=kind), name="x")
        return
    expected = [-1 if text in (None, "") else int(float(text.replace(",", ""))) for text in texts]
    expected = [10**18 - 1 if text == "9" * 18 else number for text, number in zip(texts, expected, strict=True)]
    out = as_positions(pd.Series(texts, dtype=kind), name="x")
    assert out.dtype == np.int64
    assert out.tolist() == expected


def test_a_number_that_int64_does_not_hold():
    with pytest.raises(TypeError, match="no position, such as '9999999999999999999'"):
        as_positions(pd.Series(["5", "9" * 19]), name="x")
