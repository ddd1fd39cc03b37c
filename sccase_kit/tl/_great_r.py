"""GREAT's table from what rGREAT counts and tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import r
from ..great.enrichment import p_values, ratio
from ..great.run import GreatInputs


def tests_of_rgreat(given: GreatInputs, **domains: Any) -> tuple[dict[str, np.ndarray], dict[str, object]]:
    """Run rGREAT; return the columns of :func:`sccase_kit.regions.great` and the R session for `info`.

    Raw p-values are rGREAT's; they are corrected within an ontology as always. Where one is too small for a float, its
    logarithm is minus infinity.

    Parameters
    ----------
    given
        The checked inputs.
    **domains
        `rule`, `upstream`, `downstream` and `extension`.
    """
    found = r.rgreat(
        given.regions,
        given.genes,
        given.membership,
        chrom_sizes=given.sizes,
        gaps=given.gaps,
        groups=given.group,
        **domains,
    )
    n, drawn = found["n_regions"][:, None], found["n_genes_hit"][:, None]
    region_hits, gene_hits = found["region_hits"], found["gene_hits"]
    in_term = np.broadcast_to(found["term_genes"].astype(given.membership.indptr.dtype), gene_hits.shape)
    with np.errstate(divide="ignore"):
        logs = {name: np.log(found[f"{name}_p"]) for name in ("region", "gene")}
    columns = {
        "Binom_Genome_Fraction": found["fraction"],
        "Binom_Expected": n * found["fraction"],
        "Binom_Observed_Region_Hits": region_hits,
        "Binom_Fold_Enrichment": found["region_fold"],
        "Binom_Region_Set_Coverage": ratio(region_hits, n),
        **p_values("Binom", logs["region"], given.ontology),
        "Hyper_Total_Genes": in_term,
        "Hyper_Expected": in_term * drawn / found["n_genes"],
        "Hyper_Observed_Gene_Hits": gene_hits,
        "Hyper_Fold_Enrichment": found["gene_fold"],
        "Hyper_Gene_Set_Coverage": ratio(gene_hits, drawn),
        "Hyper_Term_Gene_Coverage": ratio(gene_hits, in_term),
        **p_values("Hyper", logs["gene"], given.ontology),
    }
    return columns, {"r_session": found["session"]}
