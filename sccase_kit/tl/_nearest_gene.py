"""The nearest gene of peaks, as two columns of their table."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
from anndata import AnnData

from ..intervals.closest import closest_starts
from ..intervals.frame import check_same_style
from ..intervals.genomes import tss_table
from ..intervals.peaks import require_coordinates


def check_genes(adata: AnnData, genome: str | os.PathLike[str] | pd.DataFrame) -> pd.DataFrame:
    """Return the genes of a genome, file or table for the peaks of `adata`.

    Raises
    ------
    ValueError
        If the peaks have no coordinates, or chromosomes are named ``1`` here and ``chr1`` there.
    """
    genes = tss_table(genome)
    check_same_style(require_coordinates(adata), genes, name_a="adata.var", name_b="genome")
    return genes


def nearest_genes(regions: pd.DataFrame, genes: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Find the gene whose transcription start is nearest to each region.

    Parameters
    ----------
    regions
        chrom, start, end; rows without a place have a start below 0.
    genes
        Table of :func:`sccase_kit.regions.tss_table`.

    Returns
    -------
    Position of the gene (-1 where the chromosome has none), and the distance from the nearest edge of the region to its
    start in bases, 0 where it lies inside, negative where the region lies upstream. Of genes at the same distance, the
    one nearest to the middle of the region counts.
    """
    gene, distance = np.full(len(regions), -1, dtype=np.intp), np.zeros(len(regions), dtype=np.int64)
    region, found, away = closest_starts(regions, genes)
    middle = (regions["start"].to_numpy() + regions["end"].to_numpy()) / 2
    order = np.lexsort((found, np.abs(genes["tss"].to_numpy()[found] - middle[region]), region))
    region, found, away = region[order], found[order], away[order]
    first = np.diff(region, prepend=-1) != 0
    gene[region[first]], distance[region[first]] = found[first], away[first]
    return gene, distance


def add_nearest_gene(peaks: pd.DataFrame, genes: pd.DataFrame, *, before: str | None = None) -> pd.DataFrame:
    """Return the table with the columns nearest_gene (symbol, "" where there is none) and distance (Int64).

    Parameters
    ----------
    peaks
        Table with chrom, start, end.
    genes
        Table of :func:`sccase_kit.regions.tss_table`.
    before
        Column before which they are put; the end where it is absent.
    """
    gene, distance = nearest_genes(peaks, genes)
    known = gene >= 0
    symbol = np.where(known, genes["symbol"].to_numpy(dtype=object)[gene], "")
    at = list(peaks.columns).index(before) if before in peaks.columns else len(peaks.columns)
    peaks = peaks.copy()
    peaks.insert(at, "nearest_gene", symbol)
    peaks.insert(at + 1, "distance", pd.array(distance, dtype="Int64"))
    peaks.loc[~known, "distance"] = pd.NA
    return peaks
