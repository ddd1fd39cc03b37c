"""The compiled loops give what the same loops give in plain Python."""

from __future__ import annotations

import numpy as np
import pytest

from sccase_kit.enhance import kernels as _kernels
from sccase_kit.neighbors import kernels as neighbor_kernels


def test_sweeps(uncompiled):
    rng = np.random.default_rng(0)
    factor, other = rng.random((140, 3)), rng.random((20, 3))
    x = rng.random((140, 20))
    other[:, 1] = 0  # a dead component becomes 0
    gram, product = other.T @ other, x @ other
    one, two, slow = factor.copy(), factor.copy(), factor.copy()
    _kernels.hals_rows(one, product, gram, 2)
    uncompiled("sccase_kit.enhance.kernels").hals_rows(two, product, gram, 2)
    for _ in range(2):
        for j in range(3):
            step = (product[:, j] - slow @ gram[:, j]) / gram[j, j] if gram[j, j] > 0 else -slow[:, j]
            slow[:, j] = np.maximum(slow[:, j] + step, 0)
    np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(two, slow, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("n", [127, 128, 200, 700])
@pytest.mark.parametrize("k", [1, 23, 64, 65])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_smallest_of_long_rows(n, k, dtype, uncompiled):
    """Most of their entries are passed over, by the minima of groups of them; ties and infinities are not."""
    rng = np.random.default_rng(n + k)
    values = rng.normal(size=(6, n)).astype(dtype)
    values[1] = rng.integers(0, 4, n)
    values[2] = np.sort(values[2])
    values[3] = np.sort(values[3])[::-1]
    values[4, 5:90] = np.inf
    values[:5, n // 2] = -np.inf
    for kernels in (neighbor_kernels, uncompiled("sccase_kit.neighbors.kernels")):
        indices, smallest = np.zeros((6, k), dtype=np.int64), np.zeros((6, k))
        kernels.smallest_per_row(values, indices, smallest)
        finite = np.isfinite(np.sort(values, axis=1)[:, :k]) | (np.sort(values, axis=1)[:, :k] < 0)
        expected = np.argsort(values, axis=1, kind="stable")[:, :k]
        np.testing.assert_array_equal(indices[finite], expected[finite])
        np.testing.assert_array_equal(smallest, np.sort(values, axis=1)[:, :k])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nearest_of_candidates(dtype, uncompiled):
    rng = np.random.default_rng(5)
    points = rng.integers(0, 3, (30, 4)).astype(dtype)  # many at the same distance
    rows, own = np.array([4, 9, 2, 20]), np.arange(30)
    own[9] = -1
    candidates = np.stack([rng.permutation(30)[:12] for _ in rows])
    candidates[0] = [7, 20, 29, 19, 1, 4, 0, 24, 3, 11, 12, 13]  # itself is not the first
    for kernels in (neighbor_kernels, uncompiled("sccase_kit.neighbors.kernels")):
        indices, distances = np.full((30, 5), -7), np.full((30, 5), -7.0)
        kernels.nearest_candidates(points, points, rows, own, candidates, indices, distances)
        assert (np.delete(indices, rows, axis=0) == -7).all()
        for row, near in zip(rows, candidates, strict=True):
            exact = {int(p): float(np.linalg.norm(points[row] - points[p])) for p in near}
            order = sorted(exact, key=lambda p, row=row, exact=exact: (p != own[row], exact[p], p))[:5]
            assert indices[row].tolist() == order
            np.testing.assert_allclose(distances[row], [exact[p] for p in order], rtol=1e-6)


def test_smallest(uncompiled):
    values = np.random.default_rng(1).integers(0, 5, size=(6, 9)).astype(float)
    for kernels in (neighbor_kernels, uncompiled("sccase_kit.neighbors.kernels")):
        indices, smallest = np.zeros((6, 4), dtype=np.int64), np.zeros((6, 4))
        kernels.smallest_per_row(values, indices, smallest)
        np.testing.assert_array_equal(indices, np.argsort(values, axis=1, kind="stable")[:, :4])
        np.testing.assert_array_equal(smallest, np.sort(values, axis=1)[:, :4])
