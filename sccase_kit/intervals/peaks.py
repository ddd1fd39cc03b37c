"""Peak names and coordinates."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._logging import warn
from .._validate import check_adata
from ..matrix.access import in_memory_copy
from .coordinates import Coordinates, as_positions, find_coordinates
from .names import MISSING, places_table

_USUAL = ("chrom", "start", "end")


@checked()
def parse_peak_names(names: Iterable[str]) -> pd.DataFrame:
    """Parse ``chr1:100-600``, ``chr1_100_600``, ``chr1-100-600`` and the other usual spellings of regions.

    Read are ``1:100-600``, ``chr1.100.600`` and ``X1.100.600`` (R's make.names), ``GL000194.1:100-600``,
    ``chr1:100..600``; a strand at the end; numbers such as ``1e+05``, ``1,000`` and ``100.0``. Contig names may hold
    underscores, dots and dashes (``chrUn_KI270742v1_1_50``): the last two numbers are the coordinates.

    Parameters
    ----------
    names
        Peak names.

    Returns
    -------
    DataFrame indexed by name with `chrom` (str, empty where unparseable), `start` and `end` (int64, 0-based half-open
    as written, −1 where unparseable).

    Examples
    --------
    >>> import sccase_kit as sk
    >>> sk.pp.parse_peak_names(['chr1:100-600'])['end'].tolist()
    [600]
    """
    return places_table(names)


@checked()
def parse_peaks(adata: AnnData, *, one_based: bool | None = None, copy: bool = False) -> AnnData | None:
    """Write `chrom`, `start` and `end` of every peak, from the columns of `var` that hold them or from its name.

    Parameters
    ----------
    adata
        Cells × peaks.
    one_based
        Whether starts are 1-based (and ends closed); None decides by the data, see :func:`require_coordinates`.
    copy
        Return a copy instead of writing to `adata`.

    Returns
    -------
    `None`, or the copy. Writes ``var["chrom"]`` (str; empty where there are no coordinates), ``var["start"]`` and
    ``var["end"]`` (int64, 0-based half-open; −1 there). Columns of these names that hold something else stay as they
    are, and then nothing is written. Peaks without coordinates are reported once, with examples.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> sk.pp.parse_peak_names(["chr1:100-600", "chrUn_KI270742v1_1_50"])["start"].tolist()
    [100, 1]
    """
    check_adata(adata)
    target = in_memory_copy(adata) if copy else adata
    add_coordinates(target, one_based=one_based)
    return target if copy else None


def add_coordinates(adata: AnnData, *, one_based: bool | None = None) -> Coordinates | None:
    """Find the coordinates of the peaks and write what of chrom, start, end is not there; return what was found.

    Columns that exist are not changed, but for text and categories of numbers, which become the numbers they spell,
    and where `one_based` is True, which asks for the change.
    """
    var = adata.var
    try:
        found = find_coordinates(var, one_based=one_based)
    except (TypeError, ValueError) as err:
        warn(f"{err}; what needs coordinates will refuse the peaks")
        return None
    table = found.table
    there = [column for column in _USUAL if column in var.columns]
    if one_based or not there or (len(there) == len(_USUAL) and _is_blank(var)):
        for column in _USUAL:
            var[column] = table[column].to_numpy()
    elif not found.missing.all() and all(_agrees(var, table, column) for column in there):
        for column in _USUAL:
            if column not in there:
                var[column] = table[column].to_numpy()
            elif column != "chrom" and not pd.api.types.is_integer_dtype(var[column]) and not found.missing.any():
                var[column] = table[column].to_numpy()
    bad = var.index[found.missing]
    if len(bad) and len(there) < len(_USUAL):  # a file that has the columns says itself which peaks have none
        warn(
            f"{len(bad)} of {len(table)} peak names have no coordinates, e.g. {list(bad[:3])}; "
            "what needs coordinates will refuse them (expected like 'chr1:100-600')"
        )
    if found.note and one_based is None:
        warn(found.note)
    return found


def _is_blank(var: pd.DataFrame) -> bool:
    """Return whether chrom, start, end are those that were written for names without coordinates."""
    numbers = all(pd.api.types.is_numeric_dtype(var[c]) for c in ("start", "end"))
    return numbers and bool((var["start"] == MISSING).all() and (var["end"] == MISSING).all())


def _agrees(var: pd.DataFrame, table: pd.DataFrame, column: str) -> bool:
    """Return whether a column of the user's holds what would be written under its name."""
    if column == "chrom":
        known = (table["chrom"] != "").to_numpy(bool)
        return bool(
            (var["chrom"].astype(object).astype(str).to_numpy(object) == table["chrom"].to_numpy())[known].all()
        )
    try:
        values = as_positions(var[column], name=column)
    except (TypeError, ValueError):
        return False
    known = (table[column] >= 0).to_numpy(bool)
    return bool((values == table[column].to_numpy())[known].all())


def known_coordinates(adata: AnnData) -> pd.DataFrame | None:
    """Return chrom, start, end of all peaks ("" and −1 where there are none), or None where nothing holds any."""
    try:
        found = find_coordinates(adata.var)
    except (TypeError, ValueError):
        return None
    if found.missing.all() and not set(_USUAL) <= set(adata.var.columns):
        return None
    return found.table


@checked()
def require_coordinates(adata: AnnData, *, one_based: bool | None = None) -> pd.DataFrame:
    """Return the coordinates of all peaks, or raise naming the peaks without.

    Parameters
    ----------
    adata
        Cells × peaks. Coordinates come from columns of `var` under any of their usual names (chrom, start, end; chr,
        Chromosome, seqnames, chromStart, stop, …), as numbers, text or categories; or else from the names, or from a
        column of names such as muon's ``interval``.
    one_based
        Whether starts are 1-based (and ends closed). None decides by the data: a column ``width`` that is end − start
        + 1, or columns called as in R or GFF (``seqnames``), mean 1-based, unless there is a start of 0 or
        the names spell the same numbers (names are read as they are written); a warning says so.

    Returns
    -------
    DataFrame chrom (str), start, end (int64, 0-based half-open) indexed by peak name.

    Raises
    ------
    TypeError
        If a column holds text that is no number; the message names it.
    ValueError
        If a peak has no coordinates, or ends where it starts or before.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500).adata
    >>> sk.pp.require_coordinates(adata).columns.tolist()
    ['chrom', 'start', 'end']
    """
    check_adata(adata)
    found = find_coordinates(adata.var, one_based=one_based)
    bad = adata.var.index[found.missing]
    if len(bad):
        msg = f"{len(bad)} of {adata.n_vars} peaks have no coordinates, e.g. {list(bad[:3])}; "
        msg += "drop them or fill adata.var['chrom'], ['start'], ['end']"
        raise ValueError(msg)
    if found.note and one_based is None:
        warn(found.note)
    return found.table
