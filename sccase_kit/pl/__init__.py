"""Plots; every function returns Axes and takes `ax`."""

from ._accuracy import accuracy_boxplot
from ._annotation import annotation
from ._conditions import accessibility_ma, accessibility_volcano
from ._estimate_k import estimate_k
from ._fragments import barcode_rank, fragment_lengths, fragment_quality, tss_by_depth, tss_profile
from ._great import great_bar, great_distances, great_dot
from ._heatmaps import embedding_heatmap, peak_heatmap, similarity_heatmap
from ._held_out import held_out
from ._ldsc import ldsc
from ._links import peak_gene_links
from ._logos import motif_logo
from ._model import depth_correlation, objective_trace
from ._motifs import deviation_map, motif_heatmap
from ._robustness import robustness, score_bars
from ._set_tests import differential_volcano, variability_rank
from ._snpsea import snpsea
from ._top_motifs import top_motifs
from ._tracks import genome_tracks
from ._traits import trait_groups
from ._umap import cell_map, raw_against_enhanced

__all__ = [
    "accessibility_ma",
    "accessibility_volcano",
    "accuracy_boxplot",
    "annotation",
    "barcode_rank",
    "cell_map",
    "depth_correlation",
    "deviation_map",
    "differential_volcano",
    "embedding_heatmap",
    "estimate_k",
    "fragment_lengths",
    "fragment_quality",
    "genome_tracks",
    "great_bar",
    "great_distances",
    "great_dot",
    "held_out",
    "ldsc",
    "motif_heatmap",
    "motif_logo",
    "objective_trace",
    "peak_gene_links",
    "peak_heatmap",
    "raw_against_enhanced",
    "robustness",
    "score_bars",
    "similarity_heatmap",
    "snpsea",
    "top_motifs",
    "trait_groups",
    "tss_by_depth",
    "tss_profile",
    "variability_rank",
]
