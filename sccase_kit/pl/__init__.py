"""Plots; every function returns Axes and takes `ax`."""

from ._estimate_k import estimate_k
from ._great import great_bar, great_distances, great_dot
from ._heatmaps import embedding_heatmap, peak_heatmap, similarity_heatmap
from ._logos import motif_logo
from ._motifs import deviation_map, differential_volcano, motif_heatmap, variability_rank
from ._robustness import robustness, score_bars
from ._snpsea import snpsea
from ._umap import cell_map, raw_against_enhanced

__all__ = [
    "cell_map",
    "deviation_map",
    "differential_volcano",
    "embedding_heatmap",
    "estimate_k",
    "great_bar",
    "great_distances",
    "great_dot",
    "motif_heatmap",
    "motif_logo",
    "peak_heatmap",
    "raw_against_enhanced",
    "robustness",
    "score_bars",
    "similarity_heatmap",
    "snpsea",
    "variability_rank",
]
