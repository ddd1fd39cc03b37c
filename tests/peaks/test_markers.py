"""The marker statistic against slow, literal references."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse, stats

from sccase_kit.peaks import enhanced_fold_changes, level_profiles, marker_scores, open_test, resembling
from sccase_kit.peaks.marker_kernels import add_open


@pytest.fixture
def opens():
    rng = np.random.default_rng(0)
    return rng.poisson(rng.gamma(1, 4, size=(3, 40))), np.array([50, 30, 20])


@pytest.mark.parametrize("group", [0, 1, 2])
def test_equals_the_binomial_test_peak_by_peak(opens, group):
    counts, n_cells = opens
    counts[:, 5] = 0
    test = open_test(counts, n_cells, group)
    share = counts[group].sum() / counts.sum()
    pvalues = []
    for j in range(counts.shape[1]):
        observed, total = int(counts[group, j]), int(counts[:, j].sum())
        p = stats.binomtest(observed, total, share, alternative="greater").pvalue if total else 1.0
        pvalues.append(p)
        np.testing.assert_allclose(test.pvalue[j], p, rtol=1e-10)
        z = (observed - total * share) / np.sqrt(total * share * (1 - share)) if total else 0
        np.testing.assert_allclose(test.z[j], z, atol=1e-12)
        rest = (total - observed) / (1 - share) * share
        np.testing.assert_allclose(test.log2fc[j], np.log2((observed + 2) / (rest + 2)), atol=1e-12)
        np.testing.assert_allclose(test.pct_in[j], observed / n_cells[group])
        np.testing.assert_allclose(test.pct_out[j], (total - observed) / (100 - n_cells[group]))
    tested = np.arange(40) != 5
    padj = stats.false_discovery_control(np.array(pvalues)[tested])
    np.testing.assert_allclose(test.padj[tested], padj, rtol=1e-10)
    assert test.padj[5] == 1


def test_depth_alone_gives_no_marker():
    """A group that is three times as deep everywhere differs nowhere."""
    base = np.arange(1, 30)
    test = open_test(np.array([3 * base, base]), np.array([10, 10]), 0)
    np.testing.assert_allclose(test.z, 0, atol=1e-12)
    assert test.pvalue.min() > 0.4
    np.testing.assert_allclose(test.log2fc, 0, atol=1e-12)


def test_p_values_are_not_too_small_under_shuffled_labels():
    rng = np.random.default_rng(1)
    cells = rng.random((200, 3000)) < rng.beta(0.6, 4, size=3000) * rng.uniform(0.4, 1, size=(200, 1))
    codes = rng.permutation(np.arange(200) % 4)
    counts = np.array([cells[codes == g].sum(axis=0) for g in range(4)])
    for g in range(4):
        test = open_test(counts, np.full(4, 50), g)
        assert np.mean(test.pvalue < 0.05) < 0.05
        assert np.count_nonzero(test.padj < 0.05) == 0


@pytest.mark.parametrize("counts", [[[0, 0], [3, 1]], [[3, 1], [0, 0]], [[0, 0], [0, 0]]])
def test_groups_without_reads_are_not_significant(counts):
    test = open_test(np.array(counts), np.array([2, 2]), 0)
    assert (test.z == 0).all()
    assert (test.pvalue == 1).all()
    assert np.isfinite([test.log2fc, test.pct_in, test.pct_out]).all()


def test_fold_changes_equal_a_literal_computation():
    rng = np.random.default_rng(2)
    profiles, n_cells = rng.gamma(1, 1, size=(4, 12)), np.array([5, 1, 7, 3])
    level = level_profiles(profiles * np.array([[1], [10], [0.1], [3]]))
    np.testing.assert_allclose(level, level_profiles(profiles))
    np.testing.assert_allclose(level.mean(axis=1), 1)
    for g in range(4):
        others = [h for h in range(4) if h != g]
        rest = sum(n_cells[h] * level[h] for h in others) / n_cells[others].sum()
        over_rest, over_nearest = enhanced_fold_changes(level, n_cells, g)
        np.testing.assert_allclose(over_rest, np.log2((level[g] + 1) / (rest + 1)))
        np.testing.assert_allclose(over_nearest, np.log2((level[g] + 1) / (level[others].max(axis=0) + 1)))
        assert (over_nearest <= over_rest + 1e-12).all()


def test_levels_of_negative_and_empty_profiles():
    level = level_profiles(np.array([[-1.0, 2.0], [0.0, 0.0]]))
    np.testing.assert_array_equal(level, [[0, 2], [0, 0]])


def test_scores_need_both_sides():
    z, lfc = np.array([2.0, -2.0, 2.0, 0.0]), np.array([3.0, 3.0, -1.0, 1.0])
    assert marker_scores(z, lfc).tolist() == [6, 0, 0, 0]


def test_the_most_similar_group_is_named():
    rng = np.random.default_rng(3)
    base = rng.gamma(1, 1, size=(3, 200))
    profiles = np.array([base[0], base[0] + 0.1 * base[1], base[1], base[2]])
    nearest, similarity = resembling(level_profiles(profiles))
    assert nearest[:2].tolist() == [1, 0]
    assert similarity[0] > 0.9 > similarity[2]


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.uint8, bool])
def test_open_cells_are_counted(dtype, uncompiled):
    rng = np.random.default_rng(4)
    dense = rng.poisson(0.4, size=(30, 20)).astype(dtype)
    matrix, codes = sparse.csr_matrix(dense), np.arange(30) % 4 - 1
    expected = [(dense[codes == g] > 0).sum(axis=0) for g in range(3)]
    for kernel in (add_open, uncompiled("sccase_kit.peaks.marker_kernels").add_open):
        out = np.zeros((3, 20), dtype=np.int64)
        kernel(matrix.indptr, matrix.indices, matrix.data, codes, out)
        np.testing.assert_array_equal(out, expected)
