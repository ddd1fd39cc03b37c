"""Tools: the functions users call on an AnnData."""

from ._annotate import annotate
from ._chromvar import chromvar
from ._cluster import cluster
from ._deviations import differential_deviations, differential_variability, motif_correlation, motif_synergy
from ._differential import differential
from ._enhance import enhance
from ._estimate_k import estimate_k
from ._gene_activity import gene_activity
from ._gene_enrichment import enrich_genes
from ._great import great
from ._interpret import interpret
from ._ldsc import ldsc
from ._merge_clusters import merge_clusters
from ._motif_genes import motif_genes
from ._motifs import add_gc_content, match_motifs
from ._peak_gene_links import peak_gene_links
from ._peaks import background_peaks, compare_specific_peaks
from ._scabc import scabc
from ._sister_groups import sister_groups
from ._sites import match_sites
from ._snpsea import snpsea
from ._specific_peaks import specific_peaks
from ._traits import trait_scores

__all__ = [
    "add_gc_content",
    "annotate",
    "background_peaks",
    "chromvar",
    "cluster",
    "compare_specific_peaks",
    "differential",
    "differential_deviations",
    "differential_variability",
    "enhance",
    "enrich_genes",
    "estimate_k",
    "gene_activity",
    "great",
    "interpret",
    "ldsc",
    "match_motifs",
    "match_sites",
    "merge_clusters",
    "motif_correlation",
    "motif_genes",
    "motif_synergy",
    "peak_gene_links",
    "scabc",
    "sister_groups",
    "snpsea",
    "specific_peaks",
    "trait_scores",
]
