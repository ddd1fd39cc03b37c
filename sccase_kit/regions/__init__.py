"""Intervals, genomes, GREAT, SNPsea and LDSC: numerics on arrays and tables, and their file formats."""

from ._frame import check_regions, parse_names, read_bed
from ._gene_sets import GeneSets, read_gmt
from ._genomes import GENOMES, chrom_sizes, gaps, tss_table
from ._great import great
from ._great_domains import regulatory_domains
from ._great_result import GreatResult

__all__ = [
    "GENOMES",
    "GeneSets",
    "GreatResult",
    "check_regions",
    "chrom_sizes",
    "gaps",
    "great",
    "parse_names",
    "read_bed",
    "read_gmt",
    "regulatory_domains",
    "tss_table",
]
