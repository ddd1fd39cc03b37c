"""Rendered notebooks: one page each, with pictures that are there, small, and without a path of a machine."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "rendered"

pytestmark = pytest.mark.skipif(not PAGES.is_dir(), reason="no pages in an installed package")


@pytest.fixture(scope="module")
def render():
    spec = importlib.util.spec_from_file_location("render_of_the_docs", ROOT / "docs" / "render.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_notebook_has_its_page():
    assert {p.stem for p in PAGES.glob("*.md")} == {p.stem for p in (ROOT / "notebooks").glob("*.ipynb")}


def test_pictures_are_those_that_the_pages_show():
    shown = set()
    for page in PAGES.glob("*.md"):
        shown |= set(re.findall(r"!\[figure\]\((\S+\.png)\)", page.read_text(encoding="utf-8")))
    assert shown == {p.name for p in PAGES.glob("*.png")}


def test_sizes(render):
    render.check_sizes()


def test_no_page_names_a_machine_or_was_skipped():
    for page in PAGES.glob("*.md"):
        text = page.read_text(encoding="utf-8")
        outputs = "\n".join(re.findall(r"```text\n(.*?)```", text, flags=re.DOTALL))
        assert not re.search(r"/(home|root|work|Users)/", text), page.name
        assert "skipped: set SCCASE_KIT_FULL" not in outputs, page.name
        assert "was not found: this is the toy study" not in outputs, page.name


def test_a_page_is_made_of_cells(render, tmp_path, monkeypatch):
    monkeypatch.setattr(render, "PAGES", tmp_path)
    monkeypatch.setenv("SCCASE_KIT_DATA", "/some/folder")
    made = [
        {"output_type": "stream", "name": "stderr", "text": "warning"},
        {"output_type": "stream", "name": "stdout", "text": "\n".join(f"line {i} /some/folder" for i in range(60))},
        {"output_type": "execute_result", "data": {"text/plain": "<Figure size 1>"}},
        {"output_type": "execute_result", "data": {"text/html": "<table><tr><th></th><th>a|b</th></tr></table>"}},
    ]
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": "# Title"},
        {"cell_type": "code", "metadata": {}, "source": "print()", "outputs": made},
        {"cell_type": "code", "metadata": {"tags": ["hide-cell"]}, "source": "assert True", "outputs": []},
    ]
    text = render.page({"cells": cells}, "01_quick_start")
    assert text.startswith("# Title\n\n*`notebooks/01_quick_start.ipynb` (")
    assert "```python\nprint()\n```" in text
    assert "line 0 FOLDER" in text
    assert "… 20 more lines" in text
    assert "|  | a\\|b |\n| --- | --- |" in text
    assert "warning" not in text
    assert "assert" not in text
    assert "<Figure" not in text
