"""What of R is there and can be loaded, and the line that installs what is not."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import NamedTuple

import pandas as pd

from .._arguments import checked
from .._optional import MissingProgramError
from ._locate import INSTALL_R, rscript, scripts_dir
from ._pairs import PAIR, explain, installed

_PACKAGES = {
    "Matrix": "sparse matrices",
    "SummarizedExperiment": "to_r, from_r, chromvar, match_motifs",
    "SingleCellExperiment": "to_r(kind='SingleCellExperiment')",
    "chromVAR": "chromvar",
    "motifmatchr": "match_motifs",
    "TFBSTools": "match_motifs",
    "scABC": "scabc",
    "edgeR": "edger, limma",
    "limma": "limma",
    "betterChromVAR": "better_chromvar",
    "rGREAT": "rgreat",
}

_ENVIRONMENT = ("PATH", "R_HOME", "R_LIBS", "R_LIBS_USER", "R_LIBS_SITE", "R_PROFILE_USER", "R_ENVIRON_USER")


class _Package(NamedTuple):
    version: str | None
    problem: str
    command: str


_loaded: dict[tuple[object, ...], dict[str, _Package]] = {}
"""R itself and the packages that were loaded without a problem, by the environment that R was started in."""


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=300)


def _query(*packages: str) -> dict[str, _Package]:
    """Return version (None: not installed), problem ("": it loads) and remedy of "R" and of each package.

    What was loaded once is not asked for again.
    """
    key = (rscript(), *(os.environ.get(name) for name in _ENVIRONMENT))
    known = _loaded.setdefault(key, {})
    wanted = [name for name in packages if name not in known]
    if wanted or "R" not in known:
        done = _run([rscript(), str(scripts_dir() / "lib" / "packages.R"), *wanted])
        lines = [line.split("\t") for line in done.stdout.splitlines() if line.count("\t") >= 3]
        if done.returncode != 0 or len(lines) != len(wanted) + 1:
            msg = f"Rscript does not run (exit status {done.returncode}): {done.stderr.strip()[-500:]}"
            raise OSError(msg)
        found = {name: _Package(version or None, problem, command) for name, version, problem, command, *_ in lines}
        known.update({name: package for name, package in found.items() if not package.problem})
        return known | found
    return known


@checked()
def available(*packages: str) -> bool:
    """Return whether R is there and loads all of `packages`; False, never an error, where it does not.

    Each package is loaded, in a process of its own, since one whose dependencies are missing is installed and yet
    cannot be used. What was loaded once is not asked for again in this process.

    Parameters
    ----------
    *packages
        Names of R packages; without any, R alone is asked for.

    Returns
    -------
    Whether all of it is there.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> sk.r.available("noSuchPackage")
    False
    """
    try:
        found = _query(*packages)
    except (MissingProgramError, OSError, subprocess.SubprocessError):
        return False
    return not any(found[name].problem for name in packages)


def bridge_problem() -> str | None:
    """Return why rpy2 does not start (with the way out), or None if it does; tried in a process of its own."""
    try:
        done = _run([sys.executable, "-W", "ignore", "-c", "import rpy2.rinterface as ri; ri.initr()"])
    except (OSError, subprocess.SubprocessError) as err:
        return explain(str(err))
    if done.returncode == 0:
        return None
    lines = [line for line in done.stderr.strip().splitlines() if line.strip()]
    errors = [line for line in lines if "undefined symbol" in line or "Error" in line]
    return explain((errors or lines or [f"exit status {done.returncode}"])[-1].strip())


def status_table() -> pd.DataFrame:
    """Return what :func:`status` prints.

    Returns
    -------
    DataFrame
        One row per component with columns component, version (None: missing), used_by and note: what to do, and for a
        package that is installed but cannot be loaded what R says.
    """
    columns = ["component", "version", "used_by", "note"]
    rows: list[tuple[str, str | None, str, str]] = []
    failure = ""
    packages = dict.fromkeys(_PACKAGES, _Package(None, "", ""))
    try:
        packages = _query(*_PACKAGES)
        rows.append(("R", packages["R"].version, "everything here", rscript()))
    except (MissingProgramError, OSError, subprocess.SubprocessError) as err:
        failure = str(err)
        rows.append(("R", None, "everything here", INSTALL_R if isinstance(err, MissingProgramError) else failure))
    numbers = installed()
    shown = " / ".join(number or "-" for number in numbers.values()) if any(numbers.values()) else None
    note = f"needs R first; then: pip install {PAIR}" if failure else bridge_problem() or "starts"
    rows.append(("rpy2 / robjects / rinterface", shown, "to_r, from_r, evaluate, %%R", note))
    for package, use in _PACKAGES.items():
        found = packages[package]
        rows.append((package, found.version, use, "needs R first" if failure else _note(found)))
    return pd.DataFrame(rows, columns=columns).astype({"version": object})


def _note(package: _Package) -> str:
    if not package.problem:
        return ""
    return package.command if package.version is None else f"cannot be loaded ({package.problem}); {package.command}"


def status() -> None:
    """Print a table of R, rpy2 and the R packages: found or not, version, the line that installs what is missing.

    Works without R and says so. Pairs of rpy2 and R that do not go together are recognised and explained, and packages
    are loaded, so that one that lacks its own dependencies is named. The same table as a DataFrame:
    :func:`status_table`.
    """
    table = status_table()
    widths = [max(len(str(value)) for value in [*table[name].fillna("missing"), name]) for name in table.columns[:3]]
    print(*(name.ljust(width) for name, width in zip(table.columns, widths, strict=False)), table.columns[3], sep="  ")
    for row in table.itertuples(index=False):
        cells = [str("missing" if pd.isna(value) else value) for value in row]
        print(*(cell.ljust(width) for cell, width in zip(cells, widths, strict=False)), cells[3], sep="  ")
