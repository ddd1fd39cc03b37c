"""Chromosome sizes of the four genomes that are shipped: the assembled chromosomes and chrM (UCSC)."""

from __future__ import annotations

from collections.abc import Iterable

from ..shipped import GENOMES, shipped_table
from . import SizeSource


def load(genome: str) -> Iterable[tuple[str, int]]:
    """Return the chromosomes of a shipped genome with their lengths."""
    table = shipped_table("chrom_sizes.tsv.gz")
    table = table[table["genome"] == genome]
    return zip(table["chrom"], table["length"], strict=True)


SOURCE = SizeSource("shipped", "the assembled chromosomes and chrM, from UCSC", GENOMES, load)
