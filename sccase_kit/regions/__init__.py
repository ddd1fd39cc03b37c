"""Intervals, genomes, GREAT, SNPsea and LDSC: numerics on arrays and tables, and their file formats."""

from ..gene_sets.go import go_from_gaf, go_from_orgdb
from ..gene_sets.sets import GeneSets, read_gmt
from ..great.domains import regulatory_domains
from ..great.result import GreatResult
from ..great.run import great
from ..intervals.chains import Lifted, liftover
from ..intervals.frame import check_regions, parse_names
from ..intervals.genomes import GENOMES, chrom_sizes, gaps, tss_table
from ..intervals.gtf import read_gtf
from ..intervals.region_files import read_bed
from ..intervals.shuffle import shuffle
from ..intervals.snps import read_snps
from ..intervals.verbs import closest, closest_genes, coverage, merge, overlap, window
from ..ldsc.munge import Munged, munge_sumstats
from ..ldsc.panel import annotate_snps, open_panel, read_bim
from ..ldsc.run import LdscResult, combine_scores, ldsc_cts, ldsc_h2
from ..ldsc.scores import LdScores, ld_scores
from ..ldsc.tables import ReferenceScores, common_overlap, read_ld_scores
from ..snpsea.run import SnpseaResult, prepare_snpsea, snpsea
from ..snpsea.tables import GeneMatrix, read_gct

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
    "closest",
    "closest_genes",
    "combine_scores",
    "common_overlap",
    "coverage",
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
    "read_gtf",
    "read_ld_scores",
    "read_snps",
    "regulatory_domains",
    "shuffle",
    "snpsea",
    "tss_table",
    "window",
]
