"""Input for SNPsea, and the SNPsea program."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from .._arguments import checked
from .._atomic import check_path, file_names, replacing
from ..intervals.assembly import check_unknown, without_scaffolds
from ..intervals.chromosomes import Unknown
from ..intervals.frame import as_regions, check_regions
from ..intervals.snps import read_snps, snps_in_regions

_HINT = "Build it from https://github.com/slowkow/snpsea, or use engine='python'."
_STARTED = "Computing one column at a time ..."


def snps_by_group(
    peaks: object, snps: object, *, groupby: str | None = None, unknown: Unknown = "drop"
) -> dict[str, pd.DataFrame]:
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
    check_unknown(unknown)
    chromosomes = known["chrom"].unique()
    table = check_regions(table, name="peaks")
    table = without_scaffolds(table, chromosomes, unknown=unknown, name="peaks", where="those of the SNPs")
    whole = [("peaks", table)]
    parts = whole if groupby is None else table.groupby(groupby, sort=False, observed=True)
    found = {str(group): snps_in_regions(known, part) for group, part in parts}
    if empty := [group for group, part in found.items() if part.empty]:
        msg = f"no SNP lies inside the peaks of {empty}: same genome build? More peaks (n_top) may help"
        raise ValueError(msg)
    return found


@checked()
def write_snpsea(
    peaks: object,
    snps: object,
    path: str | os.PathLike[str],
    *,
    groupby: str | None = None,
    unknown: Unknown = "drop",
) -> dict[str, Path]:
    """Find the SNPs inside peaks, through BEDTools, and write them as SNPsea reads them.

    Parameters
    ----------
    peaks
        DataFrame chrom, start, end, AnnData, BED path or names.
    snps
        SNPs with positions on the same genome: DataFrame chrom, pos (1-based), snp; or a HapMap3 list, ``.bim``, BED4
        or VCF file. Chromosome names may differ from those of the peaks (``1``, ``chr1``, PLINK's 23).
    path
        File to write; with `groupby`, a folder (made if needed) for one file ``<group>.gwas`` per group.
    groupby
        Column of `peaks` with the groups.
    unknown
        Peaks on sequences (scaffolds) that have no SNPs and no number: ``"drop"`` leaves them out with a warning,
        ``"error"`` raises.

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
    target = check_path(path)
    groups = snps_by_group(peaks, snps, groupby=groupby, unknown=unknown)
    names = file_names(groups)
    files = {g: target if groupby is None else target / f"{names[g]}.gwas" for g in groups}
    if groupby is not None:
        target.mkdir(parents=True, exist_ok=True)
    for group, table in groups.items():
        with replacing(files[group]) as temporary:
            table = table.drop_duplicates("snp").set_axis(["CHR", "POS", "SNP"], axis=1)
            text = table.to_csv(sep="\t", index=False, lineterminator="\n")
            temporary.write_text(f"# SNPs inside the peaks: {' '.join(group.split())}\n{text}", encoding="utf-8")
    return files
