"""The page builder: escaping, tables, the content policy."""

from __future__ import annotations

import html.parser

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from sccase_kit.report._page import Code, Figure, Section, Table, Text, Tiles, page

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=30) | st.sampled_from(
    ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</style>", "a & b", "' onclick='x", "&lt;", "]]>"]
)


class Reader(html.parser.HTMLParser):
    """Collects tags, attributes and text; checks that what was opened is closed in order."""

    VOID = frozenset({"meta", "img", "input", "br"})

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in {"script", "style"}:
            self.text.append(data)


def read(text):
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert not reader.open
    return reader


@given(TEXT, TEXT, TEXT)
@settings(max_examples=200, deadline=None)
def test_texts_come_out_as_they_went_in_and_make_no_tags(a, b, c):
    frame = pd.DataFrame({a: [b, c]})
    blocks = [Text(a), Text(b, kind="note"), Text(c, kind="heading"), Code(a), Table(frame, b), Tiles({a: b})]
    blocks.append(Figure(b"png", c, (10, 10)))
    plain = [Text("a"), Text("b", kind="note"), Text("c", kind="heading"), Code("a")]
    plain += [Table(pd.DataFrame({"a": ["b", "c"]}), "b"), Tiles({"a": "b"}), Figure(b"png", "c", (10, 10))]
    hostile, harmless = read(page(a, b, [Section(c, blocks)], footer=a)), read(page("a", "b", [Section("c", plain)]))
    assert hostile.tags == harmless.tags
    assert [name for name, _ in hostile.attributes] == [name for name, _ in harmless.attributes]
    shown = "".join(hostile.text)
    for text in (a, b, c):
        assert text in shown


def test_nothing_is_loaded_and_only_our_script_runs():
    reader = read(page("t", "s", [Section("x", [Text("y")])]))
    attributes = dict(reader.attributes)
    policy = next(v for n, v in reader.attributes if n == "content" and "default-src" in v)
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert policy.count("'sha256-") == 2
    assert "href" not in attributes or attributes["href"].startswith("#")
    assert not {"link", "iframe", "object", "embed"} & set(reader.tags)
    text = page("t", "s", [])
    assert "http://" not in text
    assert "https://" not in text


def test_numbers_sort_by_their_full_value_and_missing_ones_are_empty():
    frame = pd.DataFrame({"p": [0.123456789, np.nan, np.inf], "k": [12345, -1, 2], "b": [True, False, True]})
    text = Table(frame, "numbers").html()
    assert '<td class="n" data-v="0.123456789">0.1235</td>' in text
    assert '<td class="n"></td>' in text
    assert '<td class="n" data-v="12345.0">12345</td>' in text
    assert '<td class="k">yes</td>' in text


def test_long_and_broad_tables():
    frame = pd.DataFrame(np.arange(7200).reshape(600, 12), columns=list("abcdefghijkl"))
    text = Table(frame, "many").html()
    assert text.count("<tr>") == 501
    assert "the first 500 of 600 rows" in text
    assert "Printed are the first 25 rows and 10 columns." in text
    assert 'type="search"' in text
    short = Table(frame.iloc[:3, :2], "few").html()
    assert 'type="search"' not in short
    assert "3 rows" in short
    assert "Printed" not in short


def test_index_names_and_odd_values():
    frame = pd.DataFrame({"x": [[1, 2], {"a": 1.5}, None], "y": pd.Categorical(["u", "v", "u"])}, index=["r", "s", "t"])
    reader = read(Table(frame.rename_axis("row"), "odd").html())
    shown = "|".join(reader.text)
    for text in ("row", "r", "1, 2", "a: 1.5", "v"):
        assert text in shown
    twice = pd.DataFrame([[1, "a"]], columns=["x", "x"])
    assert read(Table(twice, "twice").html()).tags.count("td") == 2
    assert "0 rows" in Table(twice.iloc[:0], "none").html()
    assert "…" in Table(pd.DataFrame({"x": ["y" * 1000]}), "long").html()
