"""Simulated types with the depths, peak means and sparsity of real counts."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pytest
from scipy import sparse, stats

import sccase_kit as sk
from sccase_kit._record import recorded
from sccase_kit.datasets import _simulate_like
from sccase_kit.datasets._simulate_counts import activate
from sccase_kit.datasets._simulate_like import inflation

TREE = "((A:0.2,B:0.2):0.8,(C:0.6,D:0.6):0.4);"


@pytest.fixture(scope="module")
def real():
    return sk.datasets.toy_study(n_cells=300, n_peaks=1500, depth_sd=0.8).adata


@pytest.fixture(scope="module")
def like(real):
    return sk.datasets.simulate_like(real, 600, tree=TREE, rng=1)


def depth(adata):
    return np.asarray(adata.X.sum(axis=1)).ravel()


def test_fields(like):
    assert like.shape == (600, 1500)
    assert list(like.obs["cell_type"].cat.categories) == list("ABCD")
    assert like.obs["cell_type"].value_counts().tolist() == [150] * 4
    assert isinstance(like.X, sparse.csr_matrix)
    assert like.X.dtype == like.layers["truth"].dtype == np.int32
    np.testing.assert_array_equal(like.obs["depth"], depth(like))
    lost = like.layers["truth"] - like.X
    assert lost.min() >= 0
    assert like.var_names.is_unique
    made = recorded(like.uns["simulation"], "datasets.simulate_like")
    assert made.params["tree"] == TREE
    assert made.objects == ("source",)
    assert made.params["rng"] == 1


def test_distributions_are_those_of_the_source(real, like):
    for ours, theirs in (
        (depth(like), depth(real)),
        (np.diff(like.X.indptr), np.diff(real.X.tocsr().indptr)),
    ):
        assert stats.ks_2samp(ours, theirs).statistic < 0.1
    means, expected = (np.asarray(a.X.mean(axis=0)).ravel() for a in (like, real))
    assert stats.ks_2samp(means, expected[expected > 0]).statistic < 0.12
    assert means.mean() == pytest.approx(expected.mean(), rel=0.1)


def test_types_differ_in_depth_and_in_what_they_lose(real):
    ranges = []
    for seed in range(4):
        adata = sk.datasets.simulate_like(real, 300, tree=TREE, rng=seed)
        medians = adata.obs.groupby("cell_type", observed=True)["depth"].median()
        ranges.append(medians.max() / medians.min())
        assert adata.obs["dropout"].between(0, 0.999).all()
    plain = sk.datasets.simulate(300, 1500, n_types=4)
    flat = plain.obs.groupby("cell_type", observed=True)["depth"].median()
    assert np.median(ranges) > 1.5 > flat.max() / flat.min()


def test_sisters_are_more_alike_than_cousins(real):
    sisters, cousins = [], []
    for seed in range(8):
        adata = sk.datasets.simulate_like(real, 40, tree=TREE, rng=seed, within=0.0)
        latent = adata.obsm["latent"][:, 2:]
        mean = {name: latent[(adata.obs["cell_type"] == name).to_numpy()][0] for name in "ABCD"}
        sisters.append(np.mean((mean["A"] - mean["B"]) ** 2))
        cousins.append(np.mean((mean["A"] - mean["C"]) ** 2))
    # variances of differences: 2 (1 - correlation)
    assert np.mean(sisters) == pytest.approx(2 * (1 - 0.8), rel=0.5)
    assert np.mean(cousins) == pytest.approx(2, rel=0.5)


@pytest.mark.parametrize("activation", ["exp_linear", "exp", "sigmoid"])
def test_the_expectation_is_that_of_the_draws(real, activation):
    draws = [
        sk.datasets.simulate_like(real, 20, 60, tree="(A:1,B:1);", activation=activation, rng=0),
    ]
    expected = sk.datasets.simulated_expectation(draws[0])
    scores = draws[0].obsm["latent"] @ draws[0].varm["loadings"].T
    for i, j in ((0, 0), (3, 7), (19, 59)):
        score = scores[i, j]
        if activation == "exp_linear":
            active = np.exp(score) if score < 4 else np.exp(4) * (score - 3)
        else:
            active = np.exp(score) if activation == "exp" else 1 / (1 + np.exp(-score))
        factor = draws[0].obs["rate"].iloc[i] * draws[0].var["rate"].iloc[j]
        assert expected[i, j] == pytest.approx(active * factor, rel=1e-5)
    truth = draws[0].layers["truth"].toarray()
    z = (truth.sum() - expected.sum()) / np.sqrt(expected.sum())
    assert abs(z) < 4
    part = sk.datasets.simulated_expectation(
        draws[0], obs_names=list(draws[0].obs_names[:3]), var_names=list(draws[0].var_names[5:9])
    )
    np.testing.assert_allclose(part, expected[:3, 5:9])


def test_depth_and_open_peaks_are_met_in_expectation(real):
    adata = sk.datasets.simulate_like(real, 60, tree=TREE, rng=3)
    raised = sk.datasets.simulated_expectation(adata)  # k times the rate
    lost = adata.obs["dropout"].to_numpy()[:, None]
    expected_depth = (raised * (1 - lost)).sum(axis=1)
    z = (depth(adata) - expected_depth) / np.sqrt(((1 - lost) * raised * (1 + lost * raised)).sum(axis=1))
    assert abs(np.mean(z)) < 0.6
    assert np.std(z) < 1.6


def test_inflation_solves_for_the_open_peaks():
    rng = np.random.default_rng(0)
    rate = rng.gamma(0.5, 1, 400)
    before = (1 - np.exp(-rate)).sum()
    for share in (0.9, 0.5, 0.1):
        k = inflation(rate, share * before)
        assert (1 - np.exp(-k * rate)).sum() / k == pytest.approx(share * before, rel=1e-4)
    assert inflation(rate, before + 1) == 1
    assert inflation(rate, 0.0) == 1


def test_without_inflation_nothing_is_lost(real):
    adata = sk.datasets.simulate_like(real, 50, zero_inflation=False)
    assert (adata.X != adata.layers["truth"]).nnz == 0
    assert not adata.obs["dropout"].any()


def test_blocks_do_not_change_the_result(real, monkeypatch):
    whole = sk.datasets.simulate_like(real, 40, 200, rng=5)
    monkeypatch.setattr(_simulate_like, "_ENTRIES_AT_ONCE", 1400)
    parts = sk.datasets.simulate_like(real, 40, 200, rng=5)
    np.testing.assert_allclose(whole.obs["rate"], parts.obs["rate"], rtol=1e-4)
    assert abs(whole.X - parts.X).sum() <= 0.01 * whole.X.sum()


def test_seeds(real):
    ones = [sk.datasets.simulate_like(real, 40, 100, rng=seed).X.toarray() for seed in (0, 0, 1)]
    np.testing.assert_array_equal(ones[0], ones[1])
    assert not np.array_equal(ones[0], ones[2])


def test_proportions_and_size(real):
    adata = sk.datasets.simulate_like(real, 103, 700, tree="(A:1,B:1);", proportions=[3, 1], rng=0)
    sizes = adata.obs["cell_type"].value_counts()
    assert sizes["A"] == pytest.approx(77, abs=2)
    assert np.median(depth(adata)) == pytest.approx(np.median(depth(real)) * 700 / 1500, rel=0.3)
    more = sk.datasets.simulate_like(real, 50, 3000)
    assert more.n_vars == 3000


def test_statistics_of_counts(real):
    found = sk.datasets.CountStatistics.of(real)
    dense = real.X.toarray()
    np.testing.assert_allclose(found.peak_means, dense.mean(axis=0)[dense.any(axis=0)])
    np.testing.assert_allclose(found.depths, dense.sum(axis=1)[dense.any(axis=1)])
    np.testing.assert_allclose(found.n_open, (dense > 0).sum(axis=1)[dense.any(axis=1)])
    again = sk.datasets.simulate_like(found, 40, 100, rng=0)
    np.testing.assert_array_equal(again.X.toarray(), sk.datasets.simulate_like(real, 40, 100, rng=0).X.toarray())
    layered = real.copy()
    layered.layers["counts"] = layered.X.copy()
    layered.X = layered.X * 0
    np.testing.assert_allclose(sk.datasets.CountStatistics.of(layered, layer="counts").depths, found.depths)


def test_typical_statistics_need_no_data():
    adata = sk.datasets.simulate_like(n_cells=100, n_peaks=2000)
    assert list(adata.obs["cell_type"].cat.categories) == list("ABCDE")
    typical = sk.datasets.CountStatistics.typical()
    assert np.median(typical.depths) == pytest.approx(2950, rel=0.01)
    assert np.median(depth(adata)) == pytest.approx(2950 * 2000 / 92_229, rel=0.4)


def test_exp_linear_is_smooth():
    score = np.array([-2.0, 3.999, 4.0, 4.001, 9.0])
    active = activate(score, "exp_linear")
    np.testing.assert_allclose(active[:2], np.exp(score[:2]), rtol=1e-6)
    np.testing.assert_allclose(active[2:], np.exp(4) * (score[2:] - 3), rtol=1e-6)
    assert np.diff(np.log(active)).min() > 0
    plain = sk.datasets.simulate(30, 50, activation="exp_linear")
    assert plain.X.nnz > 0


@pytest.mark.parametrize(
    ("arguments", "error", "why"),
    [
        ({"source": 3}, TypeError, "source must be an AnnData, CountStatistics or None, got 3"),
        ({"layer": "counts"}, ValueError, "layer='counts' is of counts, and source is not given"),
        ({"tree": "(A,B"}, ValueError, "is no tree in Newick format"),
        ({"tree": 5}, TypeError, "tree must be a text"),
        ({"proportions": [1, 2]}, ValueError, r"proportions must be 5 positive numbers \(leaves of the tree\)"),
        ({"n_cells": 4}, ValueError, "n_cells must be at least 5"),
        ({"n_common": 13}, ValueError, "n_common must be at most 12"),
        ({"within": -1}, ValueError, "within"),
        ({"activation": "relu"}, ValueError, "activation must be one of"),
        ({"source": ad.AnnData(np.zeros((3, 4)))}, ValueError, "no counts"),
    ],
)
def test_errors(arguments, error, why):
    with pytest.raises(error, match=why):
        sk.datasets.simulate_like(**({"n_cells": 20, "n_peaks": 50} | arguments))


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        (([], [1], [1]), "peak_means must be"),
        (([1], [1, 2], [1]), "one value per cell"),
        (([1], [1], [2]), "n_open exceeds depths in 1 cells"),
        (([1], [0], [0]), "depths must be"),
        (([np.nan], [1], [1]), "peak_means must be"),
    ],
)
def test_statistics_are_checked(parts, why):
    with pytest.raises(ValueError, match=why):
        sk.datasets.CountStatistics(*(np.array(part, dtype=float) for part in parts))
