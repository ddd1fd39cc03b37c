"""Summary statistics in the form LD score regression reads, as ``munge_sumstats.py`` of ldsc 1.0.1."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy

from .._arguments import checked
from .._logging import logger
from .._tables import MISSING, numbers, read_columns, table_layout
from .._validate import check_number
from ..intervals.columns import check_columns
from .alleles import are_plain, merge_by_alleles, read_alleles
from .gwas_vcf import is_vcf, read_gwas_vcf
from .roles import TEXT, Columns, find_columns

_SMALLEST_P = 1e-307  # of statistics that give −log₁₀ p


@dataclass(frozen=True)
class Munged:
    """Result of :func:`munge_sumstats`.

    Attributes
    ----------
    table
        DataFrame SNP, A1, A2, N, Z; with `merge_alleles` one row per SNP of that list, empty where nothing is known.
    log
        Step → number of SNPs it removed, in order.
    columns
        Role → column it was read from.
    source
        Whose names the columns have: "ldsc", or the program that wrote the table.
    """

    table: pd.DataFrame
    log: dict[str, int]
    columns: dict[str, str] = field(default_factory=dict)
    source: str = "ldsc"


@checked()
def munge_sumstats(
    sumstats: pd.DataFrame | str | os.PathLike[str],
    *,
    merge_alleles: pd.DataFrame | str | os.PathLike[str] | None = None,
    signed: tuple[str, float] | None = None,
    n: float | None = None,
    n_cas: float | None = None,
    n_con: float | None = None,
    info_min: float = 0.9,
    maf_min: float = 0.01,
    n_min: float | None = None,
    nstudy_min: float | None = None,
    columns: Mapping[str, str] | None = None,
    ignore: Collection[str] = (),
    a1_inc: bool = False,
    sample: str | None = None,
) -> Munged:
    """Bring summary statistics into the form SNP, A1, A2, N, Z, by the rules of ldsc 1.0.1.

    Parameters
    ----------
    sumstats
        DataFrame, or a table file (plain or packed) separated by tabs, commas or blanks, with SNP, P, A1 (effect
        allele), A2, a signed statistic, and N, INFO, MAF where known: under the names that ldsc knows, or as written by
        PLINK 1 and 2, REGENIE, SAIGE, BOLT-LMM, SNPTEST, METAL, FinnGen, the PGC (also daner files), the GWAS Catalog
        (GWAS-SSF) and OpenGWAS (VCF).
    merge_alleles
        SNP, A1, A2 to keep (``w_hm3.snplist``): SNPs that are not in it are left out, and those whose alleles do not
        match, strand and order aside, stay without values.
    signed
        Name of the signed statistic and its value without effect, such as ``("OR", 1)``; by default recognised by name.
    n
        Sample size, if there are no columns for it; a column wins.
    n_cas, n_con
        Numbers of cases and controls, if neither a column nor `n` gives the size.
    info_min
        SNPs with a smaller INFO are left out.
    maf_min
        SNPs with a minor allele frequency at or below are left out.
    n_min
        SNPs with a smaller N are left out, where N is a column; by default the 90 % quantile of N divided by 1.5.
    nstudy_min
        Where a column counts studies and none gives N: fewest studies of a SNP; by default the most that occur.
    columns
        Role → column, for names that are not recognised; roles are SNP, P, LOG10P, A1, A2, N, N_CAS, N_CON, NSTUDY,
        INFO, FRQ.
    ignore
        Columns to leave alone.
    a1_inc
        A1 is the allele that increases the trait: no signed statistic is needed, and Z is positive.
    sample
        The study, in a VCF of several.

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
        If columns are ambiguous, hold no numbers, nothing remains, or the median of the signed statistic is not near
        its value without effect (wrong column, or wrong null value); if no allele matches `merge_alleles`.

    Notes
    -----
    With columns of cases and controls, N is (cases + controls) · P / P̄, P the share of cases and P̄ its mean among the
    SNPs with the most people. Steps and their order are those of ldsc; it reports "INFO <= 0.9", and keeps 0.9.
    Where a file gives −log₁₀ p, p below 1e-307 count as that.
    """
    with _naming(sumstats):
        return _munged(
            sumstats,
            merge_alleles=merge_alleles,
            signed=signed,
            sizes=_sizes(n, n_cas, n_con),
            limits={"info_min": info_min, "maf_min": maf_min, "n_min": n_min, "nstudy_min": nstudy_min},
            named=columns,
            ignore=ignore,
            a1_inc=a1_inc,
            sample=sample,
        )


@contextmanager
def _naming(source: object) -> Iterator[None]:
    """Let errors name the file."""
    try:
        yield
    except (KeyError, ValueError) as err:
        if not isinstance(source, (str, os.PathLike)) or type(err) not in (KeyError, ValueError):
            raise
        if str(source) in str(err):
            raise
        msg = f"{source}: {err.args[0]}"
        raise type(err)(msg) from err


def _sizes(n: float | None, n_cas: float | None, n_con: float | None) -> dict[str, float]:
    sizes = {}
    for name, value in (("n", n), ("n_cas", n_cas), ("n_con", n_con)):
        if value is not None:
            sizes[name] = float(check_number(value, name=name, minimum=0, exclusive=True))
    return sizes


def _munged(
    sumstats: object,
    *,
    merge_alleles: object,
    sizes: dict[str, float],
    limits: Mapping[str, float | None],
    **options: Any,
) -> Munged:
    n_given = "n" in sizes or {"n_cas", "n_con"} <= set(sizes)
    found, names, blocks = _open(sumstats, n_given=n_given, **options)
    if not (n_given or "N" in found.at or {"N_CAS", "N_CON"} <= set(found.at) or found.n_cas):
        msg = "sumstats has no column for ['N']; pass n= for the sample size"
        raise KeyError(msg)
    alleles = None if merge_alleles is None else read_alleles(merge_alleles)
    steps = _Steps()
    known = None if alleles is None else set(alleles["SNP"])
    bounds: dict[str, Any] = {name: limits[name] for name in ("info_min", "maf_min")}
    kept = [_filtered(block, steps, known, **bounds) for block in blocks]
    table = pd.concat(kept, ignore_index=True) if kept else pd.DataFrame()
    steps.check(table, known)
    table = steps.keep("repeated", table, ~table["SNP"].duplicated())
    if found.n_cas is not None and found.n_con is not None:
        sizes = {"n_cas": found.n_cas, "n_con": found.n_con} | sizes
    table = _with_n(table, steps, sizes, limits["n_min"], limits["nstudy_min"])
    steps.check(table, known)
    z = np.sqrt(scipy.stats.chi2.isf(table["P"], 1))
    if "SIGNED" in table.columns:
        null = _null(table["SIGNED"], found, names)
        z = np.where(table["SIGNED"] < null, -1, 1) * z
    result = table[["SNP", "A1", "A2", "N"]].assign(Z=z).reset_index(drop=True)
    if alleles is not None:
        result, steps.log["alleles do not match"] = merge_by_alleles(result, alleles)
    used = {role: str(names[k]) for role, k in found.at.items()}
    logger.info("munged %d SNPs, columns of %s: %s", len(result), found.source, used)
    return Munged(result, steps.log, used, found.source)


class _Steps:
    """The number of SNPs that every step removes, summed over blocks."""

    def __init__(self) -> None:
        self.log: dict[str, int] = {}
        self.total = 0
        self.examples: list[str] = []
        self.alleles: list[str] = []

    def keep(self, step: str, table: pd.DataFrame, good: object) -> pd.DataFrame:
        mask = np.asarray(good, dtype=bool)
        self.log[step] = self.log.get(step, 0) + int((~mask).sum())
        return table[mask]

    def check(self, table: pd.DataFrame, known: set[str] | None) -> None:
        """Raise ValueError if nothing is left; names the step that removed the last."""
        if len(table):
            return
        left, last = self.total, "reading"
        for step, removed in self.log.items():
            left, last = left - removed, step
            if left == 0 and removed:
                break
        hint = ""
        if last == "not in merge_alleles" and self.examples and known:
            hint = f". Its ids look like {next(iter(known))!r:.60}, those of sumstats like {self.examples[0]!r:.60}"
        if last == "not a SNP, or strand-ambiguous" and self.alleles:
            hint = (
                f". Alleles are such as {self.alleles[0]!r:.60} and {self.alleles[1]!r:.60}, and A, C, G, T are needed"
            )
            if set(self.alleles) <= set("1234"):
                hint += "; numbers 1 to 4 are PLINK's code of A, C, G, T (--alleleACGT turns them)"
        msg = f"no SNP remains after the step {last!r}; removed so far: {self.log}{hint}"
        raise ValueError(msg)


def _open(sumstats: object, *, sample: str | None, **options: Any) -> tuple[Columns, list[str], Iterator[pd.DataFrame]]:
    """Return which columns there are, their names, and the blocks of rows: text as str, numbers as float64."""
    if isinstance(sumstats, pd.DataFrame):
        check_columns(sumstats, sumstats.columns, name="sumstats")
        names = [str(c) for c in sumstats.columns]
        found = find_columns(names, sumstats.head(30).to_numpy(object).tolist(), **options)
        return found, names, iter([_of_frame(sumstats, found)])
    if not isinstance(sumstats, (str, os.PathLike)) or not Path(sumstats).is_file():
        msg = f"sumstats: there is no file {str(sumstats)!r}"
        raise FileNotFoundError(msg)
    layout = table_layout(sumstats)
    names = list(layout.names)
    if is_vcf(layout):
        blocks = read_gwas_vcf(layout, sample=sample)
        first = next(blocks, pd.DataFrame())
        at = dict.fromkeys(first.columns, 0)
        return Columns("GWAS-VCF", at), [f"{layout.path.name}"], _chained(first, blocks)
    if not names:
        msg = f"{layout.path} has no header: its first line is {' '.join(layout.rows[0])[:80]!r}"
        raise ValueError(msg)
    found = find_columns(names, layout.rows, **options)
    if twice := [names[k] for k in found.at.values() if names.count(names[k]) > 1]:
        msg = f"sumstats has several columns called {twice[0]!r}; drop or rename all but one"
        raise ValueError(msg)
    return found, names, read_columns(layout, found.at, text=[r for r in found.at if r in TEXT])


def _chained(first: pd.DataFrame, rest: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    yield first
    yield from rest


def _of_frame(table: pd.DataFrame, found: Columns) -> pd.DataFrame:
    result = {}
    for role, k in found.at.items():
        values = table.iloc[:, k]
        if role in TEXT:
            result[role] = values.astype(object).where(values.notna(), "").astype(str)
        elif pd.api.types.is_bool_dtype(values) or pd.api.types.is_datetime64_any_dtype(values):
            msg = f"sumstats: the column for {role} must hold numbers, got dtype {values.dtype}"
            raise TypeError(msg)
        else:
            result[role] = numbers(values, name=f"sumstats, column {table.columns[k]!r}")
    return pd.DataFrame(result)


def _filtered(
    block: pd.DataFrame, steps: _Steps, known: set[str] | None, *, info_min: float, maf_min: float
) -> pd.DataFrame:
    """Return the rows of a block that pass what can be judged row by row, in the order of ldsc."""
    steps.total += len(block)
    if filtered := block.attrs.get("filtered", 0):
        steps.total += filtered
        steps.log["FILTER of the VCF"] = steps.log.get("FILTER of the VCF", 0) + filtered
    if "TEST" in block.columns:
        block = steps.keep("another test than ADD", block, block["TEST"] == "ADD").drop(columns="TEST")
    if "A2" not in block.columns:  # PLINK 2 without OMITTED
        block = block.assign(A2=block["ALT"].where(block["A1"] == block["REF"], block["REF"]))
    block = block.drop(columns=[c for c in ("REF", "ALT") if c in block.columns])
    if "LOG10P" in block.columns:
        of_log = np.maximum(10.0 ** -block["LOG10P"].abs(), _SMALLEST_P)
        own = block["P"] if "P" in block.columns else pd.Series(np.nan, index=block.index)
        block = block.assign(P=own.where(own > 0, of_log)).drop(columns="LOG10P")
    present = block.drop(columns="INFO", errors="ignore")
    texts = [c for c in ("SNP", "A1", "A2") if c in present.columns]
    complete = present.notna().all(axis=1) & ~present[texts].isin(MISSING).any(axis=1)
    block = steps.keep("missing values", block, complete)
    if known is not None:
        steps.examples += block["SNP"].head(1).tolist()
        block = steps.keep("not in merge_alleles", block, block["SNP"].isin(known))
    if "INFO" in block.columns:
        block = steps.keep(f"INFO < {info_min}", block, block["INFO"] >= info_min).drop(columns="INFO")
    if "FRQ" in block.columns:
        minor = np.minimum(block["FRQ"], 1 - block["FRQ"])
        block = steps.keep(f"MAF <= {maf_min}", block, minor > maf_min).drop(columns="FRQ")
    block = steps.keep("p-value out of bounds", block, (block["P"] > 0) & (block["P"] <= 1))
    block = block.assign(**{name: block[name].str.upper() for name in ("A1", "A2")})
    steps.alleles = steps.alleles or (block[["A1", "A2"]].iloc[0].tolist() if len(block) else [])
    return steps.keep("not a SNP, or strand-ambiguous", block, are_plain(block["A1"], block["A2"]))


def _with_n(
    table: pd.DataFrame, steps: _Steps, sizes: Mapping[str, float], n_min: float | None, nstudy_min: float | None
) -> pd.DataFrame:
    """Return the table with N: of cases and controls, a column, or what was given; SNPs of few people are left out."""
    if {"N_CAS", "N_CON"} <= set(table.columns):
        people = table["N_CAS"] + table["N_CON"]
        share = table["N_CAS"] / people
        table = table.assign(N=people * share / share[people == people.max()].mean())
    if "N" in table.columns:
        limit = table["N"].quantile(0.9) / 1.5 if n_min is None else n_min
        return steps.keep(f"N < {limit:g}", table, table["N"] >= limit)
    if "NSTUDY" in table.columns:
        limit = table["NSTUDY"].max() if nstudy_min is None else nstudy_min
        table = steps.keep(f"NSTUDY < {limit:g}", table, table["NSTUDY"] >= limit)
    return table.assign(N=sizes["n"] if "n" in sizes else sizes["n_cas"] + sizes["n_con"])


def _null(values: pd.Series, found: Columns, names: list[str]) -> float:
    """Return the value without effect, after a check that the median is near it."""
    column = names[found.at["SIGNED"]]
    null = found.null
    if null is None:
        if not (values < 0).any():
            msg = f"the value without effect of {column!r} is not known, 0 or 1: pass signed=({column!r}, 0)"
            raise ValueError(msg)
        null = 0.0
    median = float(values.median())
    if abs(median - null) > 0.1:
        msg = f"the median of {column!r} is {median:.3g}, {null:g} is expected: wrong column, or wrong null value?"
        raise ValueError(msg)
    return null
