"""Alleles of summary statistics: which are plain, and which are those of a list, strand and order aside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from .._tables import read_table
from ..intervals.columns import check_columns

_COMPLEMENT = {"A": "T", "T": "A", "C": "G", "G": "C"}


def read_alleles(value: object) -> pd.DataFrame:
    """Return SNP, A1, A2 (str) of a table or a file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    KeyError
        If a column is missing.
    """
    if not isinstance(value, pd.DataFrame) and not Path(str(value)).is_file():
        msg = f"merge_alleles: there is no file {str(value)!r}"
        raise FileNotFoundError(msg)
    table = value if isinstance(value, pd.DataFrame) else read_table(Path(str(value)), text=("SNP", "A1", "A2"))
    if missing := [c for c in ("SNP", "A1", "A2") if c not in table.columns]:
        msg = f"merge_alleles has no column {missing}, only {table.columns.tolist()[:8]}"
        raise KeyError(msg)
    check_columns(table, table.columns, name="merge_alleles")
    return table.assign(**{c: table[c].astype(str) for c in ("SNP", "A1", "A2")})[["SNP", "A1", "A2"]]


def merge_by_alleles(result: pd.DataFrame, alleles: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return a row per SNP of the list, without values where the alleles do not match, and the number of these.

    Raises
    ------
    ValueError
        If no allele matches.
    """
    joined = alleles.rename(columns={"A1": "M1", "A2": "M2"}).merge(result, on="SNP", how="left")
    known = joined["Z"].notna()
    wrong = known & ~_matches(joined)
    if wrong.sum() == known.sum():
        row = joined[wrong].iloc[0]
        msg = (
            f"no SNP has the alleles of merge_alleles; the first, {row['SNP']!r:.80}, has {row['A1']}/{row['A2']} "
            f"instead of {row['M1']}/{row['M2']:.20}"
        )
        raise ValueError(msg)
    joined.loc[wrong, ["A1", "A2", "N", "Z"]] = np.nan
    return joined[["SNP", "A1", "A2", "N", "Z"]], int(wrong.sum())


def are_plain(a1: pd.Series, a2: pd.Series) -> np.ndarray:
    """Return which pairs are two different bases that are not each other's complement."""
    known = a1.isin(list(_COMPLEMENT)) & a2.isin(list(_COMPLEMENT))
    return (known & (a1 != a2) & (a1 != a2.map(_COMPLEMENT))).to_numpy(bool)


def _matches(table: pd.DataFrame) -> pd.Series:
    """Whether A1, A2 are M1, M2 in either order, on either strand."""
    m1, m2 = table["M1"].str.upper(), table["M2"].str.upper()
    c1, c2 = m1.map(_COMPLEMENT), m2.map(_COMPLEMENT)
    a1, a2 = table["A1"], table["A2"]
    same, flipped = (a1 == m1) & (a2 == m2), (a1 == m2) & (a2 == m1)
    return same | flipped | ((a1 == c1) & (a2 == c2)) | ((a1 == c2) & (a2 == c1))
