from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from sklearn.decomposition import PCA

from sccase_kit.enhance.factors import minmax_scale
from sccase_kit.matrix import krylov as krylov_module
from sccase_kit.matrix.krylov import exact_pca, krylov_pca, leading_components
from sccase_kit.matrix.operator import ScaledOperator
from sccase_kit.metrics import Profiles, pca_from_factors


def same_up_to_sign(ours, theirs, *, rtol=1e-6):
    signs = np.sign((ours * theirs).sum(axis=0))
    np.testing.assert_allclose(ours * signs, theirs, atol=rtol * np.abs(theirs).max())


def test_pca_of_factors_is_pca_of_the_product(thin):
    cells, peaks, _ = thin
    expected = PCA(6).fit_transform(cells @ peaks.T)
    same_up_to_sign(pca_from_factors(cells, peaks, 6), expected)


def test_pca_returns_no_more_than_the_rank(thin):
    cells, peaks, _ = thin
    assert pca_from_factors(cells, peaks, 50).shape == (60, 7)
    assert pca_from_factors(np.hstack([cells, cells]), np.hstack([peaks, peaks]), 50).shape == (60, 7)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array])
def test_pca_of_a_matrix(container):
    x = sparse.random(50, 80, 0.2, random_state=0).toarray()
    same_up_to_sign(pca_from_factors(container(x), None, 5), PCA(5, svd_solver="full").fit_transform(x))


def test_signs_do_not_depend_on_the_solver(thin):
    cells, peaks, _ = thin
    a, b = pca_from_factors(cells, peaks, 4), pca_from_factors(cells @ peaks.T, None, 4)
    np.testing.assert_allclose(a, b, atol=1e-9)


def test_minmax_scaled_factors_equal_the_two_dense_passes(thin):
    cells, peaks, _ = thin
    scaled = Profiles(cells, peaks).minmax_scaled()
    assert scaled.cells.shape[1] == cells.shape[1] + 2
    expected = minmax_scale(cells @ peaks.T)
    np.testing.assert_allclose(scaled.block(), expected, atol=1e-10)
    np.testing.assert_allclose(
        Profiles(sparse.csr_matrix(cells @ peaks.T)).minmax_scaled().block(), expected, atol=1e-12
    )
    same_up_to_sign(scaled.pca(5), PCA(5).fit_transform(expected))


def test_minmax_scaling_of_constant_peaks_and_cells():
    cells, peaks = np.array([[1.0, 0], [2, 0], [4, 0]]), np.array([[1.0, 1], [0, 1], [2, 0]])
    np.testing.assert_allclose(
        Profiles(cells, peaks).minmax_scaled().block(), minmax_scale(cells @ peaks.T), atol=1e-12
    )


def test_correlation_coordinates_give_pearson(thin):
    cells, peaks, _ = thin
    rows = Profiles(cells, peaks).correlation_coordinates().rows
    np.testing.assert_allclose(rows @ rows.T, np.corrcoef(cells @ peaks.T), atol=1e-9)


def test_blocks(thin):
    cells, peaks, _ = thin
    full = cells @ peaks.T
    for profiles in (Profiles(cells, peaks), Profiles(full), Profiles(sparse.csr_matrix(full))):
        np.testing.assert_allclose(profiles.block(slice(3, 9), np.array([1, 5])), full[3:9][:, [1, 5]])
        assert profiles.shape == (60, 110)


class TestOperatorPca:
    @pytest.fixture
    def scaled(self):
        rng = np.random.default_rng(2)
        means = rng.random((4, 90)) * 2
        counts = rng.poisson(means[rng.integers(0, 4, 70)]).astype(float)
        counts[[5, 20]] = 0
        row, col = rng.random(70) + 0.5, rng.random(90)
        keep = np.ones(70, dtype=bool)
        keep[[5, 20]] = False
        dense = (row[:, None] * counts * col)[keep]
        return ScaledOperator(sparse.csr_matrix(counts), row, col, dtype=np.float64), keep, dense

    @pytest.mark.parametrize("n_components", [3, 30])
    @pytest.mark.parametrize("dense_advantage", [0, 1e9])
    def test_exact(self, scaled, n_components, dense_advantage, monkeypatch):
        monkeypatch.setattr(krylov_module, "_DENSE_ADVANTAGE", dense_advantage)
        monkeypatch.setattr(krylov_module, "_DENSE_COLUMNS", 40)
        op, keep, dense = scaled
        expected = PCA(n_components, svd_solver="full").fit_transform(dense)
        same_up_to_sign(exact_pca(op, n_components, keep=keep), expected, rtol=1e-5)

    def test_krylov_converges_to_it(self, scaled):
        op, keep, dense = scaled
        expected = PCA(5, svd_solver="full").fit_transform(dense)
        found = krylov_pca(op, 5, keep=keep, tol=1e-10, rng=np.random.default_rng(0))
        same_up_to_sign(found, expected, rtol=1e-5)
        warm = krylov_pca(op, 5, keep=keep, tol=1e-10, start=found, rng=np.random.default_rng(1))
        same_up_to_sign(warm, expected, rtol=1e-5)

    def test_more_components_than_the_data_have(self, scaled):
        op, keep, _ = scaled
        assert leading_components(op, 500, keep=keep, rng=np.random.default_rng(0)).shape == (68, 67)
