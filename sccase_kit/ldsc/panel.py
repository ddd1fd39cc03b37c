"""A PLINK reference panel: SNP table, genotypes by blocks, and which SNPs lie in regions."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from .._arguments import checked
from .._text_files import open_text
from .._validate import check_table
from ..intervals.arrays import linearise, overlaps_any
from ..intervals.columns import NO_POSITION, check_names, integers
from ..intervals.frame import check_regions
from ..intervals.snps import in_style

_MAGIC = b"\x6c\x1b\x01"
# four genotypes per byte, lowest bits first: 00 homozygous A1, 01 missing, 10 heterozygous, 11 homozygous A2
_DECODE = np.array([[(2.0, np.nan, 1.0, 0.0)[(byte >> shift) & 3] for shift in (0, 2, 4, 6)] for byte in range(256)])


@checked()
def read_bim(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a PLINK .bim file.

    Parameters
    ----------
    path
        The file; may be gzipped.

    Returns
    -------
    DataFrame CHR (str), SNP, CM (float64), BP (int64), A1, A2, in the order of the file.

    Raises
    ------
    ValueError
        If a line is blank or has not six columns, or a position is not a number from 0; the message gives the line.
    """
    rows = []
    with open_text(path) as handle:
        for number, line in enumerate(handle, 1):
            cells = line.split()
            try:
                chrom, snp, cm, bp, a1, a2 = cells
                rows.append((chrom, snp, float(cm), int(bp), a1, a2))
                if not 0 <= int(bp) < NO_POSITION:
                    raise ValueError
            except ValueError:
                msg = f"{path}, line {number}: expected CHR SNP CM BP A1 A2, got {line.strip()[:80]!r}"
                raise ValueError(msg) from None
    if not rows:
        msg = f"{path} holds no SNP"
        raise ValueError(msg)
    return pd.DataFrame(rows, columns=["CHR", "SNP", "CM", "BP", "A1", "A2"])


@dataclass(frozen=True)
class Panel:
    """Genotypes of one PLINK file set.

    Attributes
    ----------
    bim
        SNP table, see :func:`read_bim`.
    n_individuals
        Lines of the .fam file.
    path
        The .bed file.
    """

    bim: pd.DataFrame
    n_individuals: int
    path: Path

    def genotypes(self, start: int, stop: int) -> np.ndarray:
        """Return copies of A1 of the SNPs start … stop−1, NaN where missing: float64 (individuals × SNPs)."""
        width = (self.n_individuals + 3) // 4
        with self.path.open("rb") as handle:
            handle.seek(3 + start * width)
            packed = np.frombuffer(handle.read((stop - start) * width), dtype=np.uint8).reshape(stop - start, width)
        return _DECODE[packed].reshape(stop - start, -1)[:, : self.n_individuals].T


@checked()
def open_panel(prefix: str | os.PathLike[str]) -> Panel:
    """Open the files prefix.bed, .bim and .fam.

    Parameters
    ----------
    prefix
        Path without the extension.

    Returns
    -------
    Panel, whose genotypes are read in blocks.

    Raises
    ------
    FileNotFoundError
        If one of them is missing.
    ValueError
        If the .bed file is not SNP-major or has not the size that .bim and .fam call for.
    """
    files = {kind: Path(f"{prefix}.{kind}") for kind in ("bed", "bim", "fam")}
    for file in files.values():
        if not file.is_file():
            msg = f"there is no file {str(file)!r}; a PLINK panel has .bed, .bim and .fam"
            raise FileNotFoundError(msg)
    bim = read_bim(files["bim"])
    with files["fam"].open(encoding="utf-8") as handle:
        n = sum(bool(line.strip()) for line in handle)
    with files["bed"].open("rb") as handle:
        magic = handle.read(3)
    if magic != _MAGIC:
        msg = f"{files['bed']} is not a SNP-major PLINK .bed file (it starts with {magic.hex()})"
        raise ValueError(msg)
    expected = 3 + len(bim) * ((n + 3) // 4)
    size = files["bed"].stat().st_size
    if size != expected:
        msg = f"{files['bed']} has {size} bytes; {len(bim)} SNPs of {n} individuals need {expected}. Is it complete?"
        raise ValueError(msg)
    return Panel(bim, n, files["bed"])


@checked()
def annotate_snps(bim: pd.DataFrame, regions: object) -> np.ndarray:
    """Return which SNPs of a panel lie inside regions (start < BP <= end).

    Chromosomes named ``1`` in the panel match ``chr1`` in the regions. SNPs that share a position each get their row.

    Parameters
    ----------
    bim
        SNP table with the columns CHR and BP, see :func:`read_bim`.
    regions
        DataFrame chrom, start, end (0-based half-open), AnnData, BED path or names.

    Returns
    -------
    Array int8, one value per row of `bim`: 1 inside, 0 outside.

    Raises
    ------
    KeyError
        If `bim` lacks a column.
    TypeError, ValueError
        If `bim` is empty or its positions are no whole numbers, or the regions are not valid.
    """
    regions = check_regions(regions)
    check_table(bim, name="bim", labels=("CHR",), numbers=("BP",), hint="Take sccase_kit.regions.read_bim.")
    chrom = check_names(bim["CHR"], name="bim['CHR']")
    points = pd.DataFrame({"chrom": chrom, "pos": integers(bim, "BP", "bim")})
    points = in_style(points, regions)
    points = points.assign(start=points["pos"] - 1, end=points["pos"])
    a, b = linearise(points, regions)
    return overlaps_any(a, b).astype(np.int8)
