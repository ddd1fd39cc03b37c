"""The page in a browser: maps, tracks, both widths, both themes; nothing in the console, nothing sent anywhere."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

import sccase_kit as sk


@pytest.fixture(scope="module")
def page(full, browser, tmp_path_factory):
    """The page of the full study, opened once."""
    path = sk.report.write_report(full, tmp_path_factory.mktemp("page") / "report.html")
    assert path.stat().st_size < 5e6
    for name in ("browser", "performance"):
        browser.get_log(name)
    browser.get(path.as_uri())
    until(lambda: browser.execute_script("return document.querySelectorAll('[data-ready]').length") == 2)
    return browser


def until(check, seconds=8.0):
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        if check():
            return
        time.sleep(0.02)
    pytest.fail("it did not happen in time")


def size(page, width):
    metrics = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    time.sleep(0.3)


OVERLAP = """
const boxes = [...document.querySelectorAll("main section > *, .grid > div, .card, .tiles > div, .bar > *, .top > *")]
  .filter((b) => b.offsetParent !== null && b.tagName !== "SCRIPT");
const found = [];
for (const parent of new Set(boxes.map((b) => b.parentElement))) {
  const own = boxes.filter((b) => b.parentElement === parent).map((b) => [b, b.getBoundingClientRect()]);
  own.forEach(([a, r], i) => own.slice(i + 1).forEach(([b, q]) => {
    if (r.left < q.right - 1 && q.left < r.right - 1 && r.top < q.bottom - 1 && q.top < r.bottom - 1) {
      found.push([a.textContent.slice(0, 40), b.textContent.slice(0, 40)]);
    }
  }));
}
return found;
"""


@pytest.mark.parametrize("width", [1400, 700])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_overlaps_or_leaves_the_page(page, width, theme):
    size(page, width)
    page.execute_script("document.documentElement.dataset.theme = arguments[0]", theme)
    assert page.execute_script("return document.documentElement.scrollWidth") == width
    assert page.execute_script(OVERLAP) == []
    page.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")
    wide = "return [...document.querySelectorAll('.card, .card *')].filter((e) => getComputedStyle(e).display !== "
    assert page.execute_script(wide + "'inline' && e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent)") == []
    assert page.execute_script(OVERLAP) == []
    broad = "return [...document.querySelectorAll('main img, main canvas, main svg')].filter((e) => "
    assert page.execute_script(broad + "e.getBoundingClientRect().right > innerWidth + 1).length") == 0


def contrast(page):
    script = """
      const linear = (v) => (v / 255 <= .03928 ? v / 255 / 12.92 : ((v / 255 + .055) / 1.055) ** 2.4);
      const rgb = (c) => c.match(/\\d+/g).slice(0, 3).map(linear);
      const light = (c) => { const [r, g, b] = rgb(c); return .2126 * r + .7152 * g + .0722 * b; };
      const back = light(getComputedStyle(document.body).backgroundColor);
      return [...document.querySelectorAll("p, h2, td, dt, dd, .count")].map((e) => {
        const own = light(getComputedStyle(e).color);
        return (Math.max(own, back) + .05) / (Math.min(own, back) + .05);
      });
    """
    return np.min(page.execute_script(script))


def test_both_themes_can_be_read(page):
    page.execute_script("document.documentElement.dataset.theme = 'light'")
    assert contrast(page) >= 4.5
    before = page.execute_script("return getComputedStyle(document.body).backgroundColor")
    page.execute_script("document.querySelector('button.theme').click()")
    assert page.execute_script("return getComputedStyle(document.body).backgroundColor") != before
    assert contrast(page) >= 4.5
    page.execute_script("document.querySelector('button.theme').click()")
    assert page.execute_script("return getComputedStyle(document.body).backgroundColor") == before


def test_what_was_found_comes_first(page, full):
    size(page, 1400)
    assert page.execute_script("return document.querySelector('main h2').textContent") == "What was found"
    cards = page.execute_script("return [...document.querySelectorAll('.card')].map((c) => c.textContent)")
    groups = full.obs["cell_type"].cat.categories
    assert [card.split()[0] for card in cards] == list(groups)
    for card, group in zip(cards, groups, strict=True):
        number = group.split("_")[1]
        assert f"TF_{number} (" in card  # the planted motif and term of the type
        assert f"TERM_{number}" in card
    assert "(the batch_key of the fit). batch: 2 values" in page.execute_script(
        "return document.querySelector('.lines').textContent"
    )


def test_cards_lead_to_tracks_and_peaks(page, full):
    group = full.obs["cell_type"].cat.categories[1]
    script = """
      const card = [...document.querySelectorAll('.card')][1];
      for (const link of card.querySelectorAll('.links a')) link.click();
      return card.querySelectorAll('.links a').length;
    """
    assert page.execute_script(script) == 3
    chosen = "return document.querySelector('figure.tracks .places').selectedOptions[0].textContent"
    assert page.execute_script(chosen).startswith(f"{group}: ")
    rows = "return [...document.querySelectorAll(arguments[0])].map((r) => r.cells[0].textContent)"
    for table in ("#marker-peaks tbody tr", "#terms tbody tr"):
        until(lambda: set(page.execute_script(rows, table)) == {group})  # noqa: B023
    linked = "return [...document.querySelectorAll('.contents a')].map((a) => document.querySelector(a.hash).id)"
    assert page.execute_script(linked) == [f"group{i}" for i in range(5)]


def test_the_list_of_places_says_what_is_seen(page):
    chosen = "return document.querySelector('figure.tracks .places').selectedOptions[0].textContent"
    enter(page, "chr1:1,000,000-1,100,000")
    assert page.execute_script(chosen) == "chr1:1,000,000-1,100,000"
    page.execute_script(
        "const p = document.querySelector('figure.tracks .places'); p.selectedIndex = 0; "
        "p.dispatchEvent(new Event('change'))"
    )
    for _ in range(4):
        page.execute_script("document.querySelector('figure.tracks [data-by=right]').click()")
    assert page.execute_script(chosen) == "elsewhere"


def test_figures_are_dark_on_a_dark_page(page):
    script = """
      const image = document.querySelector('figure img'), c = document.createElement('canvas');
      c.width = 8; c.height = 8;
      await image.decode();
      c.getContext('2d').drawImage(image, 0, 0, 8, 8, 0, 0, 8, 8);
      return [...c.getContext('2d').getImageData(1, 1, 1, 1).data].slice(0, 3);
    """
    corner = f"const done = arguments[0]; (async () => {{ {script} }})().then(done)"
    themes = "document.documentElement.dataset.theme = arguments[0]; document.dispatchEvent(new Event('theme'))"
    try:
        page.execute_script(themes, "light")
        assert page.execute_async_script(corner) == [255, 255, 255]
        page.execute_script(themes, "dark")
        assert max(page.execute_async_script(corner)) < 60
    finally:
        page.execute_script("delete document.documentElement.dataset.theme; document.dispatchEvent(new Event('theme'))")
    assert page.execute_async_script(corner) == [255, 255, 255]


@pytest.mark.parametrize("width", [1400, 700])
def test_the_navigation_is_whole(page, width):
    size(page, width)
    script = "const n = document.querySelector('nav ul'); return [n.scrollWidth <= n.clientWidth, n.offsetHeight]"
    whole, height = page.execute_script(script)
    assert whole
    assert height < 100


def test_maps_change_colours_and_show_one_label(page, full):
    script = """
      const box = document.querySelector("figure.map"), select = box.querySelector("select");
      const names = () => [...box.querySelectorAll(".legend button")].map((b) => b.textContent);
      const seen = () => {
        const c = box.querySelector("canvas"), d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
        const colours = {};
        for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 200) colours[[d[i], d[i + 1], d[i + 2]]] = 1;
        return Object.keys(colours).length;
      };
      const out = {columns: [...select.options].map((o) => o.textContent), names: names(), all: seen()};
      box.querySelector(".legend button").click();
      out.pressed = box.querySelectorAll("[aria-pressed=true]").length; out.one = seen();
      box.querySelector(".legend button").click();
      select.selectedIndex = select.options.length - 1; select.dispatchEvent(new Event("change"));
      out.scale = box.querySelector(".scale").hidden; out.after = names();
      select.selectedIndex = 0; select.dispatchEvent(new Event("change"));
      return out;
    """
    out = page.execute_script(script)
    assert out["columns"] == ["cell_type", "louvain", "batch", "log₁₀ counts per cell"]
    counts = full.obs["cell_type"].value_counts(sort=False)
    assert out["names"] == [f"{name} ({n})" for name, n in counts.items()]
    assert out["pressed"] == 1
    assert out["one"] < out["all"]
    assert (out["scale"], out["after"]) == (False, [])


def told(page):
    return page.execute_script("return document.querySelector('figure.tracks .told').textContent")


def enter(page, text):
    page.execute_script(
        "const i = document.querySelector('figure.tracks .where'); i.value = arguments[0];"
        "i.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter'}))", text
    )  # fmt: skip
    return told(page)


def test_tracks_show_what_the_groups_have(page, full):
    peak = full.uns["specific_peaks"]["peaks"].iloc[0]
    where = f"{peak['chrom']}:{peak['start'] - 3000:,}-{peak['end'] + 3000:,}"
    assert enter(page, where.replace(",", "")).startswith(where)
    heights = page.execute_script(
        "return [...document.querySelectorAll('figure.tracks .side')].map((s) => "
        "[...s.querySelectorAll('[data-group]')].map((p) => p.getBBox().height))"
    )
    labels = full.obs["cell_type"]
    inside = (
        (full.var["chrom"] == peak["chrom"])
        & (full.var["end"] > peak["start"] - 3000)
        & (full.var["start"] < peak["end"] + 3000)
    )
    counts = np.array([np.asarray(full.X[(labels == g).to_numpy()].sum(axis=0)).ravel() for g in labels.cat.categories])
    expected = (counts / counts.sum(axis=1, keepdims=True))[:, inside.to_numpy()].max(axis=1)
    np.testing.assert_allclose(np.array(heights[0]) / max(heights[0]), expected / expected.max(), atol=0.06)
    assert len(heights[1]) == len(heights[0])


def test_tracks_move_and_zoom(page):
    enter(page, "chr1:1,000,000-1,100,000")
    moves = {}
    for by in ("right", "left", "in", "out"):
        page.execute_script("document.querySelector(`figure.tracks [data-by=${arguments[0]}]`).click()", by)
        moves[by] = told(page).split(",  ")[0].split(": no")[0]
    assert moves["right"].startswith("chr1:1,040,000-1,140,000")
    assert moves["left"].startswith("chr1:1,000,000-1,100,000, 100.0 kb")
    assert moves["in"].startswith("chr1:1,025,000-1,075,000, 50.0 kb")
    assert moves["out"].startswith("chr1:1,000,000-1,100,000")
    assert enter(page, "chr99:1-2") == "no peak on chr99"
    assert "no genes were given" in enter(page, "TAL1")
    places = page.execute_script(
        "return [...document.querySelectorAll('figure.tracks .places option')].map((o) => o.textContent)"
    )
    assert places[0].startswith("type_1: chr")


def test_tables_filter_where_they_stand(page):
    script = """
      window.box = [...document.querySelectorAll('.table')].find((b) =>
        b.querySelector('.caption').textContent.includes('Marker peaks of'));
      const input = box.querySelector('input');
      input.value = 'type_2 rank<=3';
      input.dispatchEvent(new Event('input'));
    """
    page.execute_script(script)
    until(lambda: page.execute_script("return box.querySelector('.count').textContent").startswith("3 of"))


def test_printed_in_light(page):
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    page.execute_script("document.documentElement.dataset.theme = 'dark'")
    try:
        color = page.execute_script("return getComputedStyle(document.body).backgroundColor")
        hidden = "return [...document.querySelectorAll('nav, .csv, .bar')].every((e) => "
        hidden += "getComputedStyle(e).display === 'none')"
        assert color == "rgb(255, 255, 255)"
        assert page.execute_script(hidden)
    finally:
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
        page.execute_script("delete document.documentElement.dataset.theme")


def test_silent_and_alone(page):
    """Last: all that was done above asked nothing of a network and left nothing in the console."""
    lines = [line for line in page.get_log("browser") if "readback" not in line["message"]]  # by the test of the maps
    assert lines == []
    entries = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    asked = [e["params"]["request"]["url"] for e in entries if e["method"] == "Network.requestWillBeSent"]
    assert asked
    assert {url.split(":")[0] for url in asked} <= {"file", "data", "blob"}
    blocked = page.execute_async_script(
        "const done = arguments[0]; fetch('http://127.0.0.1:9/').then(() => done('sent'), () => done('refused'));"
        "document.addEventListener('securitypolicyviolation', (e) => { window.violated = e.effectiveDirective; });"
    )
    assert blocked == "refused"
    until(lambda: page.execute_script("return window.violated") == "connect-src")
