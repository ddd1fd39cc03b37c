"""The nearest gene of peaks, as two columns of their table."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
from anndata import AnnData

from .._logging import warn
from ..intervals.assembly import in_names_of
from ..intervals.closest import closest_starts
from ..intervals.coordinates import find_coordinates
from ..intervals.frame import check_regions
from ..intervals.genomes import GENOMES, tss_table


def check_genes(adata: AnnData, genome: str | os.PathLike[str] | pd.DataFrame) -> pd.DataFrame:
    """Return the genes of a genome, file or table for the peaks of `adata`, with the names that chromosomes have there.

    Raises
    ------
    ValueError
        If no peak has coordinates, or they reach beyond the chromosomes of the genome.
    """
    places = peak_places(adata)
    places = places[places["start"] >= 0]
    if isinstance(genome, str) and genome in GENOMES:
        check_regions(places, name="adata.var", genome=genome, unknown="keep")
    return in_names_of(tss_table(genome), places["chrom"].unique(), name="genome", where="adata.var")


def peak_places(adata: AnnData) -> pd.DataFrame:
    """Return chrom, start, end of every peak, with a start of -1 where it has none; told in a warning with the number.

    Raises
    ------
    ValueError
        If no peak has coordinates.
    """
    found = find_coordinates(adata.var)
    table, bad = found.table, found.missing
    if bad.all():
        msg = f"none of the {len(table)} peaks has coordinates, e.g. {list(table.index[:3])}; give them names like "
        msg += "'chr1:100-600', or fill adata.var['chrom'], ['start'], ['end']"
        raise ValueError(msg)
    if bad.any():
        warn(f"{int(bad.sum())} of {len(table)} peaks have no coordinates and are near no gene")
    return table


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


def add_places(table: pd.DataFrame, adata: AnnData) -> pd.DataFrame:
    """Return a table of peaks with chrom, start and end in front, from their names where `var` does not hold them."""
    if {"chrom", "start", "end"} <= set(table.columns):
        return table
    places = peak_places(adata).iloc[adata.var_names.get_indexer(table["peak"])].reset_index(drop=True)
    return pd.concat([places, table], axis=1)


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
