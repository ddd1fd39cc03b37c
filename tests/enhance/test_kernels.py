"""The compiled loops give what the same loops give in plain Python."""

from __future__ import annotations

import numpy as np

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


def test_smallest(uncompiled):
    values = np.random.default_rng(1).integers(0, 5, size=(6, 9)).astype(float)
    for kernels in (neighbor_kernels, uncompiled("sccase_kit.neighbors.kernels")):
        indices, smallest = np.zeros((6, 4), dtype=np.int64), np.zeros((6, 4))
        kernels.smallest_per_row(values, indices, smallest)
        np.testing.assert_array_equal(indices, np.argsort(values, axis=1, kind="stable")[:, :4])
        np.testing.assert_array_equal(smallest, np.sort(values, axis=1)[:, :4])
