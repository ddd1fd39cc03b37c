"""Interval algebra for users: overlap, window, merge, shuffle (computed by BEDTools) and closest genes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd

from .._validate import check_choice, check_int, check_number
from .assembly import check_unknown, in_names_of, split_unknown
from .bedtools import bedtools, read_columns, to_bed
from .chromosomes import Unknown
from .closest import closest_starts
from .columns import check_columns, integers
from .frame import check_regions
from .genomes import chrom_sizes as chrom_sizes_of
from .genomes import tss_table


def _regions_or_points(value: object, name: str) -> pd.DataFrame:
    """Check regions; a DataFrame with chrom and pos (1-based), such as a SNP list, becomes regions of one base."""
    if isinstance(value, pd.DataFrame) and "pos" in value.columns and not {"start", "end"} & set(value.columns):
        check_columns(value, ("chrom", "pos"), name=name)
        pos = integers(value, "pos", name)
        value = value.assign(start=pos - 1, end=pos)
    return check_regions(value, name=name)


def _pair_table(pairs: pd.DataFrame, a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    pairs = pairs.sort_values(["a", "b"], kind="stable", ignore_index=True)
    left = a.iloc[pairs["a"].to_numpy()][["chrom", "start", "end"]].reset_index(drop=True)
    right = b.iloc[pairs["b"].to_numpy()]
    table = left.assign(start_b=right["start"].to_numpy(), end_b=right["end"].to_numpy())
    table.insert(0, "a", a.index[pairs["a"]])
    table.insert(1, "b", b.index[pairs["b"]])
    if "overlap" in pairs:
        table["overlap"] = pairs["overlap"]
    return table


def overlap(
    a: object,
    b: object,
    *,
    how: Literal["any", "none", "pairs"] = "any",
    min_fraction: float | None = None,
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

    Returns
    -------
    Rows of `a` with their index, in its order; or, for pairs, DataFrame a, b (index labels), chrom, start, end,
    start_b, end_b, overlap (bases).

    Raises
    ------
    MissingProgramError
        If the program ``bedtools`` is not installed.
    ValueError
        If regions are not valid.
    """
    check_choice(how, ["any", "none", "pairs"], name="how")
    first, second = _regions_or_points(a, "a"), _regions_or_points(b, "b")
    second = in_names_of(second, first["chrom"].unique(), name="b", where="a")
    options = {}
    if min_fraction is not None:
        options["f"] = check_number(min_fraction, name="min_fraction", minimum=0, exclusive=True)
        check_number(min_fraction, name="min_fraction", maximum=1)
    with bedtools() as module:
        left, right = to_bed(module, first), to_bed(module, second)
        if how == "pairs":
            result = left.intersect(right, wo=True, **options)
            return _pair_table(read_columns(result, {3: "a", 7: "b", 8: "overlap"}), first, second)
        result = left.intersect(right, **{"u" if how == "any" else "v": True}, **options)
        rows = read_columns(result, {3: "a"})["a"]
    return first.iloc[np.sort(rows.to_numpy())]


def window(a: object, b: object, *, distance: int = 1_000) -> pd.DataFrame:
    """Return all pairs of regions that overlap once `a` is widened by `distance` on both sides (``bedtools window``).

    Parameters
    ----------
    a, b
        Regions in any form that :func:`check_regions` takes.
    distance
        Bases by which `a` is widened. Regions that only touch are 1 apart, as in :func:`closest_genes`: 0 gives the
        pairs that overlap.

    Returns
    -------
    DataFrame a, b (index labels), chrom, start, end, start_b, end_b.
    """
    check_int(distance, name="distance", minimum=0)
    first, second = _regions_or_points(a, "a"), _regions_or_points(b, "b")
    second = in_names_of(second, first["chrom"].unique(), name="b", where="a")
    with bedtools() as module:
        result = to_bed(module, first).window(to_bed(module, second), w=distance)
        pairs = read_columns(result, {3: "a", 7: "b"})
    return _pair_table(pairs, first, second)


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


def merge(regions: object, *, distance: int = 0) -> pd.DataFrame:
    """Join regions that overlap or are at most `distance` bases apart (``bedtools merge``).

    Parameters
    ----------
    regions
        Regions in any form that :func:`check_regions` takes.
    distance
        Largest gap between regions that are joined, in bases.

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
    regions = check_regions(regions)
    with bedtools() as module:
        result = to_bed(module, regions).merge(d=distance, c=4, o="count")
        table = read_columns(result, {0: "chrom", 1: "start", 2: "end", 3: "n"})
    return check_regions(table, sort=True).reset_index(drop=True)


def shuffle(
    regions: object,
    chrom_sizes: str | os.PathLike[str] | Mapping[str, int],
    *,
    include: object | None = None,
    exclude: object | None = None,
    same_chromosome: bool = False,
    overlapping: bool = True,
    rng: int | np.random.Generator | None = 0,
) -> pd.DataFrame:
    """Move every region to a random place, keeping its length (``bedtools shuffle``).

    Parameters
    ----------
    regions
        Regions.
    chrom_sizes
        Genome name, file or mapping; see :func:`~sccase_kit.regions.chrom_sizes`.
    include, exclude
        Regions in which the new ones must start, or that they must not touch (such as gaps).
    same_chromosome
        Keep the chromosome.
    overlapping
        Whether the new regions may overlap each other.
    rng
        Seed or generator.

    Returns
    -------
    DataFrame chrom, start, end with the index and other columns of `regions`.

    Raises
    ------
    ValueError
        If there is no room for a region.
    """
    sizes = chrom_sizes_of(chrom_sizes)
    table = check_regions(regions, chrom_sizes=sizes)
    given = {"include": include, "exclude": exclude}
    tables = {k: check_regions(v, name=k, chrom_sizes=sizes, unknown="drop") for k, v in given.items() if v is not None}
    seeds = np.random.default_rng(rng)
    chroms = table["chrom"].to_numpy()
    blocks = [chroms == c for c in pd.unique(chroms)] if same_chromosome else [np.ones(len(table), dtype=bool)]
    columns = ["chrom", "start", "end"]
    places = table[columns].to_numpy(object)
    for block in blocks:
        held = {chroms[block][0]: sizes[chroms[block][0]]} if same_chromosome else sizes
        seed = int(seeds.integers(2**31 - 1))
        moved = _shuffle_block(table[block], held, tables, overlapping=overlapping, seed=seed)
        if len(moved) != block.sum():
            msg = f"there is no room for some of the {len(table)} regions; relax include, exclude or overlapping"
            raise ValueError(msg)
        places[block] = moved.sort_values("row")[columns].to_numpy(object)
    return table.assign(**{c: places[:, i].astype(table[c].dtype) for i, c in enumerate(columns)})


def _shuffle_block(
    regions: pd.DataFrame, sizes: Mapping[str, int], tables: Mapping[str, pd.DataFrame], *, overlapping: bool, seed: int
) -> pd.DataFrame:
    """Shuffle regions over the given chromosomes; return chrom, start, end, row of those that found room.

    BEDTools tries for ever if it finds no room in the whole genome; within given stretches it gives up, but does not
    look for the ends of the chromosomes, which are therefore excluded.
    """
    whole = pd.DataFrame({"chrom": list(sizes), "start": 0, "end": list(sizes.values())})
    longest = int((regions["end"] - regions["start"]).max())
    tables = {k: t[t["chrom"].isin(sizes)] for k, t in tables.items()}
    taken = tables.get("exclude", whole.iloc[:0])
    beyond = whole.assign(start=whole["end"], end=whole["end"] + longest)
    with bedtools() as module:
        genome = _genome_file(module, sizes)
        if "include" in tables:
            inside = to_bed(module, tables["include"])
        else:
            inside = to_bed(module, taken).complement(g=genome) if len(taken) else to_bed(module, whole)
        if not os.path.getsize(inside.fn):
            return pd.DataFrame({"chrom": [], "start": [], "end": [], "row": []})
        outside = to_bed(module, pd.concat([taken, beyond])).fn
        options = {"incl": inside.fn, "excl": outside, "seed": seed, "noOverlapping": not overlapping}
        try:
            result = to_bed(module, regions).shuffle(g=genome, **options)
        except module.helpers.BEDToolsError as err:
            if "could not avoid excluded regions" not in str(err):
                raise
            return pd.DataFrame({"chrom": [], "start": [], "end": [], "row": []})
        return read_columns(result, {0: "chrom", 1: "start", 2: "end", 3: "row"})


def _genome_file(module, sizes: Mapping[str, int]) -> str:
    path = os.path.join(module.get_tempdir(), "genome.txt")
    with open(path, "w", encoding="utf-8") as handle:
        handle.writelines(f"{chrom}\t{length}\n" for chrom, length in sorted(sizes.items()))
    return path
