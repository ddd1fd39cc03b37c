"""Lists of SNPs with positions, whatever file they come in, and the SNPs inside regions."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from .._arguments import checked
from .._logging import warn
from .._tables import Layout, plain_name, read_columns, table_layout
from .assembly import in_names_of
from .columns import NO_POSITION, check_columns
from .frame import check_regions
from .verbs import overlap

# what the columns are called (upper case, other signs as _), the most telling name first
_COLUMNS = {
    "chrom": (
        *("CHROM", "CHR", "CHROMOSOME", "CHR_ID", "CHR_NAME", "SEQNAMES", "SEQNAME", "HG19CHRC", "HG19CHR", "HM_CHROM"),
    ),
    "pos": (
        *("POS", "BP", "POSITION", "BASE_PAIR_LOCATION", "CHR_POS", "CHR_POSITION", "BASE_PAIR", "POS_B37", "BP_HG19"),
        *("POS_HG19", "GENPOS", "PS", "HM_POS", "CHROMEND", "CHR_END", "END"),  # of intervals, the end is the position
    ),
    "snp": (
        *("SNP", "RSID", "RS_ID", "RS", "RSIDS", "SNPS", "SNPID", "SNP_ID", "RS_NUMBER", "RS_NUMBERS", "MARKERNAME"),
        *("MARKER", "MARKERID", "MARKER_NAME", "ID", "VARIANT_ID", "HM_RSID", "NAME", "VARIANT"),
    ),
}
#: Names of columns of ids, the most telling first.
ID_NAMES = _COLUMNS["snp"]
_KNOWN = {name for names in _COLUMNS.values() for name in names}
_NONE = {"", ".", "NA", "NAN", "NONE"}


@checked()
def read_snps(value: object, *, name: str = "snps") -> pd.DataFrame:
    """Return SNPs as a DataFrame chrom, pos (1-based), snp.

    Parameters
    ----------
    value
        DataFrame with columns chrom, pos, snp, under any of their usual names; or a file, plain or packed: PLINK
        ``.bim`` or ``.map``, VCF, BED with names in column 4 (the position is the end), or a table with a header that
        names chromosome, position and id: HapMap3 lists, GWAS-SSF, associations of the GWAS Catalog, METAL, PLINK,
        REGENIE, SAIGE, UCSC's tables.
    name
        Name of the argument in messages.

    Returns
    -------
    DataFrame chrom (str), pos (int64, 1-based), snp (str; ``chrom:pos`` where the id is missing), in the order of the
    input.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If positions are missing or are not integers; the message gives the first line.
    TypeError
        If `value` is neither a DataFrame nor a file name.

    Warns
    -----
    UserWarning
        If associations of the GWAS Catalog have no position and are left out.
    """
    if isinstance(value, pd.DataFrame):
        found = _find([str(c) for c in value.columns], name)
        check_columns(value, [value.columns[k] for k in found.values()], name=name)
        return _checked(pd.DataFrame({key: value.iloc[:, k] for key, k in found.items()}), name)
    if not isinstance(value, (str, os.PathLike)):
        msg = f"{name} must be a DataFrame chrom, pos, snp or a file, got {type(value).__name__}"
        raise TypeError(msg)
    if not Path(value).is_file():
        msg = f"{name}: there is no file {str(value)!r}"
        raise FileNotFoundError(msg)
    layout = table_layout(value, is_header=_is_header)
    where = f"{name} ({Path(value).name})"
    if layout.names:
        found = _find(layout.names, where)
        if twice := [layout.names[k] for k in found.values() if layout.names.count(layout.names[k]) > 1]:
            msg = f"{where} has several columns called {twice[0]!r}; drop or rename all but one"
            raise ValueError(msg)
    else:
        found = _without_header(layout, name)
    blocks = list(read_columns(layout, found, text=list(found)))
    table = pd.concat(blocks, ignore_index=True) if blocks else pd.DataFrame(columns=list(found))
    if {"SNPS", "CHR_ID", "CHR_POS"} <= {plain_name(n) for n in layout.names}:
        table = _of_catalog(table, where)
    return _checked(table, where)


def _is_header(cells: Sequence[str]) -> bool:
    return sum(plain_name(cell) in _KNOWN for cell in cells) >= 2


def _find(columns: Sequence[str], name: str) -> dict[str, int]:
    """Return chrom, pos, snp → number of the column."""
    plain = [plain_name(c) for c in columns]
    found = {key: next((plain.index(o) for o in options if o in plain), None) for key, options in _COLUMNS.items()}
    missing = [key for key, number in found.items() if number is None]
    if missing:
        hint = " Only SNPs with positions can be placed." if missing == ["pos"] or missing == ["chrom", "pos"] else ""
        msg = f"{name} has no column for {missing}; its columns are {list(columns)[:12]!r:.300}.{hint}"
        raise ValueError(msg)
    return {key: number for key, number in found.items() if number is not None}


def _without_header(layout: Layout, name: str) -> dict[str, int]:
    """Return the columns of .bim, .map and BED files."""
    cells, width = layout.rows[0], len(layout.rows[0])
    if width >= 4 and cells[3].lstrip("-").isdigit() and not cells[1].isdigit():
        return {"chrom": 0, "pos": 3, "snp": 1}
    if width >= 4 and cells[1].isdigit() and cells[2].isdigit():
        return {"chrom": 0, "pos": 2, "snp": 3}
    msg = (
        f"{name}: {layout.path} holds no positions that can be recognised (first line {' '.join(cells)[:60]!r}); "
        "expected a .bim, VCF or BED4 file, or a table whose header names SNP, CHR and BP"
    )
    raise ValueError(msg)


def _of_catalog(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a SNP a row: associations of haplotypes and interactions list several; some have no position."""
    parts = {c: table[c].str.split(r"\s*(?:;|\bx\b)\s*", regex=True) for c in table.columns}
    alike = parts["chrom"].str.len().eq(parts["pos"].str.len()) & parts["chrom"].str.len().eq(parts["snp"].str.len())
    rows = pd.DataFrame(parts)[alike].explode(list(table.columns), ignore_index=True)
    known = ~(rows["chrom"].isin(_NONE) | rows["pos"].isin(_NONE))
    lost = int((~alike).sum() + (~known).sum())
    if lost:
        warn(f"{name}: {lost} of {len(table)} associations have no position of their own and are left out")
    return rows[known].drop_duplicates(ignore_index=True)


def _checked(table: pd.DataFrame, name: str) -> pd.DataFrame:
    pos = pd.to_numeric(table["pos"], errors="coerce")
    bad = (pos.isna() | (pos < 1) | (pos % 1 != 0) | (pos > NO_POSITION)).to_numpy(bool)
    if bad.any():
        row = table.iloc[int(np.argmax(bad))]
        msg = (
            f"{name}: {int(bad.sum())} of {len(bad)} SNPs have no valid position, the first is "
            f"{row['snp']!r:.80} with {row['pos']!r:.80}"
        )
        raise ValueError(msg)
    chrom, snp = (np.array([str(v) for v in table[c]], dtype=object) for c in ("chrom", "snp"))  # NaN are "nan"
    place = pos.to_numpy(np.int64)
    for k in np.flatnonzero([s.upper() in _NONE for s in snp]):
        snp[k] = f"{chrom[k]}:{place[k]}"
    return pd.DataFrame({"chrom": chrom, "pos": place, "snp": snp})


def in_style(snps: pd.DataFrame, regions: pd.DataFrame) -> pd.DataFrame:
    """Return the SNPs with chromosomes named as those of the regions (``23`` becomes ``chrX``)."""
    return in_names_of(snps, regions["chrom"].unique(), name="snps", where="the regions")


def snps_in_regions(snps: pd.DataFrame, regions: object) -> pd.DataFrame:
    """Return the SNPs inside regions, through BEDTools, in the order of the list.

    Parameters
    ----------
    snps
        From :func:`read_snps`.
    regions
        DataFrame chrom, start, end, AnnData, BED path or names. A SNP is inside if start < pos <= end.
    """
    regions = check_regions(regions)
    return overlap(in_style(snps, regions), regions, how="any", engine="bedtools")[["chrom", "pos", "snp"]]
