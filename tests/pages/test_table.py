"""Tables of pages: what is written, what is packed, and what a browser makes of it."""

from __future__ import annotations

import base64
import gzip
import json
import re
import time

import numpy as np
import pandas as pd
import pytest

from sccase_kit.pages.page import Section, page
from sccase_kit.pages.table import Table
from sccase_kit.pages.values import columns_of, pack, shown


def unpack(text):
    packed = re.search(r'<script type="text/plain">(.*?)</script>', text).group(1)
    return json.loads(gzip.decompress(base64.b64decode(packed)))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *[(0.123456, "0.1235"), (12.3456, "12.35"), (999.94, "999.9"), (1234.5678, "1,235"), (1.5e7, "15,000,000")],
        *[(0.0, "0"), (-0.25, "−0.25"), (3.0, "3"), (1e-5, "1.00e−5"), (-2.346e-30, "−2.35e−30"), (2.5e12, "2.50e12")],
        *[
            (np.nan, ""),
            (np.inf, "∞"),
            (-np.inf, "−∞"),
            (None, ""),
            (pd.NA, ""),
            (True, "yes"),
            (np.bool_(False), "no"),
        ],
        *[
            (12345, "12,345"),
            (np.int64(-7), "−7"),
            ([1, 2.5], "1, 2.5"),
            ({"a": 1.5}, "a: 1.5"),
            ("x" * 400, "x" * 299 + "…"),
        ],
    ],
)
def test_values_as_people_read_them(value, text):
    assert shown(value) == text


def test_lists_of_names_show_the_first_and_keep_all():
    names = ",".join(f"GENE{i}" for i in range(200))
    frame = pd.DataFrame({"Genes": [names, "A;B", "", None]})
    text = Table(frame, "t", lists=("Genes",)).html()
    assert "GENE0, GENE1, GENE2, GENE3 … (200)</td>" in text
    assert ">A, B</td>" in text
    (column,) = unpack(text)
    assert column["kind"] == "names"
    assert [column["words"][code] for code in column["codes"]] == [names.replace(",", ", "), "A, B", "", ""]


def test_headers_are_for_people_and_names_for_the_filter_and_the_file():
    frame = pd.DataFrame({"padj": [0.5], "w<": ["a"]})
    text = Table(frame, "t", headers={"padj": "adjusted <p>", "other": "x"}, notes={"padj": "of <all>"}).html()
    title = "of &lt;all&gt; (in the file: padj)"
    assert f'<button type="button" title="{title}">adjusted &lt;p&gt;</button>' in text
    assert '<button type="button">w&lt;</button>' in text
    assert [c["name"] for c in unpack(text)] == ["padj", "w<"]


def test_shares_are_percent_and_stay_shares_in_the_file():
    frame = pd.DataFrame({"share": [0.08734, 1.0, np.nan, 0.000123], "n": [1, 2, 3, 4]})
    text = Table(frame, "t", percent=("share", "n")).html()
    assert re.findall(r'<td class="n">(.*?)</td>', text)[::2] == ["8.73 %", "100 %", "", "0.0123 %"]
    share, n = unpack(text)
    assert (share["kind"], share["values"], n["kind"]) == ("percent", [0.08734, 1, None, 0.000123], "integer")


def test_all_rows_are_packed_and_the_first_are_html():
    frame = pd.DataFrame({"i": range(600), "x": np.linspace(0, 1, 600), "w": list("ab") * 300})
    frame.loc[0, "x"], frame.loc[1, "x"], frame.loc[2, "w"] = np.nan, np.inf, None
    text = Table(frame, "many", max_rows=500).html()
    assert text.count("<tr>") == 13
    assert "the first 500 of 600 rows" in text
    assert 'type="search"' in text
    i, x, w = unpack(text)
    assert i == {"name": "i", "kind": "integer", "values": list(range(500))}
    assert x["values"][:3] == [None, "Infinity", float(f"{2 / 599:.6g}")]
    assert (w["words"], w["codes"][:4]) == (["a", "b", ""], [0, 1, 2, 1])


def test_small_broad_and_odd_tables():
    short = Table(pd.DataFrame({"x": [1, 2]}), "few").html()
    assert 'type="search"' not in short
    assert "2 rows" in short
    assert "rinted" not in short.replace("data-printed", "")
    long = Table(pd.DataFrame({"x": np.arange(50)}), "long").html()
    assert "50 rows, of which the first 40 are printed." in long
    assert long.count("<tr class=later>") == 40 - 12
    broad = Table(pd.DataFrame(np.full((3, 14), 1.234e-300), columns=[f"quantity{i}" for i in range(14)]), "b").html()
    left = re.search(r"Not printed, for want of width: (.*?)\.<", broad)[1].split(", ")
    assert left == [f"quantity{i}" for i in range(14 - len(left), 14)]
    assert broad.count('class="n np"') == 4 * len(left)
    odd = pd.DataFrame({"x": [[1, 2], {"a": 1.5}, None], "y": pd.Categorical(["u", "v", "u"])}, index=["r", "s", "t"])
    names = [(column["name"], column["kind"]) for column in unpack(Table(odd.rename_axis("row"), "odd").html())]
    assert names == [("row", "text"), ("x", "text"), ("y", "text")]
    twice = pd.DataFrame([[1, "a"]], columns=["x", "x"])
    assert Table(twice, "twice").html().count("<td") == 2
    assert "0 rows" in Table(twice.iloc[:0], "none").html()
    assert Table(pd.DataFrame({"x": range(40)}), "all", print_all=True).html().count("<tr>") == 41


def test_cut_tables_keep_every_group():
    table = pd.DataFrame({"group": np.repeat(list("abcd"), 300), "rank": np.tile(np.arange(300), 4)})
    text = Table(table, "Peaks", max_rows=500, by="group").html()
    groups, ranks = unpack(text)
    assert np.bincount(groups["codes"]).tolist() == [125] * 4
    assert max(ranks["values"]) == 124
    assert "the first 125 of each group, of 1,200 rows" in text
    assert "1,200 rows" in Table(table, "Peaks", max_rows=1200, by="group").html()
    assert "the first 500 of 1,200 rows" in Table(table, "Peaks", max_rows=500, by="other").html()


def test_numbers_that_a_browser_cannot_hold_are_texts():
    kinds = {c["name"]: c["kind"] for c in columns_of(pd.DataFrame({"big": [2**60], "c": [1j], "n": [2**40]}))}
    assert kinds == {"big": "text", "c": "text", "n": "integer"}
    nullable = columns_of(
        pd.DataFrame({"x": pd.array([1, None], dtype="Int64"), "y": pd.array([0.5, None], "Float64")})
    )
    assert [column["values"] for column in nullable] == [[1, None], [0.5, None]]
    assert pack([1]) == pack([1])  # the same bytes for the same data


# --- in a browser ---------------------------------------------------------------------------------------------------

N = 100_000


@pytest.fixture(scope="module")
def opened(browser, tmp_path_factory):
    """A page with a small table of hard values and one of 100,000 rows."""
    rng = np.random.default_rng(0)
    hard = pd.DataFrame(
        {
            "x": [
                0.123456,
                1234.5678,
                np.nan,
                -2.346e-30,
                np.inf,
                0.0,
                -0.25,
                999.94,
                2.5e12,
                -np.inf,
                1e-5,
                12.3456,
                3.5,
                7,
                *range(21, 29),
            ],
            "i": [12345, -7, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, *range(21, 29)],
            "w": ["=1+1", "a,b", 'q"q', "", "b10", "b9", "<b>", "é", "", "-x", "z", "y", "x", "w", *["v"] * 8],
        }
    )
    many = pd.DataFrame({"peak": [f"chr{1 + i % 9}:{i}" for i in range(N)], "padj": rng.random(N), "k": np.arange(N)})
    listed = pd.DataFrame({"Genes": [",".join(f"g{j}" for j in range(i)) for i in range(25)]})
    path = tmp_path_factory.mktemp("tables") / "page.html"
    blocks = [Table(hard, "hard"), Table(many, "many", max_rows=N, headers={"padj": "adjusted p"})]
    blocks.append(Table(listed, "listed", lists=("Genes",), file="listed"))
    path.write_text(page("Tables", "", [Section("Tables", blocks)]), encoding="utf-8")
    assert path.stat().st_size < 3.5e6
    browser.get_log("browser")
    browser.get(path.as_uri())
    browser.execute_script("window.saved = []; kit.save = (name, text) => window.saved.push([name, text]);")
    return browser


def rows(opened, number):
    script = "return [...document.querySelectorAll('.table')[arguments[0]].querySelectorAll('tbody tr:not(.later)')]"
    return opened.execute_script(script + ".map((r) => [...r.cells].map((c) => c.textContent))", number)


def click(opened, css, number):
    opened.execute_script(
        "document.querySelectorAll('.table')[arguments[1]].querySelectorAll(arguments[0])[0].click()", css, number
    )


def until(check, seconds=5.0):
    """Wait until a check is true; return how long it took."""
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        if check():
            return time.perf_counter() - start
        time.sleep(0.01)
    pytest.fail("it did not happen in time")


def test_the_script_writes_numbers_as_the_page_did(opened):
    before = rows(opened, 0)
    click(opened, ".next", 0)
    until(lambda: len(rows(opened, 0)) == 10)
    click(opened, ".back", 0)
    until(lambda: len(rows(opened, 0)) == 12)
    assert rows(opened, 0) == before


def test_sorted_with_missing_ones_last(opened):
    click(opened, "th:nth-child(1) button", 0)
    until(lambda: rows(opened, 0)[0][0] == "−∞")
    up = [row[0] for row in rows(opened, 0)]
    assert up[:5] == ["−∞", "−0.25", "−2.35e−30", "0", "1.00e−5"]
    click(opened, "th:nth-child(1) button", 0)
    until(lambda: rows(opened, 0)[0][0] == "∞")
    click(opened, ".next", 0)
    until(lambda: len(rows(opened, 0)) == 10)
    assert [row[0] for row in rows(opened, 0)][-2:] == ["−∞", ""]
    click(opened, "th:nth-child(3) button", 0)
    until(lambda: len(rows(opened, 0)) == 12)
    words = [row[2] for row in rows(opened, 0)]
    assert words.index("b9") < words.index("b10")  # numbers inside words count
    state = "return [...document.querySelectorAll('.table')[0].querySelectorAll('th')].map((h) => h.ariaSort)"
    assert opened.execute_script(state) == [None, None, "ascending"]


def test_saved_as_csv_without_formulas(opened):
    click(opened, ".csv", 0)
    until(lambda: opened.execute_script("return window.saved.length") == 1)
    name, text = opened.execute_script("return window.saved[0]")
    lines = text.split("\r\n")
    assert name == "table.csv"
    assert lines[0] == "x,i,w"
    assert sorted(lines[1:]) == sorted([
        *["", "0.123456,12345,'=1+1", '1234.57,-7,"a,b"', ',0,"q""q"', "-2.346e-30,1,", "Infinity,2,b10", "0,3,b9"],
        *["-0.25,4,<b>", "999.94,5,é", "2500000000000,6,", "-Infinity,7,'-x", "0.00001,8,z", "12.3456,9,y"],
        *["3.5,10,x", "7,11,w", *(f"{n},{n},v" for n in range(21, 29))],
    ])  # fmt: skip


def test_lists_sort_by_their_number_filter_by_each_and_are_saved_whole(opened):
    before = rows(opened, 2)
    assert before[5] == ["g0, g1, g2, g3 … (5)"]
    click(opened, "th button", 2)  # those without any are last
    until(lambda: rows(opened, 2)[0] == ["g0"])
    assert rows(opened, 2) == [*before[1:12], ["g0, g1, g2, g3 … (12)"]]
    for text, n in (("Genes=g20", 4), ("g20", 4), ("genes=g2", 22), ("genes=g", 0)):
        script = "const i = document.querySelectorAll('.table')[2].querySelector('input'); i.value = arguments[0]; "
        opened.execute_script(script + "i.dispatchEvent(new Event('input'))", text)
        said = f"{n} of 25 rows match"
        told = "return document.querySelectorAll('.table')[2].querySelector('.count').textContent"
        until(lambda: opened.execute_script(told) == said)  # noqa: B023
    opened.execute_script("window.saved.length = 0")
    opened.execute_script(script + "i.dispatchEvent(new Event('input'))", "Genes=g23")
    until(lambda: opened.execute_script(told) == "1 of 25 rows match")
    click(opened, ".csv", 2)
    until(lambda: opened.execute_script("return window.saved.length") == 1)
    (name, text), *_ = opened.execute_script("return window.saved")
    assert (name, text.split("\r\n")[1]) == ("listed.csv", '"' + ", ".join(f"g{j}" for j in range(24)) + '"')


def test_many_rows_stay_quick(opened):
    def fill(words):
        opened.execute_script(
            "const i = document.querySelectorAll('.table')[1].querySelector('input'); i.value = arguments[0];"
            "i.dispatchEvent(new Event('input'))", words
        )  # fmt: skip

    def count():
        return opened.execute_script(
            "return document.querySelectorAll('.table')[1].querySelector('.count').textContent"
        )

    assert count() == "100,000 rows"
    click(opened, "th:nth-child(2) button", 1)
    waits = [until(lambda: "e−" in rows(opened, 1)[0][1])]  # the smallest of so many
    fill("chr3 padj<0.01")
    waits.append(until(lambda: count().endswith("rows match")))
    assert all(row[0].startswith("chr3:") for row in rows(opened, 1))
    n = int(count().split(" of ")[0].replace(",", ""))
    rng = np.random.default_rng(0)
    assert n == int(((rng.random(N) < 0.01) & (np.arange(N) % 9 == 2)).sum())
    fill("k=77")
    waits.append(until(lambda: count() == "1 of 100,000 rows match"))
    fill("k<10 adjustedp<=1")  # as the column is called on the page
    waits.append(until(lambda: count() == "10 of 100,000 rows match"))
    fill("")
    waits.append(until(lambda: count() == "100,000 rows"))
    assert max(waits) < 4  # seconds on a busy machine; .3 on a quiet one


def test_nothing_in_the_console(opened):
    assert opened.get_log("browser") == []


PRINTED = """
const box = document.querySelector('.table');
const seen = (e) => getComputedStyle(e).display !== 'none';
const rows = [...box.querySelectorAll('tbody tr')].filter(seen);
const cells = rows.flatMap((r) => [...r.querySelectorAll('td.n, td.o')]).filter(seen);
const lines = (e) => {
  const r = document.createRange();
  r.selectNodeContents(e);
  return new Set([...r.getClientRects()].map((q) => q.top)).size;
};
const words = [...box.querySelectorAll('thead button')].filter((e) => seen(e.closest('th'))).every((e) =>
  e.textContent.split(' ').every((word) => word.length < 20) &&
  e.closest('th').scrollWidth <= e.closest('th').clientWidth + 1);
const head = [box.querySelector('thead'), box.querySelector('thead button')].map((e) => getComputedStyle(e).display);
return {head, rows: rows.length, broken: cells.filter((c) => lines(c) > 1).length, words,
  wide: box.querySelector('table').getBoundingClientRect().right, page: innerWidth};
"""


@pytest.mark.parametrize(("n_rows", "seen"), [(15, 15), (20, 20), (40, 40), (300, 40)])
def test_paper_has_every_row_of_short_tables_and_whole_numbers(browser, tmp_path, n_rows, seen):
    rng = np.random.default_rng(0)
    columns = {
        "group": [f"g{i}" for i in range(n_rows)],
        "peak": [f"chr1:{10**8 + i}-{10**8 + i + 500}" for i in range(n_rows)],
    }
    columns["genes that speak for it"] = ["VPREB1, RAG2, RAG1, TCF3"] * n_rows
    columns |= {f"quantity number {i}": rng.random(n_rows) * 10.0 ** rng.integers(-9, 4, n_rows) for i in range(14)}
    path = tmp_path / "page.html"
    path.write_text(page("p", "", [Section("s", [Table(pd.DataFrame(columns), "t")])]), encoding="utf-8")
    browser.get(path.as_uri())
    metrics = {"width": 680, "height": 960, "deviceScaleFactor": 1, "mobile": False}  # A4 less 15 mm on each side
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        found = browser.execute_script(PRINTED)
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
        shown = browser.execute_script(
            "return [...document.querySelectorAll('tbody tr')].filter((r) => r.offsetHeight).length"
        )
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert (found["rows"], found["broken"], found["words"]) == (seen, 0, True)
    assert found["wide"] <= found["page"]
    assert shown == (n_rows if n_rows <= 20 else 12)
    # on every page: Chromium leaves out of repeated headers what is in the box of a button
    assert found["head"] == ["table-header-group", "contents"]
