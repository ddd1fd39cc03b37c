"""Inner products of the cells, and what is taken from them, against the dense computation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

import sccase_kit as sk
from sccase_kit.enhance import ScaledOperator
from sccase_kit.enhance import nmf as _nmf
from sccase_kit.matrix.gram import MOST_CELLS, gram, gram_pays


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
@pytest.mark.parametrize("binary", [False, True])
def test_inner_products_are_the_dense_ones(dtype, binary):
    rng = np.random.default_rng(0)
    counts, rows, columns = rng.poisson(0.3, (30, 50)).astype(dtype), rng.random(30), rng.random(50)
    columns[3] = 0
    op = ScaledOperator(sparse.csr_matrix(counts), rows, columns, dtype=np.float64, binary=binary)
    x = rows[:, None] * ((counts > 0) if binary else counts) * columns
    np.testing.assert_allclose(gram(op), x @ x.T, atol=1e-12)


def test_several_blocks_are_put_together(monkeypatch):
    from sccase_kit.matrix import operator as module

    monkeypatch.setattr(module, "_MIN_NNZ_PER_THREAD", 20)
    counts = sparse.random(40, 60, 0.2, random_state=1, format="csr")
    with sk.settings.override(n_threads=3):
        op = ScaledOperator(counts, dtype=np.float64)
        assert len(list(op.iter_blocks())) == 3
        np.testing.assert_allclose(gram(op), (counts @ counts.T).toarray(), atol=1e-12)


def test_they_are_formed_for_few_cells_alone():
    def op(counts):
        return ScaledOperator(sparse.csr_matrix(counts))

    assert gram_pays(op(np.eye(50)))
    assert not gram_pays(op(sparse.identity(MOST_CELLS + 1)))
    assert not gram_pays(op(np.ones((400, 5))))  # 400 cells at every peak


@pytest.mark.parametrize("few", [True, False])
def test_singular_triplets(few, monkeypatch):
    if not few:
        monkeypatch.setattr(_nmf, "gram_pays", lambda _op: False)
    counts = np.random.default_rng(2).poisson(0.5, (25, 80))
    op = ScaledOperator(sparse.csr_matrix(counts), dtype=np.float64)
    u, s, v = _nmf.leading_svd(op, 6, rng=np.random.default_rng(0))
    left, values, right = np.linalg.svd(counts, full_matrices=False)
    np.testing.assert_allclose(s, values[:6], rtol=1e-9)
    np.testing.assert_allclose(np.abs(np.sum(u * left[:, :6], axis=0)), 1, rtol=1e-6)
    np.testing.assert_allclose((u * s) @ v.T, (left[:, :6] * values[:6]) @ right[:6], atol=1e-6)
    assert (v.sum(axis=0) >= 0).all()


@pytest.mark.parametrize("kept", [0, 12])
def test_singular_triplets_from_vectors_that_are_near(planted, kept, monkeypatch):
    """A few blocks that begin with the left singular vectors of the open entries, or with the mean alone."""
    monkeypatch.setattr(_nmf, "gram_pays", lambda _op: False)
    counts = planted(n_cells=300, n_peaks=500, n_types=5, seed=1)[0]
    op = ScaledOperator(sparse.csr_matrix(counts), dtype=np.float64)
    near = np.linalg.svd(np.asarray(op.stored().todense()) > 0, full_matrices=False)[0][:, 1 : 1 + kept]
    u, s, v = _nmf.leading_svd(op, 6, near=near, rng=np.random.default_rng(0))
    left, values, right = np.linalg.svd(np.asarray(op.stored().todense()), full_matrices=False)
    n_exact = 5 if kept else 1  # as many as there are types
    np.testing.assert_allclose(s[:n_exact], values[:n_exact], rtol=1e-4)
    np.testing.assert_allclose(np.abs(np.sum(u * left[:, :6], axis=0))[:n_exact], 1, rtol=1e-3)
    np.testing.assert_allclose(np.abs(np.sum(v * right[:6].T, axis=0))[:n_exact], 1, rtol=1e-3)


@pytest.mark.parametrize("near", [False, True])
def test_more_triplets_than_the_usual_space_holds(near, monkeypatch):
    monkeypatch.setattr(_nmf, "gram_pays", lambda _op: False)
    counts = np.random.default_rng(2).poisson(0.5, (200, 300))
    op = ScaledOperator(sparse.csr_matrix(counts), dtype=np.float64)
    left, values, _ = np.linalg.svd(counts)
    u, s, v = _nmf.leading_svd(op, 150, near=left[:, 1:31] if near else None, rng=np.random.default_rng(0))
    assert (u.shape, v.shape) == ((200, 150), (300, 150))
    np.testing.assert_allclose(s[:60], values[:60], rtol=1e-3)
    np.testing.assert_allclose(u.T @ u, np.eye(150), atol=1e-8)


@pytest.mark.parametrize("few", [True, False])
def test_rank_beyond_the_data_gives_zeros_not_noise(few, monkeypatch):
    if not few:
        monkeypatch.setattr(_nmf, "gram_pays", lambda _op: False)
    counts = np.outer([1, 2, 0, 1], [1, 0, 3, 1, 0])
    op = ScaledOperator(sparse.csr_matrix(counts), dtype=np.float64)
    u, s, v = _nmf.leading_svd(op, 3, rng=np.random.default_rng(0))
    np.testing.assert_allclose((u * s) @ v.T, counts, atol=1e-6)


def test_data_of_rank_two_have_two_triplets(monkeypatch):
    """The space is exhausted before it holds as many vectors as are wanted."""
    monkeypatch.setattr(_nmf, "gram_pays", lambda _op: False)
    counts = np.repeat([[1, 0, 3, 1, 0], [0, 2, 0, 1, 1]], 100, axis=0).repeat(20, axis=1)
    op = ScaledOperator(sparse.csr_matrix(counts), dtype=np.float64)
    for near in (None, np.eye(200)[:, :3]):
        u, s, v = _nmf.leading_svd(op, 40, near=near, rng=np.random.default_rng(0))
        assert (u.shape, s.shape, v.shape) == ((200, 40), (40,), (100, 40))
        assert (s[2:] < 1e-6 * s[0]).all()
        np.testing.assert_allclose((u * s) @ v.T, counts, atol=1e-5)
        assert np.isfinite(np.hstack(_nmf.nndsvd_bank(u, s, v, (3, 40))[0])).all()
