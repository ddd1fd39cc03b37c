"""Tools: the functions users call on an AnnData."""

from ._enhance import enhance
from ._gene_enrichment import enrich_genes
from ._great import great

__all__ = ["enhance", "enrich_genes", "great"]
