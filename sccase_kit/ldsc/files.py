"""Inputs of LDSC: BED files, annotations per chromosome, the .ldcts file and a script with the standard commands."""

from __future__ import annotations

import gzip
import os
import shlex
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from .._arguments import checked
from .._atomic import check_path, file_names, replacing
from .._logging import warn
from .._progress import progress
from .._text_files import bed_text
from ..intervals.assembly import check_unknown, without_scaffolds
from ..intervals.bedtools import bedtools, to_bed
from ..intervals.chromosomes import Unknown
from ..intervals.frame import as_regions, check_regions
from .panel import annotate_snps, read_bim
from .tables import chromosomes_of

#: Annotations with a smaller share of the SNPs give estimates with very large errors (rule of thumb).
MIN_SHARE = 0.005

_SCRIPT = """\
#!/usr/bin/env bash
# LD scores and heritability of the annotations in this folder with ldsc 1.0.1 (https://github.com/bulik/ldsc).
# Set the paths of the public LDSC files first; everything is hg19.
set -euo pipefail
cd "$(dirname "$0")"
LDSC=${{LDSC:-ldsc.py}}
MADE_FOR={panel}
PANEL=${{PANEL:-$MADE_FOR}}
BASELINE=${{BASELINE:-1000G_EUR_Phase3_baseline/baseline.}}
WEIGHTS=${{WEIGHTS:-weights_hm3_no_hla/weights.}}
FREQUENCIES=${{FREQUENCIES:-1000G_Phase3_frq/1000G.EUR.QC.}}
SNPS=${{SNPS:-hapmap3_snps/hm.}}
SUMSTATS=${{1:?usage: run_ldsc.sh trait.sumstats.gz}}
TRAIT=$(basename "$SUMSTATS" .sumstats.gz)
mkdir -p results
for name in {names}; do
  for chrom in {chromosomes}; do
    [ -f "$name.$chrom.l2.ldscore.gz" ] || "$LDSC" --l2 --bfile "$PANEL$chrom" --ld-wind-cm 1 \\
      --annot "$name.$chrom.annot.gz" --thin-annot --print-snps "$SNPS$chrom.snp" --out "$name.$chrom"
  done
done
# enrichment of every annotation, with the baseline
for name in {names}; do
  "$LDSC" --h2 "$SUMSTATS" --ref-ld-chr "$BASELINE,$name." --w-ld-chr "$WEIGHTS" --overlap-annot \\
    --frqfile-chr "$FREQUENCIES" --print-coefficients --out "results/$TRAIT.$name"
done
# cell-type-specific test, together with the baseline and the control
"$LDSC" --h2-cts "$SUMSTATS" --ref-ld-chr "$BASELINE" --ref-ld-chr-cts {ldcts} --w-ld-chr "$WEIGHTS" \\
  --out "results/$TRAIT.cell_types"
"""


@checked()
def write_bed(
    regions: object,
    path: str | os.PathLike[str],
    *,
    merge: bool = False,
    genome: str | None = None,
    unknown: Unknown = "drop",
) -> Path:
    """Write regions as a sorted BED file, through BEDTools.

    Parameters
    ----------
    regions
        DataFrame chrom, start, end, AnnData, BED path or names. A column name, or else the index, becomes column 4.
    path
        File to write.
    merge
        Join overlapping and touching regions; column 4 is then left out.
    genome
        Check against the chromosome sizes of hg19, hg38, mm9 or mm10, and write their names of chromosomes.
    unknown
        Regions on sequences that `genome` does not have (scaffolds): ``"drop"`` leaves them out with a warning,
        ``"error"`` raises. Without a genome all are written.

    Returns
    -------
    The path.

    Raises
    ------
    MissingProgramError
        If the program ``bedtools`` is not installed.
    ValueError
        If regions are empty, malformed, or off the chromosomes. Nothing is written then.
    """
    check_unknown(unknown)
    table = check_regions(regions, genome=genome, unknown=unknown)
    with bedtools() as module, replacing(path) as temporary:
        bed = to_bed(module, table)
        if merge:
            bed.merge().saveas(str(temporary))
        else:
            names = table["name"] if "name" in table.columns else [str(row) for row in table.index]
            rows = pd.read_csv(
                bed.fn,
                sep="\t",
                header=None,
                names=["chrom", "start", "end", "row"],
                dtype={"chrom": str},
                na_filter=False,
            )
            rows["row"] = np.asarray(names, dtype=object)[rows["row"].to_numpy()]
            temporary.write_text(bed_text(rows), encoding="utf-8")
    return Path(path)


def annotation_sets(
    peaks: object, *, groupby: str | None, background: object | None, window: int
) -> dict[str, pd.DataFrame]:
    """Return name → regions of every group and of the background, widened by `window` bases on both sides."""
    table = as_regions(peaks, name="peaks")
    if table.empty:
        msg = "peaks is empty: there is no region to test"
        raise ValueError(msg)
    if groupby is not None and groupby not in table.columns:
        msg = f"groupby={groupby!r} is not among the columns of peaks: {list(table.columns)}"
        raise KeyError(msg)
    parts = {"peaks": table}
    if groupby is not None:
        parts = {str(g): part for g, part in table.groupby(groupby, sort=False, observed=True)}
    if background is not None:
        if "background" in parts:
            msg = "a group is named 'background' like the background peaks; rename it"
            raise ValueError(msg)
        parts["background"] = as_regions(background, name="background")
    sets = {}
    for name, part in parts.items():
        part = check_regions(part, name=f"peaks[{name!r}]")[["chrom", "start", "end"]]
        sets[name] = part.assign(start=np.maximum(part["start"] - window, 0), end=part["end"] + window)
    return sets


def on_panel(
    sets: Mapping[str, pd.DataFrame], panel: str | os.PathLike[str], *, unknown: Unknown
) -> dict[str, pd.DataFrame]:
    """Return the sets without regions on scaffolds that the panel does not have."""
    check_unknown(unknown)
    chromosomes = chromosomes_of(panel, (".bim",))
    return {
        name: without_scaffolds(part, chromosomes, unknown=unknown, name=f"peaks[{name!r}]", where="those of the panel")
        for name, part in sets.items()
    }


def annotate_panel(sets: Mapping[str, pd.DataFrame], panel: str | os.PathLike[str]) -> dict[str, pd.DataFrame]:
    """Return chromosome → DataFrame of 0/1 annotations (one row per .bim row, one column per set).

    Raises
    ------
    ValueError
        If a set holds no SNP of the panel at all: wrong genome, or too few peaks.
    """
    tables = {}
    for chrom in progress(chromosomes_of(panel, (".bim",)), desc="annotations"):
        bim = read_bim(f"{panel}{chrom}.bim")
        tables[chrom] = pd.DataFrame({name: annotate_snps(bim, part) for name, part in sets.items()})
    total = sum(len(t) for t in tables.values())
    counts = sum(t.sum() for t in tables.values())
    if empty := [name for name, n in counts.items() if n == 0]:
        msg = f"no SNP of the panel lies in the peaks of {empty}: is the panel (hg19 as a rule) of the same genome?"
        raise ValueError(msg)
    if small := [f"{name} ({n / total:.3%})" for name, n in counts.items() if n < MIN_SHARE * total]:
        warn(
            f"annotations with few SNPs give estimates with large errors: {small}. Take more peaks (n_top), or widen "
            f"them (window); {MIN_SHARE:.1%} of the SNPs or more is advisable"
        )
    return tables


@checked()
def write_ldsc_annot(
    peaks: object,
    path: str | os.PathLike[str],
    *,
    panel: str | os.PathLike[str],
    groupby: str | None = None,
    background: object | None = None,
    window: int = 0,
    unknown: Unknown = "drop",
) -> dict[str, list[Path]]:
    """Write what LDSC needs to test peaks: BED files, annotations, the ``.ldcts`` list and a script.

    Parameters
    ----------
    peaks
        DataFrame chrom, start, end, AnnData, BED path or names, on the genome of the panel (hg19 as a rule).
    path
        Folder to write; it appears whole or not at all, and replaces one of the same name.
    panel
        Prefix of the PLINK files up to the chromosome number, such as ``"1000G.EUR.QC."``.
    groupby
        Column of `peaks` with the groups (cell types).
    background
        Background peaks, an annotation of their own and the control of the cell-type test.
    window
        Bases by which peaks are widened on both sides.
    unknown
        Peaks on sequences (scaffolds) that neither the panel has nor an assembly numbers: ``"drop"`` leaves them out
        with a warning, ``"error"`` raises.

    Returns
    -------
    Name of the annotation → its annotation files, by chromosome.

    Raises
    ------
    FileNotFoundError
        If there is no .bim file under `panel`.
    MissingProgramError
        If the program ``bedtools`` is not installed.
    ValueError
        If peaks are malformed, or hold no SNP of the panel. Nothing is written then.

    Notes
    -----
    ``<name>.bed`` (merged), ``<name>.<chromosome>.annot.gz`` (thin: a header, then one row per .bim row in its order,
    0 or 1), ``cell_types.ldcts``, ``run_ldsc.sh``. A SNP lies in a peak if start < BP <= end; the original's
    make_annot.py gives the same where no two SNPs share a position, and rows too many where they do.
    """
    sets = annotation_sets(peaks, groupby=groupby, background=background, window=window)
    sets = on_panel(sets, panel, unknown=unknown)
    tables = annotate_panel(sets, panel)
    names = file_names(sets)
    target = check_path(path)
    files: dict[str, list[Path]] = {name: [] for name in sets}
    with replacing(target, folder=True) as folder:
        folder.mkdir()
        for name, part in sets.items():
            write_bed(part, folder / f"{names[name]}.bed", merge=True)
        for chrom, table in tables.items():
            for name in sets:
                file = f"{names[name]}.{chrom}.annot.gz"
                text = "ANNOT\n" + "\n".join(table[name].astype(str)) + "\n"
                with gzip.GzipFile(folder / file, "wb", mtime=0) as handle:
                    handle.write(text.encode())
                files[name].append(target / file)
        control = f",{names['background']}." if background is not None else ""
        listed = [f"{names[n]}\t{names[n]}.{control}\n" for n in sets if n != "background" or background is None]
        (folder / "cell_types.ldcts").write_text("".join(listed), encoding="utf-8")
        script = _SCRIPT.format(
            panel=shlex.quote(os.path.abspath(panel)),
            names=" ".join(map(shlex.quote, names.values())),
            chromosomes=" ".join(tables),
            ldcts="cell_types.ldcts",
        )
        (folder / "run_ldsc.sh").write_text(script, encoding="utf-8")
        (folder / "run_ldsc.sh").chmod(0o755)
    return files
