"""The plain index of the pages: every page once, and no page that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"

pytestmark = pytest.mark.skipif(not (DOCS / "llms.txt").is_file(), reason="no pages in an installed package")


def targets() -> list[str]:
    lines = (DOCS / "llms.txt").read_text(encoding="utf-8").splitlines()
    found = [re.fullmatch(r"- \[([^\]]+)\]\(([\w/]+)\.html\): \S.*", line) for line in lines if line.startswith("-")]
    assert all(found), "a line is not '- [title](page.html): what it is about'"
    return [match[2] for match in found]


def test_every_page_is_listed_once():
    listed = [name for name in targets() if "/" not in name]
    assert sorted(listed) == sorted(path.stem for path in DOCS.glob("*.md"))


def test_notebooks_and_the_api_exist():
    others = [name for name in targets() if "/" in name]
    assert "api/index" in others  # written by conf.py
    for name in others:
        assert name == "api/index" or (ROOT / f"{name}.ipynb").is_file(), name


def test_the_build_copies_it():
    text = (DOCS / "conf.py").read_text(encoding="utf-8")
    assert 'html_extra_path = ["llms.txt"]' in text
