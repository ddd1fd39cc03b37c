"""scABC: the R package's numbers, a plain-loop reference, and inputs on which the R package dies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse, stats

from sccase_kit.motifs import scabc_pvalues
from sccase_kit.motifs.scabc import scabc_from_sums


@pytest.mark.parametrize("name", ["true2", "landmarks2", "landmarks4"])
def test_equals_r(golden, name):
    ref = np.load(golden / "r" / f"scabc_testData_{name}.npz")
    peaks_by_cells = sparse.csc_matrix((ref["FG_data"], ref["FG_indices"], ref["FG_indptr"]), shape=ref["FG_shape"])
    result = scabc_pvalues(peaks_by_cells.T, ref["background_medians"], ref["labels"], compat=True)
    np.testing.assert_allclose(result.pvalues, ref["pvalue"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(result.beta, ref["betaMAP"], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(result.sigma, ref["sigmas"], rtol=1e-9)
    np.testing.assert_array_equal(np.isnan(result.beta_mle), np.isnan(ref["betaMLE"]))
    np.testing.assert_allclose(result.beta_mle, ref["betaMLE"], rtol=1e-9, atol=1e-9)
    safe = scabc_pvalues(peaks_by_cells.T, ref["background_medians"], ref["labels"])
    np.testing.assert_allclose(safe.pvalues, ref["pvalue"], rtol=0, atol=1e-7)


@pytest.fixture
def study():
    rng = np.random.default_rng(3)
    labels = np.array(["b", "a", "c"])[rng.integers(3, size=60)]
    depth = rng.uniform(1, 20, 60)
    rate = rng.gamma(1, 0.2, size=(3, 25)) + 0.02
    counts = rng.poisson(depth[:, None] * rate[np.searchsorted(["a", "b", "c"], labels)])
    return counts, depth, labels


def _loop(counts, depth, labels, sigma):
    """Newton with dense design matrices and cells as rows, one peak at a time."""
    groups = sorted(set(labels))
    design = np.column_stack([np.ones(len(labels)), *[labels == g for g in groups]]).astype(float)
    prior = np.diag([0, *(1 / sigma**2)])
    pvalues = np.empty((counts.shape[1], len(groups)))
    for p, y in enumerate(counts.T):
        beta = np.zeros(design.shape[1])
        beta[0] = np.log(y.sum() / depth.sum())
        for _ in range(200):
            mean = depth * np.exp(design @ beta)
            hessian = design.T @ (mean[:, None] * design) + prior
            step = np.linalg.solve(hessian, design.T @ (y - mean) - prior @ beta)
            beta = beta + step * min(1, 2 / np.abs(step).max())
        mean = depth * np.exp(design @ beta)
        inverse = np.linalg.inv(design.T @ (mean[:, None] * design) + prior)
        cov = inverse @ (design.T @ (mean[:, None] * design)) @ inverse
        for k in range(len(groups)):
            tails = []
            for j in range(len(groups)):
                if j == k:
                    continue
                contrast = np.zeros(len(beta))
                contrast[k + 1], contrast[j + 1] = 1, -1
                tails.append(stats.norm.sf(contrast @ beta / np.sqrt(contrast @ cov @ contrast)))
            pvalues[p, k] = max(tails)
    return pvalues


def test_equals_plain_loop(study):
    counts, depth, labels = study
    result = scabc_pvalues(counts, depth, labels)
    assert result.groups == ["a", "b", "c"]
    np.testing.assert_allclose(result.pvalues, _loop(counts, depth, labels, result.sigma), rtol=1e-7, atol=1e-12)


def test_survives_zero_peaks_tiny_depth_and_overflow(study):
    counts, depth, labels = study
    hard = counts.copy()
    hard[:, 4] = 0
    hard[:, 7] *= 10**9
    for scale in (1e-12, 1.0, 1e12):
        result = scabc_pvalues(sparse.csr_matrix(hard), depth * scale, labels)
        assert np.isnan(result.pvalues[4]).all()
        assert np.isnan(result.padj[4]).all()
        assert np.isfinite(np.delete(result.pvalues, 4, axis=0)).all()
        expected = scabc_pvalues(np.delete(hard, 4, axis=1), depth, labels)
        np.testing.assert_allclose(np.delete(result.pvalues, 4, axis=0), expected.pvalues, rtol=1e-6, atol=1e-12)
    with pytest.raises(ValueError, match=r"1 peak\(s\) without counts, at positions \[4\]"):
        scabc_pvalues(hard, depth, labels, compat=True)


def test_compat_overflow_is_named(study):
    counts, depth, labels = study
    with pytest.raises(ValueError, match="depth is too small"):
        scabc_pvalues(counts * 10**6, depth * 1e-3, labels, compat=True, sigma=1.0)


def test_cells_without_depth_are_left_out(study):
    counts, depth, labels = study
    depth[:5] = [0, -1, 0, 0, 0]
    full, cut = scabc_pvalues(counts, depth, labels), scabc_pvalues(counts[5:], depth[5:], labels[5:])
    np.testing.assert_array_equal(full.pvalues, cut.pvalues)
    assert full.n_cells.sum() == 55


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([np.int32, np.float32, np.float64]))
def test_order_of_cells_and_names_do_not_matter(seed, dtype):
    rng = np.random.default_rng(seed)
    labels, depth = rng.permutation(np.repeat([0, 1], 10)), rng.uniform(1, 5, 20)
    counts = rng.poisson(2.0, size=(20, 6)).astype(dtype)
    base = scabc_pvalues(counts, depth, labels, sigma=1.0)
    order = rng.permutation(20)
    swapped = scabc_pvalues(sparse.csc_matrix(counts[order]), depth[order], 1 - labels[order], sigma=1.0)
    np.testing.assert_allclose(swapped.pvalues[:, ::-1], base.pvalues, rtol=1e-8)
    np.testing.assert_allclose(base.pvalues.sum(axis=1), 1)


def test_errors(study):
    counts, depth, labels = study
    with pytest.raises(ValueError, match="at least 2 are needed"):
        scabc_pvalues(counts, depth, np.zeros(60))
    with pytest.raises(ValueError, match="depth must have one value per cell"):
        scabc_pvalues(counts, depth[:-1], labels)
    with pytest.raises(ValueError, match=r"no cell with depth > 0 in cluster\(s\) \['a'\]"):
        scabc_pvalues(counts, np.where(labels == "a", 0, depth), labels)
    with pytest.raises(ValueError, match="pass sigma="):
        scabc_pvalues(np.where((labels == "a")[:, None], 0, counts), depth, labels)
    with pytest.raises(ValueError, match="sigma must be"):
        scabc_pvalues(counts, depth, labels, sigma=[1, 2])
    with pytest.raises(ValueError, match="have no label"):
        scabc_pvalues(counts, depth, [None, *labels[1:]])


def test_sums_are_all_that_matters(study):
    counts, depth, labels = study
    names = sorted(set(labels))
    sums = np.array([counts[labels == g].sum(axis=0) for g in names])
    result = scabc_from_sums(sums, [depth[labels == g].sum() for g in names], sigma=1.0)
    np.testing.assert_allclose(result.pvalues, scabc_pvalues(counts, depth, labels, sigma=1.0).pvalues, rtol=1e-8)
    assert result.groups == [0, 1, 2]
    with pytest.raises(ValueError, match="depths must be positive"):
        scabc_from_sums(sums, [1, 0, 1])
    with pytest.raises(ValueError, match="sums must have shape"):
        scabc_from_sums(sums, [1, 1])
