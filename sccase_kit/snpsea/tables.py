"""The files SNPsea reads: gene matrix (GCT 1.2), named intervals (BED4), lists of SNPs and conditions."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from .._arguments import checked
from .._tables import plain_name, read_columns, split_cells, table_layout
from .._text_files import naming, open_text
from ..intervals.columns import NO_POSITION, check_columns, check_names
from ..intervals.snps import ID_NAMES

_ID_NAMES = ("SNP", "snp", "name", "marker")  # those of the program go first
_LARGEST = 1e100  # squares of larger values overflow


@dataclass(frozen=True)
class GeneMatrix:
    """A matrix of genes × conditions.

    Attributes
    ----------
    genes
        Gene ids, as in the gene intervals; unique.
    symbols
        One description per gene (GCT's second column).
    conditions
        Names of the columns; unique.
    values
        float64 array (genes × conditions).
    """

    genes: np.ndarray
    symbols: np.ndarray
    conditions: list[str]
    values: np.ndarray

    def __post_init__(self) -> None:
        """Check shapes, names and values."""
        shape = (len(self.genes), len(self.conditions))
        if self.values.shape != shape or not all(shape):
            msg = f"the gene matrix has shape {self.values.shape}, but {shape[0]} genes and {shape[1]} conditions"
            raise ValueError(msg)
        for what, names in (("gene ids", pd.Index(self.genes)), ("conditions", pd.Index(self.conditions))):
            if names.has_duplicates:
                msg = f"{what} of the gene matrix must be unique, {names[names.duplicated()][0]!r} occurs twice"
                raise ValueError(msg)
        bad = ~(np.abs(self.values) < _LARGEST)
        if bad.any():
            row, column = np.argwhere(bad)[0]
            msg = (
                f"the gene matrix holds {int(bad.sum())} missing or infinite values (or above {_LARGEST:g}), "
                f"the first for gene {self.genes[row]!r} in {self.conditions[column]!r}: fill or drop them"
            )
            raise ValueError(msg)

    @property
    def is_binary(self) -> bool:
        """Whether every value is 0 or 1 (SNPsea looks at the first column only)."""
        return bool(np.isin(self.values, (0.0, 1.0)).all())


def as_gene_matrix(value: Any) -> GeneMatrix:
    """Return a gene matrix from a DataFrame genes × conditions, a GCT file, or a gene matrix."""
    if isinstance(value, GeneMatrix):
        return value
    if isinstance(value, pd.DataFrame):
        if value.index.nlevels > 1:
            msg = f"gene_matrix must be indexed by gene id, its index has the levels {list(value.index.names)}"
            raise ValueError(msg)
        genes = value.index.astype(str).to_numpy(object)
        if text := [c for c in value.columns if not is_numeric_dtype(value[c])]:
            msg = f"gene_matrix: the columns {text[:5]} hold no numbers; drop them"
            raise TypeError(msg)
        return GeneMatrix(genes, genes, [str(c) for c in value.columns], value.to_numpy(np.float64))
    return read_gct(value)


@checked()
def read_gct(path: str | os.PathLike[str]) -> GeneMatrix:
    """Read a gene matrix in GCT 1.2 (plain or gzip).

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    GeneMatrix

    Raises
    ------
    ValueError
        If the file is not GCT 1.2, its size differs from what its second line says, or a cell is not a number; the
        message gives the file and the line.
    """
    with open_text(path) as handle:
        version = handle.readline().strip()
        if version != "#1.2":
            msg = f"{path}, line 1: a GCT file starts with '#1.2', got {version[:40]!r}"
            raise ValueError(msg)
        size = handle.readline().split()
        if len(size) != 2 or not all(s.isdigit() for s in size):
            msg = f"{path}, line 2: expected the numbers of rows and columns, got {' '.join(size)[:80]!r}"
            raise ValueError(msg)
        header = handle.readline().rstrip("\r\n").split("\t")
        n_rows, n_columns = (int(s) for s in size)
        if len(header) != n_columns + 2:
            msg = f"{path}, line 3: {n_columns} conditions are announced, the header holds {len(header) - 2}"
            raise ValueError(msg)
        genes, symbols, rows = [], [], []
        for number, line in enumerate(handle, 4):
            if not line.strip():
                continue
            name, _, rest = line.rstrip("\r\n").partition("\t")
            symbol, *cells = rest.split("\t")
            try:
                row = np.array(cells, dtype=np.float64)
            except ValueError:
                msg = f"{path}, line {number}: a value of gene {name[:80]!r} is not a number"
                raise ValueError(msg) from None
            if len(row) != n_columns:
                msg = f"{path}, line {number}: {len(row)} values for {n_columns} conditions"
                raise ValueError(msg)
            genes.append(name)
            symbols.append(symbol)
            rows.append(row)
    if len(rows) != n_rows:
        msg = f"{path}: {n_rows} genes are announced, {len(rows)} found: is the file complete?"
        raise ValueError(msg)
    values = np.vstack(rows) if rows else np.empty((0, n_columns))
    with naming(path):
        return GeneMatrix(np.array(genes, object), np.array(symbols, object), header[2:], values)


def read_intervals(value: Any, *, name: str) -> pd.DataFrame:
    """Return named intervals: a DataFrame chrom, start, end, name from a BED4 file or a DataFrame.

    Parameters
    ----------
    value
        Path of a BED file with at least four columns; or a DataFrame chrom, start, end and name, gene_id or snp.
    name
        Name of the argument in messages.

    Raises
    ------
    KeyError
        If columns are missing.
    ValueError
        If coordinates are not integers with 0 <= start <= end; the message gives the line of a file.
    """
    if isinstance(value, pd.DataFrame):
        label = next((c for c in ("name", "gene_id", "snp") if c in value.columns), None)
        missing = [c for c in ("chrom", "start", "end") if c not in value.columns]
        if missing or label is None:
            msg = f"{name} needs the columns chrom, start, end and name (or gene_id, snp), got {list(value.columns)}"
            raise KeyError(msg)
        check_columns(value, ("chrom", "start", "end", label), name=name)
        frame = value[["chrom", "start", "end", label]].set_axis(["chrom", "start", "end", "name"], axis=1)
        frame = frame.reset_index(drop=True).astype({"chrom": str, "name": str})
        return _check_order(frame, name)
    try:
        layout = table_layout(value)
        if layout.width < 4:
            msg = f"its first line is {' '.join(layout.rows[0] if layout.rows else layout.names)[:80]!r}"
            raise ValueError(msg)
        columns = {"chrom": 0, "start": 1, "end": 2, "name": 3}
        parts = list(read_columns(layout, columns, text=list(columns)))
    except ValueError as error:
        msg = f"{name}: {value} is not a BED file with four columns: {error}"
        raise ValueError(msg) from None
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(columns))
    frame = frame[~frame["chrom"].str.startswith(("#", "track", "browser"))].reset_index(drop=True)
    return _check_order(frame, f"{name} ({value})")


def _check_order(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    if frame.empty:
        msg = f"{name} is empty: there is not a single interval"
        raise ValueError(msg)
    frame = frame.copy()
    for column in ("start", "end"):
        numbers = pd.to_numeric(frame[column], errors="coerce")
        bad = (numbers.isna() | (numbers % 1 != 0) | (numbers.abs() > NO_POSITION)).to_numpy(bool)
        if bad.any():
            row = int(np.argmax(bad))
            msg = f"{name}, interval {row + 1}: {column} must be an integer, got {frame[column].iloc[row]!r:.80}"
            raise ValueError(msg)
        frame[column] = numbers.astype(np.int64)
    bad = ((frame["start"] < 0) | (frame["end"] < frame["start"])).to_numpy(bool)
    if bad.any():
        row = frame.iloc[int(np.argmax(bad))]
        where = f"{row['chrom']:.80}:{row['start']}-{row['end']}"
        msg = f"{name}: {row['name']!r:.80} lies at {where}; 0 <= start <= end is needed"
        raise ValueError(msg)
    return frame


def read_ids(value: Any, *, name: str) -> list[str]:
    """Return the distinct SNP ids of a list, a DataFrame or a text file, in order of appearance.

    In a file, lines that start with ``#`` are skipped; if a row before the first id holds a cell SNP, rsid, name,
    marker or another usual name of ids, it is the header and names the column, otherwise the first column is read.
    Cells are separated by tabs; by commas or blanks, if the header is.

    Raises
    ------
    ValueError
        If there is no id.
    """
    if isinstance(value, (str, os.PathLike)):
        ids: list[str] = []
        column = 0
        sep = "\t"
        with open_text(value) as handle:
            for number, line in enumerate(handle, 1):
                if line.startswith("#") or not line.strip():
                    continue
                if "\0" in line:
                    msg = f"{value}, line {number}: a NUL character; is this a text file of SNPs?"
                    raise ValueError(msg)
                if not ids and "\t" not in line:
                    sep = "," if "," in line else ""
                cells = split_cells(line, sep)
                head = [] if ids else [i for i, c in enumerate(cells) if c in _ID_NAMES]
                head = head or ([] if ids else [cells.index(c) for n in ID_NAMES for c in cells if plain_name(c) == n])
                if head:
                    column = head[0]
                elif column < len(cells) and cells[column].strip():
                    ids.append(cells[column].strip())
    elif isinstance(value, pd.DataFrame):
        label = next((c for n in ID_NAMES for c in value.columns if plain_name(c) == n), None)
        if label is None:
            msg = f"{name} needs a column named SNP or snp or name or marker, got {list(value.columns)}"
            raise KeyError(msg)
        check_columns(value, (label,), name=name)
        ids = check_names(value[label], name=f"{name}[{label!r}]").tolist()
    else:
        ids = [str(v) for v in value]
    if not ids:
        msg = f"{name}{f' ({value})' if isinstance(value, (str, os.PathLike)) else ''} holds no SNP"
        raise ValueError(msg)
    return list(dict.fromkeys(ids))


def condition_names(condition: str | Iterable[str]) -> list[str]:
    """Return the distinct names of conditions, sorted; one name may be given as it is."""
    return sorted({condition} if isinstance(condition, str) else {str(c) for c in condition})
