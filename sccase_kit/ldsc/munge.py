"""Summary statistics in the form LD score regression reads, as ``munge_sumstats.py`` of ldsc 1.0.1."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from .._tables import read_table
from .._validate import check_number
from ..intervals.columns import check_columns

_NAMES = {
    "SNP": ("SNP", "MARKERNAME", "SNPID", "RS", "RSID", "RS_NUMBER", "RS_NUMBERS"),
    "P": ("P", "PVALUE", "P_VALUE", "PVAL", "P_VAL", "GC_PVALUE"),
    "A1": ("A1", "ALLELE1", "ALLELE_1", "EFFECT_ALLELE", "REFERENCE_ALLELE", "INC_ALLELE", "EA"),
    "A2": ("A2", "ALLELE2", "ALLELE_2", "OTHER_ALLELE", "NON_EFFECT_ALLELE", "DEC_ALLELE", "NEA"),
    "N": ("N", "WEIGHT"),
    "INFO": ("INFO",),
    "FRQ": ("EAF", "FRQ", "MAF", "FRQ_U", "F_U"),
}
# signed statistic → value without effect
_SIGNED = {"Z": 0, "ZSCORE": 0, "Z_SCORE": 0, "GC_ZSCORE": 0, "OR": 1, "B": 0, "BETA": 0, "EFFECT": 0, "LOG_ODDS": 0}
_COMPLEMENT = {"A": "T", "T": "A", "C": "G", "G": "C"}


@dataclass(frozen=True)
class Munged:
    """Result of :func:`munge_sumstats`.

    Attributes
    ----------
    table
        DataFrame SNP, A1, A2, N, Z; with `merge_alleles` one row per SNP of that list, empty where nothing is known.
    log
        Step → number of SNPs it removed, in order.
    """

    table: pd.DataFrame
    log: dict[str, int]


def _standard_names(columns: list[str]) -> dict[str, str]:
    """Return column → standard name, upper case and with - and . as _."""
    plain = {c: c.upper().replace("-", "_").replace(".", "_") for c in columns}
    found: dict[str, str] = {}
    for standard, options in _NAMES.items():
        match = [c for c, name in plain.items() if name in options]
        if len(match) > 1:
            msg = f"columns {match} could all be {standard}; drop or rename all but one"
            raise ValueError(msg)
        if match:
            found[match[0]] = standard
    return found


def _signed_column(columns: list[str], signed: tuple[str, float] | None) -> tuple[str, float]:
    if signed is not None:
        if signed[0] not in columns:
            msg = f"signed={signed!r}: there is no column {signed[0]!r}; the columns are {columns}"
            raise KeyError(msg)
        return signed
    plain = {c: c.upper().replace("-", "_").replace(".", "_") for c in columns}
    match = [c for c, name in plain.items() if name in _SIGNED]
    if len(match) != 1:
        msg = f"one signed statistic (Z, OR, BETA, LOG_ODDS) is needed, found {match}; name it: signed=('BETA', 0)"
        raise ValueError(msg)
    return match[0], _SIGNED[plain[match[0]]]


def munge_sumstats(
    sumstats: pd.DataFrame | str | os.PathLike[str],
    *,
    merge_alleles: pd.DataFrame | str | os.PathLike[str] | None = None,
    signed: tuple[str, float] | None = None,
    n: float | None = None,
    info_min: float = 0.9,
    maf_min: float = 0.01,
    n_min: float | None = None,
) -> Munged:
    """Bring summary statistics into the form SNP, A1, A2, N, Z.

    Parameters
    ----------
    sumstats
        DataFrame, or a table file separated by blanks or tabs (gzip allowed), with SNP, P, A1 (effect allele), A2, a
        signed statistic, and N, INFO, MAF where known; usual other names are recognised.
    merge_alleles
        SNP, A1, A2 to keep (``w_hm3.snplist``): SNPs that are not in it are left out, and those whose alleles do not
        match, strand and order aside, stay without values.
    signed
        Name of the signed statistic and its value without effect, such as ``("OR", 1)``; by default recognised by name.
    n
        Sample size, if there is no column N.
    info_min, maf_min
        SNPs with INFO or minor allele frequency at or below are left out.
    n_min
        SNPs with a smaller N are left out; by default the 90 % quantile of N divided by 1.5.

    Returns
    -------
    Munged

    Raises
    ------
    KeyError
        If a needed column is missing.
    TypeError
        If a column of numbers holds dates or True and False.
    ValueError
        If columns are ambiguous, nothing remains, or the median of the signed statistic is not near its value without
        effect (wrong column, or wrong null value).
    """
    table = _read(sumstats, "sumstats")
    check_columns(table, table.columns, name="sumstats")
    names = _standard_names([str(c) for c in table.columns])
    column, null = _signed_column([str(c) for c in table.columns], signed)
    table = table.rename(columns=names | {column: "SIGNED"})
    needed = ["SNP", "P", "A1", "A2", "SIGNED"]
    if n is not None:
        table["N"] = float(check_number(n, name="n", minimum=0, exclusive=True))
    if missing := [c for c in [*needed, "N"] if c not in table.columns]:
        msg = f"sumstats has no column for {missing}" + ("; pass n= for the sample size" if missing == ["N"] else "")
        raise KeyError(msg)
    log: dict[str, int] = {}

    def keep(step: str, good: Any) -> None:
        nonlocal table
        good = np.asarray(good, dtype=bool)
        log[step] = int((~good).sum())
        table = table[good]
        if table.empty:
            msg = f"no SNP remains after the step {step!r}; removed so far: {log}"
            raise ValueError(msg)

    alleles = None
    if merge_alleles is not None:
        alleles = _read(merge_alleles, "merge_alleles")
        if missing := [c for c in ("SNP", "A1", "A2") if c not in alleles.columns]:
            msg = f"merge_alleles has no column {missing}, only {alleles.columns.tolist()[:8]}"
            raise KeyError(msg)
        check_columns(alleles, alleles.columns, name="merge_alleles")
        alleles = alleles.assign(**{c: alleles[c].astype(str) for c in ("SNP", "A1", "A2")})
        keep("not in merge_alleles", table["SNP"].astype(str).isin(alleles["SNP"]))
    used = [c for c in ("SNP", "P", "A1", "A2", "SIGNED", "N", "INFO", "FRQ") if c in table.columns]
    table = table[used]
    for name in set(used) - {"SNP", "A1", "A2"}:
        if pd.api.types.is_bool_dtype(table[name]) or pd.api.types.is_datetime64_any_dtype(table[name]):
            msg = f"sumstats: the column for {name} must hold numbers, got dtype {table[name].dtype}"
            raise TypeError(msg)
        table = table.assign(**{name: pd.to_numeric(table[name], errors="coerce")})
    keep("missing values", table.drop(columns=[c for c in ("INFO", "FRQ") if c in used]).notna().all(axis=1))
    table = table.assign(SNP=table["SNP"].astype(str))
    if "INFO" in used:
        keep(f"INFO <= {info_min}", table["INFO"] > info_min)
    if "FRQ" in used:
        keep(f"MAF <= {maf_min}", np.minimum(table["FRQ"], 1 - table["FRQ"]) > maf_min)
    keep("p-value out of bounds", (table["P"] > 0) & (table["P"] <= 1))
    table = table.assign(**{name: table[name].astype(str).str.upper() for name in ("A1", "A2")})
    keep("not a SNP, or strand-ambiguous", _is_plain(table["A1"], table["A2"]))
    keep("repeated", ~table["SNP"].duplicated())
    limit = table["N"].quantile(0.9) / 1.5 if n_min is None else n_min
    keep(f"N < {limit:g}", table["N"] >= limit)
    median = float(table["SIGNED"].median())
    if abs(median - null) > 0.1:
        msg = f"the median of {column!r} is {median:.3g}, {null:g} is expected: wrong column, or wrong null value?"
        raise ValueError(msg)
    z = np.sqrt(stats.chi2.isf(table["P"], 1)) * np.where(table["SIGNED"] < null, -1, 1)
    result = table[["SNP", "A1", "A2", "N"]].assign(Z=z).reset_index(drop=True)
    if alleles is None:
        return Munged(result, log)
    joined = alleles[["SNP", "A1", "A2"]].rename(columns={"A1": "M1", "A2": "M2"}).merge(result, on="SNP", how="left")
    wrong = joined["Z"].notna() & ~_matches(joined)
    log["alleles do not match"] = int(wrong.sum())
    joined.loc[wrong, ["A1", "A2", "N", "Z"]] = np.nan
    return Munged(joined[["SNP", "A1", "A2", "N", "Z"]], log)


def _read(value: object, name: str) -> pd.DataFrame:
    if isinstance(value, pd.DataFrame):
        return value.copy()
    if not Path(value).is_file():
        msg = f"{name}: there is no file {str(value)!r}"
        raise FileNotFoundError(msg)
    return read_table(value, text=("SNP",))


def _is_plain(a1: pd.Series, a2: pd.Series) -> np.ndarray:
    known = a1.isin(list(_COMPLEMENT)) & a2.isin(list(_COMPLEMENT))
    return (known & (a1 != a2) & (a1 != a2.map(_COMPLEMENT))).to_numpy(bool)


def _matches(table: pd.DataFrame) -> pd.Series:
    """Whether A1, A2 are M1, M2 in either order, on either strand."""
    m1, m2 = table["M1"].str.upper(), table["M2"].str.upper()
    c1, c2 = m1.map(_COMPLEMENT), m2.map(_COMPLEMENT)
    a1, a2 = table["A1"], table["A2"]
    same, flipped = (a1 == m1) & (a2 == m2), (a1 == m2) & (a2 == m1)
    return same | flipped | ((a1 == c1) & (a2 == c2)) | ((a1 == c2) & (a2 == c1))
