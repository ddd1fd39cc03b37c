"""The published reweighting of batches, against a loop over a dense Z."""

import numpy as np
import pytest

from sccase_kit.enhance.batch import _evidence, align_embedding, published_factors, spread_rows


def test_published_factors():
    rng = np.random.default_rng(0)
    a, h = rng.random((9, 3)), rng.random((9, 3))
    a[:2] *= 4
    h[5] = 0  # receives nothing
    codes = np.array([0, 0, 1, 1, 1, 2, 2, 2, 2])
    z = a @ h.T
    expected = np.zeros((9, 3))
    for j in range(9):
        for b in range(3):
            own, other = z[codes == b, j].mean(), z[codes != b, j].mean()
            expected[j, b] = other / (own + other) if own + other > 0 else 0
    np.testing.assert_allclose(published_factors(a, h, codes), expected, rtol=1e-12)


@pytest.mark.parametrize("shift", [0.0, 0.2, 1.0])
def test_shrunk_offsets_are_nearer_to_the_truth(shift):
    """The mean squared error over many draws, with and without a difference between the batches."""
    rng = np.random.default_rng(0)
    plain, shrunk, factors = [], [], []
    for _ in range(400):
        batch = np.eye(2)[rng.permutation(np.repeat([0, 1], 150))]
        x = rng.standard_normal((300, 5)) + shift * batch[:, :1]
        centred = x - x.mean(axis=0)
        size = batch.sum(axis=0)
        offset = (batch.T @ centred) / size[:, None]
        factors.append(_evidence(offset, size, (centred**2).sum(axis=0)))
        truth = np.array([[1.0], [-1.0]]) * shift / 2
        plain.append(((offset - truth) ** 2).sum())
        shrunk.append(((offset * factors[-1][:, None] - truth) ** 2).sum())
    assert np.mean(shrunk) < (0.5 if shift == 0 else 1) * np.mean(plain)
    assert 0 <= np.min(factors) <= np.max(factors) <= 1
    if shift == 1:
        assert np.mean(factors) > 0.97


def test_batches_that_do_not_differ_stay_where_they_are():
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 2, 600)
    kinds = rng.integers(0, 3, 600)
    h = np.abs(rng.standard_normal((3, 4)) * 3)[kinds] + rng.gamma(1, 0.2, (600, 4))
    same = align_embedding(h, codes, rng=np.random.default_rng(0))
    assert np.linalg.norm(same - h) < 0.02 * np.linalg.norm(h)
    shifted = h + 0.8 * codes[:, None] * np.array([1.0, 0, 1, 0])
    aligned = align_embedding(shifted, codes, rng=np.random.default_rng(0))
    gap = [np.linalg.norm(x[codes == 1].mean(axis=0) - x[codes == 0].mean(axis=0)) for x in (shifted, aligned)]
    assert gap[1] < 0.2 * gap[0]


@pytest.mark.parametrize("size", [1e-8, 1e-6, 3e-6])
def test_columns_of_rounding_do_not_steer_the_alignment(size):
    """Memberships of rows that sum to 1 have components of about 1e-6 of the largest, which are rounding alone."""
    rng = np.random.default_rng(2)
    codes = rng.integers(0, 2, 90)
    h = rng.gamma(1, 1, (90, 3)) + codes[:, None] * np.array([1.0, 0, 0])
    noise = size * rng.standard_normal((2, 90, 4))
    a, b = (
        align_embedding(np.hstack([h, n]), codes, nonnegative=False, rng=np.random.default_rng(0))[:, :3] for n in noise
    )
    np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("size", [0, 1e-16, 1e-7])
def test_a_cell_without_counts_does_not_steer_the_alignment(size):
    """Its row is as far from every centre, or holds rounding alone, so the order of a sum would decide its cluster."""
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 2, 40)
    h = rng.standard_normal((40, 12)) + codes[:, None] * np.eye(12)[0]
    h[5] = 0
    for seed in range(30):
        a, b = h + 1e-15 * rng.standard_normal((2, 40, 12)) * (h != 0)
        b[5] = size * rng.standard_normal(12)
        a, b = (align_embedding(x, codes, nonnegative=False, rng=np.random.default_rng(seed)) for x in (a, b))
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_an_embedding_without_directions_is_returned():
    h = np.zeros((6, 3))
    h[2] = 1
    np.testing.assert_array_equal(align_embedding(h, np.arange(6) % 2, rng=np.random.default_rng(0)), h)


@pytest.mark.parametrize("seed", range(5))
def test_rounding_does_not_turn_the_draws(seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((20000, 8)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    noise = (1e-6 * rng.standard_normal(x.shape)).astype(np.float32)
    a, b = (spread_rows(rows.astype(float), 60, rng=np.random.default_rng(seed)) for rows in (x, x + noise))
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("seed", range(5))
def test_rows_are_drawn_far_apart(seed):
    rng = np.random.default_rng(seed)
    kind = rng.permutation(np.repeat(np.arange(5), 20))
    x = np.eye(5)[kind] + 0.01 * rng.standard_normal((100, 5))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    drawn = spread_rows(x, 5, rng=np.random.default_rng(seed))
    assert sorted(kind[drawn]) == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(drawn, spread_rows(x, 5, rng=np.random.default_rng(seed)))


def test_every_row_can_be_drawn_once_also_equal_ones():
    x = np.repeat(np.eye(2), 3, axis=0)
    assert sorted(spread_rows(x, 6, rng=np.random.default_rng(0))) == list(range(6))
