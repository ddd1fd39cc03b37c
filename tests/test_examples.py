"""The examples in docstrings run, and so does the one in the README."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import textwrap
from pathlib import Path

import pytest

import sccase_kit

ROOT = Path(__file__).resolve().parents[1]


def modules_with_examples():
    found = []
    for info in pkgutil.walk_packages(sccase_kit.__path__, "sccase_kit."):
        source = importlib.util.find_spec(info.name).origin
        if source and ">>>" in Path(source).read_text(encoding="utf-8"):
            found.append(info.name)
    return found


@pytest.mark.parametrize("name", modules_with_examples())
def test_examples_of(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    globs = {"sk": sccase_kit}
    result = doctest.testmod(importlib.import_module(name), optionflags=flags, extraglobs=globs)
    assert result.attempted > 0
    assert result.failed == 0


def test_there_are_examples():
    assert modules_with_examples()


def test_example_of_the_readme(tmp_path, monkeypatch):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"## Ten lines\n\n```python\n(.*?)```", text, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    assert (tmp_path / "enhanced.h5ad").is_file()


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda p: p.stem)
def test_python_of_the_pages_parses(page):
    """Calls name things that exist; the pages' inputs (genomes, atlases) are not here to run them."""
    blocks = re.findall(r"^ *```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for block in map(textwrap.dedent, blocks):
        lines = [line for line in block.splitlines() if not line.lstrip().startswith("%")]
        if "%%R" not in block:
            compile("\n".join(lines), page.name, "exec")
        for chain in re.findall(r"\bsk((?:\.\w+)+)", block):
            value = sccase_kit
            for part in chain.strip(".").split("."):
                assert hasattr(value, part), f"sk{chain}"
                value = getattr(value, part)
                if not isinstance(value, type(sccase_kit)):
                    break


def test_pages_name_only_what_exists():
    text = "\n".join(p.read_text(encoding="utf-8") for p in [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"])
    for name in set(re.findall(r"`sk\.(\w+\.\w+)", text)):
        module, item = name.split(".")
        assert hasattr(getattr(sccase_kit, module), item), f"sk.{name}"
    for command in set(re.findall(r"`sccase-kit (\w[\w-]*)", text)):
        from sccase_kit.cli import COMMANDS

        assert command in COMMANDS
