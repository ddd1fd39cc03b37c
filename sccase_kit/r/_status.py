"""What of R is there, and the line that installs what is not."""

from __future__ import annotations

import subprocess
import sys

import pandas as pd

from sccase_kit._optional import MissingProgramError

from ._locate import INSTALL_R, install_line, rscript
from ._pairs import PAIR, explain, installed

_PACKAGES = {
    "Matrix": "sparse matrices",
    "SummarizedExperiment": "to_r, from_r, chromvar, match_motifs",
    "SingleCellExperiment": "to_r(kind='SingleCellExperiment')",
    "chromVAR": "chromvar",
    "motifmatchr": "match_motifs",
    "TFBSTools": "match_motifs",
    "scABC": "scabc",
}

_QUERY = (
    'cat(as.character(getRversion()), "\\n"); for (p in commandArgs(TRUE)) '
    'cat(p, if (nzchar(system.file(package = p))) as.character(utils::packageVersion(p)) else "-", "\\n")'
)


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=120)


def _query(*packages: str) -> tuple[str, dict[str, str | None]]:
    """Return R's version and the version of each package (None: not installed)."""
    done = _run([rscript(), "-e", _QUERY, *packages])
    lines = done.stdout.strip().splitlines()[-len(packages) - 1 :]
    if done.returncode != 0 or len(lines) != len(packages) + 1:
        msg = f"Rscript does not run (exit status {done.returncode}): {done.stderr.strip()[-500:]}"
        raise OSError(msg)
    found = dict(line.split() for line in lines[1:])
    return lines[0].strip(), {name: None if number == "-" else number for name, number in found.items()}


def available(*packages: str) -> bool:
    """Return whether R is there with all of `packages` installed; False, never an error, where it is not.

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
        return all(_query(*packages)[1].values())
    except (MissingProgramError, OSError, subprocess.SubprocessError):
        return False


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
        One row per component with columns component, version (None: missing), used_by and note (what to do).
    """
    columns = ["component", "version", "used_by", "note"]
    rows: list[tuple[str, str | None, str, str]] = []
    failure = ""
    try:
        version, packages = _query(*_PACKAGES)
        rows.append(("R", version, "everything here", rscript()))
    except (MissingProgramError, OSError, subprocess.SubprocessError) as err:
        failure = str(err)
        version, packages = None, dict.fromkeys(_PACKAGES)
        rows.append(("R", None, "everything here", INSTALL_R if isinstance(err, MissingProgramError) else failure))
    numbers = installed()
    shown = " / ".join(number or "-" for number in numbers.values()) if any(numbers.values()) else None
    if version is None:
        note = f"needs R first; then: pip install {PAIR}"
    else:
        note = bridge_problem() or "starts"
    rows.append(("rpy2 / robjects / rinterface", shown, "to_r, from_r, evaluate, %%R", note))
    for package, use in _PACKAGES.items():
        number = packages[package]
        rows.append((package, number, use, "" if number else ("needs R first" if failure else install_line(package))))
    return pd.DataFrame(rows, columns=columns).astype({"version": object})


def status() -> None:
    """Print a table of R, rpy2 and the R packages: found or not, version, the line that installs what is missing.

    Works without R and says so. Pairs of rpy2 and R that do not go together are recognised and explained. The
    same table as a DataFrame: :func:`status_table`.
    """
    table = status_table()
    widths = [max(len(str(value)) for value in [*table[name].fillna("missing"), name]) for name in table.columns[:3]]
    print(*(name.ljust(width) for name, width in zip(table.columns, widths, strict=False)), table.columns[3], sep="  ")
    for row in table.itertuples(index=False):
        cells = [str("missing" if pd.isna(value) else value) for value in row]
        print(*(cell.ljust(width) for cell, width in zip(cells, widths, strict=False)), cells[3], sep="  ")
