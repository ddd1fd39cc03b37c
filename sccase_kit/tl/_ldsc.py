"""Heritability of traits in peaks by stratified LD score regression."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._logging import logger, warn
from .._progress import progress
from .._validate import check_choice, check_int
from ..intervals.chromosomes import Unknown
from ..ldsc.files import annotate_panel, annotation_sets, on_panel
from ..ldsc.panel import open_panel
from ..ldsc.program import results_with_program
from ..ldsc.run import TWO_STEP, fit_h2, merge_chromosomes, warn_if_few
from ..ldsc.scores import ld_scores
from ..ldsc.tables import ReferenceScores, find_file, read_annotations, read_ld_scores, read_sumstats
from ..snpsea.tables import read_ids
from ._great import group_labels, peaks_table

_BASE, _ALL = "base", "_all_snps"


@checked()
def ldsc(
    peaks: pd.DataFrame | AnnData | str | os.PathLike[str],
    sumstats: object,
    *,
    panel: str | os.PathLike[str],
    baseline: str | os.PathLike[str] | None = None,
    weights: str | os.PathLike[str] | None = None,
    frequencies: str | os.PathLike[str] | None = None,
    snps: object | None = None,
    groupby: str | None = None,
    key: str = "specific_peaks",
    background: object | None = None,
    window: int = 0,
    ld_window_cm: float = 1.0,
    n_blocks: int = 200,
    unknown: Unknown = "drop",
    engine: Literal["python", "ldsc"] = "python",
) -> pd.DataFrame:
    """Estimate how much of the heritability of traits lies in the peaks of every group.

    Each group, and the background, is tested by itself together with the baseline. Nothing is written into an AnnData.

    Parameters
    ----------
    peaks
        Table of peaks chrom, start, end on the genome of the panel (hg19 as a rule); BED path; or AnnData whose
        `uns[key]` holds the table of specific peaks. A column group (or `groupby`) splits it.
    sumstats
        Munged summary statistics (SNP, N, Z): dict trait → DataFrame or ``.sumstats.gz`` file, or one of these.
    panel
        Prefix of the PLINK files (.bed, .bim, .fam) of the reference panel up to the chromosome number.
    baseline
        Prefix of the baseline model: ``.annot.gz`` files with one row per SNP of the panel, and their
        ``.l2.ldscore.gz``; without the latter the LD scores are computed. By default one annotation of all SNPs, with a
        warning: enrichments are then not adjusted for anything.
    weights
        Prefix of the regression weights (``.l2.ldscore.gz``); by default LD scores over the regression SNPs are
        computed.
    frequencies
        Prefix of ``.frq`` files; only ``engine="ldsc"`` reads them, the native engine counts the alleles of the panel.
    snps
        Regression SNPs (HapMap3): list or file of ids; by default those of `weights`, else all of the panel.
    groupby
        Column of the table with the groups.
    key
        Where the peaks are in `adata.uns`.
    background
        Background peaks (table, or AnnData with `uns["background_peaks"]`), tested as one more group "background".
    window
        Bases by which peaks are widened on both sides; small annotations give very large errors.
    ld_window_cm
        Window of the LD scores in centimorgan.
    n_blocks
        Blocks of the jackknife.
    unknown
        Peaks on sequences that neither the panel has nor an assembly numbers (scaffolds): ``"drop"`` leaves them out
        with a warning, ``"error"`` raises. Peaks on X, Y and M, which panels leave out, are counted in the log.
    engine
        ``"python"``: native, equal to ldsc 1.0.1; ``"ldsc"``: runs ``ldsc.py`` from the PATH on written files.

    Returns
    -------
    DataFrame, one row per trait and group: trait, group, then the columns of a ``.results`` file of the group's
    annotation (Category, Prop._SNPs, Prop._h2, Prop._h2_std_error, Enrichment, Enrichment_std_error, Enrichment_p,
    Coefficient, Coefficient_std_error, Coefficient_z-score); the native engine adds h2, h2_se and n_snps.
    ``attrs["ldsc"]`` holds the parameters.

    Raises
    ------
    FileNotFoundError
        If files of the panel, the baseline or the weights are missing.
    KeyError
        If peaks, groups or columns are missing.
    MissingProgramError
        If ``engine="ldsc"`` and ``ldsc.py`` is not on the PATH.
    ValueError
        If inputs do not fit together: no SNP in the peaks, different SNPs, rows that do not match.

    Notes
    -----
    Finucane et al. 2015; ldsc 1.0.1 (``--h2 --overlap-annot``). Computing LD scores of the whole 1000 Genomes panel
    takes long whatever the engine; the native one keeps one window of genotypes in memory.
    """
    check_choice(engine, ["python", "ldsc"], name="engine")
    check_int(window, name="window", minimum=0)
    check_int(n_blocks, name="n_blocks", minimum=2)
    table = peaks_table(peaks, key)
    labels = group_labels(table, groupby)
    if labels is not None:
        table = table.assign(_group=labels.to_numpy(object))
    extra = None if background is None else peaks_table(background, "background_peaks")
    sets = annotation_sets(table, groupby=None if labels is None else "_group", background=extra, window=window)
    sets = on_panel(sets, panel, unknown=unknown)
    traits = sumstats if isinstance(sumstats, Mapping) else {"trait": sumstats}
    if not traits:
        msg = "sumstats is empty: there is no trait to test"
        raise ValueError(msg)
    statistics = {str(t): read_sumstats(s, name=f"sumstats[{t!r}]") for t, s in traits.items()}
    if baseline is None:
        warn("no baseline: enrichments are not adjusted for the annotations of a baseline model")
    if engine == "ldsc":
        frame = results_with_program(
            sets, traits, panel=panel, baseline=baseline, weights=weights, frequencies=frequencies, snps=snps
        )
    else:
        frame = _native(sets, statistics, panel, baseline, weights, snps, ld_window_cm, n_blocks)
    frame.attrs["ldsc"] = {
        "engine": engine,
        "baseline": None if baseline is None else str(baseline),
        "window": window,
        "ld_window_cm": ld_window_cm,
        "n_blocks": n_blocks,
    }
    return frame


def _native(sets, statistics, panel, baseline, weights, snps, ld_window_cm: float, n_blocks: int) -> pd.DataFrame:
    read_weights = None if weights is None else read_ld_scores(weights, numbers_needed=False)
    wanted = None
    if snps is not None:
        wanted = set(read_ids(snps, name="snps"))
    elif read_weights is not None:
        wanted = set(read_weights.table["SNP"])
    scores = _score_panel(sets, panel, baseline, wanted, ld_window_cm, with_weights=read_weights is None)
    rows = []
    pairs = [(trait, name) for trait in statistics for name in sets]
    for trait, name in progress(pairs, desc="LD score regression"):
        reference = scores.beside_baseline(name)
        fit = fit_h2(
            statistics[trait], reference, read_weights or scores.need_weights(), n_blocks=n_blocks, two_step=TWO_STEP
        )
        row = fit.table.iloc[-1].to_dict()
        if row["Category"] != name:
            msg = (
                f"the LD scores of {name!r} do not vary over the regression SNPs: its annotation is empty or too small"
            )
            raise ValueError(msg)
        more = {"h2": fit.h2, "h2_se": fit.h2_se, "n_snps": fit.info["n_snps"]}
        rows.append({"trait": trait, "group": name, **row, **more})
    frame = pd.DataFrame(rows)
    warn_if_few(int(frame["n_snps"].min()))
    return frame


@dataclass(frozen=True)
class _Scores:
    """LD scores of baseline and sets side by side, and of the regression SNPs."""

    joint: ReferenceScores
    baseline: list[str]
    weights: ReferenceScores | None

    def need_weights(self) -> ReferenceScores:
        """Return the LD scores of the regression SNPs."""
        if self.weights is None:
            msg = "the panel was scored without weights: pass weights="
            raise ValueError(msg)
        return self.weights

    def beside_baseline(self, name: str) -> ReferenceScores:
        """Return the baseline and one set."""
        columns = [*self.baseline, name]
        place = [self.joint.names.index(c) for c in columns]
        table = self.joint.table[["CHR", "SNP", "BP", *columns]]
        overlap = None if self.joint.overlap is None else self.joint.overlap[np.ix_(place, place)]
        return ReferenceScores(table, self.joint.m[place], overlap, self.joint.n_common)


def _score_panel(sets, panel, baseline, wanted, ld_window_cm: float, *, with_weights: bool) -> _Scores:
    tables = annotate_panel(sets, panel)
    stored = None
    if baseline is not None and find_file(baseline, next(iter(tables)), (".l2.ldscore.gz", ".l2.ldscore")):
        stored = read_ld_scores(baseline)
    parts, weight_parts, names = [], [], [_BASE]
    for chrom, table in progress(tables.items(), desc="LD scores", total=len(tables)):
        genotypes = open_panel(f"{panel}{chrom}")
        base = pd.DataFrame({_BASE: np.ones(len(table))})
        if baseline is not None:
            path = find_file(baseline, chrom, (".annot.gz", ".annot"))
            if path is None:
                msg = f"there is no file {baseline}{chrom}.annot.gz; the overlap with the baseline needs it"
                raise FileNotFoundError(msg)
            base = read_annotations(path, len(table))
        names = list(base.columns)
        if clash := sorted(set(names) & set(sets)):
            msg = f"groups are named like annotations of the baseline: {clash}; rename them"
            raise ValueError(msg)
        whole = pd.concat([base, table], axis=1)
        keep = np.ones(len(table), bool) if wanted is None else genotypes.bim["SNP"].isin(wanted).to_numpy()
        computed = ld_scores(genotypes, table if stored is not None else whole, window=ld_window_cm)
        rows = genotypes.bim.index[genotypes.bim["SNP"].isin(computed.table["SNP"])]
        common = whole.iloc[rows[computed.maf > 0.05]].to_numpy(np.float64)
        printed = computed.table[computed.table["SNP"].isin(wanted)] if wanted is not None else computed.table
        parts.append((printed, common.sum(axis=0), common.T @ common, len(common)))
        if with_weights:
            ones = pd.DataFrame({_ALL: np.ones(len(table))})
            own = ld_scores(genotypes, ones, window=ld_window_cm, keep=keep)
            weight_parts.append((own.table, own.m_5_50, np.diag(own.m_5_50), int(own.m_5_50[0])))
    joint = merge_chromosomes(parts)
    if stored is not None:
        joint = _with_stored(joint, stored, names)
    logger.info("%d regression SNPs, %d common SNPs", len(joint.table), joint.n_common)
    return _Scores(joint, names, merge_chromosomes(weight_parts) if with_weights else None)


def _with_stored(joint: ReferenceScores, stored: ReferenceScores, names: list[str]) -> ReferenceScores:
    """Put the stored LD scores of the baseline in front of those of the sets."""
    if len(stored.names) != len(names):
        msg = f"the baseline has {len(stored.names)} columns of LD scores and {len(names)} annotations"
        raise ValueError(msg)
    left = stored.table.rename(columns=dict(zip(stored.names, names, strict=True)))
    table = left.merge(joint.table.drop(columns=["CHR", "BP"]), on="SNP")
    if len(table) < len(joint.table):
        warn(f"{len(joint.table) - len(table)} regression SNPs are not in the baseline; they are left out")
    if table.empty:
        msg = "the baseline and the panel have no SNP in common"
        raise ValueError(msg)
    m = joint.m.copy()
    m[: len(names)] = stored.m
    return ReferenceScores(table, m, joint.overlap, joint.n_common)
