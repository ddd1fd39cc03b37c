"""SNPsea on peaks: the SNPs inside them, the genes at the SNPs, the conditions those are specific to."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._progress import progress
from .._rng import check_rng
from .._validate import check_choice
from ..intervals.chromosomes import Unknown
from ..snpsea.files import snps_by_group, write_snpsea
from ..snpsea.program import run_snpsea
from ..snpsea.run import SnpseaResult, prepare_snpsea
from ..snpsea.tables import condition_names
from ._great import group_labels, peaks_table


@checked()
def snpsea(
    peaks: pd.DataFrame | AnnData | str | os.PathLike[str],
    snps: object,
    gene_matrix: object,
    *,
    gene_intervals: object,
    snp_intervals: object,
    null_snps: object,
    groupby: str | None = None,
    key: str = "specific_peaks",
    background: object | None = None,
    condition: str | Sequence[str] = (),
    score: Literal["single", "total"] = "single",
    slop: int = 10_000,
    min_observations: int = 100,
    max_iterations: int = 100_000,
    unknown: Unknown = "drop",
    engine: Literal["python", "snpsea"] = "python",
    rng: int | np.random.Generator | None = 0,
    return_results: bool = False,
) -> pd.DataFrame | dict[str, SnpseaResult]:
    """Test in which conditions (tissues) the genes at the SNPs inside peaks are specifically expressed.

    Nothing is written into an AnnData.

    Parameters
    ----------
    peaks
        Table of peaks chrom, start, end; BED path; or AnnData whose `uns[key]` holds the table of specific peaks. A
        column group (or `groupby`) splits it, one test per group.
    snps
        SNPs with positions: DataFrame chrom, pos (1-based), snp; or a HapMap3 list, ``.bim``, BED4 or VCF file.
    gene_matrix
        Genes × conditions: GCT 1.2 file, or DataFrame indexed by gene id (SNPsea's data: GeneAtlas2004.gct.gz).
    gene_intervals, snp_intervals
        Intervals of genes (NCBIgenes2013.bed.gz) and LD blocks of SNPs (TGP2011.bed.gz): BED4 or DataFrame.
    null_snps
        LD-pruned SNP ids (Lango2010.txt.gz) for matched null sets.
    groupby
        Column of the table with the groups.
    key
        Where the peaks are in `adata.uns`.
    background
        Background peaks (table, or AnnData with `uns["background_peaks"]`), tested as one more group "background".
    condition, score, slop, min_observations, max_iterations
        See :func:`sccase_kit.regions.snpsea`.
    unknown
        Peaks on sequences that have no SNPs and no number (scaffolds): ``"drop"`` leaves them out with a warning,
        ``"error"`` raises.
    engine
        ``"python"``: native; ``"snpsea"``: the program of that name on the PATH, which reads files only.
    rng
        Seed or generator; every group starts from the same seed.
    return_results
        Return group → :class:`~sccase_kit.regions.SnpseaResult` (native engine only), with loci and locus scores.

    Returns
    -------
    DataFrame group, condition, pvalue, nulls_observed, nulls_tested, n_snps (inside the peaks); the native engine adds
    score and n_loci. ``attrs["snpsea"]`` holds the parameters and ``attrs["correlation"]`` (native) the correlation of
    the conditions as a dict (``DataFrame.to_dict("split")``), by which :func:`sccase_kit.pl.snpsea` orders them.

    Raises
    ------
    KeyError
        If peaks, groups or conditions are missing.
    MissingProgramError
        If ``bedtools``, or the program of ``engine="snpsea"``, is not installed.
    TypeError
        If ``engine="snpsea"`` is given tables instead of files.
    ValueError
        If no SNP lies inside the peaks of a group, or inputs do not fit together.

    Notes
    -----
    SNPsea 1.0.3 (Slowikowski, Hu & Raychaudhuri 2014).
    """
    check_choice(engine, ["python", "snpsea"], name="engine")
    table = peaks_table(peaks, key)
    labels = group_labels(table, groupby)
    parts = table.assign(_group="peaks" if labels is None else labels.to_numpy(object))
    if background is not None:
        if "background" in set(parts["_group"]):
            msg = "a group is called 'background', as the group of the background peaks will be; rename it"
            raise ValueError(msg)
        extra = peaks_table(background, "background_peaks").assign(_group="background")
        parts = pd.concat([parts, extra], ignore_index=True)
    options: dict[str, Any] = {"condition": condition_names(condition), "score": score, "slop": slop}
    limits = {"min_observations": min_observations, "max_iterations": max_iterations}
    if engine == "snpsea":
        if return_results:
            msg = "return_results=True needs engine='python'; the program leaves files (sccase_kit.io.run_snpsea)"
            raise ValueError(msg)
        files = {
            "gene_matrix": gene_matrix,
            "gene_intervals": gene_intervals,
            "snp_intervals": snp_intervals,
            "null_snps": null_snps,
        }
        frame = _with_program(parts, snps, files, options | limits, unknown)
        correlation = None
    else:
        groups = snps_by_group(parts, snps, groupby="_group", unknown=unknown)
        data = prepare_snpsea(gene_matrix, gene_intervals, snp_intervals, null_snps=null_snps, **options)
        seed = rng if rng is None else int(check_rng(rng).integers(2**31))
        results = {
            group: data.test(part.rename(columns={"snp": "SNP"}), rng=seed, **limits)
            for group, part in progress(groups.items(), desc="SNPsea", total=len(groups))
        }
        if return_results:
            return results
        frames = [
            r.table.assign(group=group, n_snps=len(groups[group]), n_loci=r.info["n_loci"])
            for group, r in results.items()
        ]
        frame = pd.concat(frames, ignore_index=True)
        correlation = next(iter(results.values())).correlation
    first = ["group", "condition", "pvalue", "nulls_observed", "nulls_tested"]
    frame = frame[first + [c for c in frame.columns if c not in first]]
    frame.attrs["snpsea"] = {"engine": engine, **options, **limits}
    if correlation is not None:
        frame.attrs["correlation"] = correlation.to_dict("split")  # pandas compares attrs: no arrays, no tables
    return frame


def _with_program(
    parts: pd.DataFrame, snps: object, files: dict[str, Any], options: dict, unknown: Unknown
) -> pd.DataFrame:
    """Write the SNPs of every group, run the program on each, and join its tables."""
    for name, file in files.items():
        if not isinstance(file, (str, os.PathLike)):
            msg = f"engine='snpsea' reads {name} from a file, got {type(file).__name__}; engine='python' takes tables"
            raise TypeError(msg)
    frames = []
    with tempfile.TemporaryDirectory(prefix="sccase_kit_") as folder:
        written = write_snpsea(parts, snps, Path(folder) / "snps", groupby="_group", unknown=unknown)
        for i, (group, path) in enumerate(progress(written.items(), desc="SNPsea", total=len(written))):
            found = run_snpsea(path, Path(folder) / f"out{i}", **files, **options)
            n_snps = len(path.read_text(encoding="utf-8").splitlines()) - 2
            frames.append(found.assign(group=group, n_snps=n_snps))
    return pd.concat(frames, ignore_index=True)
