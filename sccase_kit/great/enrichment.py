"""The tests of GREAT 4.0.4 for all terms at once: binomial over the genome, hypergeometric over genes or regions."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from .._adjust import benjamini_hochberg
from ..intervals.arrays import Linear
from .stats import binom_log_sf, hypergeom_log_sf


def union_lengths(membership: sparse.csc_matrix, domains: Linear, gene: np.ndarray) -> np.ndarray:
    """Return for every term the length of the union of its genes' domains, in bases.

    Parameters
    ----------
    membership
        CSC of shape (n_genes, n_terms).
    domains
        Domains on one axis from which the gaps have been taken out.
    gene
        Gene of every domain.
    """
    order = np.argsort(domains.start, kind="stable")
    start, end = domains.start[order], domains.end[order]
    ones = np.ones(len(gene), dtype=np.int8)
    of_gene = sparse.csr_matrix((ones, (np.arange(len(gene)), gene[order])), shape=(len(gene), membership.shape[0]))
    by_term = (of_gene @ membership).tocsc()
    by_term.sort_indices()
    if not by_term.nnz:
        return np.zeros(by_term.shape[1], dtype=np.int64)
    # one axis for all terms: the domains of a term, in order, far behind those of the term before
    term = np.repeat(np.arange(by_term.shape[1]), np.diff(by_term.indptr))
    offset = term * (end.max() + 1)
    first, last = start[by_term.indices] + offset, end[by_term.indices] + offset
    reached = np.r_[0, np.maximum.accumulate(last)[:-1]]
    new = np.maximum(last - np.maximum(first, reached), 0)
    return np.rint(np.bincount(term, weights=new, minlength=by_term.shape[1])).astype(np.int64)


def ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return a / b, 0 where b is 0."""
    a, b = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(b, np.float64))
    return np.divide(a, b, out=np.zeros(a.shape), where=b != 0)


def p_values(prefix: str, log_p: np.ndarray, ontology: np.ndarray) -> dict[str, np.ndarray]:
    """Return raw, Bonferroni and BH p-values (corrected within a group and an ontology) and log10 of the raw p."""
    raw = np.exp(log_p)
    bonferroni, bh = np.empty_like(raw), np.empty_like(raw)
    for code in np.unique(ontology):
        columns = np.flatnonzero(ontology == code)
        bonferroni[:, columns] = np.minimum(raw[:, columns] * len(columns), 1.0)
        bh[:, columns] = benjamini_hochberg(raw[:, columns].T).T
    return {
        f"{prefix}_Raw_PValue": raw,
        f"{prefix}_Bonf_PValue": bonferroni,
        f"{prefix}_Adjp_BH": bh,
        f"{prefix}_Log10_PValue": log_p / np.log(10),
    }


def genome_tests(
    region_hits: np.ndarray,
    n_regions: np.ndarray,
    fraction: np.ndarray,
    genes_hit: np.ndarray,
    membership: sparse.csc_matrix,
    ontology: np.ndarray,
) -> dict[str, np.ndarray]:
    """Test regions against the genome.

    Parameters
    ----------
    region_hits
        Array of shape (n_groups, n_terms): regions that hit the term.
    n_regions
        Array of shape (n_groups,): regions of the group.
    fraction
        Array of shape (n_terms,): share of the genome in the domains of the term's genes.
    genes_hit
        Boolean array of shape (n_groups, n_genes).
    membership
        CSC of shape (n_genes, n_terms).
    ontology
        Code of the ontology of every term.

    Returns
    -------
    Column name → array of shape (n_groups, n_terms).
    """
    n, p = n_regions[:, None], fraction[None, :]
    expected = n * p
    columns = {
        "Binom_Genome_Fraction": np.broadcast_to(p, region_hits.shape),
        "Binom_Expected": expected,
        "Binom_Observed_Region_Hits": region_hits,
        "Binom_Fold_Enrichment": ratio(region_hits, expected),
        "Binom_Region_Set_Coverage": ratio(region_hits, n),
        **p_values("Binom", binom_log_sf(region_hits, n, p), ontology),
    }
    total = len(genes_hit[0])
    in_term = np.diff(membership.indptr)[None, :]
    drawn = genes_hit.sum(axis=1)[:, None]
    hits = genes_hit.astype(np.int64) @ membership.astype(np.int64)
    expected = in_term * drawn / total
    return columns | {
        "Hyper_Total_Genes": np.broadcast_to(in_term, hits.shape),
        "Hyper_Expected": expected,
        "Hyper_Observed_Gene_Hits": hits,
        "Hyper_Fold_Enrichment": ratio(hits, expected),
        "Hyper_Gene_Set_Coverage": ratio(hits, drawn),
        "Hyper_Term_Gene_Coverage": ratio(hits, in_term),
        **p_values("Hyper", hypergeom_log_sf(hits, total, in_term, drawn), ontology),
    }


def background_tests(
    region_hits: np.ndarray,
    n_regions: np.ndarray,
    genes_hit: np.ndarray,
    membership: sparse.csc_matrix,
    ontology: np.ndarray,
) -> dict[str, np.ndarray]:
    """Test regions against background regions, which are the last group of every array; see :func:`genome_tests`."""
    hits, in_background = region_hits[:-1], region_hits[-1:]
    drawn, total = n_regions[:-1, None], n_regions[-1]
    gene_hits = genes_hit.astype(np.int64) @ membership.astype(np.int64)
    expected = in_background * drawn / total
    return {
        "Hyper_Total_Regions": np.broadcast_to(in_background, hits.shape),
        "Hyper_Expected": expected,
        "Hyper_Foreground_Region_Hits": hits,
        "Hyper_Fold_Enrichment": ratio(hits, expected),
        "Hyper_Region_Set_Coverage": ratio(hits, drawn),
        "Hyper_Term_Region_Coverage": ratio(hits, in_background),
        "Hyper_Foreground_Gene_Hits": gene_hits[:-1],
        "Hyper_Background_Gene_Hits": np.broadcast_to(gene_hits[-1:], hits.shape),
        "Total_Genes_Annotated": np.broadcast_to(np.diff(membership.indptr)[None, :], hits.shape),
        **p_values("Hyper", hypergeom_log_sf(hits, total, in_background, drawn), ontology),
    }
