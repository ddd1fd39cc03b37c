"""The documentation is built without a warning (notebooks are run by nbmake, not here)."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("sphinx") is None, reason="sphinx (extra docs) is not installed"),
    pytest.mark.skipif(importlib.util.find_spec("myst_nb") is None, reason="myst-nb (extra docs) is not installed"),
    pytest.mark.skipif(not (DOCS / "conf.py").is_file(), reason="no pages in an installed package"),
]


@pytest.mark.slow
def test_documentation_builds_without_warnings(tmp_path):
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-D", "nb_execution_mode=off"]
    done = subprocess.run(
        [*command, "-d", str(tmp_path / "doctrees"), "-b", "html", str(DOCS), str(tmp_path / "html")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    api = tmp_path / "html" / "api" / "generated"
    names = {p.stem for p in api.glob("*.html")}
    assert {"sccase_kit.tl.enhance", "sccase_kit.pl.genome_tracks", "sccase_kit.regions.great"} <= names
    text = (api / "sccase_kit.tl.enhance.html").read_text(encoding="utf-8")
    assert "batch_key" in text
    listed = (DOCS / "llms.txt").read_text(encoding="utf-8")
    assert (tmp_path / "html" / "llms.txt").read_text(encoding="utf-8") == listed
    for page in re.findall(r"\]\(([\w/]+\.html)\)", listed):
        assert (tmp_path / "html" / page).is_file(), page
    if importlib.util.find_spec("sphinx-mathjax-offline"):  # formulas need no network
        text = (tmp_path / "html" / "method_sccase.html").read_text(encoding="utf-8")
        assert "MathJax" in text
        assert "_static/mathjax/tex-chtml.js" in text
        assert "cdn.jsdelivr.net/npm/mathjax" not in text
        assert (tmp_path / "html" / "_static" / "mathjax" / "tex-chtml.js").is_file()
