"""Mixtures fitted to open entries, against the steps written out densely; and what hidden entries choose."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

import sccase_kit as sk
from sccase_kit.enhance.choosing import likelihood_weights
from sccase_kit.enhance.experts import stretched
from sccase_kit.enhance.mixture import Mixtures, climb, climb_each, peak_shares, start
from sccase_kit.matrix.operator import ScaledOperator


@pytest.fixture
def counts():
    rng = np.random.default_rng(0)
    x = rng.poisson(0.5, (40, 60))
    x[:, 0] += 1
    return x


def unit(values, axis):
    return values / values.sum(axis=axis, keepdims=True)


def test_a_step_is_that_of_the_formulas(counts):
    rng = np.random.default_rng(1)
    b = (counts > 0).astype(float)
    theta = np.hstack([unit(rng.random((40, k)), 1) for k in (2, 3)])
    phi = unit(rng.random((60, 5)), 0)
    kernel = unit(rng.random((40, 40)) * (rng.random((40, 40)) < 0.2) + np.eye(40), 1)
    op = ScaledOperator(sparse.csr_matrix(counts))
    mean, n_entries = peak_shares(op)
    np.testing.assert_allclose(mean, b.sum(axis=0) / b.sum())
    first = Mixtures(theta.astype(np.float32), phi.astype(np.float32), (2, 3))
    options = {"alpha": 7.0, "beta": 0.1, "mean": mean, "n_entries": n_entries}
    found = climb(op, first, sparse.csr_matrix(kernel), **options, n_passes=2)
    for _ in range(2):
        new_theta, new_phi = [], []
        for part, k in ((slice(0, 2), 2), (slice(2, 5), 3)):
            t, f = theta[:, part], phi[:, part]
            ratio = b / (t @ f.T)
            cells, peaks = t * (ratio @ f), f * (ratio.T @ t)
            new_theta.append(unit(cells + 7 * unit(kernel @ cells, 1), 1))
            new_phi.append(unit(peaks + 0.1 * n_entries / k * mean[:, None], 0))
        theta, phi = np.hstack(new_theta), np.hstack(new_phi)
    np.testing.assert_allclose(found.theta, theta, rtol=1e-4)
    np.testing.assert_allclose(found.phi, phi, rtol=1e-4)


def test_threads_and_blocks_do_not_matter(counts, monkeypatch):
    from sccase_kit.enhance import mixture

    op = ScaledOperator(sparse.csr_matrix(counts))
    mean, n_entries = peak_shares(op)
    first = start(op, [np.random.default_rng(2).random((40, 3))], mean)
    np.testing.assert_allclose(first.phi.sum(axis=0), 1, rtol=1e-5)
    options = {"alpha": 5.0, "mean": mean, "n_entries": n_entries}
    kernel = sparse.identity(40, format="csr")
    whole = climb(op, first, kernel, **options)
    monkeypatch.setattr(mixture, "_ENTRIES_PER_PIECE", 90)
    with sk.settings.override(n_threads=3):
        parts = climb(op, first, kernel, **options)
    np.testing.assert_allclose(parts.theta, whole.theta, rtol=1e-5)
    np.testing.assert_allclose(parts.phi, whole.phi, rtol=1e-5)


def test_weights_go_to_what_is_likely():
    rng = np.random.default_rng(0)
    good, poor = rng.gamma(20, 0.1, 500), rng.gamma(2, 0.2, 500)
    weights = likelihood_weights(np.column_stack([good, poor, np.ones(500)]))
    assert weights[0] > 0.9
    assert weights.sum() == pytest.approx(1)


def test_stretching():
    phi, mean = unit(np.array([[0.5, 0.1], [0.3, 0.3], [0.2, 0.6]]), 0), np.array([0.3, 0.3, 0.4])
    np.testing.assert_allclose(stretched(phi, mean, 1.0), phi)
    np.testing.assert_allclose(stretched(phi, mean, 0.0), np.column_stack([mean, mean]))
    far = stretched(phi, mean, 3.0)
    np.testing.assert_allclose(far.sum(axis=0), 1)
    assert (far > 0).all()


def simulated(effect, seed=0):
    """Three types whose peaks differ by `effect` in the log of their openness, 70 entries a cell."""
    rng = np.random.default_rng(seed)
    base = rng.gamma(1.0, 1.0, 1000) + 0.05
    profiles = base * np.exp(effect * rng.standard_normal((3, 1000)) * (rng.random((3, 1000)) < 0.3))
    profiles = unit(profiles, 1)[rng.integers(3, size=300)]
    return sparse.csr_matrix((rng.random((300, 1000)) < 1 - np.exp(-70 * profiles)).astype(np.int32))


@pytest.mark.parametrize("effect", [0.0, 1.5])
def test_without_signal_the_mean_is_said(effect):
    import anndata as ad

    adata = ad.AnnData(simulated(effect))
    adata = adata[:, np.asarray((adata.X > 0).sum(axis=0)).ravel() >= 8].copy()
    result = sk.metrics.held_out(adata, {"enhance": sk.tl.enhance}, n_splits=1, min_cells=1).table.loc["enhance"]
    if effect == 0:
        assert result["gain"] > -2e-3
    else:
        assert result["gain"] > 10 * result["se"]
        assert 0.8 < result["slope"] < 1.25


@pytest.mark.parametrize("bank", [(3,), (2, 8, 13), (2, 3, 4, 6, 8, 12, 20), (2, 5, 8, 12, 20, 64), (1,) * 16])
def test_lanes_hold_every_mixture_and_zeros(bank):
    from sccase_kit.enhance.mixture_kernels import LANES, Lanes

    lanes, values = Lanes(bank), 1 + np.random.default_rng(0).random((2, sum(bank)))
    spread = lanes.spread(values)
    assert lanes.width % LANES == 0
    np.testing.assert_allclose(spread[:, lanes.slots], values, rtol=1e-6)
    assert np.count_nonzero(spread) == values.size
    sums = spread.reshape(2, -1, LANES).sum(axis=1)
    for mask, step in zip(lanes.masks, (1, 2, 4, 8), strict=True):
        sums = sums + mask * sums[:, np.arange(LANES) ^ step]
    own = np.split(lanes.slots % LANES, np.cumsum(bank)[:-1])
    for at, part in zip(own, np.split(values, np.cumsum(bank)[:-1], axis=1), strict=True):
        np.testing.assert_allclose(sums[:, at], np.repeat(part.sum(axis=1, keepdims=True), len(at), axis=1), rtol=1e-5)


def test_several_pulls_share_the_first_step(counts):
    op = ScaledOperator(sparse.csr_matrix(counts))
    mean, n_entries = peak_shares(op)
    first = start(op, [np.random.default_rng(2).random((40, k)) for k in (3, 5)], mean)
    kernel = sparse.csr_matrix(unit(np.random.default_rng(3).random((40, 40)), 1))
    options = {"mean": mean, "n_entries": n_entries, "n_passes": 3}
    for alpha, found in zip((5.0, 50.0), climb_each(op, first, kernel, alphas=(5.0, 50.0), **options), strict=True):
        alone = climb(op, first, kernel, alpha=alpha, **options)
        np.testing.assert_array_equal(found.theta, alone.theta)
        np.testing.assert_array_equal(found.phi, alone.phi)
    assert not np.allclose(found.theta, climb(op, first, kernel, alpha=5.0, **options).theta)


@pytest.mark.parametrize("by_peaks", [False, True])
def test_one_step_for_several_pulls_and_a_second_for_one(counts, by_peaks, monkeypatch):
    from sccase_kit.enhance import mixture

    monkeypatch.setattr(mixture, "by_peaks_pays", lambda _op: by_peaks)
    op = ScaledOperator(sparse.csr_matrix(counts))
    mean, n_entries = peak_shares(op)
    first = start(op, [np.random.default_rng(2).random((40, k)) for k in (3, 5)], mean)
    before = first.phi.copy()
    kernel = sparse.csr_matrix(unit(np.random.default_rng(3).random((40, 40)), 1))
    options = {"mean": mean, "n_entries": n_entries}
    low, high = climb_each(op, first, kernel, alphas=(5.0, 50.0), n_passes=1, **options)
    assert low.phi is high.phi
    assert not np.allclose(low.theta, high.theta)
    np.testing.assert_array_equal(first.phi, before)
    shared = low.phi.copy()
    second = climb(op, high, kernel, alpha=50.0, n_passes=1, **options)
    np.testing.assert_array_equal(low.phi, shared)
    whole = climb(op, first, kernel, alpha=50.0, n_passes=2, **options)
    np.testing.assert_allclose(second.theta, whole.theta, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(second.phi, whole.phi, rtol=1e-5, atol=1e-8)


def test_slabs_of_peaks_do_not_matter(counts, monkeypatch):
    from sccase_kit.enhance import mixture

    op = ScaledOperator(sparse.csr_matrix(counts))
    mean, n_entries = peak_shares(op)
    first = start(op, [np.random.default_rng(2).random((40, k)) for k in (3, 11)], mean)
    options = {"alpha": 5.0, "mean": mean, "n_entries": n_entries}
    kernel = sparse.identity(40, format="csr")
    whole = climb(op, first, kernel, **options)
    monkeypatch.setattr(mixture, "_SLAB_BYTES", 2 * 4 * 24 * 20)
    parts = climb(op, first, kernel, **options)
    np.testing.assert_allclose(parts.theta, whole.theta, rtol=1e-5)
    np.testing.assert_allclose(parts.phi, whole.phi, rtol=1e-5)


def typed_counts(seed=0):
    """120 cells of two types, 200 peaks, and a reference of the types."""
    rng = np.random.default_rng(seed)
    open_in = np.where(np.arange(200) % 2 == np.array([[0], [1]]), 0.4, 0.1)
    x = rng.random((120, 200)) < open_in[np.arange(120) % 2]
    return sparse.csr_matrix(x.astype(np.int32)), rng.poisson(300 * open_in)


def test_expected_accessibility_with_depth_is_that_without():
    import anndata as ad

    counts, _ = typed_counts()
    plain, depth = ad.AnnData(counts), ad.AnnData(counts)
    sk.tl.enhance(plain)
    sk.tl.enhance(depth, depth=True)
    assert not np.allclose(sk.get.enhanced(plain), sk.get.enhanced(depth))
    found, wanted = (sk.get.enhanced(adata, scale="counts") for adata in (depth, plain))
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_a_reference_is_one_more_expert():
    import anndata as ad

    counts, groups = typed_counts()
    adata = ad.AnnData(counts)
    sk.tl.enhance(adata, reference=ad.AnnData(groups, var=adata.var[[]]))
    expected = adata.uns["sccase"]["expected"]
    assert expected["components"][-1] == 2
    assert expected["weights"].shape == (3, len(expected["components"]))
    assert expected["weights"][:, -1].sum() > 0.02  # the types are two
    np.testing.assert_allclose(sk.get.enhanced(adata, scale="accessibility").sum(axis=1), 1e4, rtol=1e-3)


def test_it_is_said_where_the_stage_is_skipped():
    import anndata as ad

    counts, _ = typed_counts()
    adata = ad.AnnData(counts)
    adata.obs["batch"] = np.where(np.arange(120) < 60, "a", "b")
    sk.tl.enhance(adata, batch_key="batch")
    assert adata.uns["sccase"]["expected_skipped"].startswith("batch_key")
    assert "sccase_shares" not in adata.obsm
    few = ad.AnnData(counts[:30])
    sk.tl.enhance(few)
    assert few.uns["sccase"]["expected_skipped"].startswith("too few")


@pytest.mark.parametrize("effect", [0.5, 1.0])
def test_weak_signals_are_not_worse_than_under_the_papers_model(effect):
    import anndata as ad

    adata = ad.AnnData(simulated(effect, seed=1))
    adata = adata[:, np.asarray((adata.X > 0).sum(axis=0)).ravel() >= 8].copy()
    methods = {"default": sk.tl.enhance, "sccase": lambda a, rng: sk.tl.enhance(a, 3, method="sccase", rng=rng)}
    gain = sk.metrics.held_out(adata, methods, n_splits=2, min_cells=1, n_boot=2).table["gain"]
    assert gain["default"] > (0.95 * gain["sccase"] if gain["sccase"] > 0 else -2e-3)  # there the mean is said


@pytest.mark.parametrize("n_threads", [1, 3])
def test_steps_by_peaks_are_those_by_cells(counts, n_threads, monkeypatch):
    from sccase_kit.enhance import mixture

    stored = sparse.csr_matrix(counts)
    stored.data[::9] = 0  # stored zeros are closed
    op = ScaledOperator(stored)
    mean, n_entries = peak_shares(op)
    first = start(op, [np.random.default_rng(2).random((40, k)) for k in (3, 11)], mean)
    kernel = sparse.csr_matrix(unit(np.random.default_rng(3).random((40, 40)), 1))
    options = {"alpha": 5.0, "mean": mean, "n_entries": n_entries}
    cells = climb(op, first, kernel, **options)
    monkeypatch.setattr(mixture, "by_peaks_pays", lambda _op: True)
    monkeypatch.setattr(mixture, "_ENTRIES_PER_PIECE", 90)
    with sk.settings.override(n_threads=n_threads):
        peaks = climb(op, first, kernel, **options)
    np.testing.assert_allclose(peaks.theta, cells.theta, rtol=1e-5)
    np.testing.assert_allclose(peaks.phi, cells.phi, rtol=1e-5)
