"""Importing the package is cheap, starts nothing, and layers import downwards only."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sccase_kit

ROOT = Path(sccase_kit.__file__).parent

_PROBE = """
import json, logging, random, sys, threading, warnings
import numpy as np
import scanpy, pooch
before = set(sys.modules)
state = random.getstate(), np.random.get_state()[1].tolist()
filters, threads, handlers = list(warnings.filters), threading.active_count(), list(logging.root.handlers)
import sccase_kit
for name in sccase_kit.__all__:
    getattr(sccase_kit, name)
print(json.dumps({
    "new": sorted(set(sys.modules) - before),
    "packages": sorted({name.split(".")[0] for name in sys.modules} - {name.split(".")[0] for name in before}),
    "all": sorted(sys.modules),
    "random": (random.getstate(), np.random.get_state()[1].tolist()) == state,
    "filters": warnings.filters == filters,
    "threads": threading.active_count() == threads,
    "logging": logging.root.handlers == handlers and logging.getLogger("sccase_kit").level == 0,
}))
"""


@pytest.fixture(scope="module")
def imported():
    done = subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, text=True, timeout=120, check=True)
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_parts_are_imported_when_they_are_used():
    """`import sccase_kit` and `sccase-kit --help` must be there at once."""
    probe = """
import contextlib, io, sys
import sccase_kit as sk
from sccase_kit import cli
with contextlib.redirect_stdout(io.StringIO()) as text, contextlib.suppress(SystemExit):
    cli.main(["--help"])
assert "enhance a count matrix" in text.getvalue()
print(sorted({"numpy", "pandas", "anndata", "scanpy", "scipy", "argparse"} & set(sys.modules)))
print(sk.tl.enhance.__name__, sk.read.__name__, "anndata" in sys.modules, "scanpy" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.splitlines() == ["['argparse']", "enhance read True False"]


def test_unknown_parts_are_refused():
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        sccase_kit.nope  # noqa: B018
    assert set(sccase_kit.__all__) <= set(dir(sccase_kit))


@pytest.mark.parametrize(
    "module",
    [
        *["rpy2", "dask.array", "distributed", "torch", "pybedtools", "pyfaidx", "gseapy", "pyjaspar", "Bio", "zarr"],
        *["episcanpy", "scib_metrics", "anndata2ri", "IPython", "requests", "muon", "mudata", "ldsc", "pyldsc"],
    ],
)
def test_optional_modules_are_not_imported_by_us(imported, module):
    assert module not in imported["new"]


@pytest.mark.parametrize("module", ["rpy2", "torch", "pybedtools", "pyfaidx", "gseapy", "pyjaspar", "episcanpy"])
def test_optional_modules_are_not_imported_at_all(imported, module):
    assert module not in imported["all"]


def test_nothing_happens_at_import(imported):
    assert imported["random"]
    assert imported["filters"]
    assert imported["threads"]
    assert imported["logging"]


def test_few_modules_come_on_top_of_scanpy(imported):
    foreign = set(imported["packages"]) - {"sccase_kit"} - set(sys.stdlib_module_names)
    assert not {name for name in foreign if not name.startswith("_")} - {"yaml", "igraph"}


def imports_of(path):
    """Return (module, at module level) of every import in a file, relative ones resolved below the package."""
    package = path.relative_to(ROOT.parent).with_suffix("").parts[:-1]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = {id(node) for node in tree.body}
    for node in tree.body:
        if isinstance(node, (ast.If, ast.Try)):
            top |= {id(child) for child in ast.walk(node)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) in top) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            module = ".".join([*base, *(node.module.split(".") if node.module else [])])
            names = [f"{module}.{alias.name}" for alias in node.names] if node.level and not node.module else [module]
            found += [(name, id(node) in top) for name in names]
    return found


def files(*packages):
    return [path for package in packages for path in sorted((ROOT / package).glob("**/*.py"))]


def part_of(module):
    """Return the subpackage of `sccase_kit` that a module belongs to, or ''."""
    parts = module.split(".")
    return parts[1] if parts[0] == "sccase_kit" and len(parts) > 1 else ""


#: The floors of the house, from the ground up; a part imports from its own floor only itself, and else from below.
FLOORS = [
    sorted({path.stem for path in ROOT.glob("_*.py")} - {"__init__", "__main__"}),
    ["matrix", "pages"],
    ["neighbors"],
    ["intervals"],
    ["gene_sets", "genes", "snpsea", "motifs", "peaks", "enhance", "fragments"],
    ["great", "ldsc"],
    ["regions", "get", "pp"],
    ["metrics"],
    ["io"],
    ["datasets", "r", "interpret"],
    ["pl"],
    ["tl"],
    ["report"],
    ["paper"],
    ["_commands"],
    ["cli"],
    ["start"],
    ["__main__"],
]
FLOOR_OF = {part: floor for floor, parts in enumerate(FLOORS) for part in parts}
NUMERICS = [
    *["matrix", "neighbors", "intervals", "gene_sets", "genes", "snpsea", "motifs", "peaks", "enhance", "fragments"],
    *["great", "ldsc"],
]


def home_of(path):
    """Return the part of the house that a file belongs to."""
    return path.relative_to(ROOT).with_suffix("").parts[0]


def modules():
    return [path for path in sorted(ROOT.glob("**/*.py")) if path != ROOT / "__init__.py"]


def test_every_part_has_a_floor():
    assert {home_of(path) for path in modules()} == set(FLOOR_OF)


def test_imports_go_down():
    """Lazy ones too: what a function imports from above is a knot as well."""
    bad = []
    for path in modules():
        home = home_of(path)
        for module, _ in imports_of(path):
            part = part_of(module)
            if part and part != home and FLOOR_OF[part] >= FLOOR_OF[home] and not (part[0] == home[0] == "_"):
                bad.append(f"{path.relative_to(ROOT)} imports {module}")
    assert not bad


def test_no_folder_reaches_into_what_another_keeps_to_itself():
    """A module or name with an underscore belongs to its folder."""
    bad = []
    for path in modules():
        for module, name in names_of(path):
            parts = module.split(".")
            if (
                len(parts) > 2
                and parts[1] != home_of(path)
                and any(part.startswith("_") for part in [*parts[2:], name])
            ):
                bad.append(f"{path.relative_to(ROOT)} imports {name} from {module}")
    assert not bad


#: What `importlib` is given: sccase_kit.part.module, or sccase_kit.part.module:name.
_PATH = re.compile(r"sccase_kit(\.\w+){2,}(:\w+)?")


def names_of(path):
    """Return (module, name) of every import of our own in a file: relative, absolute, or of a name in a string."""
    package = path.relative_to(ROOT.parent).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            module = ".".join([*base, *(node.module.split(".") if node.module else [])])
            if module.split(".")[0] == "sccase_kit":
                yield from ((module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name.startswith("sccase_kit."))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _PATH.fullmatch(node.value):
            module, _, name = node.value.partition(":")
            yield module, name


def test_names_in_every_form_are_seen(tmp_path, monkeypatch):
    source = "from ..io import _a\nfrom sccase_kit.io._b import c\nimport sccase_kit.io._d\nx = 'sccase_kit.r._e:f'\n"
    monkeypatch.setitem(names_of.__globals__, "ROOT", tmp_path / "sccase_kit")
    path = tmp_path / "sccase_kit" / "tl" / "_x.py"
    path.parent.mkdir(parents=True)
    path.write_text(source)
    assert set(names_of(path)) == {
        ("sccase_kit.io", "_a"),
        ("sccase_kit.io._b", "c"),
        ("sccase_kit.io._d", ""),
        ("sccase_kit.r._e", "f"),
    }


@pytest.mark.parametrize(
    "package", ["enhance", "peaks", "motifs", "neighbors", "great", "snpsea", "fragments", "pages"]
)
def test_numerics_do_not_know_anndata_scanpy_or_plots(package):
    bad = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in files(package)
        for module, _ in imports_of(path)
        if module.split(".")[0] in {"anndata", "scanpy", "matplotlib", "seaborn", "rpy2"}
    ]
    assert not bad


def test_only_the_bridge_knows_r():
    bad = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sorted(ROOT.glob("**/*.py"))
        for module, _ in imports_of(path)
        if module.split(".")[0] == "rpy2" and path.parent.name != "r"
    ]
    assert not bad


@pytest.mark.parametrize(
    "module", ["matplotlib.pyplot", "seaborn", "scanpy", "dask", "rpy2", "pybedtools", "gseapy", "pyfaidx", "zarr"]
)
def test_heavy_modules_are_imported_inside_functions(module):
    bad = [
        str(path.relative_to(ROOT))
        for path in sorted(ROOT.glob("**/*.py"))
        for name, top in imports_of(path)
        if top and (name == module or name.startswith(f"{module}."))
    ]
    assert not bad


def test_the_rest_does_not_import_the_command_line_or_the_report():
    bad = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sorted(ROOT.glob("**/*.py"))
        for module, _ in imports_of(path)
        if part_of(module) in {"cli", "_commands"}
        and path.parent.name != "_commands"
        and path.name not in {"cli.py", "start.py", "__main__.py"}
    ]
    assert not bad


def test_every_module_says_what_it_is():
    bad = [
        str(path.relative_to(ROOT))
        for path in sorted(ROOT.glob("**/*.py"))
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not bad


def test_modules_stay_small():
    sizes = {str(p.relative_to(ROOT)): len(p.read_text("utf-8").splitlines()) for p in sorted(ROOT.glob("**/*.py"))}
    assert not {name: size for name, size in sizes.items() if size > 600}
