"""Names for groups of cells, suggested from marker genes or from a labelled reference."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from anndata import AnnData

from .._adjust import benjamini_hochberg
from .._arguments import checked
from .._calls import check_free
from .._labels import column_names
from .._logging import warn
from .._record import record, seeded
from .._validate import check_adata, check_int, check_labels, check_number
from ..genes import peak_gene_weights, reference_scores
from ..genes.reach import same_peaks
from ..genes.weights import NEARER
from ..get.thin import check_fitted
from ..intervals.gene_names import gene_positions
from ..matrix.access import in_memory_copy
from ..peaks import group_profiles, level_profiles
from ._annotate_cells import listed_genes, matched_counts, more_open, naming_factors, warn_dropped
from ._annotate_evidence import panel_table, rival_table
from ._annotate_inputs import check_lineages, matched_reference, read_markers
from ._annotate_names import give_names
from ._annotate_related import Evidence, mark_progenitors
from ._group_opens import count_opens, group_opens, mean_profiles
from ._nearest_gene import check_genes, peak_places


@checked()
def annotate(
    adata: AnnData,
    groupby: str,
    markers: Mapping[str, Iterable[str]] | str | os.PathLike[str] | None = None,
    *,
    genome: str | os.PathLike[str] | pd.DataFrame | None = None,
    counts: AnnData | str | os.PathLike[str] | None = None,
    reference: AnnData | pd.DataFrame | None = None,
    lineages: Mapping[str, Iterable[str]] | None = None,
    min_support: float | None = None,
    min_margin: float | None = None,
    min_covered: int = 3,
    alpha: float = 0.05,
    layer: str | None = None,
    key: str = "sccase",
    key_added: str = "annotation",
    rng: int | np.random.Generator | None = 0,
    copy: bool = False,
) -> AnnData | None:
    """Suggest a name for every group of cells, by marker genes or by correlation with a labelled reference.

    A group is named after the type whose marker genes fit best; where several related types fit, after the lineage that
    they share; else it is "unknown", with the reason. Names are suggestions to check by the genes, not truth: how many
    are right on labelled data, and how they are scored, is in docs/genes.md. Give a panel of the types that can be
    there.

    Parameters
    ----------
    adata
        Data enhanced by :func:`sccase_kit.tl.enhance`, with the counts.
    groupby
        Column of `adata.obs` with the groups.
    markers
        Marker genes of the types: dict type → genes; path of a GMT file; path of a table with the columns cell_type and
        gene (tab- or comma-separated); or a shipped panel, ``"blood"``, ``"brain"`` or ``"general"``
        (:func:`sccase_kit.genes.panel`).
    genome
        Genome of the peaks, GTF or table of genes; needed with `markers`.
    counts
        Counts of the same cells at more peaks, as they were before :func:`sccase_kit.pp.filter_peaks`: AnnData, or the
        path of a file that :func:`sccase_kit.read` reads. Marker genes are
        then scored at all these peaks; peaks that few cells open, which the fit leaves out, are often those that tell
        types apart. `None` scores at the peaks of the fit. Only with `markers`.
    reference
        In place of `markers`: labelled samples, as scCASER takes them: AnnData samples × peaks
        (:func:`sccase_kit.pp.bulk_reference`, :func:`sccase_kit.pp.pseudobulk`) or DataFrame peaks × samples. Peaks are
        matched by name, else by overlap.
    lineages
        Coarser names: dict lineage → types. `None`: those of the shipped panel
        (:func:`sccase_kit.genes.lineages`), and none for markers of your own.
    min_support
        Least support of a name: share of 500 draws of the marker genes (with a reference 200 draws of the peaks) in
        which the type, or one of the lineage, is best. `None`: 0.8 with markers, 1 − `alpha` with a reference.
    min_margin
        Least lead of the best type over the second, below which only a lineage is named. `None`: 0 with markers (in
        the units of the score), 0.01 with a reference (correlation).
    min_covered
        Least genes of the best type that a peak reaches.
    alpha
        Largest adjusted p-value, of `markers`.
    layer
        Layer with the counts; `None` for what was enhanced, with `counts` for its `X`.
    key
        The `key_added` of the fit.
    key_added
        Key in `uns` and column of `obs`.
    rng
        Seed of the random gene sets, or of the resampling.
    copy
        Return a copy instead of writing into `adata`.

    Returns
    -------
    `None`, or the copy. Written: ``obs[key_added]`` (categorical: the label of the cell's group) and ``uns[key_added]``
    with

    ``table``
        DataFrame, one row per group: group, n_cells, label (best, a lineage, or "unknown"), best, second, score,
        margin, support (of the label, or of the best where it is unknown), support_best (of the best type alone); with
        markers pvalue (the larger of two: share of random gene sets of the same size that score as high; the best
        type's activities in the group, enhanced or from `counts`, against as many cells drawn at random, times the
        number of types), padj (Benjamini–Hochberg over the groups), n_markers, n_markers_covered (in reach of a peak),
        genes (those that speak most for the best type and are more open in the group than in all cells); with a
        reference n_peaks; reason (why it is unknown); and with markers note. Of the groups of a lineage, one that
        fits a progenitor when compared with the others alone (GMP among monocytes) is named after the lineage of both,
        and the note says so; for that, lineages must have one called "Progenitor".
    ``scores``
        DataFrame groups × types (or samples): all scores. A ``/`` in the name of a column is written ``|``, for files
        read it as a folder; all other places keep it.
    ``support``
        DataFrame groups × types: all support, with markers, under the same names.
    ``genes``
        DataFrame, with markers: group, gene (those of ``table``), fold (weighted open peaks over those expected at the
        group's depth), n_peaks (in reach of it), peak (the nearest) and distance (bases to the start of transcription).
    ``rivals``
        DataFrame, with markers, for every group the genes of the best type and of the two others with the most support:
        group, type, rank (1: the best), support, score, gene (those that rest on the same peaks as one, "CD8A/CD8B"),
        says ("for": more open in the group than in all cells; "silent": it has a peak and is not; "no peak"), fold,
        value (standardised score), n_peaks, peak and distance.
    ``panel``
        DataFrame, with markers, one row per type that was looked for: type, n_markers, n_markers_covered, group (in
        which it scores highest), score and support there, n_named (groups called after it), n_lineage (after a lineage
        that holds it), n_nearest (unknown, and nearest to it).
    ``among``
        DataFrame, with markers, of groups of a lineage compared with each other alone: group, among (the lineage),
        n_groups, called (the best type of it that is no progenitor), score_called, progenitor (the best type of
        "Progenitor"), score_progenitor, padj (of the best type of all), support_progenitor and support_called (of all
        progenitors and of the lineage's other types, among these groups), rather (whether it has the note) and genes
        (of the progenitor, with how many times as open as in all of them).
    ``types``
        The names of the columns of scores as they were given.
    ``params``
        The arguments.

    Raises
    ------
    KeyError
        If `adata` was not enhanced under `key`, or `groupby` or the layer is missing.
    ValueError
        If neither or both of `markers` and `reference` are given, markers come without a genome, no marker is in the
        annotation (another species?), `counts` come with a `reference` or lack a cell, there are
        fewer than two groups or types, or no peak matches the reference.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> study = sk.datasets.toy_study(n_cells=600, n_peaks=1000)
    >>> sk.tl.enhance(study.adata)
    >>> planted = study.genes[study.genes["specific_to"] != ""]
    >>> markers = planted.groupby("specific_to")["symbol"].agg(list).to_dict()
    >>> sk.tl.annotate(study.adata, "cell_type", markers, genome=planted)
    >>> study.adata.uns["annotation"]["table"]["best"].tolist() == sorted(markers)
    True
    """
    check_adata(adata)
    check_fitted(adata, key)
    check_free(adata, key_added, "tl.annotate")
    if (markers is None) == (reference is None):
        msg = "give either markers (genes of the types) or reference (labelled samples), and not both"
        raise ValueError(msg)
    if counts is not None and reference is not None:
        msg = "counts are for scoring markers, and a reference is given: leave one of them out"
        raise ValueError(msg)
    labels = check_labels(adata, groupby, min_groups=2, text=True)
    names, codes = list(labels.cat.categories), labels.cat.codes.to_numpy()
    default = 0.0 if reference is None else 0.01
    min_margin = default if min_margin is None else check_number(min_margin, name="min_margin", minimum=0)
    min_covered = check_int(min_covered, name="min_covered", minimum=1)
    alpha = check_number(alpha, name="alpha", minimum=0, maximum=1)
    default = 0.8 if reference is None else 1 - alpha
    min_support = (
        default if min_support is None else check_number(min_support, name="min_support", minimum=0, maximum=1)
    )
    families = check_lineages(lineages, markers, genome)
    source, seed = seeded(rng)
    generator = np.random.default_rng(source)
    stored: dict[str, Any] = {}
    if reference is not None:
        level = level_profiles(mean_profiles(adata, codes, len(names), key=key))
        table, scores = _by_reference(adata, level, reference, names, generator)
        results = {"scores": scores}
        failing: dict[str, float] = {"n_peaks": 100}
        support = evidence = None
    else:
        if genome is None:
            msg = "markers are genes: give genome= too (hg19, hg38, mm9, mm10, a GTF or a table of genes)"
            raise ValueError(msg)
        found = _by_markers(adata, counts, markers, genome, names, generator, codes=codes, key=key, layer=layer)
        table, scores, support, evidence = found.table, found.scores, found.support, found.evidence
        results = {"scores": scores, "support": support}
        stored |= {"genes": found.genes, "rivals": found.rivals}
        failing = {"n_markers_covered": min_covered, "padj": alpha}
    table.insert(1, "n_cells", np.bincount(codes, minlength=len(names)))
    give_names(table, support, families, failing, min_support=min_support, min_margin=min_margin)
    if evidence is not None and support is not None:
        stored["among"] = mark_progenitors(table, support, families, evidence, generator, alpha=alpha)
        sizes = {"n_markers": found.n_markers, "n_covered": found.n_covered}
        stored["panel"] = panel_table(table, scores, support, families, **sizes)
    target = in_memory_copy(adata) if copy else adata
    target.obs[key_added] = pd.Categorical(table["label"].to_numpy()[codes])
    params = {"groupby": groupby, "markers": markers, "genome": genome, "reference": reference}
    params |= {"lineages": None if lineages is None else families, "min_support": min_support}
    params |= {"counts": counts, "min_margin": min_margin}
    params |= {"min_covered": min_covered, "alpha": alpha, "layer": layer, "key": key}
    types = list(scores.columns)
    stored |= {name: part.set_axis(column_names(types), axis=1) for name, part in results.items()}
    stored["types"] = np.array(types, dtype=object)
    record(target, key_added, "tl.annotate", params=params | {"rng": seed}, table=table, **stored)
    return target if copy else None


@dataclass(frozen=True, eq=False)
class _ByMarkers:
    """Rows of the groups, scores and support of the types, what they rest on, and the genes behind them."""

    table: pd.DataFrame
    scores: pd.DataFrame
    support: pd.DataFrame
    evidence: Evidence
    genes: pd.DataFrame
    rivals: pd.DataFrame
    n_markers: list[int]
    n_covered: list[int]


def _by_markers(
    adata: AnnData,
    counts: AnnData | str | os.PathLike[str] | None,
    markers: Any,
    genome: Any,
    names: list[str],
    rng: np.random.Generator,
    *,
    codes: np.ndarray,
    key: str,
    layer: str | None,
) -> _ByMarkers:
    measured = adata if counts is None else matched_counts(adata, counts)
    genes = check_genes(measured, genome)
    sets = read_markers(markers, genome)
    found = {kind: gene_positions(genes, part) for kind, part in sets.items()}
    n_known = sum(int((part >= 0).sum()) for part in found.values())
    n_all = sum(len(part) for part in found.values())
    if not n_known:
        first = next(iter(sets.values()))[:3]
        msg = f"markers: none of the {n_all} genes ({first}) is in the annotation, whose names look like "
        msg += f"{genes['symbol'].iloc[:3].tolist()}: markers of another species?"
        raise ValueError(msg)
    if n_known < n_all:
        missing = [gene for kind, part in found.items() for gene, at in zip(sets[kind], part, strict=True) if at < 0]
        warn(f"{n_all - n_known} of {n_all} marker genes are not in the annotation: {missing[:10]}")
    model: Literal["archr", "exponential"] = "archr" if "start" in genes.columns else "exponential"
    places = peak_places(measured)
    weights = peak_gene_weights(places, genes, weights=model, nearer=NEARER)
    cells, peaks = naming_factors(adata, key, None if counts is None else measured, layer=layer)
    if counts is None:
        opens = group_opens(adata, codes, len(names), key=key, layer=layer)
        profiles = mean_profiles(adata, codes, len(names), key=key)
    else:
        opens = count_opens(measured, codes, len(names), layer=layer)
        profiles = group_profiles(cells, peaks, codes=codes, n_groups=len(names))
    members = {kind: np.unique(part[part >= 0]) for kind, part in found.items()}
    symbols = genes["symbol"].to_numpy(dtype=object)
    evidence = Evidence(opens, profiles, weights, members, cells, peaks, codes, symbols)
    scored = evidence.scored(np.arange(len(names)), rng)
    values, result, pvalues = scored.values, scored.result, scored.pvalues
    covered = np.isfinite(values).all(axis=0)
    if counts is None:
        used = np.unique(np.concatenate(list(members.values())))
        warn_dropped(adata, int((~covered[used]).sum()), len(used))
    order = np.argsort(-result.scores, axis=1, kind="stable")[:, :2]
    pvalue = pvalues[np.arange(len(names)), order[:, 0]]
    padj = benjamini_hochberg(pvalue)
    support = pd.DataFrame(scored.support, index=names, columns=list(sets))
    seen = more_open(opens, weights)
    kinds = list(sets)
    rows = []
    tops: dict[str, list[list[int]]] = {}
    columns = weights.tocsc()
    columns.sort_indices()
    for g, name in enumerate(names):
        best, second = order[g]
        own = members[kinds[best]][covered[members[kinds[best]]]]
        own_open = own[(values[g, own] > 0) & seen[g, own]]
        tops[name] = same_peaks(columns, own_open[np.argsort(-values[g, own_open], kind="stable")])[:5]
        row = _lead(name, kinds, result.scores[g], best, second)
        row |= {"support": support.iloc[g, best], "pvalue": pvalue[g], "padj": padj[g]}
        row |= {
            "n_markers": len(sets[kinds[best]]),
            "n_markers_covered": len(own),
            "genes": ", ".join("/".join(symbols[part]) for part in tops[name]),
        }
        rows.append(row)
    scores = pd.DataFrame(np.where(np.isfinite(result.scores), result.scores, np.nan), index=names, columns=kinds)
    listed = listed_genes(tops, genes, places, opens=opens, weights=weights)
    behind = {"opens": opens, "weights": weights, "genes": genes, "places": places}
    rivals = rival_table(values, scores, support, members, **behind)
    n_markers = [len(sets[kind]) for kind in kinds]
    n_covered = [int(covered[members[kind]].sum()) for kind in kinds]
    return _ByMarkers(pd.DataFrame(rows), scores, support, evidence, listed, rivals, n_markers, n_covered)


def _by_reference(
    adata: AnnData, level: np.ndarray, reference: Any, names: list[str], rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    values, kinds, columns = matched_reference(adata, reference)
    correlation, support = reference_scores(level[:, columns], values, rng=rng)
    rows = []
    for g, name in enumerate(names):
        best, second = np.argsort(-correlation[g], kind="stable")[:2]
        row = _lead(name, kinds, correlation[g], best, second)
        rows.append(row | {"support": support[g], "n_peaks": len(columns)})
    return pd.DataFrame(rows), pd.DataFrame(correlation, index=names, columns=kinds)


def _lead(group: str, kinds: list[str], scores: np.ndarray, best: int, second: int) -> dict[str, Any]:
    """Return the first columns of a row: best, second, score and margin."""
    both = np.isfinite(scores[[best, second]]).all()
    row = {"group": group, "best": kinds[best], "second": kinds[second]}
    return row | {"score": scores[best], "margin": scores[best] - scores[second] if both else np.nan}
