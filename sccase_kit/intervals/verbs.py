"""Interval algebra for users: overlap, window, closest, coverage, merge and closest genes.

By default on sorted arrays (:mod:`.native`); ``engine="bedtools"`` asks the program BEDTools, with the same results.
"""

from __future__ import annotations

import os
from types import ModuleType
from typing import Literal

import numpy as np
import pandas as pd

from .._arguments import checked
from .._validate import check_choice, check_int, check_number
from . import native, through_bedtools
from .assembly import check_unknown, in_names_of, split_unknown
from .chromosomes import Unknown
from .closest import closest_starts
from .columns import check_columns, integers
from .frame import check_regions
from .genomes import tss_table

Engine = Literal["native", "bedtools"]
_ENGINES: dict[str, ModuleType] = {"native": native, "bedtools": through_bedtools}


def _engine(engine: str) -> ModuleType:
    return _ENGINES[check_choice(engine, list(_ENGINES), name="engine")]


def _regions_or_points(value: object, name: str) -> pd.DataFrame:
    """Check regions; a DataFrame with chrom and pos (1-based), such as a SNP list, becomes regions of one base."""
    if isinstance(value, pd.DataFrame) and "pos" in value.columns and not {"start", "end"} & set(value.columns):
        check_columns(value, ("chrom", "pos"), name=name)
        pos = integers(value, "pos", name)
        value = value.assign(start=pos - 1, end=pos)
    return check_regions(value, name=name)


def _two_tables(a: object, b: object) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Check two tables of regions or points; chromosomes of the second become those of the first in spelling."""
    first, second = _regions_or_points(a, "a"), _regions_or_points(b, "b")
    return first, in_names_of(second, first["chrom"].unique(), name="b", where="a")


def _pair_table(
    a: pd.DataFrame, b: pd.DataFrame, rows: tuple[np.ndarray, np.ndarray], **values: np.ndarray
) -> pd.DataFrame:
    i, j = rows
    columns = {"a": a.index[i], "b": b.index[j]}
    columns |= {c: a[c].to_numpy()[i] for c in ("chrom", "start", "end")}
    columns |= {f"{c}_b": b[c].to_numpy()[j] for c in ("start", "end")}
    return pd.DataFrame(columns | values)


@checked()
def overlap(
    a: object,
    b: object,
    *,
    how: Literal["any", "none", "pairs"] = "any",
    min_fraction: float | None = None,
    engine: Engine = "native",
) -> pd.DataFrame:
    """Return what regions overlap (``bedtools intersect``).

    Parameters
    ----------
    a, b
        Regions (DataFrame, AnnData, BED path, names), or points as a DataFrame chrom, pos (1-based), such as SNPs.
    how
        ``"any"``: the rows of `a` that share a base with `b`; ``"none"``: those that share none; ``"pairs"``: every
        overlapping pair.
    min_fraction
        Least part of the region of `a` that one region of `b` must cover, in (0, 1].
    engine
        ``"native"``, or ``"bedtools"``, which runs that program. The results are the same.

    Returns
    -------
    Rows of `a` with their index, in its order; or, for pairs, DataFrame a, b (index labels), chrom, start, end,
    start_b, end_b, overlap (bases), in the order of the rows of `a`, then of `b`.

    Raises
    ------
    MissingProgramError
        If the program ``bedtools`` is asked for and not installed.
    ValueError
        If regions are not valid.
    """
    check_choice(how, ["any", "none", "pairs"], name="how")
    by = _engine(engine)
    if min_fraction is not None:
        min_fraction = check_number(min_fraction, name="min_fraction", minimum=0, exclusive=True)
        check_number(min_fraction, name="min_fraction", maximum=1)
    first, second = _two_tables(a, b)
    if how == "pairs":
        i, j, shared = by.pairs(first, second, min_fraction)
        return _pair_table(first, second, (i, j), overlap=shared)
    return first[by.touched(first, second, min_fraction) == (how == "any")]


@checked()
def window(a: object, b: object, *, distance: int = 1_000, engine: Engine = "native") -> pd.DataFrame:
    """Return all pairs of regions that overlap once `a` is widened by `distance` on both sides (``bedtools window``).

    Parameters
    ----------
    a, b
        Regions in any form that :func:`check_regions` takes.
    distance
        Bases by which `a` is widened. Regions that only touch are 1 apart, as in :func:`closest_genes`: 0 gives the
        pairs that overlap.
    engine
        ``"native"`` or ``"bedtools"``; see :func:`overlap`.

    Returns
    -------
    DataFrame a, b (index labels), chrom, start, end, start_b, end_b.
    """
    check_int(distance, name="distance", minimum=0)
    by = _engine(engine)
    first, second = _two_tables(a, b)
    return _pair_table(first, second, by.near(first, second, distance))


@checked()
def closest(
    a: object,
    b: object,
    *,
    max_distance: int | None = None,
    unknown: Unknown = "drop",
    engine: Engine = "native",
) -> pd.DataFrame:
    """Return for every region of `a` the closest of `b` (``bedtools closest -D ref``).

    Parameters
    ----------
    a, b
        Regions in any form that :func:`check_regions` takes, or points (chrom, pos).
    max_distance
        Leave out pairs further apart, in bases.
    unknown
        Regions of `a` on chromosomes without any of `b`: ``"drop"`` leaves them out with a counted warning, ``"error"``
        raises.
    engine
        ``"native"`` or ``"bedtools"``; see :func:`overlap`.

    Returns
    -------
    DataFrame a, b (index labels), chrom, start, end, start_b, end_b, distance (int64): 0 where they share a base, 1
    where they touch, negative where `b` lies left of `a`. Of regions at one distance all are given.

    Raises
    ------
    ValueError
        If no region of `a` lies on a chromosome with regions of `b`, or one does not and ``unknown="error"``.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> sk.regions.closest(['chr1:100-200'], ['chr1:10-91', 'chr1:209-300'])['distance'].tolist()
    [-10, 10]
    """
    check_unknown(unknown)
    if max_distance is not None:
        check_int(max_distance, name="max_distance", minimum=0)
    by = _engine(engine)
    first, second = _two_tables(a, b)
    first = first[split_unknown(first, second["chrom"].unique(), unknown=unknown, name="a", where="those of b")]
    i, j, distance = by.closest(first, second)
    if max_distance is not None:
        close = np.abs(distance) <= max_distance
        i, j, distance = i[close], j[close], distance[close]
    return _pair_table(first, second, (i, j), distance=distance)


@checked()
def coverage(a: object, b: object, *, engine: Engine = "native") -> pd.DataFrame:
    """Return how many regions of `b` overlap every one of `a`, and how much of it they cover (``bedtools coverage``).

    Parameters
    ----------
    a, b
        Regions in any form that :func:`check_regions` takes, or points (chrom, pos).
    engine
        ``"native"`` or ``"bedtools"``; see :func:`overlap`.

    Returns
    -------
    DataFrame chrom, start, end with the index of `a`, n (int64, regions of `b` that share a base), covered (int64,
    bases that lie in any of them), fraction (float64, covered by length).

    Examples
    --------
    >>> import sccase_kit as sk
    >>> sk.regions.coverage(['chr1:0-100'], ['chr1:50-80', 'chr1:60-90'])[['n', 'covered', 'fraction']].iloc[0].tolist()
    [2.0, 40.0, 0.4]
    """
    by = _engine(engine)
    first, second = _two_tables(a, b)
    n, bases = by.coverage(first, second)
    table = first[["chrom", "start", "end"]]
    return table.assign(n=n, covered=bases, fraction=bases / (table["end"] - table["start"]).to_numpy())


@checked()
def closest_genes(
    regions: object,
    tss: str | os.PathLike[str] | pd.DataFrame,
    *,
    k: int = 1,
    max_distance: int | None = None,
    unknown: Unknown = "drop",
) -> pd.DataFrame:
    """Return the genes whose TSS is closest to every region.

    With ``k=1`` these are the pairs of ``bedtools closest -D b``. With more, BEDTools counts genes and stops early
    where several are equally close (of ties at distance 0 it prints the ties and never the next); here places count.

    Parameters
    ----------
    regions
        Regions.
    tss
        Genes; see :func:`~sccase_kit.regions.tss_table`.
    k
        How many places per region, the closest first; genes at the same distance, on either side, are one place and are
        all given.
    max_distance
        Leave out genes further away, in bases.
    unknown
        Regions on chromosomes without genes: ``"drop"`` leaves them out with a counted warning, ``"error"`` raises.

    Returns
    -------
    DataFrame region (index label), chrom, start, end, gene_id, symbol, distance: bases from the nearest edge of the
    region to the TSS, 0 if it lies inside, negative if the region lies upstream of the gene.

    Raises
    ------
    ValueError
        If no region lies on a chromosome with genes, or one does not and ``unknown="error"``.
    """
    check_unknown(unknown)
    check_int(k, name="k", minimum=1)
    if max_distance is not None:
        check_int(max_distance, name="max_distance", minimum=0)
    places, genes = check_regions(regions), tss_table(tss)
    genes = in_names_of(genes, places["chrom"].unique(), name="tss", where="the regions")
    places = places[split_unknown(places, genes["chrom"], unknown=unknown, name="regions", where="those of tss")]
    region, gene, distance = closest_starts(places, genes, k=k)
    if max_distance is not None:
        near = np.abs(distance) <= max_distance
        region, gene, distance = region[near], gene[near], distance[near]
    table = places.iloc[region][["chrom", "start", "end"]]
    table.insert(0, "region", table.index.to_numpy())
    return table.reset_index(drop=True).assign(
        gene_id=genes["gene_id"].to_numpy()[gene],
        symbol=genes["symbol"].to_numpy()[gene],
        distance=distance,
    )


@checked()
def merge(regions: object, *, distance: int = 0, engine: Engine = "native") -> pd.DataFrame:
    """Join regions that overlap or are at most `distance` bases apart (``bedtools merge``).

    Parameters
    ----------
    regions
        Regions in any form that :func:`check_regions` takes.
    distance
        Largest gap between regions that are joined, in bases.
    engine
        ``"native"`` or ``"bedtools"``; see :func:`overlap`.

    Returns
    -------
    DataFrame chrom, start, end, n (int64, how many regions were joined), sorted.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> sk.regions.merge(['chr1:0-10', 'chr1:5-20', 'chr2:1-2'])['end'].tolist()
    [20, 2]
    """
    check_int(distance, name="distance", minimum=0)
    by = _engine(engine)
    merged: pd.DataFrame = by.merge(check_regions(regions), distance)
    return merged
