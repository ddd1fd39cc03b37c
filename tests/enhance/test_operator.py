"""Products with the scaled counts against the dense matrix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

import sccase_kit as sk
from sccase_kit.enhance import ScaledOperator
from sccase_kit.enhance import _operator as module

CONTAINERS = {
    "ndarray": np.asarray,
    "csr_matrix": sparse.csr_matrix,
    "csc_matrix": sparse.csc_matrix,
    "csr_array": sparse.csr_array,
    "coo_matrix": sparse.coo_matrix,
}


def dense_case(seed, n=13, m=17):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(0.4, (n, m))
    return counts, rng.random(n), rng.random(m), rng.standard_normal((m, 3)), rng.standard_normal((n, 3))


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("count_type", [np.uint8, np.int32, np.int64, np.float32, np.float64])
@pytest.mark.parametrize(("dtype", "tol"), [(np.float32, 2e-6), (np.float64, 1e-13)])
def test_products_equal_the_dense_ones(container, count_type, dtype, tol):
    counts, r, c, right, left = dense_case(0)
    op = ScaledOperator(CONTAINERS[container](counts.astype(count_type)), r, c, dtype=dtype)
    dense = r[:, None] * counts * c
    np.testing.assert_allclose(op.matmul(right), dense @ right, rtol=0, atol=tol * 20)
    np.testing.assert_allclose(op.rmatmul(left), dense.T @ left, rtol=0, atol=tol * 20)
    np.testing.assert_allclose(op.row_sq_norms(), (dense**2).sum(axis=1), rtol=10 * tol)
    np.testing.assert_allclose(op.sq_norm(), (dense**2).sum(), rtol=10 * tol)
    binary = op.binarized()
    np.testing.assert_allclose(binary.matmul(right), (r[:, None] * (counts > 0) * c) @ right, rtol=0, atol=tol * 20)
    assert op.matmul(right).dtype == dtype


@given(seed=st.integers(0, 10**6), n=st.integers(1, 9), m=st.integers(1, 9))
def test_adjoint_property(seed, n, m):
    counts, r, c, right, left = dense_case(seed, n, m)
    op = ScaledOperator(sparse.csr_matrix(counts), r, c, dtype=np.float64)
    np.testing.assert_allclose(np.sum(op.matmul(right) * left), np.sum(right * op.rmatmul(left)), atol=1e-10)


def test_sweep_is_two_products_around_the_update():
    counts, r, c, right, _ = dense_case(1)
    op = ScaledOperator(sparse.csr_matrix(counts), r, c, dtype=np.float64)
    dense = r[:, None] * counts * c
    left, back = op.sweep(right, lambda rows, product: np.tanh(product) + rows.start * 0)
    np.testing.assert_allclose(left, np.tanh(dense @ right))
    np.testing.assert_allclose(back, dense.T @ np.tanh(dense @ right), atol=1e-13)


def test_result_does_not_depend_on_threads(monkeypatch):
    counts, r, c, right, left = dense_case(2, 200, 50)
    monkeypatch.setattr(module, "_MIN_NNZ_PER_THREAD", 10)
    results = []
    for n_threads in (1, 2, 7):
        with sk.settings.override(n_threads=n_threads):
            op = ScaledOperator(sparse.csr_matrix(counts), r, c, dtype=np.float64)
            assert len(list(op.iter_blocks())) == n_threads
            results.append((op.matmul(right), op.rmatmul(left)))
    for matmul, rmatmul in results[1:]:
        np.testing.assert_array_equal(matmul, results[0][0])
        np.testing.assert_allclose(rmatmul, results[0][1], rtol=1e-12, atol=1e-13)


def test_input_is_not_changed(counts):
    before = counts.copy()
    op = ScaledOperator(counts, None, np.full(counts.shape[1], 2.0))
    op.matmul(np.ones((counts.shape[1], 1)))
    op.binarized().rmatmul(np.ones((counts.shape[0], 1)))
    assert (counts != before).nnz == 0
    assert counts.dtype == before.dtype
