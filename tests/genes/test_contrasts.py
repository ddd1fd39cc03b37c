"""Genes of one group against another, against loops."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse, stats

from sccase_kit.genes.contrasts import gene_contrast


def test_genes_are_weighted_sums_of_their_peaks():
    rng = np.random.default_rng(0)
    weights = rng.random((6, 4)) * (rng.random((6, 4)) < 0.6)
    weights[:, 3] = 0
    excess, variance, rates = rng.normal(size=6), rng.random(6), rng.random((2, 6))
    found = gene_contrast(sparse.csr_matrix(weights), excess, variance, rates)
    for g in range(3):
        z = sum(weights[p, g] * excess[p] for p in range(6)) / np.sqrt(
            sum(weights[p, g] ** 2 * variance[p] for p in range(6))
        )
        assert found.z[g] == pytest.approx(z)
        prior = 2 * weights[:, g].sum() / (weights[:, g] > 0).sum()
        assert found.fold[g] == pytest.approx((weights[:, g] @ rates[0] + prior) / (weights[:, g] @ rates[1] + prior))
        assert found.pvalue[g] == pytest.approx(2 * stats.norm.sf(abs(z)))
    assert found.z[3] == 0
    assert found.pvalue[3] == 1
    assert np.isnan(found.fold[3])


def test_a_gene_that_only_one_side_opens_has_a_fold_by_its_opens():
    found = gene_contrast(sparse.csr_matrix([[3.0]]), np.ones(1), np.ones(1), np.array([[4.0], [0.0]]))
    assert found.fold[0] == pytest.approx((3 * 4 + 6) / 6)
