"""The R package rGREAT on tables, in a child R."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import sparse

from .._arguments import checked
from .._validate import check_choice, check_int
from ._child import run_tool

_MODES = {"basal_plus_extension": "basalPlusExt", "two_nearest": "twoClosest", "single_nearest": "oneClosest"}
_PLACE = ["chrom", "start", "end"]

Rule = Literal["basal_plus_extension", "two_nearest", "single_nearest"]


@checked()
def rgreat(
    regions: pd.DataFrame,
    genes: pd.DataFrame,
    sets: Any,
    *,
    chrom_sizes: Mapping[str, int],
    gaps: pd.DataFrame | None = None,
    groups: Any = None,
    rule: Rule = "basal_plus_extension",
    upstream: int = 5_000,
    downstream: int = 1_000,
    extension: int = 1_000_000,
) -> dict[str, Any]:
    """Test gene sets near regions with the R package rGREAT (``extendTSS`` and ``great``).

    Parameters
    ----------
    regions
        DataFrame chrom, start, end (0-based half-open), on the chromosomes of `chrom_sizes`.
    genes
        DataFrame chrom, tss (0-based), strand, one row per gene.
    sets
        Matrix of shape (n_genes, n_terms), sparse or dense; what is not zero is in the term.
    chrom_sizes
        Chromosome → length.
    gaps
        DataFrame chrom, start, end of what counts as no genome (rGREAT's `exclude`).
    groups
        Code of the group of every region, 0 to n_groups − 1; each group is tested on its own. `None`: one group.
    rule, upstream, downstream, extension
        See :func:`~sccase_kit.regions.regulatory_domains`; rGREAT itself draws the domains.

    Returns
    -------
    dict
        ``fraction`` (of the genome), ``region_hits``, ``region_fold``, ``region_p`` (binomial test), ``gene_hits``,
        ``gene_fold`` and ``gene_p`` (hypergeometric test), each (n_groups, n_terms); ``term_genes`` (n_terms),
        ``n_regions`` and ``n_genes_hit`` (n_groups), ``n_genes``; ``session``, R and its packages with their versions.

    Raises
    ------
    RError
        If R fails or rGREAT is not installed.
    ValueError
        If shapes do not match or a group has no region.

    Notes
    -----
    What differs from the server and from :func:`~sccase_kit.regions.great`: regions with the same or adjacent midpoints
    count once and those in gaps not at all, extensions are measured from the basal domain instead of from the start of
    the gene, and genes count only where a domain of theirs is outside the gaps.

    References
    ----------
    Gu and Hübschmann, Bioinformatics 2023, 39:btac745 (rGREAT 2.13.2).
    """
    check_choice(rule, list(_MODES), name="rule")
    members = sparse.csc_matrix(sets, dtype=bool)
    members.eliminate_zeros()
    if members.shape[0] != len(genes):
        msg = f"sets must have one row per gene ({len(genes)}), got shape {members.shape}"
        raise ValueError(msg)
    codes = np.zeros(len(regions), dtype=np.int64) if groups is None else np.asarray(groups, dtype=np.int64)
    if codes.shape != (len(regions),) or not len(codes) or (np.bincount(codes) == 0).any():
        msg = f"groups must be codes 0, 1, … of the {len(regions)} regions, each at least once, got shape {codes.shape}"
        raise ValueError(msg)
    holes = pd.DataFrame({name: [] for name in _PLACE}) if gaps is None else gaps
    table = {name: regions[name].to_numpy() for name in _PLACE} | {"group": codes + 1}
    result = run_tool(
        "rgreat",
        {
            "regions": table,
            "genes": {name: genes[name].to_numpy() for name in ("chrom", "tss", "strand")},
            "sets": members,
            "sizes": {str(name): int(size) for name, size in chrom_sizes.items()},
            "gaps": {name: holes[name].to_numpy() for name in _PLACE},
            "mode": _MODES[rule],
            "upstream": check_int(upstream, name="upstream", minimum=0),
            "downstream": check_int(downstream, name="downstream", minimum=0),
            "extension": check_int(extension, name="extension", minimum=0),
        },
    )
    n_groups, n_terms = int(codes.max()) + 1, members.shape[1]
    for name in ("fraction", "region_hits", "region_fold", "region_p", "gene_hits", "gene_fold", "gene_p"):
        found = np.asarray(result[name], dtype=np.float64).reshape(n_terms, n_groups).T
        result[name] = found.astype(np.int64) if name.endswith("hits") else np.ascontiguousarray(found)
    for name in ("term_genes", "n_regions", "n_genes_hit"):
        result[name] = np.asarray(result[name], dtype=np.int64)
    result["n_genes"] = int(result["n_genes"][0])
    return result
