"""The tables of LD score regression: LD scores, annotations, numbers of SNPs, frequencies, summary statistics."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .._arguments import checked
from .._atomic import check_path
from .._tables import read_table
from .._text_files import naming
from .._validate import check_column, check_key, check_some
from ..intervals.columns import NO_POSITION, check_columns, check_names
from ..intervals.frame import natural_key

_LARGEST = 1e13  # beyond every LD score and position
AUTOSOMES = tuple(str(c) for c in range(1, 23))


def find_file(prefix: str | os.PathLike[str], chrom: str, suffixes: Sequence[str]) -> Path | None:
    """Return prefix + chromosome + the first suffix there is a file of, or None."""
    return next((p for p in (Path(f"{prefix}{chrom}{s}") for s in suffixes) if p.is_file()), None)


def chromosomes_of(prefix: str | os.PathLike[str], suffixes: Sequence[str]) -> list[str]:
    """Return the autosomes that have a file.

    Raises
    ------
    FileNotFoundError
        If there is none; a forgotten dot at the end of the prefix is named.
    """
    found = [c for c in AUTOSOMES if find_file(prefix, c, suffixes)]
    if not found:
        hint = f" Did you mean '{prefix}.'?" if any(find_file(f"{prefix}.", c, suffixes) for c in AUTOSOMES) else ""
        msg = f"there is no file {prefix}<chromosome>{suffixes[0]} for any chromosome from 1 to 22.{hint}"
        raise FileNotFoundError(msg)
    return found


def _read(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    table = read_table(path, text=("SNP", "CHR"))
    if missing := [c for c in columns if c not in table.columns]:
        msg = f"{path} has no column {missing}; its columns are {table.columns.tolist()[:12]!r:.300}"
        raise ValueError(msg)
    return table


def _numbers(table: pd.DataFrame, columns: Sequence[str], path: object) -> pd.DataFrame:
    """Return the table with columns of finite numbers (BP int64, others float64), or raise ValueError."""
    with naming(path):
        for column in columns:
            try:
                values = pd.to_numeric(table[column]).astype(np.float64)
            except (TypeError, ValueError) as err:
                msg = f"column {column!r} must hold numbers ({err})"
                raise ValueError(msg) from err
            bad = ~np.isfinite(values)
            if bad.any():
                msg = f"column {column!r} has a missing or infinite value in row {int(np.argmax(bad)) + 1}"
                raise ValueError(msg)
            if column == "BP" and ((values < 0) | (values % 1 != 0) | (values > NO_POSITION)).any():
                msg = "column 'BP' must hold positions, whole numbers from 0"
                raise ValueError(msg)
            table = table.assign(**{column: values.astype(np.int64) if column == "BP" else values})
    return table


@dataclass(frozen=True)
class ReferenceScores:
    """LD scores of annotations over all chromosomes.

    Attributes
    ----------
    table
        DataFrame CHR, SNP, BP and one column per annotation, sorted by position.
    m
        Number of SNPs per annotation with a minor allele frequency above 5 % (``.l2.M_5_50``).
    overlap
        Products annotᵀ annot over the common SNPs, (annotations × annotations); None if not known.
    n_common
        Number of common SNPs behind `overlap`.

    Raises
    ------
    KeyError
        If `table` lacks one of the columns CHR, SNP, BP.
    TypeError
        If `table` is not a DataFrame, names or SNPs are not text, or scores are not numbers.
    ValueError
        If `table` is empty, names of columns repeat, or scores are missing, infinite or beyond 1e13.
    """

    table: pd.DataFrame
    m: np.ndarray
    overlap: np.ndarray | None = None
    n_common: int | None = None

    def __post_init__(self) -> None:
        """Check that names are text and unique, and scores finite numbers."""
        name = "ReferenceScores.table"
        if not isinstance(self.table, pd.DataFrame) or any(not isinstance(c, str) for c in self.table.columns):
            msg = f"{name} must be a DataFrame whose columns are called by text, got {str(self.table)[:80]!r}"
            raise TypeError(msg)
        check_columns(self.table, self.table.columns, name=name)
        for column in ("CHR", "SNP", "BP"):
            check_key(column, self.table.columns, name="column", where=name)
        if self.table.empty or self.table["CHR"].isna().any():
            msg = f"{name} is empty, or CHR is missing in some of its {len(self.table)} rows"
            raise ValueError(msg)
        if not all(isinstance(snp, str) for snp in self.table["SNP"]):
            msg = f"{name}['SNP'] must hold ids as text; the first value is {self.table['SNP'].iloc[0]!r:.80}"
            raise TypeError(msg)
        for column in ("BP", *self.names):
            if not (np.abs(check_column(self.table, column, name=name)) <= _LARGEST).all():
                msg = f"{name}[{column!r}] holds a missing, infinite or absurd value; drop these SNPs"
                raise ValueError(msg)

    @property
    def names(self) -> list[str]:
        """Names of the annotations."""
        return [c for c in self.table.columns if c not in ("CHR", "SNP", "BP", "CM", "MAF")]


def check_numbers_of_snps(scores: ReferenceScores) -> None:
    """Raise ValueError unless there is one M per annotation."""
    if not scores.names or len(scores.names) != len(scores.m):
        msg = f"the LD scores hold {len(scores.names)} annotations {scores.names[:5]}, m holds {len(scores.m)} numbers"
        raise ValueError(msg)


def sort_by_position(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows sorted by chromosome (natural order) and position."""
    chrom = table["CHR"].astype(str)
    rank = {c: i for i, c in enumerate(sorted(chrom.unique(), key=natural_key))}
    order = np.lexsort((table["BP"], chrom.map(rank)))
    return table.iloc[order].reset_index(drop=True)


@checked()
def read_ld_scores(
    prefix: str | os.PathLike[str], *, common: bool = True, numbers_needed: bool = True
) -> ReferenceScores:
    """Read ``prefix<chromosome>.l2.ldscore.gz`` and the numbers of SNPs next to it, all chromosomes there are.

    Parameters
    ----------
    prefix
        Up to the chromosome number, such as ``"baseline."``.
    common
        Read ``.l2.M_5_50``, otherwise ``.l2.M``.
    numbers_needed
        Whether these files must be there. Weights come without them, and ldsc does not read them: NaN then.

    Returns
    -------
    ReferenceScores, one row per SNP (the first where a SNP is repeated).

    Raises
    ------
    FileNotFoundError
        If there is no file of scores, or one of numbers is missing.
    ValueError
        If chromosomes hold different annotations, or a file is malformed.
    """
    suffixes = (".l2.ldscore.gz", ".l2.ldscore")
    parts: list[pd.DataFrame] = []
    total: Any = 0
    first: tuple[Path, list[str]] | None = None
    for chrom in chromosomes_of(prefix, suffixes):
        path = find_file(prefix, chrom, suffixes) or Path(f"{prefix}{chrom}{suffixes[0]}")
        table = _read(path, ["CHR", "SNP", "BP"])
        names = [c for c in table.columns if c not in ("CHR", "SNP", "BP", "CM", "MAF")]
        table = _numbers(table, ["BP", *names], path)
        if table[["CHR", "SNP"]].isna().any(axis=None):
            msg = f"{path} has rows without CHR or SNP"
            raise ValueError(msg)
        first = first or (path, names)
        if names != first[1]:
            msg = f"{path} holds the annotations {names[:5]}, {first[0].name} holds {first[1][:5]}"
            raise ValueError(msg)
        number = Path(f"{prefix}{chrom}.l2.M{'_5_50' if common else ''}")
        parts.append(table[["CHR", "SNP", "BP", *names]])
        if not number.is_file() and not numbers_needed:
            total = total + np.full(len(names), np.nan)
            continue
        if not number.is_file():
            msg = f"there is no file {str(number)!r} next to the LD scores"
            raise FileNotFoundError(msg)
        try:
            m = np.array(number.read_text(encoding="utf-8").split(), dtype=np.float64)
        except ValueError:
            msg = f"{number} must hold numbers only"
            raise ValueError(msg) from None
        if len(m) != len(names):
            msg = f"{number} holds {len(m)} numbers for {len(names)} annotations"
            raise ValueError(msg)
        total = total + m
    with naming(prefix):
        return ReferenceScores(sort_by_position(pd.concat(parts, ignore_index=True)).drop_duplicates("SNP"), total)


def read_annotations(path: Path, n_rows: int | None = None) -> pd.DataFrame:
    """Read an annotation file, thin or with the columns CHR, BP, SNP, CM in front; return the annotations only."""
    table = _read(path, [])
    table = table.drop(columns=[c for c in ("CHR", "BP", "SNP", "CM") if c in table.columns])
    if n_rows is not None and len(table) != n_rows:
        msg = f"{path} has {len(table)} rows, its .frq or .bim file {n_rows}: one row per SNP of the panel is needed"
        raise ValueError(msg)
    if table.empty:
        msg = f"{path} holds no annotation of a SNP"
        raise ValueError(msg)
    return _numbers(table, table.columns, path)


@checked()
def common_overlap(
    prefixes: Sequence[str | os.PathLike[str]], frequencies: str | os.PathLike[str]
) -> tuple[np.ndarray, int]:
    """Return the overlap of annotations over the common SNPs (.05 < MAF < .95).

    Parameters
    ----------
    prefixes
        Prefixes of ``.annot.gz`` files up to the chromosome number; their annotations stand side by side.
    frequencies
        Prefix of ``.frq`` files, one row per SNP of the annotations.

    Returns
    -------
    annotᵀ annot, (annotations × annotations) float64, and the number of common SNPs.

    Raises
    ------
    FileNotFoundError
        If a chromosome lacks a file.
    ValueError
        If a file is malformed or files have different numbers of rows.
    """
    prefixes = check_some(prefixes, name="prefixes")
    total: Any = 0
    n_common = 0
    for chrom in chromosomes_of(prefixes[0], (".annot.gz", ".annot")):
        path = find_file(frequencies, chrom, (".frq", ".frq.gz"))
        if path is None:
            msg = f"there is no file {frequencies}{chrom}.frq (allele frequencies of the panel)"
            raise FileNotFoundError(msg)
        column = "MAF" if "MAF" in (frame := _read(path, [])).columns else "FRQ"
        maf = _read(path, [column])[column].to_numpy(np.float64)
        keep = (maf > 0.05) & (maf < 0.95)
        blocks = []
        for prefix in prefixes:
            found = find_file(prefix, chrom, (".annot.gz", ".annot"))
            if found is None:
                msg = f"there is no file {prefix}{chrom}.annot.gz; the overlap of annotations needs it"
                raise FileNotFoundError(msg)
            blocks.append(read_annotations(found, len(frame)).to_numpy()[keep])
        annotations = np.hstack(blocks)
        total = total + annotations.T @ annotations
        n_common += int(keep.sum())
    return total, n_common


def read_sumstats(value: Any, *, name: str = "sumstats") -> pd.DataFrame:
    """Return summary statistics SNP, N, Z (and alleles) without missing rows, from a DataFrame or ``.sumstats.gz``.

    Raises
    ------
    KeyError
        If columns are missing: raw statistics are to be munged first.
    ValueError
        If there is no complete row, or SNPs are repeated.
    """
    if isinstance(value, pd.DataFrame):
        table = value
    elif check_path(value, name=name).is_file():
        name = f"{name} ({value})"
        table = read_table(value, text=("SNP", "A1", "A2"))
    else:
        msg = f"{name}: there is no file {str(value)!r}"
        raise FileNotFoundError(msg)
    if missing := [c for c in ("SNP", "N", "Z") if c not in table.columns]:
        found = f"{table.columns.tolist()[:10]!r:.300}"
        msg = f"{name} has no column {missing}, only {found}: use regions.munge_sumstats first"
        raise KeyError(msg)
    check_columns(table, ("SNP", "N", "Z"), name=name)
    table = table.dropna(subset=["SNP", "N", "Z"])
    if table.empty:
        msg = f"{name} holds no SNP with N and Z"
        raise ValueError(msg)
    if any(pd.api.types.is_datetime64_any_dtype(table[c]) for c in ("N", "Z")):
        msg = f"{name}: N and Z must be numbers, not dates"
        raise ValueError(msg)
    table = _numbers(table, ["N", "Z"], name).assign(SNP=check_names(table["SNP"], name=f"{name}['SNP']"))
    wrong = ((table["N"] <= 0) | (table["N"] > 1e10) | (table["Z"].abs() > 1e4)).to_numpy(bool)
    if wrong.any():
        row = table[wrong].iloc[0]
        msg = f"{name}: {row['SNP']!r:.80} has N = {row['N']:g} and Z = {row['Z']:g}; both are needed"
        raise ValueError(msg)
    if table["SNP"].duplicated().any():
        msg = f"{name} holds SNPs more than once, such as {table.loc[table['SNP'].duplicated(), 'SNP'].iloc[0]!r}"
        raise ValueError(msg)
    return table.reset_index(drop=True)
