"""Specific and background peaks of an enhanced AnnData."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import stats

from .._calls import check_free
from .._logging import warn
from .._validate import check_choice, check_int, check_key, check_labels, check_number
from ..get.thin import check_fitted, factors
from ..matrix.access import in_memory_copy
from ..peaks import (
    background_positions,
    choose_components,
    component_activation,
    contrasts,
    group_profiles,
    rank_peaks,
    variation,
)
from ..peaks.episcanpy import import_episcanpy
from ..peaks.specific import sharing
from ..pp.loading import load_counts


def specific_peaks(
    adata: AnnData,
    groupby: str,
    *,
    n_top: int = 1000,
    n_components: int = 1,
    ranking: Literal["coefficient", "contrast"] = "coefficient",
    alpha: float = 0.05,
    min_specificity: float = 0.7,
    key: str = "sccase",
    key_added: str = "specific_peaks",
    copy: bool = False,
) -> AnnData | None:
    """Find the specific peaks of every group from the model's own components.

    For each group the component that its cells use most, compared with their mean over components (one-sided Wilcoxon
    signed-rank test on standardised components), is chosen; the peaks with its largest projection coefficients are
    the specific peaks.

    Parameters
    ----------
    adata
        Data enhanced by :func:`sccase_kit.tl.enhance`.
    groupby
        Column of `adata.obs` with the groups.
    n_top
        Peaks per group; fewer where fewer have a positive coefficient.
    n_components
        Components per group, for groups that share programs. With several, each is divided by its largest coefficient
        and a peak counts with its best one.
    ranking
        ``"coefficient"``: by the projection coefficients, as in the paper; a component may hold peaks that other groups
        have too. ``"contrast"``: by how much the mean enhanced accessibility of the group exceeds that of the next
        group, in shares of the peak's mean; it finds more of the peaks that no other group has.
    alpha, min_specificity
        Warn of groups whose best component has an adjusted p-value above `alpha`, or in which a cell of the group
        exceeds a cell outside with a probability below `min_specificity`.
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
        DataFrame, one row per group and peak: chrom, start, end (where known), peak, group, rank (from 1), component
        (0-based, column of the embedding), coefficient; and contrast with ``ranking="contrast"``.
    ``components``
        DataFrame, one row per group and chosen component: group, component, statistic (share of the largest possible),
        pvalue, padj (Benjamini–Hochberg over all groups and components), difference, specificity; see
        :class:`sccase_kit.peaks.Activation`.
    ``params``
        The arguments.

    Raises
    ------
    KeyError
        If `adata` was not enhanced under `key`, or `groupby` is missing; with ``ranking="contrast"`` also if the fit
        has no thin factors (``solver="published"``).
    ValueError
        If there are fewer than two groups, groups that are the same as text, cells without label, or more components
        are wanted than there are.

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
    check_choice(ranking, ["coefficient", "contrast"], name="ranking")
    alpha = check_number(alpha, name="alpha", minimum=0, maximum=1)
    min_specificity = check_number(min_specificity, name="min_specificity", minimum=0, maximum=1)
    labels = check_labels(adata, groupby, min_groups=2, text=True)
    names = list(labels.cat.categories)
    projection = _projection(adata, key)
    slot = check_key(f"X_{key}", adata.obsm.keys(), name="key", where="adata.obsm")
    embedding = np.asarray(adata.obsm[slot])
    n_components = check_int(n_components, name="n_components", minimum=1, maximum=embedding.shape[1])
    activation = component_activation(embedding, labels.cat.codes.to_numpy(), len(names))
    chosen = choose_components(activation, n_components)
    padj = stats.false_discovery_control(activation.pvalue, axis=None).reshape(activation.pvalue.shape)
    excess = contrasts(_profiles(adata, labels, key)) if ranking == "contrast" else None
    tables, rows = [], []
    for g, name in enumerate(names):
        tables.append(_ranked(adata, projection, chosen[g], n_top, None if excess is None else excess[g], name))
        for j in chosen[g]:
            values = {field: getattr(activation, field)[g, j] for field in ("statistic", "pvalue")}
            values |= {"padj": padj[g, j], "difference": activation.difference[g, j]}
            rows.append({"group": name, "component": j, **values, "specificity": activation.specificity[g, j]})
    summary = pd.DataFrame(rows)
    first = summary.groupby("group", sort=False).head(1)
    weak = first.loc[(first["padj"] > alpha) | (first["specificity"] < min_specificity), "group"]
    if len(weak):
        warn(
            f"no component is specific to {weak.tolist()} (see uns[{key_added!r}]['components']); their peaks may be "
            "shared with other groups. More components in tl.enhance, or n_components > 1 here, may help"
        )
    if ranking == "coefficient" and (shared := sharing(chosen, names, told=set(weak))):
        warn(
            f"groups {shared} have the same component, hence the same peaks; ranking='contrast' tells them apart, or "
            "more components in tl.enhance (with batch_key where there are batches)"
        )
    target = in_memory_copy(adata) if copy else adata
    target.uns[key_added] = {
        "peaks": pd.concat(tables, ignore_index=True),
        "components": summary,
        "params": {
            "groupby": groupby,
            "n_top": n_top,
            "n_components": n_components,
            "ranking": ranking,
            "alpha": alpha,
            "min_specificity": min_specificity,
            "key": key,
        },
    }
    return target if copy else None


def _ranked(
    adata: AnnData,
    projection: np.ndarray,
    chosen: np.ndarray,
    n_top: int,
    excess: np.ndarray | None,
    name: str,
) -> pd.DataFrame:
    """Return the best peaks of one group: by coefficient, or by `excess` where it is positive."""
    positions, coefficients, components = rank_peaks(projection, chosen, n_top if excess is None else len(projection))
    if excess is not None:
        order = np.argsort(-excess[positions], kind="stable")[:n_top]
        order = order[excess[positions[order]] > 0]
        positions, coefficients, components = positions[order], coefficients[order], components[order]
    table = _coordinates(adata, positions)
    table["group"], table["rank"] = name, np.arange(1, len(positions) + 1)
    table = table.assign(component=components, coefficient=coefficients)
    return table if excess is None else table.assign(contrast=excess[positions])


def _profiles(adata: AnnData, labels: pd.Series, key: str) -> np.ndarray:
    cells, peaks = factors(adata, key=key)
    return group_profiles(cells, peaks, codes=labels.cat.codes.to_numpy(), n_groups=len(labels.cat.categories))


def background_peaks(
    adata: AnnData,
    *,
    n_top: int = 1000,
    groupby: str | None = None,
    key: str = "sccase",
    key_added: str = "background_peaks",
    copy: bool = False,
) -> AnnData | None:
    """Find peaks without specificity: their mean projection coefficient is closest to the mean of the matrix.

    Parameters
    ----------
    adata
        Data enhanced by :func:`sccase_kit.tl.enhance`.
    n_top
        Number of peaks.
    groupby
        Column of `adata.obs` with groups: take only peaks of the half that varies least between their mean enhanced
        profiles. By the paper's rule alone (`None`), many peaks of single groups, whose mean coefficients are average,
        are taken for background in studies with few groups.
    key
        The `key_added` of the fit.
    key_added
        Key in `adata.uns`.
    copy
        Return a copy instead of writing into `adata`.

    Returns
    -------
    `None`, or the copy. Written: `uns[key_added]` with ``peaks`` (DataFrame: chrom, start, end where known, peak, rank,
    coefficient, the mean over components) and ``params``.

    Raises
    ------
    KeyError
        If `adata` was not enhanced under `key`, or `groupby` is missing; with `groupby` also if the fit has no thin
        factors (``solver="published"``).
    ValueError
        If there are fewer than two groups, or cells without label.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500).adata
    >>> sk.tl.enhance(adata)
    >>> sk.tl.background_peaks(adata, n_top=20)
    >>> len(adata.uns["background_peaks"]["peaks"])
    20
    """
    check_fitted(adata, key)
    check_free(adata, key_added, "tl.background_peaks")
    projection = _projection(adata, key)
    n_top = check_int(n_top, name="n_top", minimum=1)
    positions = background_positions(projection, adata.n_vars)
    if groupby is not None:
        varies = variation(_profiles(adata, check_labels(adata, groupby, min_groups=2), key))
        positions = positions[varies[positions] <= np.median(varies)]
    positions = positions[:n_top]
    table = _coordinates(adata, positions)
    table["rank"] = np.arange(1, len(positions) + 1)
    table["coefficient"] = projection[positions].mean(axis=1, dtype=np.float64)
    target = in_memory_copy(adata) if copy else adata
    target.uns[key_added] = {"peaks": table, "params": {"n_top": n_top, "groupby": groupby or "", "key": key}}
    return target if copy else None


def compare_specific_peaks(
    adata: AnnData,
    *,
    method: Literal["wilcoxon", "logreg", "episcanpy"] = "wilcoxon",
    layer: str | None = None,
    key: str = "specific_peaks",
) -> pd.DataFrame:
    """Compare the specific peaks with those of a differential test on the raw counts.

    Parameters
    ----------
    adata
        Data with :func:`specific_peaks` written; nothing is changed.
    method
        Test on counts brought to equal depth and log1p, each group against the rest: ``"wilcoxon"`` (rank-sum) and
        ``"logreg"`` (logistic regression) by :func:`scanpy.tl.rank_genes_groups`, ``"episcanpy"`` (t-test) by
        EpiScanpy's ``tl.rank_features``, as in the scCASE paper.
    layer
        Layer with the counts; `None` for `adata.X`.
    key
        The `key_added` of the specific peaks.

    Returns
    -------
    DataFrame, one row per group: group, n (specific peaks), overlap with the first n of the test, expected (overlap of
    random sets), jaccard.

    Raises
    ------
    ImportError
        If EpiScanpy is asked for and not installed (extra ``episcanpy``).
    KeyError
        If `key` or `layer` is missing.
    ValueError
        If `method` is unknown or counts are negative.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=600, n_peaks=1000).adata
    >>> sk.tl.enhance(adata, batch_key="batch")
    >>> sk.tl.specific_peaks(adata, "cell_type", n_top=10)
    >>> len(sk.tl.compare_specific_peaks(adata)) == adata.obs["cell_type"].nunique()
    True
    """
    import scanpy as sc

    check_choice(method, ["wilcoxon", "logreg", "episcanpy"], name="method")
    episcanpy = import_episcanpy() if method == "episcanpy" else None
    hint = "Run sccase_kit.tl.specific_peaks(adata, groupby=...) first."
    check_key(key, adata.uns.keys(), name="key", where="adata.uns", hint=hint)
    stored = adata.uns[key]
    groups = check_labels(adata, stored["params"]["groupby"], min_groups=2, text=True)
    counts = load_counts(adata, layer).astype(np.float32)
    raw = AnnData(counts, obs=pd.DataFrame({"group": groups.array}, index=adata.obs_names.astype(str)))
    raw.var_names = np.arange(adata.n_vars).astype(str)
    sc.pp.normalize_total(raw)
    sc.pp.log1p(raw)
    if episcanpy is None:
        sc.tl.rank_genes_groups(raw, "group", method=method)
        ranking = raw.uns["rank_genes_groups"]["names"]
    else:
        # Its `method` argument fails and its default asks for `.raw`: the t-test of the default is what runs.
        episcanpy.tl.rank_features(raw, "group", omic="ATAC", use_raw=False, n_features=raw.n_vars)
        ranking = raw.uns["rank_features_groups"]["names"]
    rows = []
    for name in groups.cat.categories:
        own = stored["peaks"].loc[(stored["peaks"]["group"] == name).to_numpy(), "peak"]
        other = adata.var_names[np.asarray(ranking[name][: len(own)], dtype=np.intp)]
        n, overlap = len(own), len(set(own) & set(other))
        rows.append(
            {
                "group": name,
                "n": n,
                "overlap": overlap,
                "expected": n * n / adata.n_vars,
                "jaccard": overlap / (2 * n - overlap) if n else np.nan,
            }
        )
    return pd.DataFrame(rows)


def _projection(adata: AnnData, key: str) -> np.ndarray:
    slot = check_key(f"{key}_projection", adata.varm.keys(), name="key", where="adata.varm")
    return np.asarray(adata.varm[slot])


def _coordinates(adata: AnnData, positions: np.ndarray) -> pd.DataFrame:
    table = pd.DataFrame(index=range(len(positions)))
    if {"chrom", "start", "end"} <= set(adata.var.columns):
        table["chrom"] = adata.var["chrom"].astype(str).astype(object).to_numpy()[positions]
        table["start"] = adata.var["start"].to_numpy()[positions]
        table["end"] = adata.var["end"].to_numpy()[positions]
    table["peak"] = adata.var_names.to_numpy()[positions]
    return table
