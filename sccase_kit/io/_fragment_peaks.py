"""The peaks that fragments are counted in: the user's, or tiles of the genome."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from .._logging import warn
from .._validate import check_int
from ..fragments.scan import is_mitochondrial
from ..intervals.columns import natural_key
from ..intervals.frame import check_regions

#: Columns that a matrix's `var` takes over from a table of peaks only under these names.
_PLACE = ["chrom", "start", "end"]


def peak_table(
    peaks: object, tiles: int | None, *, genome: str | None, sizes: Mapping[str, int] | None
) -> pd.DataFrame:
    """Return the peaks, indexed by names such as ``chr1:100-600``, with the other columns they came with.

    Raises
    ------
    ValueError
        If both or neither of `peaks` and `tiles` are given, tiles lack chromosome sizes, or the peaks are no regions.
    """
    if (peaks is None) == (tiles is None):
        msg = "give either peaks= (a BED file, a table, an AnnData) or tiles= (a width in bases, with genome=)"
        raise ValueError(msg)
    if tiles is not None:
        return tile_table(tiles, sizes)
    table = check_regions(peaks, name="peaks", genome=genome, chrom_sizes=sizes, unknown="drop")
    table = table[[*_PLACE, *(c for c in table.columns if c not in {*_PLACE, "genome"})]]
    table.index = names_of(table)
    twice = table.index.duplicated()
    if twice.any():
        warn(f"peaks: {int(twice.sum())} of {len(twice)} are there more than once, such as {table.index[twice][0]}; "
             "one of each is kept")  # fmt: skip
        table = table[~twice]
    return table


def tile_table(width: int, sizes: Mapping[str, int] | None) -> pd.DataFrame:
    """Return tiles of the chromosomes, without the mitochondrial one; the last of each may be shorter."""
    width = check_int(width, name="tiles", minimum=100, maximum=10_000_000)
    if sizes is None:
        msg = "tiles= needs genome= (hg19, hg38, mm9, mm10, or a file of chromosome sizes)"
        raise ValueError(msg)
    parts = []
    for chrom in sorted((c for c in sizes if not is_mitochondrial(c)), key=natural_key):
        start = np.arange(0, sizes[chrom], width, dtype=np.int64)
        parts.append(pd.DataFrame({"chrom": chrom, "start": start, "end": np.minimum(start + width, sizes[chrom])}))
    table = pd.concat(parts, ignore_index=True)
    table.index = names_of(table)
    return table


def names_of(table: pd.DataFrame) -> pd.Index:
    """Return ``chrom:start-end`` of every row."""
    starts, ends = table["start"].to_numpy().tolist(), table["end"].to_numpy().tolist()
    return pd.Index([f"{c}:{s}-{e}" for c, s, e in zip(table["chrom"], starts, ends, strict=True)], dtype=object)
