"""Which shipped genome regions were made on, told by how many genes' starts they hold.

Open chromatin gathers at the starts of genes. Peaks of blood (36,000) lie at 24 % of those of their own assembly and at
4 % of another's of the same species, 1,200 peaks at 2.2 and 0.3 %; positions alone rarely tell hg19 from hg38.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import pandas as pd
from anndata import AnnData

from .._logging import warn
from .bodies import known_genome
from .chromosomes import chromosome_key
from .genomes import GENOMES, chrom_sizes
from .shipped import shipped_table

#: A peak this near to a gene's start lies at it.
_NEAR = 500
#: Regions are taken for those of a genome at whose genes' starts they lie so many times as often as at another's ...
_TIMES = 3
#: ... and at least so often.
_LEAST = 50
#: Named genomes are not questioned where starts of genes are met so many times as often as other places.
_OVER_CHANCE = 10


@cache
def _sites(genome: str) -> dict[str, np.ndarray]:
    """Return the positions of genes' starts by chromosome."""
    table = shipped_table(f"tss_{genome}.tsv.gz")
    keys = table["chrom"].map({name: chromosome_key(name) for name in table["chrom"].unique()})
    return {str(key): part.to_numpy(np.int64) for key, part in table["tss"].groupby(keys)}


def genes_met(frame: pd.DataFrame, genome: str) -> int:
    """Return how many genes of a shipped genome start within 500 bp of a region.

    Parameters
    ----------
    frame
        Regions chrom, start, end, 0-based half-open.
    genome
        Name of the genome.
    """
    sites, met = _sites(genome), 0
    keys = frame["chrom"].map({name: chromosome_key(str(name)) for name in frame["chrom"].unique()})
    for key, part in frame.groupby(keys.to_numpy()):
        if key not in sites:
            continue
        starts, ends = part["start"].to_numpy(np.int64), part["end"].to_numpy(np.int64)
        order = np.argsort(starts, kind="stable")
        reach = np.maximum.accumulate(ends[order])
        before = np.searchsorted(starts[order], sites[key] + _NEAR, side="right") - 1
        met += int(((before >= 0) & (reach[before] > sites[key] - _NEAR)).sum())
    return met


def likely_genome(frame: pd.DataFrame) -> str | None:
    """Return the shipped genome that regions were made on, or None where their places do not tell.

    Parameters
    ----------
    frame
        Regions chrom, start, end, 0-based half-open.

    Returns
    -------
    ``"hg19"``, ``"hg38"``, ``"mm9"`` or ``"mm10"``: that with most genes' starts within 500 bp of a region, if they are
    at least 50 and three times those of any other.
    """
    return genome_fit(frame)[0]


def genome_fit(frame: pd.DataFrame) -> tuple[str | None, dict[str, int]]:
    """Return what :func:`likely_genome` returns, and how many genes' starts the regions lie at in every genome."""
    met = {genome: genes_met(frame, genome) for genome in GENOMES}
    return _best(met), met


def data_genome(adata: AnnData) -> str | None:
    """Return the shipped genome of data: that of their results, else ``uns["genome"]``, else the one the peaks fit."""
    said = adata.uns.get("genome")
    named = known_genome(adata.uns) or (said if isinstance(said, str) and said in GENOMES else None)
    if named is not None or not {"chrom", "start", "end"} <= set(adata.var.columns):
        return named
    placed = adata.var.loc[adata.var["start"] >= 0, ["chrom", "start", "end"]]
    return likely_genome(placed) if len(placed) else None


def _best(met: Mapping[str, int]) -> str | None:
    """Return the genome whose genes are met so much more often than any other's that it is told."""
    (most, genome), (second, _) = sorted(((n, genome) for genome, n in met.items()), reverse=True)[:2]
    return genome if most >= max(_LEAST, _TIMES * second) else None


def question_genome(frame: pd.DataFrame, genome: str, *, name: str) -> None:
    """Warn where regions said to be of a shipped genome lie at the genes' starts of another.

    Parameters
    ----------
    frame
        Regions chrom, start, end, 0-based half-open.
    genome
        Name of the shipped genome they are said to be of.
    name
        What the regions are called in the warning.
    """
    reached = int((frame["end"] - frame["start"]).sum()) + 2 * _NEAR * len(frame)
    genes = sum(map(len, _sites(genome).values()))
    here = genes_met(frame, genome)
    if here > _OVER_CHANCE * genes * reached / sum(chrom_sizes(genome).values()):
        return
    met = {genome: here} | {known: genes_met(frame, known) for known in GENOMES if known != genome}
    other = _best(met)
    if other is not None and other != genome:
        warn(
            f"{name}: the regions lie at the starts of {met[other]:,} genes of {other} and of {here:,} of "
            f"{genome}; they look like {other}, but genome={genome!r}"
        )
