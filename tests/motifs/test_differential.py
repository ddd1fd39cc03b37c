"""Tests between groups against SciPy and Welch's formulas, with values missing."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sccase_kit.motifs import differential_deviations, differential_variability


@pytest.fixture
def cells():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(90, 6)) * np.linspace(0.5, 2, 90)[:, None]
    values[:, 1] += np.repeat([0, 1, 0], 30)
    values[::7, 2] = np.nan
    values[:30, 3] = np.nan  # unknown in a whole group
    values[:, 4] = np.round(values[:, 4])  # ties
    values[:, 5] = 1.0  # constant
    return values, np.repeat(["a", "b", "c"], 30)


def known(values, groups):
    return [values[(groups == g) & ~np.isnan(values)] for g in np.unique(groups)]


@pytest.mark.parametrize("alternative", ["two-sided", "less", "greater"])
def test_two_groups(cells, alternative):
    values, groups = (part[:60] for part in cells)
    table = differential_deviations(values, groups, alternative=alternative, names=list("uvwxyz"))
    ranks = differential_deviations(values, groups, alternative=alternative, parametric=False)
    assert table.index.tolist() == list("uvwxyz")
    for k in (0, 1, 2, 4):
        a, b = known(values[:, k], groups)
        welch = stats.ttest_ind(a, b, equal_var=False, alternative=alternative).pvalue
        assert table["p_value"].iloc[k] == pytest.approx(welch, rel=1e-10)
        method = "asymptotic" if k == 4 else "exact"
        rank_sum = stats.mannwhitneyu(a, b, alternative=alternative, method=method).pvalue
        assert ranks["p_value"].iloc[k] == pytest.approx(rank_sum, rel=1e-10)
        assert table["difference"].iloc[k] == pytest.approx(a.mean() - b.mean())
    for result in (table, ranks):
        assert np.isnan(result[["p_value", "mean_a", "difference"]].iloc[3]).all()
    assert ranks["p_value"].iloc[5] == 1


def test_three_groups(cells):
    values, groups = cells
    table, ranks = (differential_deviations(values, groups, parametric=p) for p in (True, False))
    for k in (0, 1, 2):
        parts = known(values[:, k], groups)
        n, mean, variance = (np.array([f(p) for p in parts]) for f in (len, np.mean, lambda p: np.var(p, ddof=1)))
        w = n / variance  # Welch, Biometrika 1951
        centre = (w * mean).sum() / w.sum()
        tau = ((1 - w / w.sum()) ** 2 / (n - 1)).sum()
        f = (w * (mean - centre) ** 2).sum() / 2 / (1 + 2 * 1 * tau / 8)
        assert table["p_value"].iloc[k] == pytest.approx(stats.f.sf(f, 2, 8 / (3 * tau)), rel=1e-10)
        assert ranks["p_value"].iloc[k] == pytest.approx(stats.kruskal(*parts).pvalue, rel=1e-10)
    assert np.isnan(table["p_value"].iloc[3])
    assert np.isnan(ranks["p_value"].iloc[3])
    assert "difference" not in table


@pytest.mark.parametrize("n", [60, 90])
def test_variability(cells, n):
    values, groups = (part[:n] for part in cells)
    table = differential_variability(values, groups)
    ranks = differential_variability(values, groups, parametric=False)
    for k in (0, 1, 2):
        parts = known(values[:, k], groups)
        assert table["p_value"].iloc[k] == pytest.approx(stats.levene(*parts, center="median").pvalue, rel=1e-10)
        assert table["variability_b"].iloc[k] == pytest.approx(parts[1].std(ddof=1))
    assert np.isnan(table["p_value"].iloc[3])
    assert np.isnan(ranks["p_value"].iloc[5])


def test_variability_by_ranks(cells):
    """With an odd number of cells the median is one of them: no two distances are equal but for rounding."""
    values, groups = (part[np.arange(90) % 30 > 0] for part in cells)
    ranks = differential_variability(values, groups, parametric=False)
    for k in (0, 1):
        distances = [np.abs(p - np.median(p)) for p in known(values[:, k], groups)]
        assert ranks["p_value"].iloc[k] == pytest.approx(stats.kruskal(*distances).pvalue, rel=1e-10)


@pytest.mark.parametrize(
    ("values", "groups", "options", "match"),
    [
        (np.zeros(4), list("aabb"), {}, r"deviations must have shape \(n_cells, n_sets\), got \(4,\)"),
        (np.zeros((4, 1)), list("aab"), {}, r"groups must have one value per cell \(4\), got 3"),
        (np.zeros((4, 1)), list("aaaa"), {}, "at least 2 are needed"),
        (np.zeros((4, 1)), ["a", "a", None, "b"], {}, "groups: 1 of 4 cells have no label"),
        (np.zeros((4, 1)), pd.Categorical(["a", "a", None, "b"]), {}, "groups: 1 of 4 cells have no label"),
        (np.zeros((4, 1)), list("aabb"), {"names": ["x", "y"]}, r"one entry per set \(1\), got 2"),
        (np.zeros((4, 1)), list("aabc"), {"alternative": "less"}, "'less' needs two groups, got 3"),
        (np.zeros((4, 1)), list("aabb"), {"alternative": "more"}, "alternative"),
    ],
)
def test_what_is_wrong_is_said(values, groups, options, match):
    with pytest.raises(ValueError, match=match):
        differential_deviations(values, groups, **options)


def test_groups_of_any_type_keep_their_order():
    """Labels that cannot be sorted stay in the order in which they come; categories keep theirs."""
    values = np.arange(8.0)[:, None]
    mixed = differential_deviations(values, [(1,), (1,), "b", "b", 3, 3, None.__class__, None.__class__])
    assert mixed.filter(like="mean_").columns.tolist() == ["mean_(1,)", "mean_b", "mean_3", "mean_<class 'NoneType'>"]
    ordered = pd.Categorical(list("aabbbbaa"), categories=["b", "unused", "a"])
    assert differential_deviations(values, ordered).columns[2:4].tolist() == ["mean_b", "mean_a"]
