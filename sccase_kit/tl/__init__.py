"""Tools: the functions users call on an AnnData."""

from ._cluster import cluster
from ._enhance import enhance
from ._estimate_k import estimate_k
from ._gene_enrichment import enrich_genes
from ._great import great
from ._peaks import background_peaks, compare_specific_peaks, specific_peaks
from ._scabc import scabc

__all__ = [
    "background_peaks",
    "cluster",
    "compare_specific_peaks",
    "enhance",
    "enrich_genes",
    "estimate_k",
    "great",
    "scabc",
    "specific_peaks",
]
