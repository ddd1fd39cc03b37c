"""Notebooks: paired with their sources, without outputs, and all of one build. `make notebooks` runs them."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

jupytext = pytest.importorskip("jupytext", reason="jupytext (extra test) is not installed")

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
SOURCES = sorted(FOLDER.glob("*.py"))
#: Set to write the notebooks from their sources.
UPDATE = "SCCASE_KIT_UPDATE_NOTEBOOKS"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="notebooks are not part of an installed package")
every_notebook = pytest.mark.parametrize("source", SOURCES, ids=[p.stem for p in SOURCES])


def from_source(source: Path):
    """Return the notebook of a source: cells numbered, so that it is the same every time."""
    notebook = jupytext.read(source)
    notebook.metadata = {
        "jupytext": {"formats": "ipynb,py:percent"},
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:02d}"
        cell["metadata"] = {k: v for k, v in cell["metadata"].items() if k == "tags"}
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return notebook


def test_every_notebook_has_a_source():
    assert [p.stem[:2] for p in SOURCES] == [f"{i:02d}" for i in range(1, 13)]
    if UPDATE not in os.environ:
        assert {p.stem for p in FOLDER.glob("*.ipynb")} == {p.stem for p in SOURCES}


@every_notebook
def test_notebook_is_its_source_without_outputs(source):
    target = source.with_suffix(".ipynb")
    wanted = jupytext.writes(from_source(source), fmt="ipynb")
    if UPDATE in os.environ:
        target.write_text(wanted, encoding="utf-8")
    assert target.read_text(encoding="utf-8") == wanted, f"{UPDATE}=1 python -m pytest {__file__} writes it anew"


@every_notebook
def test_first_and_last_cell(source):
    cells = from_source(source).cells
    first = cells[0]["source"]
    assert first.startswith("# ")
    for word in ("Goal", "Inputs", "Run time", "Memory"):
        assert f"**{word}**" in first, word
    assert "session_info(" in cells[-1]["source"]
    assert "Where to go next" in cells[-2]["source"]


@every_notebook
def test_assertions_are_in_hidden_cells(source):
    cells = [c for c in from_source(source).cells if c["cell_type"] == "code"]
    with_assert = [c for c in cells if re.search(r"^\s*assert ", c["source"], flags=re.MULTILINE)]
    assert with_assert, "no assertion on what is known"
    for cell in with_assert:
        assert "hide-cell" in cell["metadata"].get("tags", []), cell["source"]


@every_notebook
def test_links_to_other_notebooks_and_pages_lead_somewhere(source):
    text = source.read_text(encoding="utf-8")
    stems = {p.stem for p in SOURCES}
    for name in re.findall(r"`(\d\d_\w+)`", text):
        assert name in stems, name
    for name in re.findall(r"`(docs/\w+\.md)`", text):
        assert (FOLDER.parent / name).is_file(), name
