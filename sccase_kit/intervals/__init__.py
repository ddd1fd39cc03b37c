"""Genomic intervals: tables, verbs, genomes, coordinates of peaks and SNPs, liftOver."""

from .chains import Lifted, liftover
from .frame import check_regions, parse_names, read_bed
from .genomes import GENOMES, chrom_sizes, gaps, tss_table
from .snps import read_snps
from .verbs import closest_genes, merge, overlap, shuffle, window

__all__ = [
    "GENOMES",
    "Lifted",
    "check_regions",
    "chrom_sizes",
    "closest_genes",
    "gaps",
    "liftover",
    "merge",
    "overlap",
    "parse_names",
    "read_bed",
    "read_snps",
    "shuffle",
    "tss_table",
    "window",
]
