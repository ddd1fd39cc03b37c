"""Run the SNPsea program and follow what it does."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pandas as pd

from .._arguments import checked
from .._atomic import replacing
from .._logging import logger
from .._optional import require_program
from .._progress import progress
from .._text_files import open_text
from .tables import condition_names

_HINT = "Build it from https://github.com/slowkow/snpsea, or use engine='python'."
_STARTED = "Computing one column at a time ..."


@checked()
def run_snpsea(
    snps: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    gene_matrix: str | os.PathLike[str],
    gene_intervals: str | os.PathLike[str],
    snp_intervals: str | os.PathLike[str],
    null_snps: str | os.PathLike[str],
    condition: str | Sequence[str] = (),
    score: str = "single",
    slop: int = 10_000,
    min_observations: int = 100,
    max_iterations: int = 100_000,
    threads: int = 1,
) -> pd.DataFrame:
    """Run the program ``snpsea`` on files and return its p-values.

    Parameters
    ----------
    snps
        File of SNPs, as :func:`write_snpsea` writes it.
    out
        Folder for the program's output; it appears when the program has ended well.
    gene_matrix, gene_intervals, snp_intervals, null_snps
        Files; see :func:`sccase_kit.regions.snpsea`.
    condition, score, slop, min_observations, max_iterations
        See :func:`sccase_kit.regions.snpsea`.
    threads
        Threads of the program.

    Returns
    -------
    DataFrame condition, pvalue, nulls_observed, nulls_tested.

    Raises
    ------
    MissingProgramError
        If the program is not on the PATH.
    FileNotFoundError
        If one of the files is not there.
    RuntimeError
        If it fails; the message holds the end of what it printed.
    """
    program = require_program("snpsea", hint=_HINT)
    names = condition_names(condition)
    files = {
        "--snps": snps,
        "--gene-matrix": gene_matrix,
        "--gene-intervals": gene_intervals,
        "--snp-intervals": snp_intervals,
        "--null-snps": null_snps,
    }
    for flag, file in files.items():
        if not Path(file).is_file():
            msg = f"{flag[2:].replace('-', '_')}: there is no file {str(file)!r}"
            raise FileNotFoundError(msg)
    numbers = {
        "--score": score,
        "--slop": slop,
        "--threads": threads,
        "--null-snpsets": 0,
        "--min-observations": min_observations,
        "--max-iterations": max_iterations,
    }
    with replacing(out, folder=True) as folder, tempfile.TemporaryDirectory(prefix="sccase_kit_") as scratch:
        folder.mkdir()
        command = [program, *(str(part) for pair in (files | numbers).items() for part in pair), "--out", str(folder)]
        if names:
            listed = Path(scratch) / "condition.txt"
            listed.write_text("".join(f"{c}\n" for c in names), encoding="utf-8")
            command += ["--condition", str(listed)]
        logger.info("running %s", shlex.join(command))
        columns = _n_columns(gene_matrix)
        _watch(command, folder / "log.txt", columns and columns - len(names))
        table = folder / "condition_pvalues.txt"
        if not table.is_file():
            msg = f"snpsea ended without an error but wrote no {table.name}"
            raise RuntimeError(msg)
        result = pd.read_csv(table, sep="\t")
    return result


def _watch(command: list[str], log: Path, total: int | None) -> None:
    """Run the program, following the dots it writes to its log, one per column; kill it on any error, Ctrl-C included.

    What it prints goes to a file: a full pipe would block it.
    """
    with tempfile.TemporaryFile() as printed, progress(desc="snpsea", total=total, unit="condition") as bar:
        process = subprocess.Popen(command, stdout=printed, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        try:
            while process.poll() is None:
                bar.update(_columns_done(log) - bar.n)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=0.2)
        except BaseException:
            process.kill()
            process.wait()
            raise
        bar.update(_columns_done(log) - bar.n)
        if process.returncode:
            printed.seek(0)
            tail = printed.read()[-600:].decode(errors="replace").strip()
            msg = f"snpsea ended with code {process.returncode}: {tail}"
            raise RuntimeError(msg)


def _columns_done(log: Path) -> int:
    """Count the dots after the line in which the program says that it computes the columns."""
    with suppress(FileNotFoundError):
        return log.read_text(encoding="utf-8", errors="replace").partition(_STARTED)[2].partition("#")[0].count(".")
    return 0


def _n_columns(gene_matrix: str | os.PathLike[str]) -> int | None:
    """Return the number of columns that the second line of a GCT file announces."""
    with open_text(gene_matrix) as handle:
        cells = [handle.readline() for _ in range(2)][1].split()
    return int(cells[1]) if len(cells) > 1 and cells[1].isdigit() else None
