"""Filters, expectations, variability, tests of differences, synergy: chromVAR's numbers and plain loops."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse, stats

from sccase_kit.motifs import (
    annotation_correlation,
    annotation_synergy,
    deviations,
    differential_deviations,
    differential_variability,
    expectations,
    filter_peaks,
    filter_samples,
    variability,
)


def load(path):
    with np.load(path) as store:
        return {name: store[name] for name in store.files}


def matrix(data, name):
    parts = (data[f"{name}_data"], data[f"{name}_indices"], data[f"{name}_indptr"])
    return sparse.csc_matrix(parts, shape=data[f"{name}_shape"])


@pytest.fixture(scope="module")
def mini(golden):
    return load(golden / "r" / "chromvar_mini.npz")


@pytest.fixture(scope="module")
def filters(golden):
    data = load(golden / "r" / "chromvar_filters.npz")
    regions = pd.DataFrame({"chrom": data["chrom"], "start": data["start"], "end": data["end"]})
    counts = matrix(data, "counts")
    return sparse.csr_matrix(counts.T if counts.shape[0] == len(regions) else counts), regions, data


def test_filter_of_cells_equals_r(filters):
    counts, _, data = filters
    default = np.flatnonzero(filter_samples(counts, data["depth"])) + 1
    given = np.flatnonzero(filter_samples(counts, data["depth"], min_depth=1500, min_in_peaks=0.15)) + 1
    np.testing.assert_array_equal(default, data["samples_keep_default"])
    np.testing.assert_array_equal(given, data["samples_keep"])


def test_filter_of_peaks_equals_r(filters):
    counts, regions, data = filters
    kept = counts[data["samples_keep"] - 1]
    np.testing.assert_array_equal(np.flatnonzero(filter_peaks(kept, regions)) + 1, data["peaks_keep"])
    few = filter_peaks(kept, non_overlapping=False, min_fragments=3)
    np.testing.assert_array_equal(np.flatnonzero(few) + 1, data["peaks_keep_ge3"])


def test_no_kept_peaks_overlap():
    rng = np.random.default_rng(0)
    start = rng.integers(0, 5_000, 300)
    regions = pd.DataFrame({"chrom": rng.choice(["chr1", "chr2"], 300), "start": start, "end": start + 100})
    mask = filter_peaks(sparse.csr_matrix(rng.poisson(1, (20, 300))), regions)
    kept = regions[mask].sort_values(["chrom", "start"])
    same = kept["chrom"].to_numpy()[1:] == kept["chrom"].to_numpy()[:-1]
    assert (kept["start"].to_numpy()[1:] >= kept["end"].to_numpy()[:-1])[same].all()


def test_filters_say_what_is_missing():
    counts = sparse.csr_matrix(np.ones((3, 4)))
    with pytest.raises(ValueError, match="one value per cell"):
        filter_samples(counts, np.ones(2))
    with pytest.raises(ValueError, match="depth must be positive"):
        filter_samples(counts, np.array([1, 0, 1]))
    with pytest.raises(ValueError, match="non_overlapping=False"):
        filter_peaks(counts)


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("grouped", [False, True])
def test_expectations_equal_r(mini, norm, grouped):
    counts = matrix(mini, "counts").T.tocsr()
    found = expectations(counts, norm=norm, groups=mini["groups"] if grouped else None, compat=True)
    name = "expectation" + ("_group" if grouped else "") + ("_norm" if norm else "")
    np.testing.assert_allclose(found, mini[name], rtol=1e-12, atol=1e-15)


def test_corrected_expectation_of_equal_cells_sums_to_one():
    counts = sparse.csr_matrix(np.random.default_rng(0).poisson(2, (6, 9)) + 1)
    for groups in (None, list("aabbbb")):
        assert expectations(counts, norm=True, compat=False, groups=groups).sum() == pytest.approx(1)
    empty = sparse.csr_matrix(np.array([[0, 0], [1, 2]]))
    with pytest.raises(ValueError, match=r"positions \[0\]; norm=True"):
        expectations(empty, norm=True)


def test_variability_equals_r(mini):
    table = variability(mini["z"].T, n_bootstrap=0)
    np.testing.assert_allclose(table["variability"], mini["variability"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(table["p_value"], mini["variability_p"], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(table["p_value_adj"], mini["variability_padj"], rtol=1e-9, atol=1e-12)


def test_bootstrap_interval_is_that_of_r_within_its_error(mini):
    table = variability(mini["z"].T, n_bootstrap=4000)
    known = np.isfinite(mini["variability"]) & np.isfinite(mini["boot_lo"]) & np.isfinite(mini["boot_hi"])
    assert known.sum() >= 3
    spread = mini["boot_hi"][known] - mini["boot_lo"][known]
    assert (np.abs(table["bootstrap_lower_bound"][known] - mini["boot_lo"][known]) < 0.15 * spread).all()
    assert (np.abs(table["bootstrap_upper_bound"][known] - mini["boot_hi"][known]) < 0.15 * spread).all()


def test_variability_with_gaps_and_its_seed():
    z = np.random.default_rng(0).normal(size=(30, 3))
    z[:5, 1], z[1:, 2] = np.nan, np.inf
    table = variability(z, names=["a", "b", "c"], n_bootstrap=50)
    assert table.loc["b", "variability"] == pytest.approx(np.std(z[5:, 1], ddof=1))
    assert np.isnan(table.loc["c"]).all()
    pd.testing.assert_frame_equal(table, variability(z, names=["a", "b", "c"], n_bootstrap=50))
    with pytest.raises(ValueError, match="n_cells >= 2"):
        variability(z[:1])
    with pytest.raises(ValueError, match="one entry per set"):
        variability(z, names=["a"])


def rows_of(mini):
    rows = mini["row_ok"]
    return mini["dev"][rows].T, mini["z"][rows].T, mini["groups"]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("diffdev_param_p", {}),
        ("diffdev_nonparam_p", {"parametric": False}),
        ("diffdev_less_p", {"alternative": "less"}),
    ],
)
def test_differential_deviations_equal_r(mini, name, options):
    dev, _, groups = rows_of(mini)
    found = differential_deviations(dev, groups, **options)["p_value"]
    np.testing.assert_allclose(found, mini[name], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("parametric", [True, False])
def test_differential_variability_equals_r(mini, parametric):
    _, z, groups = rows_of(mini)
    name = "diffvar_param_p" if parametric else "diffvar_nonparam_p"
    found = differential_variability(z, groups, parametric=parametric)["p_value"]
    np.testing.assert_allclose(found, mini[name], rtol=1e-9, atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_three_groups_equal_scipy(seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(40, 2)) * [1, 3]
    groups = rng.permutation(["a"] * 12 + ["b"] * 13 + ["c"] * 15)
    parts = [values[groups == g] for g in "abc"]
    kruskal = [stats.kruskal(*(p[:, k] for p in parts)).pvalue for k in range(2)]
    found = differential_deviations(values, groups, parametric=False)
    np.testing.assert_allclose(found["p_value"], kruskal, rtol=1e-9)
    levene = [stats.levene(*(p[:, k] for p in parts), center="median").pvalue for k in range(2)]
    np.testing.assert_allclose(differential_variability(values, groups)["p_value"], levene, rtol=1e-9)
    np.testing.assert_allclose(found["mean_b"], parts[1].mean(axis=0))


def test_two_groups_with_gaps_equal_scipy():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(30, 3))
    values[:4, 0], values[:, 2] = np.nan, np.nan
    groups = np.array(["x", "y"] * 15)
    found = differential_deviations(values, groups)
    x, y = values[groups == "x", 0], values[groups == "y", 0]
    expected = stats.ttest_ind(x[~np.isnan(x)], y[~np.isnan(y)], equal_var=False)
    assert found["p_value"].iloc[0] == pytest.approx(expected.pvalue)
    assert np.isnan(found["p_value"].iloc[2])
    assert found["difference"].iloc[0] == pytest.approx(np.nanmean(x) - np.nanmean(y))


def test_differences_say_what_is_wrong():
    values = np.zeros((4, 2))
    with pytest.raises(ValueError, match="needs two groups, got 3"):
        differential_deviations(values, list("abcc"), alternative="less")
    with pytest.raises(ValueError, match="groups"):
        differential_deviations(values, list("aaaa"))
    with pytest.raises(ValueError, match="n_cells, n_sets"):
        differential_deviations(np.zeros(4), list("aabb"))


@pytest.fixture(scope="module")
def pairs():
    rng = np.random.default_rng(2)
    counts = sparse.csr_matrix(rng.poisson(1.2, (25, 80)) + (np.arange(80) == 0))
    sets = rng.random((80, 3)) < 0.4
    return counts, sets, rng.integers(0, 80, (80, 15))


def test_correlation_leaves_shared_peaks_out(pairs):
    counts, sets, background = pairs
    table = annotation_correlation(counts, sparse.csr_matrix(sets), background, names=list("abc"))
    for i, j in combinations(range(3), 2):
        own = np.column_stack([sets[:, i] & ~sets[:, j], sets[:, j] & ~sets[:, i]])
        dev = deviations(counts, sparse.csr_matrix(own), background).deviations
        assert table.iloc[i, j] == pytest.approx(np.corrcoef(dev.T)[0, 1])
    np.testing.assert_array_equal(np.diag(table), 1)
    np.testing.assert_array_equal(table, table.T)


def test_synergy_compares_with_subsets_of_the_more_variable_set(pairs):
    """Against the definition, with many draws, within the error of the draws.

    Of n draws the mean has the standard error σ / √n and the standard deviation σ the error σ / √(2n), so that the
    value v = (s − mean) / σ has √((1 + v² / 2) / n); two estimates from draws of their own differ by √2 of it.
    Of three pairs one is off by more than 3 of these with 0.8 % probability, and the seeds are fixed.
    """
    n_draws = 3000
    counts, sets, background = pairs
    table = annotation_synergy(counts, sparse.csr_matrix(sets), background, n_draws=n_draws)

    def spreads(masks):
        return np.nanstd(deviations(counts, sparse.csr_matrix(masks), background).z, axis=0, ddof=1)

    rng = np.random.default_rng(1)
    own = spreads(sets)
    for i, j in combinations(range(3), 2):
        shared = sets[:, i] & sets[:, j]
        larger = i if own[i] >= own[j] else j
        members = np.flatnonzero(sets[:, larger])
        masks = np.zeros((80, n_draws), bool)
        for mask in masks.T:
            mask[rng.choice(members, shared.sum(), replace=False)] = True
        drawn = spreads(masks)
        expected = (spreads(shared[:, None])[0] - np.mean(drawn)) / np.std(drawn, ddof=1)
        error = np.sqrt(2 * (1 + expected**2 / 2) / n_draws)
        assert table.iloc[i, j] == pytest.approx(expected, abs=3 * error)
    np.testing.assert_array_equal(np.diag(table), 0)


def test_pairs_say_what_is_wrong(pairs):
    counts, sets, background = pairs
    for function in (annotation_correlation, annotation_synergy):
        with pytest.raises(ValueError, match="at least 2 sets"):
            function(counts, sparse.csr_matrix(sets[:, :1]), background)


def test_disjoint_sets_have_no_synergy(pairs):
    counts, _, background = pairs
    sets = np.zeros((80, 2), bool)
    sets[:20, 0], sets[20:50, 1] = True, True
    table = annotation_synergy(counts, sparse.csr_matrix(sets), background)
    assert np.isnan(table.iloc[0, 1])
