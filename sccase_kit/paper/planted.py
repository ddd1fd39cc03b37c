"""A simulated study with planted answers, on which the tools run that no data set of a run had files for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..datasets import ToyStudy, toy_ldsc, toy_study
from .cohorts import Candidate, Cohort, make_cohort

#: Name of the data set, and the experiments that it stands in for.
PLANTED = "planted"
STANDS_IN = ("functions", "tissues", "heritability", "motifs")
_QUICK = {"n_cells": 200, "n_peaks": 1000, "n_types": 3}
_PERMUTATIONS = 2000
_BLOCKS = 50


def planted_study(folder: Path, *, quick: bool) -> tuple[Cohort, dict[str, Mapping[str, Any]], int]:
    """Make the study and the files of the tools.

    Every type has peaks, a term of gene sets, a tissue, a trait and a motif of its own; see
    :func:`sccase_kit.datasets.toy_study`.

    Parameters
    ----------
    folder
        Where files may be written; they must stay as long as the tools run.
    quick
        Whether it is to be small.

    Returns
    -------
    The cohort; the arguments of every tool, as `tools` of :func:`sccase_kit.reproduce`; and how many peaks of a type
    were planted.
    """
    toy = toy_study(**(_QUICK if quick else {}))
    cohort = make_cohort(Candidate(PLANTED, "planted", toy.adata.copy))
    cohort.adata.uns["genome"] = "hg38"
    known = {**cohort.__dict__, "name": PLANTED, "genome": "hg38", "key": (PLANTED, toy.adata.shape)}
    known["note"] = "simulated with planted peaks, terms, tissues, traits and motifs"
    return Cohort(**known), _tools(toy, folder), int(toy.adata.uns["toy_study"]["params"]["n_specific"])


def _tools(toy: ToyStudy, folder: Path) -> dict[str, Mapping[str, Any]]:
    snps = toy.snps
    blocks = snps[["chrom", "ld_start", "ld_end", "snp"]].set_axis(["chrom", "start", "end", "snp"], axis=1)
    sets = folder / "sets.gmt"
    sets.write_text("".join("\t".join([term, term, *genes]) + "\n" for term, genes in toy.gene_sets.items()))
    files = toy_ldsc(toy, folder / "ldsc")
    sumstats = {name: str(path) for name, path in files.sumstats.items()}
    return {
        "great": {"gene_sets": str(sets), "tss": toy.genes},
        "snpsea": {
            **{"snps": snps, "gene_matrix": toy.expression, "gene_intervals": toy.genes, "snp_intervals": blocks},
            **{"null_snps": snps.loc[snps["null"], "snp"], "max_iterations": _PERMUTATIONS},
        },
        "ldsc": {
            **{"sumstats": sumstats, "panel": files.panel, "baseline": files.base, "snps": str(files.snps)},
            "n_blocks": _BLOCKS,
        },
        "motifs": {"motifs": toy.motifs, "sequences": toy.sequences},
    }
