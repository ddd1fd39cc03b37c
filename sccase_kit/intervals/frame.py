"""What a table of regions is: chrom, start, end, 0-based half-open; coercion and checks."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._logging import warn
from .._validate import check_choice, check_list
from .assembly import check_one_genome, example, on_genome
from .columns import check_chrom_style, check_columns, integers, name_codes, natural_key, plain_positions
from .coordinates import NOT_NAMES, OTHER_NAMES, find_coordinates, is_closed
from .names import split_name, split_names
from .region_files import read_bed
from .shipped import GENOMES


@checked()
def parse_names(names: Iterable[str], *, name: str = "names") -> pd.DataFrame:
    """Parse names such as ``chr1:100-200``, ``chr1_100_200`` or ``chr1.100.200``, read as 0-based half-open.

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
    index = pd.Index(check_list(names, name=name, what="texts"), dtype=object)
    places = split_names(str(value) for value in index)
    bad = np.array([place is None for place in places], dtype=bool)
    if bad.any():
        msg = f"{name}: {int(bad.sum())} of {len(bad)} are not of the form chr1:100-200 (first: {index[bad][0]!r})"
        raise ValueError(msg)
    chrom, start, end = zip(*places, strict=True) if places else ((), (), ())
    frame = pd.DataFrame({"chrom": np.array(chrom, dtype=object)}, index=index)
    return frame.assign(start=np.array(start, dtype=np.int64), end=np.array(end, dtype=np.int64))


def as_regions(regions: object, *, name: str = "regions", one_based: bool | None = None) -> pd.DataFrame:
    """Return `regions` as a table with columns chrom, start, end, without checking the values.

    Parameters
    ----------
    regions
        DataFrame with columns of chromosome, start and end under any usual name (others are kept); AnnData, whose `var`
        holds them or whose `var_names` spell them; path of a BED file or another that :func:`read_bed` takes; list or
        Index of names such as ``chr1:100-200``.
    name
        Name used in messages.
    one_based
        Whether starts are 1-based; None decides by the data, with a warning; see
        :func:`~sccase_kit.intervals.coordinates.find_coordinates`.

    Returns
    -------
    A new DataFrame with chrom, start, end; the index of a DataFrame or of `adata.var` is kept.
    """
    if isinstance(regions, AnnData):
        return _by_finder(regions.var, f"{name}.var", one_based=one_based, rows=f"{name}.var_names")
    if isinstance(regions, pd.DataFrame):
        check_columns(regions, ("chrom", "start", "end", "genome"), name=name)
        return _by_finder(regions, name, one_based=one_based)
    if isinstance(regions, (str, os.PathLike)):
        if not Path(regions).is_file():
            hint = " For one region pass a list: ['chr1:100-200']." if split_name(str(regions)) else ""
            msg = f"{name}: there is no file {str(regions)!r}.{hint}"
            raise FileNotFoundError(msg)
        return read_bed(regions, one_based=one_based)
    if isinstance(regions, (list, tuple, np.ndarray, pd.Index, pd.Series)):
        table = parse_names([str(r) for r in regions], name=name)
        return table.assign(start=table["start"] - 1) if one_based else table
    msg = f"{name} must be a DataFrame, AnnData, BED path or a list of names, got {type(regions).__name__}"
    raise TypeError(msg)


def _by_finder(table: pd.DataFrame, name: str, *, one_based: bool | None, rows: str = "") -> pd.DataFrame:
    """Return a copy of a table with chrom, start, end, wherever it keeps them."""
    if one_based is None and _is_plain(table):
        return table.copy()
    usual = {"chrom", "start", "end"}
    numbers = usual <= set(table.columns) and all(pd.api.types.is_numeric_dtype(table[c]) for c in ("start", "end"))
    found = find_coordinates(table, name=name, one_based=one_based)
    if numbers and not found.one_based and found.source != "names":
        return table.copy()  # its values are checked by check_regions
    if found.columns == () and found.missing.any():
        if rows:
            parse_names(table.index, name=rows)
        lower = {str(c).lower(): c for c in table.columns}
        missing = [c for c in ("chrom", "start", "end") if c not in table.columns]
        part = {lower[o]: c for c in missing for o in OTHER_NAMES[c] if o in lower}
        hint = f" Rename first: {name}.rename(columns={part!r})." if part else ""
        msg = f"{name} needs the columns chrom, start, end; {missing} not among {list(table.columns)}.{hint}"
        raise KeyError(msg)
    if found.missing.any():
        shown = table.loc[found.missing, list(found.columns)].iloc[0].tolist() if found.columns else table.index[0]
        msg = f"{name} has no coordinates (0 <= start < end) in {int(found.missing.sum())} of {len(table)} rows of "
        msg += f"{found.source}, first: {shown}"
        raise ValueError(msg)
    if found.note and one_based is None:
        warn(found.note)
    return table.assign(**{column: found.table[column].to_numpy() for column in found.table})


def _is_plain(table: pd.DataFrame) -> bool:
    """Return whether a table has chrom and whole 0 <= start < end in all rows, so that there is nothing to find."""
    if not {"chrom", "start", "end"} <= set(table.columns) or table.columns.has_duplicates or not len(table):
        return False
    start, end = (plain_positions(table[column]) for column in ("start", "end"))
    if start is None or end is None or not (start < end).all():
        return False
    if is_closed(table, ("chrom", "start", "end"), start, end, np.ones(len(table), dtype=bool)):
        return False
    return str(table["chrom"].iloc[0]).strip() not in ("", *NOT_NAMES)


@checked()
def check_regions(
    regions: object,
    *,
    name: str = "regions",
    genome: str | None = None,
    chrom_sizes: Mapping[str, int] | None = None,
    unknown: Literal["raise", "error", "drop", "keep"] = "raise",
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
        What to do with rows on sequences without a size: an error (``"error"``, or ``"raise"``), leave them out with a
        warning, or keep them. If no row at all is known, that is always an error. Names are understood in every usual
        spelling (``1``, ``chr1``, accessions) and become those of the sizes.
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
    check_choice(unknown, ["raise", "error", "drop", "keep"], name="unknown")
    frame = as_regions(regions, name=name)
    if frame.empty:
        if not allow_empty:
            msg = f"{name} is empty: there is not a single region"
            raise ValueError(msg)
        return frame.astype({"chrom": object, "start": np.int64, "end": np.int64})
    codes, names = name_codes(frame["chrom"], name=f"{name}['chrom']")
    start, end = (integers(frame, c, name) for c in ("start", "end"))
    frame["chrom"], frame["start"], frame["end"] = names[codes], start, end
    for bad, why in ((start < 0, "start below 0"), (end <= start, "end <= start (0-based half-open)")):
        if bad.any():
            msg = f"{name} has {why} in {example(frame, bad)}"
            raise ValueError(msg)
    check_chrom_style(names, name=name)
    check_one_genome(names, genome=genome, name=name)
    told = {str(g) for g in frame["genome"].unique()} if "genome" in frame.columns else set()
    told |= {str(frame.attrs["genome"])} if frame.attrs.get("genome") else set()
    if len(told) > 1 or (genome is not None and told - {genome}):
        msg = f"{name} belongs to {sorted(told)}" + (f", but genome={genome!r}" if genome else ": one genome is needed")
        raise ValueError(msg + ". Lift the regions over first (sccase_kit.regions.liftover).")
    if chrom_sizes is None and genome is not None:
        from .genomes import chrom_sizes as sizes_of  # noqa: PLC0415  (genomes.py checks its tables by this module)

        chrom_sizes = sizes_of(genome)
    if chrom_sizes is not None:
        frame = on_genome(frame, chrom_sizes, genome=genome, unknown=unknown, name=name)
        if isinstance(genome, str) and genome in GENOMES:
            from .likely import question_genome  # noqa: PLC0415  (likely.py reads tables that are checked by this module)

            question_genome(frame, genome, name=name)
    if require_sorted:
        _check_sorted(frame, name)
    if sort:
        known = {c: i for i, c in enumerate(chrom_sizes)} if chrom_sizes is not None else {}
        ordered = sorted(frame["chrom"].unique(), key=lambda c: (known.get(c, len(known)), natural_key(c)))
        rank = frame["chrom"].map({c: i for i, c in enumerate(ordered)}).to_numpy()
        frame = frame.iloc[np.lexsort((frame["end"], frame["start"], rank))]
    return frame


def _check_sorted(frame: pd.DataFrame, name: str) -> None:
    code, _ = pd.factorize(frame["chrom"])
    back = np.r_[False, (np.diff(code) < 0) | ((np.diff(code) == 0) & (np.diff(frame["start"].to_numpy()) < 0))]
    if back.any():
        msg = f"{name} must be sorted by chromosome and start; out of order: {example(frame, back)}. Pass sort=True."
        raise ValueError(msg)
