"""GREAT on tables: association of regions with genes and the tests of every term (GREAT 4.0.4, McLean et al. 2010)."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from .._arguments import checked
from .._logging import logger
from .._validate import check_int
from ..gene_sets.resolve import as_gene_sets, check_known
from ..gene_sets.sets import GeneSets
from ..intervals.arrays import Linear, covered_before, linearise, merge_intervals
from ..intervals.assembly import check_unknown, in_names_of
from ..intervals.chromosomes import Unknown
from ..intervals.frame import check_regions
from ..intervals.genomes import chrom_sizes as chrom_sizes_of
from ..intervals.genomes import gaps as gaps_of
from ..intervals.genomes import species_of, tss_table
from .domains import Rule, regulatory_domains
from .enrichment import background_tests, genome_tests, union_lengths
from .links import count_hits, find_segments, link_table
from .result import GreatResult


@dataclass(frozen=True, slots=True)
class GreatInputs:
    """What the tests against the genome need.

    Attributes
    ----------
    regions
        chrom, start, end of the usable regions.
    group
        Code of the group of every region.
    genes
        chrom, tss, strand, gene_id, symbol.
    sizes, gaps
        Chromosome → length; chrom, start, end of the gaps.
    membership
        CSC of shape (n_genes, n_terms).
    ontology
        Code of the ontology of every term.
    """

    regions: pd.DataFrame
    group: np.ndarray
    genes: pd.DataFrame
    sizes: Mapping[str, int]
    gaps: pd.DataFrame
    membership: sparse.csc_matrix
    ontology: np.ndarray


#: Another implementation of the tests: columns (each n_groups × n_terms) and notes for `info`.
Tests = Callable[[GreatInputs], tuple[dict[str, np.ndarray], dict[str, object]]]


@checked()
def great(
    regions: object,
    tss: str | os.PathLike[str] | pd.DataFrame | None,
    gene_sets: object,
    *,
    genome: str | None = None,
    chrom_sizes: str | os.PathLike[str] | Mapping[str, int] | None = None,
    gaps: str | os.PathLike[str] | pd.DataFrame | None = None,
    groups: Sequence[Hashable] | None = None,
    background: object | None = None,
    rule: Rule = "basal_plus_extension",
    upstream: int = 5_000,
    downstream: int = 1_000,
    extension: int = 1_000_000,
    curated: str | os.PathLike[str] | pd.DataFrame | None = None,
    min_genes: int = 1,
    max_genes: int | None = None,
    force: bool = False,
    unknown: Unknown = "drop",
    tests: Tests | None = None,
) -> GreatResult:
    """Test which gene sets regions lie near, with the tests of the GREAT server.

    Parameters
    ----------
    regions
        DataFrame chrom, start, end (or AnnData, BED path, names). Every row counts, repeats included.
    tss
        Genes: a table or file as in :func:`~sccase_kit.regions.tss_table`; None takes the one shipped for `genome`.
        The numbers of the server need its own table (file ``GREATv4.genes.<genome>.tsv.gz``).
    gene_sets
        Dict term → genes, GMT path, :class:`~sccase_kit.regions.GeneSets`, ``"GO"``, ``"GO:BP"``, ``"GO:MF"``,
        ``"GO:CC"``, a dict ontology → any of these, or a list of them; p-values are corrected within an ontology.
        Genes are found by Ensembl id, else by symbol.
    genome
        hg19, hg38, mm9 or mm10: gives the chromosome sizes and gaps that are not given.
    chrom_sizes, gaps
        See :func:`~sccase_kit.regions.chrom_sizes` and :func:`~sccase_kit.regions.gaps`. Without a genome and without
        gaps, every base counts.
    groups
        Label of every region; each group is tested on its own. The labels become the column group.
    background
        Background regions, which must hold every region (as rows with the same coordinates). Then regions are tested
        against them instead of against the genome.
    rule, upstream, downstream, extension, curated
        See :func:`~sccase_kit.regions.regulatory_domains`.
    min_genes, max_genes
        Leave out terms with fewer or more genes in `tss`, before any test.
    force
        Test even if less than a fifth of the genes of the gene sets is known, which otherwise is an error: sets of
        another species share a few symbols, and what comes out of these means nothing.
    unknown
        Regions on sequences without a size (scaffolds): ``"drop"`` leaves them out with a warning, ``"error"`` raises.
    tests
        Another implementation of the tests against the genome, such as that of rGREAT behind ``engine="r"`` of
        :func:`sccase_kit.tl.great`: takes the checked inputs, returns the columns of the table (each n_groups ×
        n_terms) and notes for `info`.

    Returns
    -------
    :class:`GreatResult`. The columns of its table are the server's (as rGREAT 2 names them): ID, name;
    Binom_Genome_Fraction, Binom_Expected, Binom_Observed_Region_Hits, Binom_Fold_Enrichment, Binom_Region_Set_Coverage,
    Binom_Raw_PValue, Binom_Adjp_BH; Hyper_Total_Genes, Hyper_Expected, Hyper_Observed_Gene_Hits, Hyper_Fold_Enrichment,
    Hyper_Gene_Set_Coverage, Hyper_Term_Gene_Coverage, Hyper_Raw_PValue, Hyper_Adjp_BH. Added are ontology, group,
    and for either test the Bonferroni-adjusted p (``_Bonf_PValue``) and log10 of the raw p (``_Log10_PValue``), which
    does not underflow. With `background`: Hyper_Total_Regions, Hyper_Expected, Hyper_Foreground_Region_Hits,
    Hyper_Fold_Enrichment, Hyper_Region_Set_Coverage, Hyper_Term_Region_Coverage, Hyper_Foreground_Gene_Hits,
    Hyper_Background_Gene_Hits, Total_Genes_Annotated and the hypergeometric p-values.
    All terms with at least `min_genes` genes are there and count in the corrections, hit or not.

    Raises
    ------
    ValueError
        If regions are empty or lie off the chromosomes, less than a fifth of the genes of the gene sets is known
        (see `force`), or a region is not in `background`.

    Notes
    -----
    A region is associated with the genes whose domain holds its midpoint, (start + end) // 2. The binomial test has
    p = union of the domains of the term's genes without gaps / genome without gaps; the hypergeometric test counts
    genes among all genes of `tss`.
    """
    sets = as_gene_sets(gene_sets, species=species_of(genome))
    sizes, genes, gap_table = _genome_parts(genome, tss, chrom_sizes, gaps)
    check_unknown(unknown)
    used, names, n_input = _check_groups(regions, groups, genome, sizes, unknown)
    genes = in_names_of(genes, sizes, name="tss", where="the chromosome sizes")
    domains = regulatory_domains(
        genes,
        sizes,
        rule=rule,
        upstream=upstream,
        downstream=downstream,
        extension=extension,
        curated=curated,
    )
    membership, terms, unknown_genes = _tested_terms(sets, genes, min_genes, max_genes, force=force)
    ontology, _ = pd.factorize(terms["ontology"])

    tables = [used] if background is None else [used, _check_background(background, used, genome, sizes, unknown)]
    place, holes, *spots = linearise(domains, gap_table, *tables)
    holes = merge_intervals(holes)
    gene = domains["gene"].to_numpy()
    middle = np.concatenate([s.start + (s.end - s.start) // 2 for s in spots])  # = (start + end) // 2
    segments = find_segments(middle, place, gene, len(genes))
    group = np.concatenate([used["_group"].to_numpy(), *(np.full(len(t), len(names)) for t in tables[1:])])
    weights = np.zeros((len(names) + len(tables) - 1, segments.genes.shape[0]), dtype=np.int64)
    np.add.at(weights, (group, segments.of_region), 1)
    region_hits, genes_hit = count_hits(segments, membership, weights)
    n_regions = weights.sum(axis=1)

    genome_size = sum(sizes.values()) - int(np.sum(holes.end - holes.start))
    notes: dict[str, object] = {}
    if tests is not None:
        inputs = GreatInputs(used, used["_group"].to_numpy(), genes, sizes, gap_table, membership, ontology)
        columns, notes = tests(inputs)
    elif background is None:
        free = Linear(*(x - covered_before(x, holes) for x in place))
        fraction = union_lengths(membership, free, gene) / genome_size
        columns = genome_tests(region_hits, n_regions, fraction, genes_hit, membership, ontology)
    else:
        columns = background_tests(region_hits, n_regions, genes_hit, membership, ontology)
    links = link_table(segments, used, genes)
    links.insert(0, "group", pd.Series(names)[used.loc[links["region"], "_group"]].to_numpy())
    info = {
        "n_regions": len(used),
        "n_regions_left_out": n_input - len(used),
        "n_regions_without_gene": len(used) - links["region"].nunique(),
        "n_genes": len(genes),
        "n_terms": len(terms),
        "unknown_gene_share": unknown_genes,
        "gene_sets_source": sets.source,
        "genome_size": genome_size,
        **notes,
    }
    table = _assemble(columns, terms, names)
    if groups is None:
        table, links = table.drop(columns="group"), links.drop(columns="group")
    return GreatResult(table, links, genes, info, membership, terms)


def _genome_parts(genome, tss, chrom_sizes, gaps) -> tuple[dict[str, int], pd.DataFrame, pd.DataFrame]:
    """Return chromosome sizes, genes, and the gaps on these chromosomes."""
    if chrom_sizes is None and genome is None:
        msg = "great needs genome= (hg19, hg38, mm9, mm10) or chrom_sizes="
        raise ValueError(msg)
    if tss is None and genome is None:
        msg = "tss=None takes the shipped genes of genome=, which is not given; pass a TSS table or a genome"
        raise ValueError(msg)
    sizes = chrom_sizes_of(genome if chrom_sizes is None else chrom_sizes)
    genes = tss_table(genome if tss is None else tss)
    if gaps is None and (genome is None or chrom_sizes is not None):
        empty = np.array([], dtype=np.int64)
        return sizes, genes, pd.DataFrame({"chrom": empty.astype(object), "start": empty, "end": empty})
    table = gaps_of(genome if gaps is None else gaps)
    if len(table):
        table = in_names_of(table, sizes, name="gaps", where="the chromosome sizes")
    table = table[table["chrom"].isin(sizes)]
    return sizes, genes, check_regions(table, name="gaps", chrom_sizes=sizes, allow_empty=True)


def _check_groups(regions, groups, genome, sizes, unknown) -> tuple[pd.DataFrame, list[Hashable], int]:
    """Return the usable regions (numbered as in the input, with their group's code), the labels, the input size."""
    table = check_regions(regions).reset_index(drop=True)
    labels = np.full(len(table), "all") if groups is None else np.asarray(groups, dtype=object)
    if len(labels) != len(table):
        msg = f"groups has {len(labels)} labels, regions has {len(table)} rows"
        raise ValueError(msg)
    if missing := int(pd.isna(labels).sum()):
        msg = f"groups has no label for {missing} of {len(labels)} regions"
        raise ValueError(msg)
    code, names = pd.factorize(labels)
    used = check_regions(table.assign(_group=code), genome=genome, chrom_sizes=sizes, unknown=unknown)
    if empty := [str(n) for i, n in enumerate(names) if i not in set(used["_group"])]:
        msg = f"no region of the group(s) {empty} lies on a known chromosome"
        raise ValueError(msg)
    return used, list(names), len(table)


def _tested_terms(sets: GeneSets, genes: pd.DataFrame, min_genes: int, max_genes: int | None, *, force: bool):
    """Return the membership matrix and the terms with an admissible number of genes, and the share of unknown genes."""
    check_int(min_genes, name="min_genes", minimum=1)
    if max_genes is not None:
        check_int(max_genes, name="max_genes", minimum=min_genes)
    membership, unknown = sets.match(genes)
    n_genes = np.diff(membership.indptr)
    if unknown:
        logger.info("gene sets: %.1f %% of the genes are not in the TSS table", 100 * unknown)
    check_known(sets, genes, unknown, force=force)
    tested = np.flatnonzero((n_genes >= min_genes) & (n_genes <= (max_genes or np.inf)))
    if not len(tested):
        msg = f"no term has between {min_genes} and {max_genes} genes in tss (the largest has {n_genes.max()})"
        raise ValueError(msg)
    return membership[:, tested], sets.terms.iloc[tested].reset_index(drop=True), unknown


def _check_background(
    background: object, used: pd.DataFrame, genome: str | None, sizes: Mapping[str, int], unknown: Unknown
) -> pd.DataFrame:
    """Return the background regions; every region must be among them, as often as it occurs."""
    table = check_regions(background, name="background", genome=genome, chrom_sizes=sizes, unknown=unknown)
    check_inside(used, table, by="_group")
    return table


def check_inside(regions: pd.DataFrame, background: pd.DataFrame, *, by: str | None = None) -> None:
    """Raise ValueError unless every row of `regions` is a row of `background` (per group, as often as it occurs)."""
    key = ["chrom", "start", "end"]
    have = background.groupby(key, sort=False).size().rename("have")
    need = regions.groupby([*key, by] if by else key, sort=False).size().rename("need").reset_index()
    need = need.join(have, on=key)
    lacking = need[~(need["have"] >= need["need"])]
    if len(lacking):
        first = lacking.iloc[0]
        msg = (
            f"{len(lacking)} of {len(need)} regions are not in background with the same coordinates (first: "
            f"{first['chrom']}:{first['start']}-{first['end']}). The background must hold every region; add them: "
            "pandas.concat([background, regions]).drop_duplicates(['chrom', 'start', 'end'])"
        )
        raise ValueError(msg)


def _assemble(columns: Mapping[str, np.ndarray], terms: pd.DataFrame, names: Sequence[Hashable]) -> pd.DataFrame:
    """Turn arrays of shape (n_groups, n_terms) into one tidy table."""
    n_terms = len(terms)
    table = pd.DataFrame({"group": pd.Series(names).repeat(n_terms).to_numpy()})
    for column, source in (("ontology", "ontology"), ("ID", "id"), ("name", "name")):
        table[column] = np.tile(terms[source].to_numpy(object), len(names))
    for column, values in columns.items():
        table[column] = np.ascontiguousarray(values).reshape(-1)
    ontology, _ = pd.factorize(table["ontology"])
    p = table["Binom_Log10_PValue" if "Binom_Log10_PValue" in table.columns else "Hyper_Log10_PValue"]
    order = np.lexsort((p.to_numpy(), ontology, np.repeat(np.arange(len(names)), n_terms)))
    return table.iloc[order].reset_index(drop=True)
