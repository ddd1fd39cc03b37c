"""Intervals, genomes, GREAT, SNPsea and LDSC: numerics on arrays and tables, and their file formats."""

from ._frame import check_regions, parse_names, read_bed
from ._genomes import GENOMES, chrom_sizes, gaps, tss_table

__all__ = ["GENOMES", "check_regions", "chrom_sizes", "gaps", "parse_names", "read_bed", "tss_table"]
