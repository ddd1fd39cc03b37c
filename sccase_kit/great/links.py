"""Which genes the midpoints of regions hit, by elementary segments between domain borders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from ..intervals.arrays import Linear, points_in

_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Segments:
    """The stretches between domain borders that hold a midpoint: all midpoints in one stretch hit the same genes.

    Attributes
    ----------
    genes
        CSR, int32, of shape (n_segments, n_genes): 1 where the stretch lies in the domain of the gene.
    of_region
        int64 array of shape (n_regions,): the stretch of every midpoint.
    """

    genes: sparse.csr_matrix
    of_region: np.ndarray


def find_segments(middle: np.ndarray, domains: Linear, gene: np.ndarray, n_genes: int) -> Segments:
    """Locate midpoints between the borders of domains; `gene` numbers the gene of every domain."""
    borders = np.unique(np.concatenate([domains.start, domains.end]))
    _, first, of_region = np.unique(np.searchsorted(borders, middle, "right"), return_index=True, return_inverse=True)
    segment, domain = points_in(middle[first], domains)
    genes = sparse.csr_matrix((np.ones(len(segment), np.int32), (segment, gene[domain])), shape=(len(first), n_genes))
    genes.data[:] = 1
    return Segments(genes, of_region.reshape(-1))


def count_hits(segments: Segments, membership: sparse.csc_matrix, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Count what groups of regions hit.

    Parameters
    ----------
    segments
        Segments of all midpoints.
    membership
        CSC of shape (n_genes, n_terms).
    weights
        int64 array of shape (n_groups, n_segments): regions of the group in the segment.

    Returns
    -------
    region_hits
        int64 array of shape (n_groups, n_terms): regions that hit at least one gene of the term.
    genes_hit
        Boolean array of shape (n_groups, n_genes).
    """
    by_gene = membership.astype(np.int32).tocsr()
    region_hits = np.zeros((len(weights), membership.shape[1]), dtype=np.int64)
    for first in range(0, segments.genes.shape[0], _BLOCK):
        hit = segments.genes[first : first + _BLOCK] @ by_gene
        hit.data[:] = 1
        region_hits += weights[:, first : first + _BLOCK] @ hit
    genes_hit = (sparse.csr_matrix(weights) @ segments.genes).toarray() > 0
    return region_hits, genes_hit


def link_table(segments: Segments, regions: pd.DataFrame, tss: pd.DataFrame) -> pd.DataFrame:
    """Return one row per region and associated gene.

    Parameters
    ----------
    segments
        Segments whose first midpoints are those of `regions`.
    regions
        chrom, start, end; the index numbers the rows of the input.
    tss
        chrom, tss, strand, gene_id, symbol.

    Returns
    -------
    DataFrame region, chrom, start, end, gene (row of `tss`), gene_id, symbol, distance (bases, negative upstream).
    """
    by_region = segments.genes[segments.of_region[: len(regions)]]
    by_region.sort_indices()
    row, gene = np.repeat(np.arange(len(regions)), np.diff(by_region.indptr)), by_region.indices
    table = regions[["chrom", "start", "end"]].iloc[row]
    table.insert(0, "region", table.index.to_numpy())
    genes = tss.iloc[gene]
    away = (table["start"].to_numpy() + table["end"].to_numpy()) // 2 - genes["tss"].to_numpy()
    return table.reset_index(drop=True).assign(
        gene=gene.astype(np.int64),
        gene_id=genes["gene_id"].to_numpy(),
        symbol=genes["symbol"].to_numpy(),
        distance=np.where(genes["strand"].to_numpy() == "+", away, -away),
    )
