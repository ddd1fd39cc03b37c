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
EXAMPLE = """example:
  sccase-kit doctor --no-r

The exit code is 1 if the package itself cannot work, and 0 if only optional parts are missing."""

CORE = [
    *["numpy", "scipy", "pandas", "anndata", "h5py", "scanpy", "scikit-learn", "numba"],
    *["igraph", "matplotlib", "seaborn", "pooch", "pyyaml", "tqdm"],
]
#: Optional modules: distribution, what they are for, the extra that brings them.
OPTIONAL = {
    "pybedtools": ("pybedtools", "interval algebra", "genomics"),
    "pyfaidx": ("pyfaidx", "peak sequences from FASTA", "genomics"),
    "pyjaspar": ("pyjaspar", "JASPAR motifs", "genomics"),
    "gseapy": ("gseapy", "gene-level enrichment", "enrich"),
    "dask": ("dask", "lazy and distributed data", "scale"),
    "zarr": ("zarr", "zarr stores", "scale"),
    "torch": ("torch", "the GPU backend", "gpu"),
    "episcanpy": ("episcanpy", "comparison with EpiScanpy", "episcanpy"),
}
_LOW_MEMORY = 4.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--no-r", action="store_true", help="do not start R to look at its packages")


def _row(check: str, state: str, found: str = "", mend: str = "") -> dict[str, str]:
    return {"check": check, "state": state, "found": found, "mend": mend}


def _core() -> list[dict[str, str]]:
    rows = []
    for name in CORE:
        try:
            rows.append(_row(name, "ok", metadata.version(name)))
        except metadata.PackageNotFoundError:
            rows.append(_row(name, "missing", mend=f"pip install {name}"))
    return rows


def _optional() -> list[dict[str, str]]:
    rows = []
    for name, (module, purpose, extra) in OPTIONAL.items():
        label = f"{name} ({purpose})"
        try:
            importlib.import_module(module)
        except Exception as err:  # noqa: BLE001  # an optional package may fail in any way; the row says how
            state = "missing" if isinstance(err, ModuleNotFoundError) else f"broken: {type(err).__name__}"
            rows.append(_row(label, state, mend=f"pip install 'sccase_kit[{extra}]'"))
        else:
            rows.append(_row(label, "ok", metadata.version(name)))
    return rows


def _bedtools() -> dict[str, str]:
    path = shutil.which("bedtools")
    mend = "" if path else "apt-get install bedtools  (or: conda install -c bioconda bedtools)"
    return _row("bedtools", "ok" if path else "missing", path or "", mend)


def _r() -> list[dict[str, str]]:
    from ..r import status_table

    rows = []
    for line in status_table().fillna("").to_dict("records"):
        there = bool(line["version"])
        works = there and (line["component"] == "R" or line["note"] in ("", "starts"))
        state = "ok" if works else "broken" if there else "missing"
        mend = "" if works else str(line["note"])
        rows.append(_row(f"{line['component']} ({line['used_by']})", state, str(line["version"]), mend))
    return rows


def _memory() -> dict[str, str]:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (ValueError, OSError, AttributeError):
        return _row("memory", "unknown")
    low = total < _LOW_MEMORY
    mend = "read large files with backed=True, and set settings.block_bytes lower" if low else ""
    return _row("memory", "low" if low else "ok", f"{total:.1f} GiB", mend)


def _memories() -> list[dict[str, str]]:
    return [_memory()]


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Return the table of checks."""
    from .._progress import progress

    parts = {"packages": _core, "optional packages": _optional, "bedtools": lambda: [_bedtools()], "memory": _memories}
    parts |= {} if args.no_r else {"R and its packages": _r}
    found: dict[str, list[dict[str, str]]] = {}
    bar = progress(parts.items(), desc="doctor", unit="check")
    for name, look in bar:
        bar.set_description(f"doctor: {name}")
        found[name] = look()
    core = [_row("Python", "ok", sys.version.split()[0]), *found["packages"]]
    order = ["optional packages", "bedtools", "R and its packages", "memory"]
    rows = [*core, *(row for name in order for row in found.get(name, []))]
    broken = [row["check"] for row in core if row["state"] != "ok"]
    return {
        "checks": rows,
        "all core checks": "ok" if not broken else f"missing: {', '.join(broken)}",
        "exit_code": int(bool(broken)),
    }


def show(result: dict[str, Any]) -> str:
    """Return the checks as an aligned table."""
    rows = result["checks"]
    width = max(len(row["check"]) for row in rows)
    return "\n".join(f"{r['check']:<{width}}  {r['state']:<10}  {r['found']:<12}  {r['mend']}".rstrip() for r in rows)
