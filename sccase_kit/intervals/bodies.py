"""Genes to draw next to data: bodies, or starts where there are none, of the genome that the data were made with."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from .._record import records
from .._validate import check_table
from .gene_names import find_genes
from .genomes import GENOMES, tss_table

_REGION = re.compile(r"(\S+?)[:_-]([\d,]+)[-_]([\d,]+)")


def is_region(locus: object) -> bool:
    """Return whether a locus is written as a region, such as "chr1:100,000-200,000"."""
    return _REGION.fullmatch(str(locus)) is not None


def known_genome(uns: Mapping[str, Any]) -> str | None:
    """Return the shipped genome that all results in `uns` which name one were made with, or None.

    Results with genes of their own (``tss=``) do not count.
    """
    entries = [made for made in records(uns).values() if "tss" not in {*made.objects, *made.params}]
    named = {str(made.params.get("genome")) for made in entries} & set(GENOMES)
    return named.pop() if len(named) == 1 else None


def gene_bodies(genes: pd.DataFrame | str | os.PathLike[str]) -> pd.DataFrame:
    """Return chrom, start, end, strand and symbol of genes; a start alone is one base long.

    Parameters
    ----------
    genes
        Genome, file (see :func:`sccase_kit.regions.tss_table`), or table with chrom, strand, symbol (or gene_id), and
        start and end of the bodies or tss alone.

    Raises
    ------
    ValueError
        If columns are missing.
    TypeError
        If `genes` is none of these.
    """
    if isinstance(genes, (str, os.PathLike)):
        genes = tss_table(genes)
    columns = getattr(genes, "columns", ())
    places = ["start", "end"] if {"start", "end"} <= set(columns) else ["tss", "tss"]
    label = "symbol" if "symbol" in columns else "gene_id"
    hint = "Take sccase_kit.regions.tss_table('hg38')."
    labels, numbers = ("chrom", "strand", label), dict.fromkeys(places)
    genes = check_table(genes, name="genes", labels=labels, numbers=numbers, hint=hint)
    low, high = genes[places[0]], genes[places[1]] + (places[0] == "tss")
    out = genes[["chrom", "strand"]].assign(start=low, end=high, symbol=genes[label])
    return out[np.isfinite(low) & np.isfinite(high)]


def locus_of(locus: str, genes: pd.DataFrame | None, flank: int) -> tuple[str, int, int]:
    """Return the place of a locus, or of a gene with what surrounds it."""
    match = _REGION.fullmatch(locus) if isinstance(locus, str) else None
    if match is None and isinstance(locus, str) and genes is not None and "symbol" in genes.columns:
        row = genes.iloc[find_genes(genes, [locus], name="locus")[0]]
        low, high = (row["start"], row["end"]) if "start" in genes.columns else (row["tss"], row["tss"] + 1)
        return str(row["chrom"]), max(int(low) - flank, 0), int(high) + flank
    if match is None:
        msg = f"locus must look like 'chr1:100,000-200,000', got {locus!r}; for a gene pass genes='hg38' (the genome)"
        raise ValueError(msg)
    chrom, start, end = match.group(1), *(int(v.replace(",", "")) for v in match.group(2, 3))
    if start >= end:
        msg = f"locus={locus!r} ends before it starts"
        raise ValueError(msg)
    return chrom, start, end
