"""GREAT on peaks: the local engine behind one call."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal, overload

import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._calls import check_free
from .._logging import warn
from .._record import record
from .._validate import check_choice, check_key
from ..gene_sets.sources import source_of
from ..great import run
from ..great.domains import Rule
from ..great.result import GreatResult
from ..intervals.chromosomes import Unknown
from ..intervals.columns import check_columns, check_names
from ..intervals.frame import as_regions
from ..intervals.genomes import GENOMES
from ._great_r import tests_of_rgreat


def _groups_without_peaks(stored: object) -> list[str]:
    """Return the groups that the table of groups of marker peaks lists with no peak."""
    groups = stored.get("groups") if isinstance(stored, Mapping) else None
    if not isinstance(groups, pd.DataFrame) or not {"group", "n_peaks"} <= set(groups.columns):
        return []
    return groups.loc[groups["n_peaks"] == 0, "group"].astype(str).tolist()


def peaks_table(regions: object, key: str) -> pd.DataFrame:
    """Return a table of regions: `regions` itself, or the table of specific peaks in `adata.uns[key]`.

    Parameters
    ----------
    regions
        DataFrame, BED path, names; or AnnData with a DataFrame in `uns[key]`, or in a dict there.
    key
        Key in `adata.uns`.

    Raises
    ------
    KeyError
        If the key, or a table in it, is missing.
    """
    if not isinstance(regions, AnnData):
        return as_regions(regions)
    hint = "Run sccase_kit.tl.specific_peaks(adata, groupby=...) first, or pass a DataFrame of regions."
    check_key(key, regions.uns.keys(), name="key", where="adata.uns", hint=hint, remedy="tl.specific_peaks")
    stored = regions.uns[key]
    tables = stored.values() if isinstance(stored, Mapping) else [stored]
    found = next((t for t in tables if isinstance(t, pd.DataFrame) and {"chrom", "start", "end"} <= set(t)), None)
    if found is None:
        msg = f"adata.uns[{key!r}] holds no table with the columns chrom, start, end. {hint}"
        raise KeyError(msg)
    return found.copy()


def group_labels(table: pd.DataFrame, groupby: str | None) -> pd.Series | None:
    """Return the column of group labels: `groupby`, or the column group if there is one, or None.

    Raises
    ------
    KeyError
        If there is no column `groupby`.
    ValueError
        If several columns have its name, or a label is missing or no name.
    """
    if groupby is None and "group" not in table.columns:
        return None
    column = "group" if groupby is None else groupby
    check_key(column, table.columns, name="groupby", where="the columns of regions")
    check_columns(table, [column], name="regions")
    check_names(table[column], name=f"regions[{column!r}]")
    if not table[column].map(pd.api.types.is_hashable).all():
        msg = f"regions[{column!r}] must hold names, got {table[column].iloc[0]!r:.80}"
        raise ValueError(msg)
    return table[column]


@overload
def great(
    regions: pd.DataFrame | AnnData | str | os.PathLike[str],
    genome: str | None,
    gene_sets: object,
    *,
    groupby: str | None = None,
    key: str = "specific_peaks",
    background: object | None = None,
    tss: str | os.PathLike[str] | pd.DataFrame | None = None,
    chrom_sizes: str | os.PathLike[str] | Mapping[str, int] | None = None,
    gaps: str | os.PathLike[str] | pd.DataFrame | None = None,
    rule: Rule = "basal_plus_extension",
    upstream: int = 5_000,
    downstream: int = 1_000,
    extension: int = 1_000_000,
    curated: str | os.PathLike[str] | pd.DataFrame | None = None,
    min_genes: int = 1,
    max_genes: int | None = None,
    force: bool = False,
    unknown: Unknown = "drop",
    engine: Literal["python", "r"] = "python",
    members: bool = True,
    return_result: Literal[False] = ...,
    key_added: str | None = "great",
) -> pd.DataFrame: ...
@overload
def great(
    regions: pd.DataFrame | AnnData | str | os.PathLike[str],
    genome: str | None,
    gene_sets: object,
    *,
    groupby: str | None = None,
    key: str = "specific_peaks",
    background: object | None = None,
    tss: str | os.PathLike[str] | pd.DataFrame | None = None,
    chrom_sizes: str | os.PathLike[str] | Mapping[str, int] | None = None,
    gaps: str | os.PathLike[str] | pd.DataFrame | None = None,
    rule: Rule = "basal_plus_extension",
    upstream: int = 5_000,
    downstream: int = 1_000,
    extension: int = 1_000_000,
    curated: str | os.PathLike[str] | pd.DataFrame | None = None,
    min_genes: int = 1,
    max_genes: int | None = None,
    force: bool = False,
    unknown: Unknown = "drop",
    engine: Literal["python", "r"] = "python",
    members: bool = True,
    return_result: Literal[True],
    key_added: str | None = "great",
) -> GreatResult: ...
@checked()
def great(
    regions: pd.DataFrame | AnnData | str | os.PathLike[str],
    genome: str | None,
    gene_sets: object,
    *,
    groupby: str | None = None,
    key: str = "specific_peaks",
    background: object | None = None,
    tss: str | os.PathLike[str] | pd.DataFrame | None = None,
    chrom_sizes: str | os.PathLike[str] | Mapping[str, int] | None = None,
    gaps: str | os.PathLike[str] | pd.DataFrame | None = None,
    rule: Rule = "basal_plus_extension",
    upstream: int = 5_000,
    downstream: int = 1_000,
    extension: int = 1_000_000,
    curated: str | os.PathLike[str] | pd.DataFrame | None = None,
    min_genes: int = 1,
    max_genes: int | None = None,
    force: bool = False,
    unknown: Unknown = "drop",
    engine: Literal["python", "r"] = "python",
    members: bool = True,
    return_result: bool = False,
    key_added: str | None = "great",
) -> pd.DataFrame | GreatResult:
    """Find the functions of the genes near regions, as the GREAT server does, without a network.

    Parameters
    ----------
    regions
        Table of regions chrom, start, end (0-based half-open); BED path; or AnnData whose `uns[key]` holds the table of
        specific peaks. A column group (or `groupby`) splits it: all groups are tested in one call.
    genome
        hg19, hg38, mm9, mm10; or None with `tss` and `chrom_sizes`.
    gene_sets
        ``"GO"``, ``"GO:BP"``, ``"GO:MF"``, ``"GO:CC"``: Gene Ontology, terms of 10 to 500 genes (human is shipped,
        mouse is made once by ``sccase-kit gene-sets build --species mouse``); a dict term → genes, path of a GMT file,
        :class:`~sccase_kit.regions.GeneSets`, a dict ontology → any of these, or a list of them. P-values are
        corrected within each collection (ontology).
    groupby
        Column of the table with the groups.
    key
        Where the peaks are in `adata.uns`.
    background
        Regions that hold all of `regions` (such as all peaks). Regions are then tested against them by the
        foreground/background test of the server; otherwise against the genome. The AnnData itself stands for all its
        peaks: then terms are found that tell the groups apart, not those that all the cells share.
    tss, chrom_sizes, gaps
        Replace the shipped tables of `genome`; the server's numbers need its own TSS table.
    rule, upstream, downstream, extension, curated
        See :func:`sccase_kit.regions.regulatory_domains`.
    min_genes, max_genes
        Leave out smaller and larger terms before any test.
    force
        Test even if less than a fifth of the genes of the gene sets is known (sets of another species).
    unknown
        Regions on sequences that the genome does not have (scaffolds): ``"drop"`` leaves them out with a warning,
        ``"error"`` raises. Chromosomes are understood in every usual spelling (``1``, ``chr1``, accessions).
    engine
        ``"python"``, or ``"r"``: the R package rGREAT on the same regions, genes and gene sets, with the same columns;
        not with `background` or `curated`. See :func:`sccase_kit.r.rgreat` for what it counts otherwise.
    members
        Add the columns Genes and Regions: what is behind every term, joined by commas.
    return_result
        Return the :class:`~sccase_kit.regions.GreatResult`, which also has the region-gene associations.
    key_added
        Where an AnnData given as `regions` keeps the result, for the plots and the report; `None` keeps nothing.

    Returns
    -------
    DataFrame, one row per group and term, sorted by group, ontology and p-value; for its columns see
    :func:`sccase_kit.regions.great`. `attrs["great"]` holds the parameters and the numbers of the run. Written, where
    `regions` is an AnnData:

    `uns[key_added]`
        ``table`` as returned, with Genes and Regions; ``associations``, DataFrame of regions, their genes and the
        distances; ``info``: numbers of the run and the source of the gene sets; ``params``.

    Raises
    ------
    KeyError
        If the peaks or the column of groups are missing.
    ValueError
        If regions, gene sets or background do not fit; see :func:`sccase_kit.regions.great`.

    Notes
    -----
    GREAT 4.0.4 (McLean et al., Nat. Biotechnol. 28, 2010). Significant in the server's default view: both FDR below
    0.05 and a region fold enrichment of at least 2.
    """
    if genome is not None and source_of(gene_sets) is not None:
        check_choice(genome, GENOMES, name="genome")
    check_choice(engine, ["python", "r"], name="engine")
    if engine == "r" and (background is not None or curated is not None):
        name = "curated" if background is None else "background"
        msg = f"{name} is not for engine='r' (rGREAT has other rules for it); use engine='python'"
        raise ValueError(msg)
    if isinstance(regions, AnnData) and key_added is not None:
        check_free(regions, key_added, "tl.great")
    table = peaks_table(regions, key)
    labels = group_labels(table, groupby)
    if isinstance(regions, AnnData) and (empty := _groups_without_peaks(regions.uns[key])):
        warn(f"groups without a single marker peak have no terms: {', '.join(empty)}")
    domains: dict[str, Any] = {
        "rule": rule,
        "upstream": upstream,
        "downstream": downstream,
        "extension": extension,
    }
    options: dict[str, Any] = {
        **domains,
        "min_genes": min_genes,
        "max_genes": max_genes,
        "force": force,
    }
    result = run.great(
        table,
        tss,
        gene_sets,
        genome=genome,
        chrom_sizes=chrom_sizes,
        gaps=gaps,
        groups=None if labels is None else labels.to_numpy(object),
        background=background,
        curated=curated,
        unknown=unknown,
        tests=None if engine == "python" else partial(tests_of_rgreat, **domains),
        **options,
    )
    frame = result.with_members() if members else result.table
    about = {"genome": genome, "background": background is not None, **options, **result.info}
    frame.attrs["great"] = about
    if isinstance(regions, AnnData) and key_added is not None:
        given = {"genome": genome, "gene_sets": gene_sets, "groupby": groupby, "key": key, "background": background}
        given |= {"tss": tss, "chrom_sizes": chrom_sizes, "gaps": gaps, "curated": curated, **options}
        results = {"table": frame, "associations": result.associations, "info": dict(result.info)}
        record(
            regions,
            key_added,
            "tl.great",
            params={**given, "unknown": unknown, "engine": engine, "members": members},
            **results,
        )
    return result if return_result else frame
