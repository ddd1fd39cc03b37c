"""Sphinx configuration of the documentation."""

from __future__ import annotations

import inspect
import re
import shutil
import sys
from importlib import import_module
from importlib.metadata import version as installed_version
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

project = "sccase_kit"
author = "the developers of sccase_kit"
release = installed_version("sccase_kit")
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
]
if find_spec("sphinx-mathjax-offline"):  # lays MathJax next to the pages; without it they load it from a network
    extensions.append("sphinx-mathjax-offline")
source_suffix = {".rst": "restructuredtext", ".md": "myst-nb", ".ipynb": "myst-nb"}
exclude_patterns = ["_build", "**.ipynb_checkpoints"]
html_theme = "pydata_sphinx_theme"
html_title = f"sccase_kit {release}"
html_theme_options = {"show_toc_level": 2, "navigation_with_keys": False}
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["style.css"]
html_extra_path = ["llms.txt"]  # an index of the pages as plain text

autosummary_generate = True
autosummary_ignore_module_all = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_merge_streams = True
suppress_warnings = ["myst.header", "mystnb.unknown_mime_type"]

MODULES = {
    "tl": "Tools: what users call on an AnnData",
    "pp": "Preprocessing",
    "io": "Reading, and writing for other tools",
    "get": "Reading results back",
    "pl": "Plots",
    "metrics": "Evaluation",
    "datasets": "Data",
    "report": "Report",
    "paper": "The paper, repeated",
    "r": "The bridge to R",
    "genes": "Genes on arrays",
    "peaks": "Peaks on arrays",
    "motifs": "Motifs on arrays",
    "regions": "Regions on tables and arrays",
    "enhance": "The model on arrays",
    "fragments": "Fragment files on arrays",
}


#: Pages and notebooks in which calls are looked for, for the links of the pages of functions.
PAGES = [*sorted(HERE.glob("*.md")), *sorted((HERE.parent / "notebooks").glob("*.py"))]
_CALL = re.compile(r"\bsk\.((?:\w+\.)?\w+)")


def _uses() -> dict[str, list[str]]:
    """Return what is called as sk.tl.enhance (without sk.) → the documents that do so, guides first."""
    found: dict[str, list[str]] = {}
    for path in PAGES:
        where = f"/notebooks/{path.stem}" if path.suffix == ".py" else f"/{path.stem}"
        if where in ("/gallery", "/index"):
            continue
        for name in dict.fromkeys(_CALL.findall(path.read_text(encoding="utf-8"))):
            found.setdefault(name, []).append(where)
    return found


USES = _uses()


def _picture(name: str) -> Path | None:
    """Return the picture of a plot in the gallery."""
    path = HERE / "figures" / "gallery" / f"{name}.png"
    return path if path.is_file() else None


def _add_picture_and_uses(app: object, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Begin the page of a plot with its picture, and end the page of a function with the documents that use it."""
    short = name.removeprefix("sccase_kit.")
    module, _, function = short.rpartition(".")
    if module == "pl" and _picture(function):
        lines[1:1] = ["", f".. image:: /figures/gallery/{function}.png", "   :width: 600px", f"   :alt: {short}", ""]
    if what in ("function", "class") and (used := USES.get(short)):
        links = ", ".join(f":doc:`{where}`" for where in used)
        lines += ["", ".. rubric:: Used in", "", links, ""]


def setup(app: object) -> None:
    """Register what happens to docstrings, after napoleon has read them."""
    app.connect("autodoc-process-docstring", _add_picture_and_uses, priority=900)


def _gallery_table(module: object, names: list[str]) -> str:
    """Return a table with the picture of every plot beside its name and what it draws."""
    rows = [".. list-table::", "   :widths: 45 55", "   :class: plots", ""]
    for name in names:
        summary = (inspect.getdoc(getattr(module, name)) or "").split("\n\n")[0].replace("\n", " ")
        picture = f".. image:: /figures/gallery/{name}.png\n          :width: 260px\n          :alt: sk.pl.{name}"
        rows += [f"   * - :func:`~sccase_kit.pl.{name}`", "", f"       {summary}", f"     - {picture}"]
    return "\n".join(rows)


def _write_api() -> None:
    """Write one page per module with a table of its public names, each of which gets a page of its own."""
    folder = HERE / "api"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    lines = ["# API", "", "```python", "import sccase_kit as sk", "```", "", "```{toctree}", ":maxdepth: 1", ""]
    for name, title in MODULES.items():
        module = import_module(f"sccase_kit.{name}")
        named = {item: getattr(getattr(module, item), "__name__", "") for item in module.__all__}
        public = [item for item, name in named.items() if name == item]  # no former names, no tables
        body = "\n".join(f"   {item}" for item in public)
        rule = "=" * (len(title) + len(name) + 10)
        text = f"``sk.{name}``: {title}\n{rule}\n\n.. currentmodule:: sccase_kit.{name}\n\n"
        if name == "pl":
            text += f"{_gallery_table(module, [n for n in public if _picture(n)])}\n\nNames\n-----\n\n"
        text += f".. autosummary::\n   :toctree: generated\n   :nosignatures:\n\n{body}\n"
        (folder / f"{name}.rst").write_text(text, encoding="utf-8")
        lines.append(f"{name}")
    (folder / "index.md").write_text("\n".join([*lines, "```", ""]), encoding="utf-8")


def _copy_notebooks() -> None:
    """Copy the notebooks next to the pages; the build executes them."""
    folder = HERE / "notebooks"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for source in sorted((HERE.parent / "notebooks").glob("*.ipynb")):
        shutil.copy(source, folder / source.name)


_write_api()
_copy_notebooks()
