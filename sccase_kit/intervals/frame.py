"""What a table of regions is: chrom, start, end, 0-based half-open; coercion and checks."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from anndata import AnnData

from .._logging import warn
from .._text_files import open_text
from .._validate import check_choice
from .columns import NO_POSITION, check_chrom_style, check_columns, check_names, integers, natural_key, split_name

_OTHER_NAMES = {"chrom": ("chr", "chromosome", "seqnames", "seqname"), "start": ("chromstart", "chr_start", "begin")}
_OTHER_NAMES["end"] = ("chromend", "chr_end", "stop")


def read_bed(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read the first columns of a BED file (plain or gzip).

    Blank lines and lines that start with ``#``, ``track`` or ``browser`` are skipped.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    DataFrame with columns chrom (str), start, end (int64) and, where every line has a fourth column, name (str).

    Raises
    ------
    ValueError
        If a line has fewer than three columns, a coordinate is not an integer, or start is not below end; the
        message gives the file and the line.
    """
    chrom, start, end, name = [], [], [], []
    with open_text(path) as handle:
        for number, line in enumerate(handle, 1):
            if not line.strip() or line.startswith(("#", "track", "browser")):
                continue
            cells = line.rstrip("\r\n").split("\t")
            if len(cells) < 3:
                cells = line.split()
            try:
                low, high = int(cells[1]), int(cells[2])
            except (IndexError, ValueError):
                msg = f"{path}, line {number}: expected chrom, start, end (integers), got {line.rstrip()[:80]!r}"
                raise ValueError(msg) from None
            if not 0 <= low < high < NO_POSITION:
                msg = f"{path}, line {number}: expected 0 <= start < end, got {line.rstrip()[:80]!r}"
                raise ValueError(msg)
            chrom.append(cells[0])
            start.append(low)
            end.append(high)
            if len(cells) > 3:
                name.append(cells[3])
    frame = pd.DataFrame({"chrom": np.array(chrom, dtype=object)})
    frame["start"], frame["end"] = np.array(start, np.int64), np.array(end, np.int64)
    if name and len(name) == len(chrom):
        frame["name"] = name
    return frame


def parse_names(names: Iterable[str], *, name: str = "names") -> pd.DataFrame:
    """Parse names such as ``chr1:100-200``, ``chr1_100_200`` or ``chr1-100-200``, read as 0-based half-open.

    Parameters
    ----------
    names
        Names of regions.
    name
        What they are called in messages.

    Returns
    -------
    DataFrame chrom, start, end, indexed by the names.

    Raises
    ------
    ValueError
        If a name has another form; the first one is shown.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> sk.regions.parse_names(['chr1:100-600'])['start'].tolist()
    [100]
    """
    index = pd.Index(list(names), dtype=object)
    places = [split_name(str(value)) for value in index]
    bad = np.array([place is None for place in places], dtype=bool)
    if bad.any():
        msg = f"{name}: {int(bad.sum())} of {len(bad)} are not of the form chr1:100-200 (first: {index[bad][0]!r})"
        raise ValueError(msg)
    chrom, start, end = zip(*places, strict=True) if places else ((), (), ())
    frame = pd.DataFrame({"chrom": np.array(chrom, dtype=object)}, index=index)
    return frame.assign(start=np.array(start, dtype=np.int64), end=np.array(end, dtype=np.int64))


def as_regions(regions: object, *, name: str = "regions") -> pd.DataFrame:
    """Return `regions` as a table with columns chrom, start, end, without checking the values.

    Parameters
    ----------
    regions
        DataFrame with columns chrom, start, end (others are kept); AnnData, whose `var` holds them or whose
        `var_names` spell them; path of a BED file; list or Index of names such as ``chr1:100-200``.
    name
        Name used in messages.

    Returns
    -------
    A new DataFrame; the index of a DataFrame or of `adata.var` is kept.
    """
    if isinstance(regions, AnnData):
        if {"chrom", "start", "end"} <= set(regions.var.columns):
            return regions.var.copy()
        return parse_names(regions.var_names, name=f"{name}.var_names")
    if isinstance(regions, pd.DataFrame):
        missing = [c for c in ("chrom", "start", "end") if c not in regions.columns]
        if missing:
            lower = {str(c).lower(): c for c in regions.columns}
            found = {lower[o]: c for c in missing for o in (c, *_OTHER_NAMES[c]) if o in lower}
            hint = f" Rename first: {name}.rename(columns={found!r})." if found else ""
            msg = f"{name} needs the columns chrom, start, end; {missing} not among {list(regions.columns)}.{hint}"
            raise KeyError(msg)
        check_columns(regions, ("chrom", "start", "end", "genome"), name=name)
        return regions.copy()
    if isinstance(regions, (str, os.PathLike)):
        if not Path(regions).is_file():
            hint = " For one region pass a list: ['chr1:100-200']." if split_name(str(regions)) else ""
            msg = f"{name}: there is no file {str(regions)!r}.{hint}"
            raise FileNotFoundError(msg)
        return read_bed(regions)
    if isinstance(regions, (list, tuple, np.ndarray, pd.Index, pd.Series)):
        return parse_names([str(r) for r in regions], name=name)
    msg = f"{name} must be a DataFrame, AnnData, BED path or a list of names, got {type(regions).__name__}"
    raise TypeError(msg)


def _example(frame: pd.DataFrame, bad: np.ndarray) -> str:
    row = frame[bad].iloc[0]
    return f"{int(bad.sum())} of {len(bad)} rows, first: {row['chrom']}:{row['start']}-{row['end']}"


def check_same_style(a: pd.DataFrame, b: pd.DataFrame, *, name_a: str, name_b: str) -> None:
    """Raise ValueError if one table names its chromosomes ``chr1`` and the other ``1``."""
    style_a, style_b = (check_chrom_style(f["chrom"].unique(), name=n) for f, n in ((a, name_a), (b, name_b)))
    if {style_a, style_b} == {"chr", "bare"}:
        first_a, first_b = a["chrom"].iloc[0], b["chrom"].iloc[0]
        bare = name_a if style_a == "bare" else name_b
        msg = (
            f"{name_a} names chromosomes like {first_a!r}, {name_b} like {first_b!r}: no region would match. "
            f"Rename them first: {bare}['chrom'] = 'chr' + {bare}['chrom']"
        )
        raise ValueError(msg)


def _check_assembly(frame: pd.DataFrame, sizes: Mapping[str, int], genome: str | None, unknown: str, name: str):
    """Check names and ends against chromosome sizes; return the rows to keep (boolean array)."""
    where = f"the chromosomes of {genome}" if genome else "chrom_sizes"
    length = frame["chrom"].map(dict(sizes))
    absent = length.isna().to_numpy()
    if absent.any():
        names = list(frame.loc[absent, "chrom"].unique())
        toggled = [n[3:] if n.startswith("chr") else "chr" + n for n in names]
        if absent.all() and any(t in sizes for t in toggled):
            msg = (
                f"{name} names chromosomes like {names[0]!r}, {where} are named like {next(iter(sizes))!r}. "
                f"Rename them first: {name}['chrom'] = "
                + (f"{name}['chrom'].str[3:]" if names[0].startswith("chr") else f"'chr' + {name}['chrom']")
            )
            raise ValueError(msg)
        what = f"{name}: {int(absent.sum())} of {len(absent)} rows lie on sequences that are not among {where}"
        if unknown == "raise" or absent.all():
            msg = f"{what}: {names[:5]}. Drop them or pass the chromosome sizes they belong to."
            raise ValueError(msg)
        if unknown == "drop":
            warn(f"{what}; they are left out: {names[:5]}")
    beyond = (frame["end"] > length).to_numpy(bool) & ~absent
    if beyond.any():
        from .genomes import fitting_genomes

        fits = [g for g in fitting_genomes(frame) if g != genome]
        hint = f" They would fit {' and '.join(fits)}." if fits else ""
        msg = (
            f"{name}: rows reach beyond {where} ({_example(frame, beyond)}, "
            f"length {int(length[beyond].iloc[0])}): wrong or mixed genome build?{hint}"
        )
        raise ValueError(msg)
    return ~absent if unknown == "drop" else np.ones(len(frame), dtype=bool)


def check_regions(
    regions: object,
    *,
    name: str = "regions",
    genome: str | None = None,
    chrom_sizes: Mapping[str, int] | None = None,
    unknown: Literal["raise", "drop", "keep"] = "raise",
    sort: bool = False,
    require_sorted: bool = False,
    allow_empty: bool = False,
) -> pd.DataFrame:
    """Return checked regions: columns chrom (str), start, end (int64), 0-based half-open.

    Parameters
    ----------
    regions
        DataFrame, AnnData, BED path or names; see :func:`as_regions`.
    name
        Name used in messages.
    genome
        Name of a known genome, whose chromosome sizes are then used unless `chrom_sizes` is given. Regions that say
        they belong to another genome (``regions.attrs["genome"]`` or a column genome) are refused.
    chrom_sizes
        Chromosome → length in bases; ends must not lie beyond.
    unknown
        What to do with rows on sequences without a size: an error, leave them out with a warning, or keep them.
        If no row at all is known, that is always an error.
    sort
        Return the rows sorted by chromosome (order of the sizes, else 1, 2, …, X, Y, M, others), start, end.
    require_sorted
        Raise unless every chromosome is one block with ascending starts.
    allow_empty
        Accept a table without rows.

    Returns
    -------
    A new DataFrame with the other columns and the index of the input kept.

    Raises
    ------
    KeyError
        If columns are missing.
    TypeError
        If coordinates are not numbers.
    ValueError
        If the table is empty, coordinates are not 0 <= start < end, chromosome styles are mixed (``1`` and ``chr1``),
        several genomes are mixed, or regions lie off the chromosomes.
    """
    check_choice(unknown, ["raise", "drop", "keep"], name="unknown")
    frame = as_regions(regions, name=name)
    if frame.empty:
        if not allow_empty:
            msg = f"{name} is empty: there is not a single region"
            raise ValueError(msg)
        return frame.astype({"chrom": object, "start": np.int64, "end": np.int64})
    chrom = pd.Series(check_names(frame["chrom"], name=f"{name}['chrom']"), frame.index, dtype=object)
    start, end = (integers(frame, c, name) for c in ("start", "end"))
    frame["chrom"], frame["start"], frame["end"] = chrom, start, end
    for bad, why in ((start < 0, "start below 0"), (end <= start, "end <= start (0-based half-open)")):
        if bad.any():
            msg = f"{name} has {why} in {_example(frame, bad)}"
            raise ValueError(msg)
    check_chrom_style(chrom.unique(), name=name)
    told = {str(g) for g in frame["genome"].unique()} if "genome" in frame.columns else set()
    told |= {str(frame.attrs["genome"])} if frame.attrs.get("genome") else set()
    if len(told) > 1 or (genome is not None and told - {genome}):
        msg = f"{name} belongs to {sorted(told)}" + (f", but genome={genome!r}" if genome else ": one genome is needed")
        raise ValueError(msg + ". Lift the regions over first (sccase_kit.regions.liftover).")
    if chrom_sizes is None and genome is not None:
        from .genomes import chrom_sizes as sizes_of

        chrom_sizes = sizes_of(genome)
    if chrom_sizes is not None:
        frame = frame[_check_assembly(frame, chrom_sizes, genome, unknown, name)]
    if require_sorted:
        _check_sorted(frame, name)
    if sort:
        known = {c: i for i, c in enumerate(chrom_sizes)} if chrom_sizes is not None else {}
        names = sorted(frame["chrom"].unique(), key=lambda c: (known.get(c, len(known)), natural_key(c)))
        rank = frame["chrom"].map({c: i for i, c in enumerate(names)}).to_numpy()
        frame = frame.iloc[np.lexsort((frame["end"], frame["start"], rank))]
    return frame


def _check_sorted(frame: pd.DataFrame, name: str) -> None:
    code, _ = pd.factorize(frame["chrom"])
    back = np.r_[False, (np.diff(code) < 0) | ((np.diff(code) == 0) & (np.diff(frame["start"].to_numpy()) < 0))]
    if back.any():
        msg = f"{name} must be sorted by chromosome and start; out of order: {_example(frame, back)}. Pass sort=True."
        raise ValueError(msg)
