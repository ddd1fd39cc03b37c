"""Names of the plain form, read at once, against the reader of single names."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sccase_kit.intervals.names import places_table, split_names
from sccase_kit.intervals.plain_names import plain_places

WORDS = st.sampled_from(["chr1", "chrX", "1", "GL000194", "x", "X1", "X2", "atac", "peak", "Peaks", "chr1a", "", "e5"])
NUMBERS = st.sampled_from(["0", "5", "007", "1234567", "1e5", "12" * 9, "", "9" * 15, "9" * 16, "1,000", "2.0"])
SIGNS = st.sampled_from([":", "-", "_", "|", "/", "..", ".", " ", "\t", "\n"])
NAMES = st.lists(st.tuples(WORDS, SIGNS, NUMBERS, SIGNS, NUMBERS).map("".join), max_size=4)
USUAL = st.lists(
    st.tuples(WORDS, st.sampled_from(":_|-"), st.integers(0, 99).map(str), st.sampled_from("-_:|/"),
              st.integers(0, 999).map(str)).map("".join),
    min_size=1, max_size=6,
)  # fmt: skip


@settings(max_examples=400, derandomize=True, deadline=None)
@given(NAMES | USUAL)
def test_equals_the_reader_of_single_names(names):
    plain = plain_places(names)
    if plain is None:
        return
    one_by_one = split_names(names)
    assert None not in one_by_one
    assert list(zip(*(part.tolist() for part in plain), strict=True)) == [tuple(place) for place in one_by_one]


@pytest.mark.parametrize("form", ["chr{}:100-600", "chr{}_100_600", "chr{}-100-600", "{}:100-600"])
def test_usual_forms_are_plain(form):
    names = [form.format(chrom) for chrom in (1, 1, 2, "X", 1)]
    chrom, start, end = plain_places(names)
    assert chrom.tolist() == [name.partition("100")[0][:-1] for name in names]
    assert (start == 100).all()
    assert (end == 600).all()


@pytest.mark.parametrize(
    "name", ["chr1:1e5-200000", "chr1:1-2:+", "KI270713.1:5-9", "atac:5-10", "X1:5-9", "ü:1-2", ""]
)
def test_others_are_left_to_the_reader_of_single_names(name):
    assert plain_places(["chr1:5-9", name]) is None


def test_places_that_end_before_they_start():
    table = places_table(["chr1:5-9", "chr1:9-5", "chr1:7-7"])
    assert table["chrom"].tolist() == ["chr1", "", ""]
    assert table[["start", "end"]].values.tolist() == [[5, 9], [-1, -1], [-1, -1]]
