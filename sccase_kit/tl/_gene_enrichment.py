"""Gene-level enrichment of the genes nearest to peaks, through gseapy, offline and with a background."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._logging import warn
from .._optional import import_optional
from .._progress import progress
from ..gene_sets.resolve import as_gene_sets, check_known
from ..gene_sets.sets import GeneSets
from ..intervals.chromosomes import Unknown
from ..intervals.frame import check_regions
from ..intervals.genomes import species_of, tss_table
from ..intervals.verbs import closest_genes
from ._great import group_labels, peaks_table


def _known_sets(sets: GeneSets, genes: pd.DataFrame) -> tuple[pd.DataFrame, list[dict]]:
    """Return the terms, and for every ontology: term number (as text) → gene ids of `genes`, if there are any."""
    matrix, _ = sets.match(genes)
    parts = np.split(genes["gene_id"].to_numpy(object)[matrix.indices], matrix.indptr[1:-1])
    blocks = sets.terms.groupby("ontology", sort=False).indices.values()
    known = [{str(i): list(parts[i]) for i in block if len(parts[i])} for block in blocks]
    if not any(known):
        msg = "not a single gene of gene_sets is among the background genes: same species and kind of ids?"
        raise ValueError(msg)
    return sets.terms, known


@checked()
def enrich_genes(
    regions: pd.DataFrame | AnnData | str | os.PathLike[str],
    genome: str | None,
    gene_sets: object,
    *,
    groupby: str | None = None,
    key: str = "specific_peaks",
    background: object | None = None,
    tss: str | os.PathLike[str] | pd.DataFrame | None = None,
    max_distance: int | None = 100_000,
    unknown: Unknown = "drop",
    force: bool = False,
) -> pd.DataFrame:
    """Test gene sets among the genes nearest to peaks, with gseapy's over-representation test, without a network.

    Parameters
    ----------
    regions, genome, gene_sets, groupby, key
        As in :func:`great`; with `genome` None a TSS table is needed.
    background
        What the genes are compared with: regions, whose nearest genes are taken (such as all peaks); or None for all
        genes of the TSS table.
    tss
        Genes; see :func:`sccase_kit.regions.tss_table`.
    max_distance
        A region further than this from every TSS, in bases, contributes no gene. None is no limit.
    unknown
        Regions on chromosomes without genes: ``"drop"`` leaves them out with a counted warning, ``"error"`` raises.
    force
        Test even if less than a fifth of the genes of the gene sets is known (sets of another species).

    Returns
    -------
    DataFrame, one row per group and term with at least one gene among those of the group: group (if there are
    groups), ontology, ID, name, and gseapy's columns: Overlap (genes of the group in the term / genes of the term in
    the background), P-value, Adjusted P-value (over these terms), Odds Ratio, Combined Score, Genes (symbols).
    Sorted by group, ontology and p-value.

    Raises
    ------
    ImportError
        If gseapy or pybedtools are not installed.
    MissingProgramError
        If the program ``bedtools`` is not installed.
    ValueError
        If no gene is near a region, or too few genes of the gene sets are known.

    Notes
    -----
    The test counts every gene once and does not know how large the surroundings of a gene are: genes in deserts are
    found more often by chance. :func:`great` accounts for that.
    """
    gseapy = import_optional("gseapy", extra="enrich")
    table = check_regions(peaks_table(regions, key)).reset_index(drop=True)
    labels = group_labels(table, groupby)
    if tss is None and genome is None:
        msg = "tss=None takes the shipped genes of genome=, which is not given; pass a TSS table or a genome"
        raise ValueError(msg)
    genes = tss_table(genome if tss is None else tss)
    sets = as_gene_sets(gene_sets, species=species_of(genome))
    check_known(sets, genes, sets.match(genes)[1], force=force)
    near = closest_genes(table, genes, max_distance=max_distance, unknown=unknown)
    near["group"] = "all" if labels is None else labels.to_numpy(object)[near["region"].to_numpy()]
    universe = set(genes["gene_id"])
    if background is not None:
        around = closest_genes(background, genes, max_distance=max_distance, unknown=unknown)
        universe = set(around["gene_id"]) | set(near["gene_id"])
    if near.empty:
        msg = f"no gene lies within max_distance={max_distance} bases of a region"
        raise ValueError(msg)
    genes = genes[genes["gene_id"].isin(universe)].reset_index(drop=True)
    terms, known = _known_sets(sets, genes)
    symbol = genes.drop_duplicates("gene_id").set_index("gene_id")["symbol"]
    parts = []
    for group in progress(list(dict.fromkeys(["all"] if labels is None else labels)), desc="gene enrichment"):
        picked = sorted(set(near["gene_id"][near["group"] == group]))
        usable = [sets for sets in known if not set(picked).isdisjoint(set().union(*sets.values()))]
        if not usable:
            warn(f"group {group!r}: none of its {len(picked)} genes is in any gene set; it has no rows")
        for part_sets in usable:
            result = gseapy.enrich(
                picked, gene_sets=part_sets, background=sorted(universe), outdir=None, cutoff=1.0
            ).results
            part = result.drop(columns="Gene_set").sort_values("P-value", kind="stable")
            row = part.pop("Term").astype(int).to_numpy()
            part["Genes"] = [";".join(sorted(symbol[g] for g in text.split(";"))) for text in part["Genes"]]
            for place, (column, source) in enumerate((("ontology", "ontology"), ("ID", "id"), ("name", "name"))):
                part.insert(place, column, terms[source].to_numpy(object)[row])
            part.insert(0, "group", pd.Series([group] * len(part), index=part.index, dtype=object))
            parts.append(part)
    if not parts:
        msg = "no gene near the regions is in any gene set"
        raise ValueError(msg)
    result = pd.concat(parts, ignore_index=True)
    return result.drop(columns="group") if labels is None else result
