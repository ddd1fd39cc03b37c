"""Peaks called from fragments by MACS3."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._logging import logger
from .._optional import require_program
from .._progress import progress
from .._validate import check_labels, check_number
from ._merge_peaks import merge_peaks
from .samples import JOINT, cells_of_samples, name_samples

#: MACS3's names of the effective genome sizes of the shipped genomes.
_SIZES = {"hg19": "hs", "hg38": "hs", "mm9": "mm", "mm10": "mm"}
_HINT = "Install it with: pip install macs3 (3.0.3 or later), or pass program= with its place"


@checked()
def call_peaks(
    fragments: str | os.PathLike[str] | Sequence[Any] | Mapping[str, Any],
    cells: Any | None = None,
    *,
    genome: str,
    groupby: str | None = None,
    genome_size: str | float | None = None,
    q_value: float = 0.05,
    width: int | None = 501,
    min_samples: int = 1,
    program: str = "macs3",
    options: Sequence[str] = (),
) -> pd.DataFrame:
    """Call peaks with MACS3, for each sample and group of cells, and make one set of them.

    MACS3 reads the fragment files itself (``-f FRAG``). Each fragment counts once: MACS3 by default counts it as often
    as it was read (column 5), so that duplicates of the PCR would make peaks; ``--max-count 1`` is passed.

    Parameters
    ----------
    fragments
        A file; a list of files; or a dict sample → file; see :func:`sccase_kit.read_fragments`.
    cells
        The barcodes that are cells, as in :func:`sccase_kit.read_fragments`, except a number; None takes all fragments.
    genome
        hg19, hg38, mm9 or mm10; or any other name, with `genome_size`.
    groupby
        Column of `obs`, where `cells` is an AnnData: peaks are called in each group, so that those of rare types are
        found.
    genome_size
        Effective genome size (``-g``) in place of that of `genome`.
    q_value
        Largest q-value of a peak (``-q``).
    width, min_samples
        See :func:`merge_peaks`, which joins the sets; ``width=None`` keeps the peaks' own widths.
    program
        Name or place of MACS3.
    options
        Further options of ``macs3 callpeak``.

    Returns
    -------
    DataFrame as of :func:`merge_peaks`: chrom, start, end, score, n_samples, sample (``sample`` or ``sample#group``).

    Raises
    ------
    MissingProgramError
        If MACS3 is not installed (a RuntimeError).
    ValueError
        If an argument does not fit, or MACS3 finds no peak.
    TypeError
        If `cells` is a number, or no AnnData where `groupby` is given.
    RuntimeError
        If MACS3 fails; its last lines are shown.

    Notes
    -----
    To count in the peaks: ``sk.read_fragments(fragments, sk.pp.call_peaks(fragments, cells, genome="hg38"), cells)``.

    References
    ----------
    Zhang et al., Genome Biol. 2008 (MACS).
    """
    check_number(q_value, name="q_value", minimum=0, maximum=1, exclusive=True)
    size = _SIZES.get(genome) if genome_size is None else str(genome_size)
    if size is None:
        msg = f"genome={genome!r} is none of {list(_SIZES)}: pass genome_size= with its effective size in bases"
        raise ValueError(msg)
    if isinstance(cells, int):
        msg = "cells must be barcodes here; count first (sccase_kit.read_fragments with tiles=) and pass its result"
        raise TypeError(msg)
    samples, _ = name_samples(fragments)
    place = require_program(program, hint=_HINT)
    jobs = list(_jobs(samples, cells, groupby))
    sets: dict[str, Path] = {}
    with tempfile.TemporaryDirectory(prefix="sccase_kit_") as scratch:
        for i, (name, path, barcodes) in enumerate(progress(jobs, desc="peaks", total=len(jobs))):
            folder = Path(scratch) / str(i)
            folder.mkdir()
            arguments = ["-q", str(q_value), "-g", size, *options]
            found = _run(place, path, barcodes, folder, arguments, name)
            if found is None:
                logger.warning("call_peaks: MACS3 found no peak in %s; it is left out", name)
            else:
                sets[name] = found
        if not sets:
            msg = f"MACS3 found no peak with q <= {q_value} in {[name for name, _, _ in jobs]}; raise q_value"
            raise ValueError(msg)
        return merge_peaks(sets, width=width, min_samples=min_samples, genome=genome if genome in _SIZES else None)


def _jobs(samples: Mapping[str, Path], cells: Any, groupby: str | None) -> Iterator[tuple[str, Path, list[str] | None]]:
    """Yield the name, file and barcodes of everything peaks are called in."""
    if groupby is None:
        for name, barcodes in cells_of_samples(cells, samples).items():
            yield name, samples[name], barcodes if isinstance(barcodes, list) else None
        return
    if not isinstance(cells, AnnData):
        msg = f"groupby={groupby!r} needs an AnnData as cells, got {type(cells).__name__}"
        raise TypeError(msg)
    labels = check_labels(cells, groupby, text=True)
    for group in labels.cat.categories:
        own = cells_of_samples(cells[(labels == group).to_numpy()], samples)
        for name, barcodes in own.items():
            if isinstance(barcodes, list) and barcodes:
                yield f"{name}{JOINT}{group}", samples[name], barcodes


def _run(
    place: str, path: Path, barcodes: list[str] | None, folder: Path, arguments: list[str], name: str
) -> Path | None:
    """Run MACS3 once and return its narrowPeak file, None if that is empty."""
    command = [place, "callpeak", "-t", str(path), "-f", "FRAG", "-n", "peaks", "--outdir", str(folder)]
    command += ["--max-count", "1", *arguments]
    if barcodes is not None:
        (folder / "barcodes.txt").write_text("\n".join(barcodes) + "\n", encoding="utf-8")
        command += ["--barcodes", str(folder / "barcodes.txt")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = folder / "peaks_peaks.narrowPeak"
    if done.returncode != 0 or not found.is_file():
        lines = [line for line in done.stderr.splitlines() if line.strip() and not re.match(r"INFO\s", line)]
        msg = f"MACS3 failed on {name}: {' / '.join(lines[-3:])[:600]}"
        raise RuntimeError(msg)
    return found if found.stat().st_size else None
