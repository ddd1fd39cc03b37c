"""Genes from peaks, on arrays: weights of peaks for genes, activities, and names for groups from marker genes."""

from .links import PairTests, like_peaks, link_tests, near_pairs
from .naming import SetScores, gene_scores, reference_scores, set_pvalues, set_scores
from .panels import PANELS, lineages, panel
from .scores import count_activity, factor_activity
from .support import cell_set_scores, group_pvalues, set_support, smallest_lineage
from .weights import gene_windows, length_factors, neighbor_bounds, peak_gene_weights

__all__ = [
    "PANELS",
    "PairTests",
    "SetScores",
    "cell_set_scores",
    "count_activity",
    "factor_activity",
    "gene_scores",
    "gene_windows",
    "group_pvalues",
    "length_factors",
    "like_peaks",
    "lineages",
    "link_tests",
    "near_pairs",
    "neighbor_bounds",
    "panel",
    "peak_gene_weights",
    "reference_scores",
    "set_pvalues",
    "set_scores",
    "set_support",
    "smallest_lineage",
]
