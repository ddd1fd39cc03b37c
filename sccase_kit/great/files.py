"""Files for the GREAT web tool."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pandas as pd

from .._arguments import checked
from .._atomic import check_path, file_names, replacing
from .._logging import warn
from .._text_files import bed_text
from .._validate import check_choice
from ..intervals.assembly import check_unknown
from ..intervals.chromosomes import Unknown
from ..intervals.frame import check_regions
from ..intervals.genomes import GENOMES
from .run import check_inside

#: Largest numbers of regions that the web tool accepts (GREAT help, "File Size").
MAX_TEST, MAX_BACKGROUND = 500_000, 1_000_000


def _bed(regions: pd.DataFrame) -> pd.DataFrame:
    """Return chrom, start, end and a unique name without blanks for every region."""
    table = regions[["chrom", "start", "end"]].copy()
    plain = pd.api.types.is_numeric_dtype(regions.index.dtype) or regions.index.has_duplicates
    place = table["chrom"] + ":" + table["start"].astype(str) + "-" + table["end"].astype(str)
    name = place.to_numpy(object) if plain else [re.sub(r"\s", "_", str(row)) for row in regions.index]
    table["name"] = np.asarray(name, dtype=object)
    return table.drop_duplicates(["chrom", "start", "end"])


def _check(regions: object, name: str, genome: str, *, limit: int, unknown: Unknown) -> pd.DataFrame:
    table = check_regions(regions, name=name, genome=genome, sort=True, unknown=unknown)
    bed = _bed(table)
    if len(bed) < len(table):
        warn(f"{name}: {len(table) - len(bed)} repeated regions are written once")
    if len(bed) > limit:
        msg = f"{name} has {len(bed)} regions; the GREAT web tool accepts at most {limit}. Keep the strongest ones."
        raise ValueError(msg)
    return bed


@checked()
def write_great(
    regions: object,
    path: str | os.PathLike[str],
    background: object | None = None,
    *,
    genome: str,
    groupby: str | None = None,
    unknown: Unknown = "drop",
) -> dict[str, Path]:
    """Write the BED files that the GREAT web tool takes.

    Parameters
    ----------
    regions
        Test regions: DataFrame chrom, start, end, AnnData, BED path or names.
    path
        BED file to write; with `groupby`, a folder (made if needed) for one file per group.
    background
        Background regions, written next to the test regions. They must hold every test region, with the same
        coordinates.
    genome
        hg19, hg38, mm9 or mm10, the genomes of GREAT 4.
    groupby
        Column of `regions` with the groups.
    unknown
        Regions on sequences that the genome does not have (scaffolds), which the tool refuses: ``"drop"`` leaves them
        out with a warning, ``"error"`` raises.

    Returns
    -------
    ``{"test": path}`` or group → path, and ``"background": path`` if there is one.

    Raises
    ------
    ValueError
        If regions are empty, lie off the chromosomes, are more than the tool accepts (500,000 test and 1,000,000
        background regions), or a test region is not in the background. Nothing is written then.
    KeyError
        If `regions` has no column `groupby`.

    Notes
    -----
    What the tool refuses is checked here first: unknown chromosomes, ends beyond the chromosome. Chromosomes are
    written as the tool needs them (``chr1``); regions are sorted, named, and written once.
    """
    check_choice(genome, GENOMES, name="genome")
    target = check_path(path)
    check_unknown(unknown)
    table = check_regions(regions, genome=genome, unknown=unknown)
    if groupby is None:
        parts = {"test": (target, _check(table, "regions", genome, limit=MAX_TEST, unknown=unknown))}
    else:
        if groupby not in table.columns:
            msg = f"groupby={groupby!r} is not among the columns of regions: {list(table.columns)}"
            raise KeyError(msg)
        split = table.groupby(groupby, sort=False, observed=True)
        files = {g: target / f"{name}.bed" for g, name in file_names(split.groups).items()}
        parts = {g: (files[g], _check(t, f"regions[{g!r}]", genome, limit=MAX_TEST, unknown=unknown)) for g, t in split}
    if background is not None:
        beside = target / "background.bed" if groupby is not None else target.with_name(f"{target.stem}_background.bed")
        whole = _check(background, "background", genome, limit=MAX_BACKGROUND, unknown=unknown)
        for _, bed in parts.values():
            check_inside(bed, whole)
        if beside in [p for p, _ in parts.values()]:
            msg = f"a group is named like the background file {beside.name!r}; rename it"
            raise ValueError(msg)
        parts["background"] = (beside, whole)
    if groupby is not None:
        target.mkdir(parents=True, exist_ok=True)
    for file, bed in parts.values():
        with replacing(file) as temporary:
            temporary.write_text(bed_text(bed), encoding="utf-8")
    return {key: file for key, (file, _) in parts.items()}
