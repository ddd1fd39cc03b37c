"""The compiled loop of SNPsea gives what it gives in plain Python."""

from __future__ import annotations

import numpy as np

from sccase_kit.snpsea import kernels as _snpsea_kernels


def test_count_of_null_sets(uncompiled):
    rng = np.random.default_rng(0)
    table = rng.random((30, 4))
    table[3, 2] = np.inf  # a sum that is not finite counts as 0
    rows = rng.integers(30, size=(50, 6))
    threshold = np.array([3.0, 2.5, 3.2, -1.0])
    total = table[rows].sum(axis=1)
    total[~np.isfinite(total)] = 0
    for kernels in (_snpsea_kernels, uncompiled("sccase_kit.snpsea.kernels")):
        counts = np.zeros(4, dtype=np.int64)
        kernels.count_reached(table, rows, threshold, counts)
        np.testing.assert_array_equal(counts, (total >= threshold).sum(axis=0))
