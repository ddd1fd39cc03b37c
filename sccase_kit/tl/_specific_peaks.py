"""Specific (marker) peaks of groups of cells: the front and its tables."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import scipy
from anndata import AnnData

from .._arguments import checked
from .._calls import check_free
from .._logging import warn
from .._record import record
from .._validate import check_choice, check_int, check_key, check_labels, check_number
from ..get.thin import check_fitted
from ..intervals.peaks import known_coordinates
from ..matrix.access import in_memory_copy
from ..peaks import (
    Activation,
    choose_components,
    component_activation,
    contrasts,
    enhanced_fold_changes,
    level_profiles,
    marker_scores,
    open_test,
    rank_peaks,
    resembling,
)
from ..peaks.specific import sharing
from ._group_opens import group_opens, has_counts, mean_profiles
from ._nearest_gene import add_nearest_gene, add_places, check_genes

#: Names of rankings that users may write → the ranking.
RANKINGS = {"score": "score", "coefficient": "coefficient", "component": "coefficient", "contrast": "contrast"}


@dataclass(frozen=True)
class _Study:
    """What the table of every group is made from."""

    places: pd.DataFrame
    opens: np.ndarray | None
    n_cells: np.ndarray
    level: np.ndarray
    projection: np.ndarray
    chosen: np.ndarray
    excess: np.ndarray | None


@checked()
def specific_peaks(
    adata: AnnData,
    groupby: str,
    *,
    n_top: int = 1000,
    ranking: Literal["score", "coefficient", "component", "contrast"] = "score",
    genome: str | os.PathLike[str] | pd.DataFrame | None = None,
    max_padj: float | None = None,
    n_components: int = 1,
    alpha: float = 0.05,
    min_significant: int = 10,
    min_specificity: float = 0.7,
    layer: str | None = None,
    key: str = "sccase",
    key_added: str = "specific_peaks",
    copy: bool = False,
) -> AnnData | None:
    """Find the specific (marker) peaks of every group, from the counts and the enhanced profiles together.

    A peak's score in a group is z, by how much more of the group's cells are open in the counts than their depth
    explains, times the log2 fold change of the enhanced profile over the other cells; see
    :mod:`sccase_kit.peaks.markers`. Every group is in the result.

    Parameters
    ----------
    adata
        Data enhanced by :func:`sccase_kit.tl.enhance`, with the counts.
    groupby
        Column of `adata.obs` with the groups.
    n_top
        Peaks per group; fewer where fewer are more open in the group than elsewhere.
    ranking
        ``"score"``: as above. ``"coefficient"`` (or ``"component"``): the projection coefficients of the group's
        component, as in the paper; a component may hold peaks that other groups have too. ``"contrast"``: by how much
        the mean enhanced accessibility of the group exceeds that of the next group, in shares of the peak's mean;
        only peaks that lead in the group, so that sister types may have few. A group without any peak by the ranking
        asked for has those of ``"score"``; the table of groups says so.
    genome
        Genome (hg19, hg38, mm9, mm10), file or table of genes, see :func:`sccase_kit.regions.tss_table`: adds the
        nearest gene. `None` leaves the two columns out.
    max_padj
        Leave out peaks with a larger adjusted p-value. `None` keeps them: a group without significant peaks shows its
        best ones.
    n_components
        Components per group, for groups that share programs. With several, each is divided by its largest coefficient
        and a peak counts with its best one.
    alpha, min_significant
        Warn of groups in which fewer than `min_significant` peaks (or `n_top`, where that is less) have an adjusted
        p-value of at most `alpha`; the warning names the group that each resembles most.
    min_specificity
        With ``"coefficient"`` and ``"contrast"``: warn of groups whose best component has an adjusted p-value above
        `alpha`, or in which a cell of the group exceeds a cell outside with a probability below this.
    layer
        Layer with the counts; `None` for what was enhanced.
    key
        The `key_added` of the fit.
    key_added
        Key in `adata.uns`.
    copy
        Return a copy instead of writing into `adata`.

    Returns
    -------
    `None`, or the copy. Written: `uns[key_added]` with

    ``peaks``
        DataFrame, one row per group and peak, by rank: chrom, start, end (where known), peak, group, rank (from 1),
        score, log2fc (counts, group over the other cells at equal depth, two opens added to both), log2fc_enhanced
        (over the mean of the other cells), log2fc_nearest (over the highest other group), pct_in and pct_out (share of
        cells open in the group and outside), pvalue (one-sided exact binomial test at equal depth), padj
        (Benjamini–Hochberg within the group), nearest_gene and distance (bases to its transcription start, negative
        where the peak lies upstream; with `genome`), component (0-based, column of the embedding) and coefficient;
        and contrast with ``ranking="contrast"``. Where the counts are no longer there, the other rankings than
        ``"score"`` go without the columns that need them.
    ``groups``
        DataFrame, one row per group: group, n_cells, n_peaks (rows in ``peaks``), n_significant (peaks with an adjusted
        p-value of at most `alpha`), resembles (the group with the most similar enhanced profile), similarity (Pearson
        correlation with it, of log2 fold changes over the mean of groups), ranking (used for this group), reason (why
        peaks are few or lacking; else "").
    ``components``
        DataFrame, one row per group and chosen component (by specificity): group, component, statistic (share of the
        largest possible), pvalue, padj (Benjamini–Hochberg over all groups and components), difference, specificity;
        see :class:`sccase_kit.peaks.Activation`.
    ``params``
        The arguments.

    Raises
    ------
    KeyError
        If `adata` was not enhanced under `key`, or `groupby` or the layer with the counts is missing.
    ValueError
        If there are fewer than two groups, groups that are the same as text, cells without label, no or negative
        counts, or more components are wanted than there are.

    Notes
    -----
    P-values are too small where the groups were clustered from the same counts: use them to compare peaks, not as the
    probability that a cluster exists. Groups of samples under different conditions are compared by
    pseudo-bulks with replicates, not by this test.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=600, n_peaks=1000).adata
    >>> sk.tl.enhance(adata, batch_key="batch")
    >>> sk.tl.specific_peaks(adata, "cell_type", n_top=10)
    >>> int(adata.uns["specific_peaks"]["peaks"]["group"].value_counts().max())
    10
    """
    check_fitted(adata, key)
    check_free(adata, key_added, "tl.specific_peaks")
    n_top = check_int(n_top, name="n_top", minimum=1)
    check_choice(ranking, list(RANKINGS), name="ranking")
    alpha = check_number(alpha, name="alpha", minimum=0, maximum=1)
    min_specificity = check_number(min_specificity, name="min_specificity", minimum=0, maximum=1)
    min_significant = check_int(min_significant, name="min_significant", minimum=0)
    if max_padj is not None:
        max_padj = check_number(max_padj, name="max_padj", minimum=0, maximum=1)
    labels = check_labels(adata, groupby, min_groups=2, text=True)
    genes = None if genome is None else check_genes(adata, genome)
    names = list(labels.cat.categories)
    codes = labels.cat.codes.to_numpy()
    slot = check_key(f"X_{key}", adata.obsm.keys(), name="key", where="adata.obsm")
    embedding = np.asarray(adata.obsm[slot])
    n_components = check_int(n_components, name="n_components", minimum=1, maximum=embedding.shape[1])
    activation = component_activation(embedding, codes, len(names))
    slot = check_key(f"{key}_projection", adata.varm.keys(), name="key", where="adata.varm")
    profiles = mean_profiles(adata, codes, len(names), key=key)
    counted = ranking == "score" or layer is not None or max_padj is not None or has_counts(adata, key)
    study = _Study(
        places=coordinates(adata, np.arange(adata.n_vars)),
        opens=group_opens(adata, codes, len(names), key=key, layer=layer) if counted else None,
        n_cells=np.bincount(codes, minlength=len(names)),
        level=level_profiles(profiles),
        projection=np.asarray(adata.varm[slot]),
        chosen=choose_components(activation, n_components),
        excess=contrasts(profiles) if ranking == "contrast" else None,
    )
    tables, groups = [], _group_rows(study, names)
    for g, name in enumerate(names):
        table, used, n_significant = _group_table(study, g, RANKINGS[ranking], n_top, max_padj, alpha)
        table.insert(list(table.columns).index("peak") + 1, "group", name)
        tables.append(table)
        groups.loc[g, ["n_peaks", "n_significant", "ranking"]] = len(table), n_significant, used
    depth = np.ones(len(names)) if study.opens is None else study.opens.sum(axis=1)
    wanted = 0 if study.opens is None else min(min_significant, n_top)
    groups["reason"] = [_reason(row, depth[g], wanted, alpha) for g, row in enumerate(groups.itertuples())]
    if study.opens is None:
        groups = groups.drop(columns="n_significant")
    components = _component_rows(activation, study.chosen, names)
    if few := [f"{row.group}: {row.reason}" for row in groups.itertuples() if row.reason]:
        warn(f"groups with few marker peaks (see uns[{key_added!r}]['groups']): {'; '.join(few)}")
    if RANKINGS[ranking] != "score":
        _warn_of_components(components, study.chosen, names, alpha, min_specificity, RANKINGS[ranking], key_added)
    peaks = pd.concat(tables, ignore_index=True)
    if genes is not None:
        peaks = add_nearest_gene(add_places(peaks, adata), genes, before="component")
    target = in_memory_copy(adata) if copy else adata
    params = {
        "groupby": groupby,
        "n_top": n_top,
        "ranking": RANKINGS[ranking],
        "genome": genome,
        "max_padj": max_padj,
        "n_components": n_components,
        "alpha": alpha,
        "min_significant": min_significant,
        "min_specificity": min_specificity,
        "layer": layer,
        "key": key,
    }
    results = {"peaks": peaks, "groups": groups, "components": components}
    record(target, key_added, "tl.specific_peaks", params=params, **results)
    return target if copy else None


def _group_rows(study: _Study, names: list[str]) -> pd.DataFrame:
    """Return one row per group, with the columns that need no ranking filled in."""
    like, similarity = resembling(study.level)
    rows = pd.DataFrame({"group": names, "n_cells": study.n_cells})
    rows = rows.assign(n_peaks=0, n_significant=0, resembles=[names[other] for other in like], similarity=similarity)
    return rows.assign(ranking="")


def _group_table(
    study: _Study, g: int, ranking: str, n_top: int, max_padj: float | None, alpha: float
) -> tuple[pd.DataFrame, str, int]:
    """Return the peaks of a group by rank, the ranking that was used, and how many peaks are significant in all."""
    over_rest, over_nearest = enhanced_fold_changes(study.level, study.n_cells, g)
    n_peaks = len(over_rest)
    test = None if study.opens is None else open_test(study.opens, study.n_cells, g)
    scores = None if test is None else marker_scores(test.z, over_rest)
    allowed = np.ones(n_peaks, dtype=bool) if test is None or max_padj is None else test.padj <= max_padj
    every, coefficients, components = rank_peaks(study.projection, study.chosen[g], n_peaks)
    coefficient, component = np.zeros(n_peaks), np.full(n_peaks, study.chosen[g][0], dtype=np.intp)
    coefficient[every], component[every] = coefficients, components
    values = {"score": scores, "contrast": None if study.excess is None else study.excess[g]}.get(ranking)
    order = every[allowed[every]][:n_top] if values is None else _best(values, allowed, n_top)
    used = ranking
    if not len(order) and scores is not None:
        order, used = _best(scores, allowed, n_top), "score"
    columns: dict[str, np.ndarray] = {"rank": np.arange(1, len(order) + 1)}
    if test is not None and scores is not None:
        columns |= {"score": scores[order], "log2fc": test.log2fc[order]}
    columns |= {"log2fc_enhanced": over_rest[order], "log2fc_nearest": over_nearest[order]}
    if test is not None:
        columns |= {name: getattr(test, name)[order] for name in ("pct_in", "pct_out", "pvalue", "padj")}
    columns |= {"component": component[order], "coefficient": coefficient[order]}
    if study.excess is not None:
        columns["contrast"] = study.excess[g][order]
    n_significant = 0 if test is None else int(np.count_nonzero(test.padj <= alpha))
    return study.places.take(order).reset_index(drop=True).assign(**columns), used, n_significant


def _best(values: np.ndarray, allowed: np.ndarray, n_top: int) -> np.ndarray:
    """Return the positions of the largest values above 0, equal ones in their order."""
    order = np.argsort(-values, kind="stable")
    order = order[allowed[order] & (values[order] > 0)]
    return order[:n_top]


def _reason(row: Any, depth: int, wanted: int, alpha: float) -> str:
    """Return why a group has few peaks, or ""."""
    like = f"it resembles {row.resembles} most (correlation {row.similarity:.2f})"
    if not row.similarity > 0:
        like = f"it resembles no other group (the nearest is {row.resembles}, correlation {row.similarity:.2f})"
    if depth == 0:
        return f"none of its {row.n_cells} cells has a read"
    if row.n_peaks == 0:
        return f"no peak passes; {like}"
    if row.n_significant < wanted:
        peaks = "peak has" if row.n_significant == 1 else "peaks have"
        return f"{row.n_significant} {peaks} an adjusted p-value of at most {alpha:g}; {like}"
    return ""


def _component_rows(activation: Activation, chosen: np.ndarray, names: list[str]) -> pd.DataFrame:
    padj = scipy.stats.false_discovery_control(activation.pvalue, axis=None).reshape(activation.pvalue.shape)
    rows = []
    for g, name in enumerate(names):
        for j in chosen[g]:
            values = {field: getattr(activation, field)[g, j] for field in ("statistic", "pvalue")}
            values |= {"padj": padj[g, j], "difference": activation.difference[g, j]}
            rows.append({"group": name, "component": j, **values, "specificity": activation.specificity[g, j]})
    return pd.DataFrame(rows)


def _warn_of_components(
    components: pd.DataFrame,
    chosen: np.ndarray,
    names: list[str],
    alpha: float,
    min_specificity: float,
    ranking: str,
    key_added: str,
) -> None:
    """Warn of groups without a component of their own."""
    first = components.groupby("group", sort=False).head(1)
    weak = first.loc[(first["padj"] > alpha) | (first["specificity"] < min_specificity), "group"]
    if len(weak):
        warn(
            f"no component is specific to {weak.tolist()} (see uns[{key_added!r}]['components']); their peaks may be "
            "shared with other groups. More components in tl.enhance, or n_components > 1 here, may help"
        )
    if ranking == "coefficient" and (shared := sharing(list(chosen), names, told=set(weak))):
        warn(
            f"groups {shared} have the same component, hence the same peaks; ranking='score' tells them apart, or "
            "more components in tl.enhance (with batch_key where there are batches)"
        )


def coordinates(adata: AnnData, positions: np.ndarray) -> pd.DataFrame:
    """Return chrom, start, end (where known) and name of peaks by position."""
    table = pd.DataFrame(index=range(len(positions)))
    if (places := known_coordinates(adata)) is not None:
        for column in places:
            table[column] = places[column].to_numpy()[positions]
    table["peak"] = adata.var_names.to_numpy()[positions]
    return table
