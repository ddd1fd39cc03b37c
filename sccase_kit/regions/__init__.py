"""Intervals, genomes, GREAT, SNPsea and LDSC: numerics on arrays and tables, and their file formats."""

from ._frame import check_regions, parse_names, read_bed
from ._gene_sets import GeneSets, read_gmt
from ._genomes import GENOMES, chrom_sizes, gaps, tss_table
from ._go import go_from_gaf, go_from_orgdb
from ._great import great
from ._great_domains import regulatory_domains
from ._great_result import GreatResult
from ._intervals import closest_genes, merge, overlap, shuffle, window
from ._ldsc import LdscResult, combine_scores, ldsc_cts, ldsc_h2
from ._ldsc_munge import Munged, munge_sumstats
from ._ldsc_panel import annotate_snps, open_panel, read_bim
from ._ldsc_scores import LdScores, ld_scores
from ._ldsc_tables import ReferenceScores, common_overlap, read_ld_scores
from ._liftover import Lifted, liftover
from ._snps import read_snps
from ._snpsea import SnpseaResult, prepare_snpsea, snpsea
from ._snpsea_files import GeneMatrix, read_gct

__all__ = [
    "GENOMES",
    "GeneMatrix",
    "GeneSets",
    "GreatResult",
    "LdScores",
    "LdscResult",
    "Lifted",
    "Munged",
    "ReferenceScores",
    "SnpseaResult",
    "annotate_snps",
    "check_regions",
    "chrom_sizes",
    "closest_genes",
    "combine_scores",
    "common_overlap",
    "gaps",
    "go_from_gaf",
    "go_from_orgdb",
    "great",
    "ld_scores",
    "ldsc_cts",
    "ldsc_h2",
    "liftover",
    "merge",
    "munge_sumstats",
    "open_panel",
    "overlap",
    "parse_names",
    "prepare_snpsea",
    "read_bed",
    "read_bim",
    "read_gct",
    "read_gmt",
    "read_ld_scores",
    "read_snps",
    "regulatory_domains",
    "shuffle",
    "snpsea",
    "tss_table",
    "window",
]
