"""Scripts, tests and notebooks that the pages name are in the repository."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
NAMED = re.compile(r"\b((?:findings|benchmarks|tests|notebooks|r_scripts)/[\w/]+\.(?:sh|py|R|ipynb|json|csv))\b")

pytestmark = pytest.mark.skipif(not (ROOT / "findings").is_dir(), reason="no pages in an installed package")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_named_on_a_page_are_in_the_repository(page):
    named = set(NAMED.findall(page.read_text(encoding="utf-8")))
    assert not sorted(name for name in named if not (ROOT / name).is_file())


def test_pages_name_files():
    named = {name for page in PAGES for name in NAMED.findall(page.read_text(encoding="utf-8"))}
    assert {"tests/reliability/tour.py", "benchmarks/fronts.py", "findings/bioframe_expand.sh"} <= named
