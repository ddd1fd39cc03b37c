"""LD score regression as in ldsc 1.0.1 (Finucane et al. 2015): scores, regression, files and the program."""

from .munge import Munged, munge_sumstats
from .panel import annotate_snps, open_panel, read_bim
from .run import LdscResult, combine_scores, ldsc_cts, ldsc_h2
from .scores import LdScores, ld_scores
from .tables import ReferenceScores, common_overlap, read_ld_scores

__all__ = [
    "LdScores",
    "LdscResult",
    "Munged",
    "ReferenceScores",
    "annotate_snps",
    "combine_scores",
    "common_overlap",
    "ld_scores",
    "ldsc_cts",
    "ldsc_h2",
    "munge_sumstats",
    "open_panel",
    "read_bim",
    "read_ld_scores",
]
