"""Differences of deviations and of their variability between groups of cells.

chromVAR's ``differentialDeviations`` and ``differentialVariability`` (chromVAR 1.5.0), vectorised over sets. NaN are
left out cell by cell; where that leaves a group too small the p-value is NaN. (The R functions stop instead.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
import pandas as pd
import scipy

from .._adjust import benjamini_hochberg
from .._arguments import Numbers, checked
from .._labels import encode_labels
from .._validate import check_choice

_EXACT_BELOW = 50


@checked(deviations=Numbers("cells sets"))
def differential_deviations(
    deviations: np.ndarray,
    groups: Iterable[object],
    *,
    names: Sequence[str] | None = None,
    alternative: Literal["two-sided", "less", "greater"] = "two-sided",
    parametric: bool = True,
) -> pd.DataFrame:
    """Test whether the deviations of each set differ between groups.

    Two groups: Welch's t-test, or the Wilcoxon rank-sum test (exact below 50 cells per group without ties, otherwise
    normal with continuity correction). More groups: Welch's analysis of variance, or Kruskal–Wallis.

    Parameters
    ----------
    deviations
        Bias-corrected deviations (not z), shape (n_cells, n_sets).
    groups
        Group of each cell.
    names
        Names of the sets, the index of the result.
    alternative
        For two groups: `"less"` means that the first group (in category or sorted order) is lower.
    parametric
        Whether to use the parametric test.

    Returns
    -------
    DataFrame with one row per set: `p_value`, `p_value_adjusted` (Benjamini–Hochberg), the mean of every group
    (``mean_<group>``), for two groups `difference` (first minus second), and `effect_size`, which does not grow with
    the number of cells: Cohen's d of two groups (difference in pooled standard deviations), the explained share of the
    variance (η²) of more.

    Raises
    ------
    ValueError
        If groups do not fit, are fewer than two, or `alternative` is not `"two-sided"` with more than two.
    """
    values, codes, found = _check(deviations, groups, "deviations")
    check_choice(alternative, ["two-sided", "less", "greater"], name="alternative")
    if len(found) > 2 and alternative != "two-sided":
        msg = f"alternative={alternative!r} needs two groups, got {len(found)}"
        raise ValueError(msg)
    parts = [values[codes == k] for k in range(len(found))]
    if len(found) == 2:
        first, second = parts
        pvalues = (_welch_t if parametric else _rank_sum)(first, second, alternative)
    else:
        pvalues = (_welch_anova if parametric else _kruskal)(parts)
    table = _table(pvalues, names)
    with np.errstate(invalid="ignore"):
        means = [np.where((n := _count(p)) > 0, np.nansum(p, axis=0) / np.maximum(n, 1), np.nan) for p in parts]
    for group, mean in zip(found, means, strict=True):
        table[f"mean_{group}"] = mean
    if len(found) == 2:
        table["difference"] = means[0] - means[1]
    table["effect_size"] = _effect_size(parts)
    return table


@checked(z=Numbers("cells sets"))
def differential_variability(
    z: np.ndarray,
    groups: Iterable[object],
    *,
    names: Sequence[str] | None = None,
    parametric: bool = True,
) -> pd.DataFrame:
    """Test whether the variability of each set differs between groups.

    Brown–Forsythe: analysis of variance of the distances to the median of the group; or Kruskal–Wallis on them.

    Parameters
    ----------
    z
        z-scores, shape (n_cells, n_sets).
    groups
        Group of each cell.
    names
        Names of the sets, the index of the result.
    parametric
        Whether to use the parametric test.

    Returns
    -------
    DataFrame with one row per set: `p_value`, `p_value_adjusted` and the standard deviation of every group
    (``variability_<group>``).

    Raises
    ------
    ValueError
        If groups do not fit or are fewer than two.
    """
    values, codes, found = _check(z, groups, "z")
    parts = [values[codes == k] for k in range(len(found))]
    distances = [np.abs(part - _nanmedian(part)) for part in parts]
    table = _table((_anova if parametric else _kruskal)(distances), names)
    for group, part in zip(found, parts, strict=True):
        table[f"variability_{group}"] = np.sqrt(_moments(part)[2])
    return table


def _check(values: np.ndarray, groups: Iterable[object], name: str) -> tuple[np.ndarray, np.ndarray, list]:
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 2:
        msg = f"{name} must have shape (n_cells, n_sets), got {values.shape}"
        raise ValueError(msg)
    codes, found = encode_labels(groups, len(values), name="groups", min_groups=2)
    return np.where(np.isfinite(values), values, np.nan), codes, found


def _table(pvalues: np.ndarray, names: Sequence[str] | None) -> pd.DataFrame:
    if names is not None and len(names) != len(pvalues):
        msg = f"names must have one entry per set ({len(pvalues)}), got {len(names)}"
        raise ValueError(msg)
    return pd.DataFrame(
        {"p_value": pvalues, "p_value_adjusted": benjamini_hochberg(pvalues)},
        index=None if names is None else pd.Index(names),
    )


def _count(values: np.ndarray) -> np.ndarray:
    return np.count_nonzero(~np.isnan(values), axis=0)


def _nanmedian(values: np.ndarray) -> np.ndarray:
    median = np.full(values.shape[1], np.nan)
    known = _count(values) > 0
    if known.any():
        median[known] = np.nanmedian(values[:, known], axis=0)
    return median


def _moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return number, mean and variance (ddof 1) of the values that are not NaN, per column."""
    n = _count(values).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nansum(values, axis=0) / n
        variance = np.nansum((values - mean) ** 2, axis=0) / (n - 1)
    return n, np.where(n > 0, mean, np.nan), np.where(n > 1, variance, np.nan)


def _effect_size(parts: list[np.ndarray]) -> np.ndarray:
    """Return Cohen's d of two groups, η² of more, per column."""
    n, mean, variance = (np.stack(rows) for rows in zip(*(_moments(part) for part in parts), strict=True))
    with np.errstate(invalid="ignore", divide="ignore"):
        within = ((n - 1) * variance).sum(axis=0)
        if len(parts) == 2:
            return (mean[0] - mean[1]) / np.sqrt(within / (n.sum(axis=0) - 2))
        between = (n * (mean - (n * mean).sum(axis=0) / n.sum(axis=0)) ** 2).sum(axis=0)
        return between / (between + within)


def _welch_t(a: np.ndarray, b: np.ndarray, alternative: str) -> np.ndarray:
    (n1, m1, v1), (n2, m2, v2) = _moments(a), _moments(b)
    with np.errstate(invalid="ignore", divide="ignore"):
        s1, s2 = v1 / n1, v2 / n2
        t = (m1 - m2) / np.sqrt(s1 + s2)
        df = (s1 + s2) ** 2 / (s1**2 / (n1 - 1) + s2**2 / (n2 - 1))
    if alternative == "less":
        return scipy.stats.t.cdf(t, df)
    if alternative == "greater":
        return scipy.stats.t.sf(t, df)
    return 2 * scipy.stats.t.sf(np.abs(t), df)


def _welch_anova(parts: list[np.ndarray]) -> np.ndarray:
    n, mean, variance = (np.array(v) for v in zip(*map(_moments, parts), strict=True))
    k = len(parts)
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = n / variance
        total = weight.sum(axis=0)
        centre = (weight * mean).sum(axis=0) / total
        spread = ((1 - weight / total) ** 2 / (n - 1)).sum(axis=0) / (k**2 - 1)
        f = (weight * (mean - centre) ** 2).sum(axis=0) / ((k - 1) * (1 + 2 * (k - 2) * spread))
        return scipy.stats.f.sf(f, k - 1, 1 / (3 * spread))


def _anova(parts: list[np.ndarray]) -> np.ndarray:
    n, mean, variance = (np.array(v) for v in zip(*map(_moments, parts), strict=True))
    with np.errstate(invalid="ignore", divide="ignore"):
        total = n.sum(axis=0)
        centre = (n * mean).sum(axis=0) / total
        between = (n * (mean - centre) ** 2).sum(axis=0) / (len(parts) - 1)
        within = np.where(n > 1, (n - 1) * variance, 0.0).sum(axis=0) / (total - len(parts))
        p = scipy.stats.f.sf(between / within, len(parts) - 1, total - len(parts))
    return np.where((n > 0).all(axis=0), p, np.nan)


def _rank_sum(a: np.ndarray, b: np.ndarray, alternative: str) -> np.ndarray:
    out = np.full(a.shape[1], np.nan)
    for k in range(a.shape[1]):
        x, y = a[~np.isnan(a[:, k]), k], b[~np.isnan(b[:, k]), k]
        if not len(x) or not len(y):
            continue
        together = np.concatenate([x, y])
        if together.min() == together.max():
            out[k] = 1.0
            continue
        exact = max(len(x), len(y)) < _EXACT_BELOW and len(np.unique(together)) == len(together)
        method = "exact" if exact else "asymptotic"
        out[k] = scipy.stats.mannwhitneyu(x, y, alternative=alternative, method=method).pvalue
    return out


def _kruskal(parts: list[np.ndarray]) -> np.ndarray:
    out = np.full(parts[0].shape[1], np.nan)
    for k in range(len(out)):
        samples = [_to_15_digits(part[~np.isnan(part[:, k]), k]) for part in parts]
        together = np.concatenate(samples)
        if all(map(len, samples)) and together.min() < together.max():
            out[k] = scipy.stats.kruskal(*samples).pvalue
    return out


def _to_15_digits(values: np.ndarray) -> np.ndarray:
    """Round to 15 significant digits, within which R's kruskal.test counts values as tied.

    The two middle values of a group of even size have the same distance to its median, but for rounding.
    """
    size = np.where(values == 0, 1.0, np.abs(values))
    unit = 10.0 ** (np.floor(np.log10(size)) - 14)
    return np.rint(values / unit) * unit
