"""Hidden entries and their scores, against the formulas on dense arrays."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from sccase_kit.metrics.hidden import (
    FLOOR,
    Mask,
    MatrixShares,
    ThinShares,
    open_entries,
    row_sums,
    score_entries,
    take_entries,
)


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    x = sparse.csr_matrix(rng.random((20, 35)) < 0.3, dtype=np.float64)
    hidden = Mask(0.4, 7).hides(slice(0, 20), x)
    mean = rng.random(35) + 0.1
    return x, hidden, mean / mean.sum()


def by_hand(p, x, hidden, mean):
    """Conditional likelihoods and regression over all closed entries, in loops."""
    p = p / p.sum(axis=1, keepdims=True)
    p = (1 - FLOOR) * p + FLOOR * mean
    marks = sparse.csr_matrix((hidden + 1, x.indices, x.indptr), shape=x.shape).toarray()
    gain, seen, said = np.zeros(len(p)), np.zeros(len(p)), np.zeros(len(p))
    for i in range(len(p)):
        closed = marks[i] != 1
        q, q0 = p[i, closed] / p[i, closed].sum(), mean[closed] / mean[closed].sum()
        y = marks[i, closed] == 2
        gain[i] = np.log(q[y] / q0[y]).sum()
        m, m0 = y.sum() * q, y.sum() * q0
        seen[i] = ((y - m0) * (m - m0) / np.maximum(m0, 1e-300)).sum() if y.any() else 0
        said[i] = ((m - m0) ** 2 / np.maximum(m0, 1e-300)).sum() if y.any() else 0
    return gain, seen, said


@pytest.mark.parametrize("block", [20, 7, 1])
@pytest.mark.parametrize("kind", ["thin", "dense", "sparse"])
def test_scores_are_those_of_the_formulas(data, block, kind):
    x, hidden, mean = data
    rng = np.random.default_rng(1)
    theta, phi = rng.random((20, 3)), rng.random((35, 3)) ** 4
    p = theta @ phi.T
    shares = {
        "thin": lambda: ThinShares(theta, phi, mean),
        "dense": lambda: MatrixShares(p, mean),
        "sparse": lambda: MatrixShares(sparse.csr_matrix(p), mean),
    }[kind]()
    blocks = []
    for low in range(0, 20, block):
        rows = slice(low, min(low + block, 20))
        blocks.append((rows, x[rows], hidden[x.indptr[rows.start] : x.indptr[rows.stop]]))
    found = score_entries(shares, iter(blocks), mean)
    gain, seen, said = by_hand(p, x, hidden, mean)
    np.testing.assert_allclose(found.gain, gain, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.seen, seen, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(found.said, said, rtol=1e-8, atol=1e-10)
    assert found.mean_gain() == pytest.approx(gain.sum() / hidden.sum())
    assert found.slope() == pytest.approx(seen.sum() / said.sum())


def test_the_peak_mean_gains_nothing(data):
    x, hidden, mean = data
    found = score_entries(ThinShares(np.ones((20, 1)), mean[:, None], mean), iter([(slice(0, 20), x, hidden)]), mean)
    np.testing.assert_allclose(found.gain, 0, atol=1e-9)
    assert np.isnan(found.slope())


def test_empty_rows_are_the_peak_mean(data):
    x, hidden, mean = data
    for shares in (ThinShares(np.zeros((20, 1)), mean[:, None], mean), MatrixShares(np.zeros((20, 35)), mean)):
        np.testing.assert_allclose(score_entries(shares, iter([(slice(0, 20), x, hidden)]), mean).gain, 0, atol=1e-9)


def test_shrinking_is_a_mixture_with_the_peak_mean(data):
    x, hidden, mean = data
    p = np.random.default_rng(2).random((20, 35))
    found = score_entries(MatrixShares(p, mean), iter([(slice(0, 20), x, hidden)]), mean, shrinks=(0.0, 0.5))
    p = p / p.sum(axis=1, keepdims=True)
    half, _, _ = by_hand(0.5 * ((1 - FLOOR) * p + FLOOR * mean) + 0.5 * mean, x, hidden, mean)
    np.testing.assert_allclose(found.gain[:, 1], half, rtol=2e-3, atol=1e-3)
    assert found.mean_gain() == pytest.approx(found.gain.sum(axis=0).max() / hidden.sum())


def test_the_truth_has_slope_one():
    rng = np.random.default_rng(3)
    n, m = 400, 120
    theta = rng.dirichlet([0.5] * 4, n)
    phi = rng.dirichlet([0.4] * m, 4).T + 1e-4
    p = theta @ phi.T
    p /= p.sum(axis=1, keepdims=True)
    drawn = np.zeros((n, m))
    for i in range(n):
        drawn[i, rng.choice(m, 1, p=p[i])] = 1  # one hidden entry per cell, no training entry: a plain multinomial
    x = sparse.csr_matrix(drawn)
    mean = p.mean(axis=0)
    found = score_entries(ThinShares(theta, phi, mean), iter([(slice(0, n), x, np.ones(x.nnz, dtype=bool))]), mean)
    assert found.slope() == pytest.approx(1, abs=0.15)
    assert found.mean_gain() > 0


def test_negative_values_are_refused(data):
    with pytest.raises(ValueError, match=r"must be at least 0 .* lowest is -1"):
        MatrixShares(np.array([[1.0, -1.0]]), data[2])


def test_the_mask_knows_places_only():
    x = sparse.random(50, 40, 0.5, format="csr", random_state=0)
    whole = Mask(0.3, 5).hides(slice(0, 50), x)
    parts = [Mask(0.3, 5).hides(slice(a, a + 10), x[a : a + 10]) for a in range(0, 50, 10)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert abs(whole.mean() - 0.3) < 0.06
    assert (Mask(0.3, 6).hides(slice(0, 50), x) != whole).any()
    many = Mask(0.3, 5).hides(slice(0, 1000), sparse.csr_matrix(np.ones((1000, 300))))
    assert abs(many.mean() - 0.3) < 0.003
    assert np.abs(many.reshape(1000, 300).mean(axis=0) - 0.3).max() < 0.08


def test_entries_are_taken_by_mask():
    x = sparse.csr_matrix(np.array([[0, 2, 0], [1, 0, 3], [0, 0, 0]]))
    x.data[0] = 0
    kept = open_entries(x)
    assert kept.nnz == 2
    np.testing.assert_array_equal(
        take_entries(kept, np.array([False, True])).toarray(), [[0, 0, 0], [0, 0, 3], [0] * 3]
    )
    np.testing.assert_array_equal(row_sums(kept, np.array([1.0, 4.0])), [0, 5, 0])
