"""Genes that rest on the same peaks, and one gene of every locus, against loops."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from sccase_kit.genes.reach import one_per_locus, same_peaks


def test_genes_are_together_where_they_have_the_same_peaks():
    rng = np.random.default_rng(0)
    weights = rng.random((5, 40)) * (rng.random((5, 40)) < 0.3)
    genes = rng.permutation(40)
    found = same_peaks(sparse.csc_matrix(weights), genes)
    assert [part[0] for part in found] == sorted((part[0] for part in found), key=genes.tolist().index)
    assert sorted(gene for part in found for gene in part) == list(range(40))
    for a in range(40):
        for b in range(a):
            together = any(a in part and b in part for part in found)
            same = ((weights[:, a] > 0) == (weights[:, b] > 0)).all() and weights[:, a].any()
            assert together == same


def test_of_genes_that_share_peaks_the_one_with_most_weight_is_kept():
    weights = np.zeros((6, 7))
    weights[0, [0, 1]] = 1, 2  # 0 and 1 share a peak, 1 and 2 another
    weights[1, [1, 2]] = 1, 5
    weights[3, [3]] = 1  # alone; 4 has no peak
    weights[4, [5, 6]] = 2, 2  # the same: the first
    matrix = sparse.csc_matrix(weights)
    assert one_per_locus(matrix, np.arange(7)).tolist() == [2, 3, 4, 5]
    assert one_per_locus(matrix, np.array([2, 0])).tolist() == [0, 2]  # without 1 they share none
    assert one_per_locus(matrix, np.zeros(0, dtype=int)).tolist() == []
