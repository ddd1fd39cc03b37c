"""Regions moved to random places (computed by BEDTools)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import ModuleType

import numpy as np
import pandas as pd

from .._arguments import checked
from .._rng import check_rng
from .bedtools import bedtools, read_columns, to_bed
from .frame import check_regions
from .genomes import chrom_sizes as chrom_sizes_of


@checked()
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
    seeds = check_rng(rng)
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
    return table.assign(
        **{c: pd.Series(places[:, i], table.index).astype(table[c].dtype) for i, c in enumerate(columns)}
    )


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


def _genome_file(module: ModuleType, sizes: Mapping[str, int]) -> str:
    path = os.path.join(module.get_tempdir(), "genome.txt")
    with open(path, "w", encoding="utf-8") as handle:
        handle.writelines(f"{chrom}\t{length}\n" for chrom, length in sorted(sizes.items()))
    return path
