"""The tables of docs/methods.md are those of the code: SCCASE_KIT_UPDATE_DOCS=1 writes them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import sccase_kit as sk
from sccase_kit.enhance.method import TAKES

PAGE = Path(sk.__file__).parents[1] / "docs" / "methods.md"
START, END = "<!-- start of the tables: written by tests/test_docs_methods.py -->", "<!-- end of the tables -->"


def tables() -> str:
    """Return the table of methods, and one of the options of each."""
    parts = [TAKES[part] for part in TAKES]
    lines = [
        f"| `method=` | what it is | {' | '.join(f'`{part}`' for part in parts)} |",
        "|---" * (2 + len(parts)) + "|",
    ]
    for name, method in sk.enhance.METHODS.items():
        cells = ["yes" if part in method.takes else "" for part in TAKES]
        if not method.combines:
            cells = [
                f"{cell}, one" if cell and part in ("reference", "depth", "batch") else cell
                for cell, part in zip(cells, TAKES, strict=True)
            ]
        lines.append(f"| `{name}` | {method.summary} | {' | '.join(cells)} |")
    lines += ["", "Options, with their defaults:", "", "| method | option | default | meaning |", "|---|---|---|---|"]
    for name, method in sk.enhance.METHODS.items():
        defaults = method.defaults()
        for option, entry in method.options().items():
            needs = f" (with `{TAKES[entry.needs]}`)" if entry.needs else ""
            lines.append(f"| `{name}` | `{option}` | `{defaults[option]!r}` | {entry.meaning}{needs} |")
    return "\n".join(lines)


@pytest.mark.skipif(not PAGE.exists(), reason="the pages are not installed with the package")
def test_the_page_has_the_tables_of_the_code():
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(START)
    inside, after = rest.split(END)
    if os.environ.get("SCCASE_KIT_UPDATE_DOCS") == "1":
        PAGE.write_text(f"{before}{START}\n\n{tables()}\n\n{END}{after}", encoding="utf-8")
        return
    assert inside.strip() == tables(), "run SCCASE_KIT_UPDATE_DOCS=1 python -m pytest tests/test_docs_methods.py"
