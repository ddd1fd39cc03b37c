"""The starts: sketch, NNDSVD, HALS."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import NMF

from sccase_kit.enhance import prepare
from sccase_kit.enhance.nmf import balance, fast_start, hals, nndsvd, nndsvd_bank, sketch


@pytest.fixture
def op(counts):
    return prepare(counts, dtype=np.float64).op


def test_sketch_recovers_the_leading_singular_values(op):
    dense = op.matmul(np.eye(op.shape[1]))
    u, s, v = sketch(op, 40, n_power=3, rng=np.random.default_rng(0)).svd()
    expected = np.linalg.svd(dense, compute_uv=False)
    np.testing.assert_allclose(s[:4], expected[:4], rtol=1e-3)
    np.testing.assert_allclose(u.T @ u, np.eye(len(s)), atol=1e-8)
    np.testing.assert_allclose((u * s) @ v.T, u @ (u.T @ dense), atol=1e-8)


def test_nndsvd_is_nonnegative_and_dense(op):
    h, w = nndsvd(*sketch(op, 30, rng=np.random.default_rng(0)).svd(), 4)
    assert h.min() > 0
    assert w.min() > 0
    assert h.shape == (op.shape[0], 4)


def test_peaks_that_are_closed_everywhere_stay_0_and_change_no_start(op):
    u, s, v = sketch(op, 30, rng=np.random.default_rng(0)).svd()
    h, w = nndsvd(u, s, v, 4)
    wide = np.zeros((len(v) + 20, v.shape[1]))
    kept = np.sort(np.random.default_rng(1).permutation(len(wide))[: len(v)])
    wide[kept] = v
    h_wide, w_wide = nndsvd(u, s, wide, 4)
    np.testing.assert_allclose(h_wide, h, rtol=1e-12)
    np.testing.assert_allclose(w_wide[kept], w, rtol=1e-12)
    assert np.delete(w_wide, kept, axis=0).max() == 0


def test_a_bank_of_starts_is_that_of_each(op):
    u, s, v = sketch(op, 30, rng=np.random.default_rng(0)).svd()
    v[3] = 0  # closed everywhere
    ones = [nndsvd(u, s, v, k) for k in (2, 5, 6)]
    for found, wanted in zip(nndsvd_bank(u, s, v, (2, 5, 6)), zip(*ones, strict=True), strict=True):
        np.testing.assert_allclose(found, np.hstack(wanted), rtol=1e-12)


def test_hals_never_raises_the_residual(op):
    rng = np.random.default_rng(1)
    dense = op.matmul(np.eye(op.shape[1]))
    h, w = rng.random((op.shape[0], 3)), rng.random((op.shape[1], 3))
    before = np.linalg.norm(dense - h @ w.T)
    for _ in range(5):
        h = hals(h, dense @ w, w.T @ w)
        after = np.linalg.norm(dense - h @ w.T)
        assert after <= before + 1e-12
        before = after
    assert h.min() >= 0


def test_balance_keeps_the_product():
    rng = np.random.default_rng(0)
    h, w = rng.random((5, 3)), rng.random((7, 3))
    h[:, 1] = 0
    a, b = balance(h, w)
    np.testing.assert_allclose(a @ b.T, h @ w.T)
    alive = [0, 2]
    np.testing.assert_allclose(np.linalg.norm(a, axis=0)[alive], np.linalg.norm(b, axis=0)[alive])


def test_fast_start_fits_as_well_as_scikit_learn(op):
    dense = op.matmul(np.eye(op.shape[1]))
    h, w = fast_start(op, 3, rng=np.random.default_rng(0))
    model = NMF(3, max_iter=1000, random_state=0)
    reference = model.fit_transform(dense) @ model.components_
    assert np.linalg.norm(dense - h @ w.T) <= 1.01 * np.linalg.norm(dense - reference)
