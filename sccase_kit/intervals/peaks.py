"""Peak names and coordinates."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from anndata import AnnData

from .._logging import warn
from .._validate import check_adata
from ..matrix.access import in_memory_copy
from .columns import split_name

#: Coordinates of peaks whose names have none.
MISSING = -1


def parse_peak_names(names: Iterable[str]) -> pd.DataFrame:
    """Parse ``chr1:100-600``, ``chr1_100_600`` and ``chr1-100-600``.

    Contig names may hold underscores, dots and dashes (``chrUn_KI270742v1_1_50``): the last two numbers are the
    coordinates. Numbers may have thousands separators.

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
    index = pd.Index([str(name) for name in names], dtype=object)
    places = [split_name(name) for name in index]
    rows = [place if place is not None and place[2] > place[1] else ("", MISSING, MISSING) for place in places]
    chrom, start, end = zip(*rows, strict=True) if rows else ((), (), ())
    return pd.DataFrame(
        {
            "chrom": np.array(chrom, dtype=object),
            "start": np.array(start, dtype=np.int64),
            "end": np.array(end, dtype=np.int64),
        },
        index=index,
    )


def parse_peaks(adata: AnnData, *, copy: bool = False) -> AnnData | None:
    """Write `chrom`, `start` and `end` of every peak, parsed from its name.

    Parameters
    ----------
    adata
        Cells × peaks.
    copy
        Return a copy instead of writing to `adata`.

    Returns
    -------
    `None`, or the copy. Writes ``var["chrom"]`` (str; empty where the name has no coordinates), ``var["start"]`` and
    ``var["end"]`` (int64, 0-based half-open; −1 there). Names without coordinates are reported once, with examples.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> sk.pp.parse_peak_names(["chr1:100-600", "chrUn_KI270742v1_1_50"])["start"].tolist()
    [100, 1]
    """
    check_adata(adata)
    target = in_memory_copy(adata) if copy else adata
    table = parse_peak_names(target.var_names)
    for column in table:
        target.var[column] = table[column].to_numpy()
    bad = table.index[table["start"] == MISSING]
    if len(bad):
        warn(
            f"{len(bad)} of {len(table)} peak names have no coordinates, e.g. {list(bad[:3])}; "
            "what needs coordinates will refuse them (expected like 'chr1:100-600')"
        )
    return target if copy else None


def require_coordinates(adata: AnnData) -> pd.DataFrame:
    """Return the coordinates of all peaks, or raise naming the peaks without.

    Parameters
    ----------
    adata
        Cells × peaks; coordinates come from `var` (chrom, start, end), or else from the names.

    Returns
    -------
    DataFrame chrom (str), start, end (int64, 0-based half-open) indexed by peak name.

    Raises
    ------
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
    if {"chrom", "start", "end"} <= set(adata.var.columns):
        table = adata.var[["chrom", "start", "end"]].copy()
        # pandas 3 keeps missing values where pandas 2 writes "nan"
        table["chrom"] = table["chrom"].astype(object).where(table["chrom"].notna(), "").astype(str)
    else:
        table = parse_peak_names(adata.var_names)
    good = (table["start"] >= 0) & (table["end"] > table["start"]) & ~table["chrom"].isin(["", "nan", "None"])
    bad = table.index[~good]
    if len(bad):
        msg = f"{len(bad)} of {len(table)} peaks have no coordinates, e.g. {list(bad[:3])}; "
        msg += "drop them or fill adata.var['chrom'], ['start'], ['end']"
        raise ValueError(msg)
    return table.astype({"start": np.int64, "end": np.int64})
