"""Lists of SNPs with positions, whatever file they come in, and the SNPs inside regions."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from .columns import NO_POSITION, check_columns
from .frame import check_chrom_style, check_regions, open_text, read_table
from .verbs import overlap

_COLUMNS = {
    "chrom": ("#CHROM", "CHROM", "CHR", "chrom", "chr", "#chrom", "hg19chrc"),
    "pos": ("POS", "BP", "pos", "bp", "position"),
    "snp": ("SNP", "ID", "rsid", "snp", "name", "marker", "RSID"),
}


def read_snps(value: object, *, name: str = "snps") -> pd.DataFrame:
    """Return SNPs as a DataFrame chrom, pos (1-based), snp.

    Parameters
    ----------
    value
        DataFrame with columns chrom, pos, snp (or CHR, BP, SNP and the like); or a file, plain or gzip: PLINK ``.bim``,
        VCF, BED with names in column 4 (the position is the end), or a table with a header that names chromosome,
        position and id, such as a HapMap3 list.
    name
        Name of the argument in messages.

    Returns
    -------
    DataFrame chrom (str), pos (int64, 1-based), snp (str), in the order of the input.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If positions are missing or are not integers; the message gives the first line.
    TypeError
        If `value` is neither a DataFrame nor a file name.
    """
    if isinstance(value, pd.DataFrame):
        return _pick(value, name)
    if not isinstance(value, (str, os.PathLike)):
        msg = f"{name} must be a DataFrame chrom, pos, snp or a file, got {type(value).__name__}"
        raise TypeError(msg)
    if not Path(value).is_file():
        msg = f"{name}: there is no file {str(value)!r}"
        raise FileNotFoundError(msg)
    return _read_file(Path(value), name)


def _read_file(path: Path, name: str) -> pd.DataFrame:
    skip = 0
    with open_text(path) as handle:
        for line in handle:
            if not line.startswith("##") and line.strip():
                break
            skip += 1
        else:
            msg = f"{name}: {path} is empty"
            raise ValueError(msg)
    cells = line.split()
    named = sum(any(c in options for c in cells) for options in _COLUMNS.values())
    table = read_table(path, sep=r"\s+", header=None, skiprows=skip, dtype=str, na_filter=False)
    if named >= 2:
        return _pick(table.iloc[1:].set_axis(table.iloc[0].tolist(), axis=1), f"{name} ({path.name})")
    width = len(table.columns)
    if width >= 5 and len(cells) > 3 and cells[3].lstrip("-").isdigit() and not cells[1].isdigit():  # PLINK .bim
        columns = {"chrom": 0, "pos": 3, "snp": 1}
    elif width >= 4 and cells[1].isdigit() and cells[2].isdigit():  # BED
        columns = {"chrom": 0, "pos": 2, "snp": 3}
    else:
        msg = (
            f"{name}: {path} holds no positions that can be recognised (first line {line.strip()[:60]!r}); expected "
            "a .bim, VCF or BED4 file, or a table whose header names SNP, CHR and BP"
        )
        raise ValueError(msg)
    return _pick(pd.DataFrame({key: table[column] for key, column in columns.items()}), f"{name} ({path.name})")


def _pick(table: pd.DataFrame, name: str) -> pd.DataFrame:
    found = {key: next((c for c in options if c in table.columns), None) for key, options in _COLUMNS.items()}
    if missing := [key for key, column in found.items() if column is None]:
        msg = f"{name} has no column for {missing}; its columns are {[str(c) for c in table.columns][:12]!r:.300}"
        raise ValueError(msg)
    check_columns(table, found.values(), name=name)
    pos = pd.to_numeric(table[found["pos"]], errors="coerce")
    bad = (pos.isna() | (pos < 1) | (pos % 1 != 0) | (pos > NO_POSITION)).to_numpy(bool)
    if bad.any():
        row = table.iloc[int(np.argmax(bad))]
        msg = (
            f"{name}: {int(bad.sum())} of {len(bad)} SNPs have no valid position, the first is "
            f"{row[found['snp']]!r:.80} with {row[found['pos']]!r:.80}"
        )
        raise ValueError(msg)
    return pd.DataFrame(
        {
            "chrom": table[found["chrom"]].astype(str).to_numpy(object),
            "pos": pos.to_numpy(np.int64),
            "snp": table[found["snp"]].astype(str).to_numpy(object),
        }
    )


def in_style(snps: pd.DataFrame, regions: pd.DataFrame) -> pd.DataFrame:
    """Return the SNPs with chromosomes named as those of the regions (PLINK files have ``1``, BED files ``chr1``)."""
    style = check_chrom_style(regions["chrom"].unique())
    own = check_chrom_style(snps["chrom"].unique(), name="snps")
    if {style, own} != {"chr", "bare"}:
        return snps
    chrom = "chr" + snps["chrom"] if style == "chr" else snps["chrom"].str.removeprefix("chr")
    return snps.assign(chrom=chrom)


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
    return overlap(in_style(snps, regions), regions, how="any")[["chrom", "pos", "snp"]]
