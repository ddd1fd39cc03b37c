"""The page builder: escaping, tables, the content policy."""

from __future__ import annotations

import html.parser

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from sccase_kit.pages.blocks import Card, Cards, Code, Figure, Grid, Lines, Text, Tiles
from sccase_kit.pages.page import Section, page
from sccase_kit.pages.table import Table

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=30) | st.sampled_from(
    ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</style>", "a & b", "' onclick='x", "&lt;", "]]>"]
)


class Reader(html.parser.HTMLParser):
    """Collects tags, attributes and text; checks that what was opened is closed in order."""

    VOID = frozenset({"meta", "img", "input", "br"})  # and what closes itself in SVG

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

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
    blocks += [Figure(b"png", c, (10, 10)), Lines([(a, b)]), Cards([Card(a, b, "#123456", c, [(a, b)], c)])]
    blocks.append(Grid([Text(a)]))
    plain = [Text("a"), Text("b", kind="note"), Text("c", kind="heading"), Code("a")]
    plain += [Table(pd.DataFrame({"a": ["b", "c"]}), "b"), Tiles({"a": "b"}), Figure(b"png", "c", (10, 10))]
    plain += [
        Lines([("a", "b")]),
        Cards([Card("a", b and "b", "#123456", c and "c", [("a", "b")], c and "c")]),
        Grid([Text("a")]),
    ]
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


def test_scripts_come_once_and_only_where_they_are_needed():
    table = Table(pd.DataFrame({"x": [1]}), "few")
    assert page("t", "s", [Section("x", [table, Grid([table])])]).count('querySelectorAll(".table")') == 1
    assert 'querySelectorAll(".table")' not in page("t", "s", [Section("x", [Text("y")])])
