"""Lines of text matrices."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sccase_kit.io._text_layout import split_line

FIELDS = st.lists(st.text("ab1., \t'\"\x0b\x1f\xa0\u2003", max_size=5), max_size=5)


@pytest.mark.parametrize("sep", ["\t", ",", ";", " "])
@settings(max_examples=150, derandomize=True, deadline=None)
@given(FIELDS)
def test_fields_have_no_blanks_and_quotes_around_them(sep, fields):
    """Lines without any are cut by a shorter way."""
    line = sep.join(fields)
    cut = next(csv.reader([line], delimiter=sep)) if '"' in line else line.split(sep)
    assert split_line(line + "\r\n", sep) == [field.strip().strip("'") for field in cut]
