"""The tables of genomes that are shipped with the package."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import pandas as pd

#: Genomes with chromosome sizes, genes and, but for mm9, gaps.
GENOMES = ("hg19", "hg38", "mm9", "mm10")


@cache
def shipped_table(file: str) -> pd.DataFrame:
    """Return a table of ``intervals/data``; it is shared, so copy it before changing it."""
    with files("sccase_kit.intervals").joinpath("data", file).open("rb") as handle:
        return pd.read_csv(handle, sep="\t", compression="gzip", dtype={"gene_id": str, "symbol": str}, na_filter=False)
