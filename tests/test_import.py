"""Importing the package is cheap, starts nothing, and layers import downwards only."""

from __future__ import annotations

import ast
import json
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
    assert not {name for name in foreign if not name.startswith("_")} - {"yaml", "igraph", "leidenalg"}


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


FRONTS = {"tl", "pl", "pp", "cli", "_commands", "report", "datasets"}


@pytest.mark.parametrize("package", ["enhance", "peaks", "motifs", "regions"])
def test_numerics_do_not_import_fronts(package):
    bad = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in files(package)
        for module, _ in imports_of(path)
        if part_of(module) in FRONTS
    ]
    assert not bad


@pytest.mark.parametrize("package", ["enhance", "peaks", "motifs"])
def test_numerics_read_blocks_and_write_nothing(package):
    bad = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in files(package)
        for module, _ in imports_of(path)
        if part_of(module) == "io" and module != "sccase_kit.matrix.blocks"
    ]
    assert not bad


@pytest.mark.parametrize("package", ["enhance", "peaks", "motifs"])
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
        if part_of(module) in {"cli", "_commands"} and path.parent.name != "_commands" and path.name != "cli.py"
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
