"""Binding sites by factor as people have them: a folder with a file of regions per factor, or one file with names."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pandas as pd

from .._arguments import checked
from .._atomic import check_path
from .._logging import warn
from ..intervals.region_files import read_bed

_ENDING = re.compile(
    r"\.(bed\d*|narrowpeak|broadpeak|gappedpeak|encodepeak|regionpeak)(\.(gz|bgz|bz2|xz|zst))?$", re.IGNORECASE
)
_SHOWN = 5
_MANY = 50  # names, above which as many names as half the sites are those of single sites


@checked()
def read_sites(path: str | os.PathLike[str]) -> dict[str, pd.DataFrame]:
    """Read the sites of factors: ChIP-seq peaks, motif matches or footprints that others found in the genome.

    Parameters
    ----------
    path
        A folder, in which every BED file (.bed, .narrowPeak, .broadPeak, packed or not) holds the sites of the factor
        that its name says (``GATA1.narrowPeak.gz``); other files are left out with a warning. Or one file, whose fourth
        column (or column `name`) is the factor, such as the clusters of ENCODE or a track of JASPAR's.

    Returns
    -------
    Factor → chrom, start, end (0-based half-open) of its sites, in the order of the folder or of the file. Factors
    without any site (an empty file) stay, with a warning.

    Raises
    ------
    FileNotFoundError
        If there is no such path, or the folder holds no BED file.
    ValueError
        If a file is no BED file (file and line are named), two files of the folder have one name, or the file of all
        has no names or a name for every site.
    """
    path = check_path(path)
    if path.is_dir():
        return _folder(path)
    table = read_bed(path)
    named = table["name"].astype(str).str.strip() if "name" in table else pd.Series(dtype=str)
    if not len(named) or (named.isin(["", "."]) | table["name"].isna()).any():
        msg = f"{path}: the fourth column must name the factor of every site; sites of one factor go into a folder, "
        msg += "with a file per factor (GATA1.bed, SPI1.bed)"
        raise ValueError(msg)
    sites = {name: part.reset_index(drop=True) for name, part in table.groupby(named.to_numpy(), sort=False)}
    if len(sites) > max(_MANY, len(table) / 2):
        msg = (
            f"{path}: {len(sites):,} names of {len(table):,} sites, such as {list(sites)[:2]}: they name single sites, "
        )
        msg += "not factors; put files of one factor each into a folder (GATA1.bed, SPI1.bed)"
        raise ValueError(msg)
    return {str(name): part[["chrom", "start", "end"]] for name, part in sites.items()}


def _folder(path: Path) -> dict[str, pd.DataFrame]:
    files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
    beds = [file for file in files if _ENDING.search(file.name)]
    if not beds:
        msg = f"{path} holds no BED file (.bed, .narrowPeak, .broadPeak, packed or not); it holds {len(files)} file(s)"
        msg += f", such as {[file.name for file in files[:_SHOWN]]}" * bool(files)
        raise FileNotFoundError(msg)
    if left := [file.name for file in files if file not in beds]:
        warn(f"{path}: {len(left)} file(s) that are not BED are left out, such as {left[:_SHOWN]}")
    names = [_ENDING.sub("", file.name) for file in beds]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        msg = f"{path} holds several files of {twice[:_SHOWN]}; leave one file per factor"
        raise ValueError(msg)
    found = {name: read_bed(file)[["chrom", "start", "end"]] for name, file in zip(names, beds, strict=True)}
    if empty := [name for name, table in found.items() if not len(table)]:
        warn(f"{path}: {len(empty)} file(s) hold no site: {empty[:_SHOWN]}")
    return found
