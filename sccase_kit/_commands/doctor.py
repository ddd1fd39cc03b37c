"""Check the machine: Python packages, BEDTools, R and its packages, memory; say how to mend what is missing."""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import sys
from importlib import metadata
from typing import Any

HELP = "check the installation and say how to mend it"

#: Optional modules: distribution, what they are for, the extra that brings them.
OPTIONAL = {
    "pybedtools": ("pybedtools", "interval algebra", "genomics"),
    "pyfaidx": ("pyfaidx", "peak sequences from FASTA", "genomics"),
    "pyjaspar": ("pyjaspar", "JASPAR motifs", "genomics"),
    "gseapy": ("gseapy", "gene-level enrichment", "enrich"),
    "rpy2": ("rpy2.rinterface", "the R engines", "r"),
    "dask": ("dask", "lazy and distributed data", "scale"),
    "zarr": ("zarr", "zarr stores", "scale"),
    "torch": ("torch", "the GPU backend", "gpu"),
    "episcanpy": ("episcanpy", "comparison with EpiScanpy", "episcanpy"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments (none)."""


def _core() -> list[dict[str, str]]:
    names = ["numpy", "scipy", "pandas", "anndata", "scanpy", "scikit-learn", "numba", "igraph", "matplotlib"]
    return [{"check": name, "state": "ok", "found": metadata.version(name), "mend": ""} for name in names]


def _optional() -> list[dict[str, str]]:
    rows = []
    for name, (module, purpose, extra) in OPTIONAL.items():
        try:
            importlib.import_module(module)
        except Exception as err:  # noqa: BLE001  # an optional package may fail in any way; the row says how
            mend = f"pip install 'sccase_kit[{extra}]'"
            state = "missing" if isinstance(err, ModuleNotFoundError) else f"broken: {type(err).__name__}"
            rows.append({"check": f"{name} ({purpose})", "state": state, "found": "", "mend": mend})
        else:
            rows.append({"check": f"{name} ({purpose})", "state": "ok", "found": metadata.version(name), "mend": ""})
    return rows


def _programs() -> list[dict[str, str]]:
    rows = []
    for program, package in {"bedtools": "bedtools", "Rscript": "r-base-core"}.items():
        path = shutil.which(program)
        mend = (
            "" if path else f"apt-get install {package}  (or: conda install {'r-base' if 'R' in program else package})"
        )
        rows.append({"check": program, "state": "ok" if path else "missing", "found": path or "", "mend": mend})
    return rows


def _memory() -> dict[str, str]:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"check": "memory", "state": "ok" if total >= 4 else "low", "found": f"{total:.1f} GiB", "mend": ""}


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Return the table of checks."""
    del args
    rows = [
        {"check": "Python", "state": "ok", "found": sys.version.split()[0], "mend": ""},
        *_core(),
        *_optional(),
        *_programs(),
        _memory(),
    ]
    return {"checks": rows, "all core checks": "ok"}


def show(result: dict[str, Any]) -> str:
    """Return the checks as an aligned table."""
    rows = result["checks"]
    width = max(len(row["check"]) for row in rows)
    return "\n".join(f"{r['check']:<{width}}  {r['state']:<10}  {r['found']:<12}  {r['mend']}".rstrip() for r in rows)
