"""Input for SNPsea, and the SNPsea program."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pandas as pd

from .._logging import logger
from .._optional import require_program
from .._progress import progress
from ..regions._frame import as_regions, open_text
from ..regions._snps import read_snps, snps_in_regions
from ..regions._snpsea_files import condition_names
from ._atomic import replacing
from ._great import _file_name

_HINT = "Build it from https://github.com/slowkow/snpsea, or use engine='python'."
_STARTED = "Computing one column at a time ..."


def snps_by_group(peaks: object, snps: object, *, groupby: str | None = None) -> dict[str, pd.DataFrame]:
    """Return group → SNPs (chrom, pos, snp) inside its peaks; without groups the one group is called "peaks".

    Raises
    ------
    ValueError
        If a group's peaks hold no SNP.
    """
    table, known = as_regions(peaks, name="peaks"), read_snps(snps)
    if table.empty:
        msg = "peaks is empty: there is no region to look for SNPs in"
        raise ValueError(msg)
    if groupby is not None and groupby not in table.columns:
        msg = f"groupby={groupby!r} is not among the columns of peaks: {list(table.columns)}"
        raise KeyError(msg)
    whole = [("peaks", table)]
    parts = whole if groupby is None else table.groupby(groupby, sort=False, observed=True)
    found = {str(group): snps_in_regions(known, part) for group, part in parts}
    if empty := [group for group, part in found.items() if part.empty]:
        msg = f"no SNP lies inside the peaks of {empty}: same genome build? More peaks (n_top) may help"
        raise ValueError(msg)
    return found


def write_snpsea(
    peaks: object,
    snps: object,
    path: str | os.PathLike[str],
    *,
    groupby: str | None = None,
) -> dict[str, Path]:
    """Find the SNPs inside peaks, through BEDTools, and write them as SNPsea reads them.

    Parameters
    ----------
    peaks
        DataFrame chrom, start, end, AnnData, BED path or names.
    snps
        SNPs with positions on the same genome: DataFrame chrom, pos (1-based), snp; or a HapMap3 list, ``.bim``, BED4
        or VCF file. Chromosome names may differ in ``chr`` from those of the peaks.
    path
        File to write; with `groupby`, a folder (made if needed) for one file ``<group>.gwas`` per group.
    groupby
        Column of `peaks` with the groups.

    Returns
    -------
    Group → file; without groups the group is "peaks".

    Raises
    ------
    MissingProgramError
        If the program ``bedtools`` is not installed.
    ValueError
        If no SNP lies inside the peaks of a group, or SNPs have no positions. Nothing is written then.

    Notes
    -----
    Columns CHR, POS, SNP after one comment line; SNPsea 1.0.3 crashes on blank lines, so there is none. It reads gene
    and SNP intervals and null SNPs from its own data (hg19): peaks of another genome are to be lifted over first.
    """
    target = Path(path)
    groups = snps_by_group(peaks, snps, groupby=groupby)
    files = {g: target if groupby is None else target / f"{_file_name(g)}.gwas" for g in groups}
    if len(set(files.values())) < len(files):
        msg = f"groups give the same file names: {list(files)}; rename them"
        raise ValueError(msg)
    if groupby is not None:
        target.mkdir(parents=True, exist_ok=True)
    for group, table in groups.items():
        with replacing(files[group]) as temporary:
            table = table.drop_duplicates("snp").set_axis(["CHR", "POS", "SNP"], axis=1)
            text = table.to_csv(sep="\t", index=False, lineterminator="\n")
            temporary.write_text(f"# SNPs inside the peaks: {group}\n{text}", encoding="utf-8")
    return files


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
        logger.info("running %s", " ".join(command))
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
