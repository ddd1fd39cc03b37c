"""Expected counts from TF-IDF factors, against the plain formula on dense arrays."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from sccase_kit.enhance.expected import PeakScaling, accessibility, count_factors, factor_sums, measure_counts, shares


@pytest.fixture
def counts():
    rng = np.random.default_rng(0)
    x = rng.poisson(0.4, (30, 50))
    x[:, 0] += 1  # open in every cell: its IDF is 0
    x[:, 7] = 0
    return x


def test_measure(counts):
    op, depth, scaling = measure_counts(sparse.csr_matrix(counts))
    np.testing.assert_array_equal(depth, counts.sum(axis=1))
    n_open = (counts > 0).sum(axis=0)
    expected = np.where(n_open > 0, np.log(30 / np.maximum(n_open, 1)), 0)
    np.testing.assert_allclose(scaling.idf, expected)
    flat = expected == 0
    np.testing.assert_allclose(scaling.share, np.where(flat, counts.sum(axis=0) / counts.sum(), 0), rtol=1e-6)
    tfidf = counts * expected
    tfidf = tfidf / np.linalg.norm(tfidf, axis=1, keepdims=True)
    np.testing.assert_allclose(op.to_csr().toarray(), tfidf, rtol=1e-5)


def test_factors_give_the_formula(counts):
    op, _, scaling = measure_counts(sparse.csr_matrix(counts))
    rng = np.random.default_rng(1)
    weights, cells = rng.random((30, 3)), rng.random((30, 3))
    cells[4] = 0
    peaks = op.rmatmul(weights)
    enhanced = cells @ peaks.T
    flat = scaling.idf == 0
    plain = np.where(flat, 0, enhanced / np.where(flat, 1, scaling.idf))
    rest = 1 - scaling.share[flat].sum()
    plain = plain / np.maximum(plain.sum(axis=1, keepdims=True), 1e-300) * rest
    plain[:, flat] = scaling.share[flat]
    plain[4] = 0
    sums = factor_sums(peaks, scaling)
    theta = shares(cells, sums)
    found = theta @ count_factors(peaks, scaling, sums).T
    np.testing.assert_allclose(found, plain, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(np.delete(found.sum(axis=1), 4), 1, rtol=1e-6)
    np.testing.assert_allclose(found[:, 0], np.where(np.arange(30) == 4, 0, scaling.share[0]), rtol=1e-6)
    np.testing.assert_allclose(accessibility(enhanced, scaling), plain, rtol=1e-5, atol=1e-9)
    part = PeakScaling(scaling.idf[[0, 9]], scaling.share[[0, 9]])
    np.testing.assert_allclose(theta @ count_factors(peaks[[0, 9]], part, sums).T, plain[:, [0, 9]], rtol=1e-5)


def test_a_mean_of_counts_is_given_back(counts):
    """Cells that all have the same weights get the sum of the scaled counts, whatever the IDF."""
    op, _, scaling = measure_counts(sparse.csr_matrix(counts))
    norms = np.linalg.norm(counts * scaling.idf, axis=1)
    pooled = (counts / norms[:, None]).sum(axis=0)
    peaks = op.rmatmul(np.ones((30, 1)))
    sums = factor_sums(peaks, scaling)
    found = shares(np.ones((30, 1)), sums) @ count_factors(peaks, scaling, sums).T
    known = scaling.idf > 0
    np.testing.assert_allclose(found[3, known] / found[3, known].sum(), pooled[known] / pooled[known].sum(), rtol=1e-5)
