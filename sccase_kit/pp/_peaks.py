"""Peak names and coordinates."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd
from anndata import AnnData

from .._logging import warn
from .._validate import check_adata

_NAME = re.compile(r"^(?P<chrom>\S+?)(?:[:_-])(?P<start>\d+)[-_:](?P<end>\d+)$")
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
    """
    index = pd.Index([str(n) for n in names])
    parts = index.str.replace(",", "", regex=False).to_series().str.extract(_NAME)
    parts.index = index
    good = parts["start"].notna().to_numpy()
    sizes = parts[["start", "end"]].astype(object).where(parts[["start", "end"]].notna(), str(MISSING))
    start = np.array([int(v) for v in sizes["start"]], dtype=object)
    end = np.array([int(v) for v in sizes["end"]], dtype=object)
    good &= (end > start).astype(bool) & (end < 2**62).astype(bool)
    return pd.DataFrame(
        {
            "chrom": np.where(good, parts["chrom"].fillna("").to_numpy(dtype=object), "").astype(object),
            "start": np.where(good, start, MISSING).astype(np.int64),
            "end": np.where(good, end, MISSING).astype(np.int64),
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
    target = adata.copy() if copy else adata
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

    Returns
    -------
    DataFrame chrom, start, end indexed by peak name.

    Raises
    ------
    ValueError
        If a peak has no coordinates.
    """
    check_adata(adata)
    if {"chrom", "start", "end"} <= set(adata.var.columns):
        table = adata.var[["chrom", "start", "end"]].copy()
        table["chrom"] = table["chrom"].astype(str)
    else:
        table = parse_peak_names(adata.var_names)
    bad = table.index[(table["start"] < 0) | table["start"].isna()]
    if len(bad):
        msg = f"{len(bad)} of {len(table)} peaks have no coordinates, e.g. {list(bad[:3])}; "
        msg += "drop them or fill adata.var['chrom'], ['start'], ['end']"
        raise ValueError(msg)
    return table.astype({"start": np.int64, "end": np.int64})
