"""What differs between groups of cells in their deviations, and which motifs act together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import scipy
from anndata import AnnData
from scipy import sparse

from .._adjust import benjamini_hochberg
from .._arguments import checked
from .._labels import all_named
from .._logging import warn
from .._record import required
from .._validate import check_adata, check_choice, check_int, check_key, check_labels
from ..get.chromvar import read_deviations
from ..matrix.access import get_matrix
from ..motifs import annotation_correlation, annotation_synergy, background_bins
from ..motifs import differential_deviations as test_deviations
from ..motifs import differential_variability as test_variability
from ..motifs.blocks import totals
from ._params import check_same_peaks, sets_slot

_SHOWN = 5
_MANY, _NEARLY_ALL = 50, 0.8


@checked()
def differential_deviations(
    adata: AnnData,
    groupby: str,
    *,
    reference: str | None = "rest",
    parametric: bool = True,
    alternative: Literal["two-sided", "less", "greater"] = "two-sided",
    key: str = "chromvar",
) -> pd.DataFrame:
    """Test which sets (motifs) deviate differently between groups of cells.

    Two-sample tests are Welch's t or Wilcoxon's rank sum; with ``reference=None`` Welch's analysis of variance or
    Kruskal–Wallis over all groups, as chromVAR.

    Parameters
    ----------
    adata
        Data with :func:`sccase_kit.tl.chromvar` written; nothing is changed.
    groupby
        Column of `obs` with the groups.
    reference
        ``"rest"``: every group against all other cells; the name of a group: every other group against it; `None`:
        one test over all groups.
    parametric
        Whether to use the parametric test.
    alternative
        ``"greater"``: the group deviates more than the reference (not with ``reference=None`` and three groups or
        more).
    key
        The `key_added` of the deviations.

    Returns
    -------
    DataFrame. With a reference one row per group and set: group, set, mean, mean_reference, difference, effect_size
    (Cohen's d), p_value, p_value_adj (Benjamini–Hochberg within the group); best first within a group. With
    ``reference=None`` one row per set: set, mean_<group>, effect_size (η²), p_value, p_value_adj. NaN where too few
    cells have a deviation. A warning says so where nearly all sets pass: rank by effect_size then.

    Raises
    ------
    KeyError
        If there are no deviations under `key` or `groupby` is missing.
    ValueError
        If there are fewer than two groups, they clash as text, or `reference` is none of them.

    References
    ----------
    Schep et al., Nature Methods 2017 (chromVAR 1.5.0, ``differentialDeviations``).
    """
    check_choice(alternative, ["two-sided", "less", "greater"], name="alternative")
    values, names = read_deviations(adata, key, "deviations")
    labels = check_labels(adata, groupby, min_groups=2, text=True)
    if reference is None:
        table = test_deviations(values, labels, names=names, parametric=parametric, alternative=alternative)
        table = table.drop(columns="difference", errors="ignore")
        table = table[[*(c for c in table if c != "effect_size"), "effect_size"]]
        return _believed(_over_all(table), adata, key)
    parts = []
    for group, rows, sides in _contrasts(labels, reference):
        table = test_deviations(values[rows], sides, names=names, parametric=parametric, alternative=alternative)
        means = {"mean": table["mean_group"], "mean_reference": table["mean_reference"]}
        parts.append(_against(table, group, means | {name: table[name] for name in ("difference", "effect_size")}))
    return _believed(pd.concat(parts, ignore_index=True), adata, key)


@checked()
def differential_variability(
    adata: AnnData,
    groupby: str,
    *,
    reference: str | None = None,
    parametric: bool = True,
    key: str = "chromvar",
) -> pd.DataFrame:
    """Test which sets (motifs) vary more between the cells of one group than of another.

    Brown–Forsythe's test on the z-scores, or Kruskal–Wallis on the distances to the median of the group.

    Parameters
    ----------
    adata
        Data with :func:`sccase_kit.tl.chromvar` written; nothing is changed.
    groupby
        Column of `obs` with the groups.
    reference
        `None`: one test over all groups, as chromVAR; ``"rest"``: every group against all other cells; the name of a
        group: every other group against it.
    parametric
        Whether to use the parametric test.
    key
        The `key_added` of the deviations.

    Returns
    -------
    DataFrame. With ``reference=None`` one row per set: set, variability_<group>, p_value, p_value_adj
    (Benjamini–Hochberg). With a reference one row per group and set: group, set, variability, variability_reference,
    p_value, p_value_adj (within the group). Best first.

    Raises
    ------
    KeyError
        If there are no deviations under `key` or `groupby` is missing.
    ValueError
        If there are fewer than two groups, they clash as text, or `reference` is none of them.

    References
    ----------
    Schep et al., Nature Methods 2017 (chromVAR 1.5.0, ``differentialVariability``).
    """
    values, names = read_deviations(adata, key, "z")
    labels = check_labels(adata, groupby, min_groups=2, text=True)
    if reference is None:
        return _over_all(test_variability(values, labels, names=names, parametric=parametric))
    parts = []
    for group, rows, sides in _contrasts(labels, reference):
        table = test_variability(values[rows], sides, names=names, parametric=parametric)
        spread = {"variability": table["variability_group"], "variability_reference": table["variability_reference"]}
        parts.append(_against(table, group, spread))
    return pd.concat(parts, ignore_index=True)


@checked()
def motif_synergy(
    adata: AnnData,
    sets: Sequence[str] | None = None,
    *,
    n_top: int = 10,
    n_draws: int = 25,
    layer: str | None = None,
    key: str = "chromvar",
    rng: int | np.random.Generator | None = 0,
) -> pd.DataFrame:
    """Ask of pairs of sets (motifs) whether peaks with both vary more than peaks with one.

    Parameters
    ----------
    adata
        Data with :func:`sccase_kit.tl.chromvar` of the counts written; nothing is changed.
    sets
        Names of the sets; the `n_top` most variable by default. The name of a motif stands for all its matrices. The
        work grows with the number of pairs.
    n_top
        Number of sets without `sets`.
    n_draws
        Random subsets of the more variable set, per pair.
    layer
        Layer with the counts; `None` for what :func:`sccase_kit.tl.chromvar` read.
    key
        The `key_added` of the deviations.
    rng
        Seed or generator of the subsets.

    Returns
    -------
    DataFrame, one row per pair that shares peaks, highest first: set_1, set_2, n_shared (peaks), synergy (variability
    of the shared peaks, in standard deviations from the mean of as large random subsets of the more variable set),
    p_value (one-sided, normal), p_value_adj (Benjamini–Hochberg).

    Raises
    ------
    KeyError
        If there are no deviations under `key`, or a set is unknown.
    ValueError
        If there are fewer than two sets, or peaks were dropped, renamed or put in another order since.

    References
    ----------
    Schep et al., Nature Methods 2017 (chromVAR 1.5.0, ``getAnnotationSynergy``).
    """
    matrix, names = _chosen(adata, sets, n_top, key)
    counts = _counts(adata, layer, key)
    background = _background(adata, counts, key)
    square = annotation_synergy(counts, matrix, background, names=names, n_draws=n_draws, rng=rng)
    table = _pairs(square, matrix, "synergy")
    table["p_value"] = scipy.stats.norm.sf(table["synergy"])
    table["p_value_adj"] = benjamini_hochberg(table["p_value"].to_numpy())
    return table


@checked()
def motif_correlation(
    adata: AnnData,
    sets: Sequence[str] | None = None,
    *,
    n_top: int = 20,
    layer: str | None = None,
    key: str = "chromvar",
) -> pd.DataFrame:
    """Correlate the deviations of pairs of sets (motifs) over the cells, each on peaks the other does not have.

    Parameters
    ----------
    adata
        Data with :func:`sccase_kit.tl.chromvar` of the counts written; nothing is changed.
    sets
        Names of the sets; the `n_top` most variable by default. The name of a motif stands for all its matrices. The
        work grows with the number of pairs.
    n_top
        Number of sets without `sets`.
    layer
        Layer with the counts; `None` for what :func:`sccase_kit.tl.chromvar` read.
    key
        The `key_added` of the deviations.

    Returns
    -------
    DataFrame, one row per pair, highest first: set_1, set_2, n_shared (peaks), correlation (Pearson; NaN where one set
    contains the other). There is no p-value: cells of one type are not independent.

    Raises
    ------
    KeyError
        If there are no deviations under `key`, or a set is unknown.
    ValueError
        If there are fewer than two sets, or peaks were dropped, renamed or put in another order since.

    References
    ----------
    Schep et al., Nature Methods 2017 (chromVAR 1.5.0, ``getAnnotationCorrelation``).
    """
    matrix, names = _chosen(adata, sets, n_top, key)
    counts = _counts(adata, layer, key)
    square = annotation_correlation(counts, matrix, _background(adata, counts, key), names=names)
    return _pairs(square, matrix, "correlation", drop=False)


def _contrasts(labels: pd.Series, reference: str) -> list[tuple[str, np.ndarray, pd.Categorical]]:
    """Return (group, mask of the cells to compare, "group" or "reference" of each of them)."""
    groups = list(labels.cat.categories)
    if reference not in groups and reference != "rest":
        msg = f"reference must be 'rest', None or one of the groups {groups}, got {reference!r}"
        raise ValueError(msg)
    against = labels.to_numpy() == reference if reference in groups else np.ones(len(labels), dtype=bool)
    out = []
    for group in groups:
        if group == reference:
            continue
        own = labels.to_numpy() == group
        rows = own | against
        sides = pd.Categorical(np.where(own[rows], "group", "reference"), categories=["group", "reference"])
        out.append((group, rows, sides))
    return out


def _against(table: pd.DataFrame, group: str, columns: dict[str, pd.Series]) -> pd.DataFrame:
    out = pd.DataFrame({"group": group, "set": table.index.astype(str).astype(object), **_plain(columns)})
    out["p_value"], out["p_value_adj"] = table["p_value"].to_numpy(), table["p_value_adjusted"].to_numpy()
    return out.sort_values("p_value", kind="stable", ignore_index=True)


def _over_all(table: pd.DataFrame) -> pd.DataFrame:
    means = table.drop(columns=["p_value", "p_value_adjusted"])
    out = pd.DataFrame({"set": table.index.astype(str).astype(object), **_plain(dict(means.items()))})
    out["p_value"], out["p_value_adj"] = table["p_value"].to_numpy(), table["p_value_adjusted"].to_numpy()
    return out.sort_values("p_value", kind="stable", ignore_index=True)


def _believed(table: pd.DataFrame, adata: AnnData, key: str) -> pd.DataFrame:
    """Warn where p-values tell nothing apart because nearly all of many sets pass."""
    tested = table["p_value_adj"].notna()
    passed = table.loc[tested, "p_value_adj"] < 0.05
    if tested.sum() >= _MANY and passed.mean() > _NEARLY_ALL:
        smooth = required(adata, key, "tl.chromvar").params.get("source") == "enhanced"
        why = "the enhanced signal is smooth, its p-values are no error rates" if smooth else "there are many cells"
        warn(f"{passed.mean():.0%} of {tested.sum()} tests have an adjusted p below 0.05 ({why}); rank by effect_size")
    return table


def _plain(columns: dict[str, pd.Series]) -> dict[str, np.ndarray]:
    return {name: column.to_numpy() for name, column in columns.items()}


def _chosen(adata: AnnData, sets: Sequence[str] | None, n_top: int, key: str) -> tuple[sparse.csc_matrix, list[str]]:
    """Return the columns of the annotations, and their names."""
    check_adata(adata)
    found = required(adata, key, "tl.chromvar")
    names = [str(name) for name in found.results["names"]]
    check_same_peaks(adata, found, key=key)
    if found.params["source"] != "counts":
        msg = f"key={key!r} holds deviations of the enhanced signal; run sccase_kit.tl.chromvar(source='counts')"
        raise ValueError(msg)
    if sets is None:
        ranked = found.results["variability"]["variability"].sort_values(ascending=False).dropna()
        sets = [str(name) for name in ranked.index[: check_int(n_top, name="n_top", minimum=2)]]
    sets, unknown = all_named([sets] if isinstance(sets, str) else sets, names)
    if unknown:
        msg = f"sets: {unknown[:_SHOWN]} are not among the sets of {key!r}, such as {names[:_SHOWN]}"
        raise KeyError(msg)
    slot = sets_slot(key, found)
    check_key(slot, adata.varm.keys(), name="annotations", where="adata.varm")
    stored: Any = adata.varm[slot]
    matrix = sparse.csc_matrix(stored.to_numpy() if isinstance(stored, pd.DataFrame) else stored, dtype=np.float64)
    matrix = matrix[:, [names.index(name) for name in sets]]
    return matrix, sets


def _background(adata: AnnData, counts: Any, key: str) -> Any:
    """Return the background peaks of the run, or the bins of an analytic one."""
    params = required(adata, key, "tl.chromvar").params
    if params.get("method", "permuted") == "permuted":
        return np.asarray(adata.varm[f"{key}_background"])
    bias = params.get("bias")
    if bias is None:
        msg = f"key={key!r} was computed from GC content that was given as values; store it in adata.var, and run "
        msg += "sccase_kit.tl.chromvar again with bias= its column"
        raise KeyError(msg)
    hint = f"adata.uns[{key!r}] was computed from it; store the GC content there."
    check_key(bias, adata.var.columns, name="bias", where="adata.var", hint=hint)
    return background_bins(totals(counts).per_peak, adata.var[bias].to_numpy(dtype=np.float64))


def _counts(adata: AnnData, layer: str | None, key: str) -> Any:
    read = required(adata, key, "tl.chromvar").params.get("layer")
    return get_matrix(adata, read if layer is None else layer)


def _pairs(square: pd.DataFrame, matrix: sparse.csc_matrix, value: str, *, drop: bool = True) -> pd.DataFrame:
    """Return the upper triangle as rows, highest first; `drop` leaves out NaN."""
    i, j = np.triu_indices(len(square), k=1)
    member = matrix.astype(bool).astype(np.int64)
    shared = (member.T @ member).toarray()[i, j]
    names = square.index.to_numpy(dtype=object)
    table = pd.DataFrame({"set_1": names[i], "set_2": names[j], "n_shared": shared, value: square.to_numpy()[i, j]})
    if drop:
        table = table.dropna(subset=[value])
    return table.sort_values(value, ascending=False, kind="stable", ignore_index=True)
