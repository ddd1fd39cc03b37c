"""How well batches are mixed inside groups, by the neighbours."""

from __future__ import annotations

import numpy as np

from sccase_kit.metrics.mixing import neighbours_of_other_batches


def test_neighbours_of_other_batches_by_hand():
    rng = np.random.default_rng(0)
    labels, batches = np.repeat(["a", "b", "few"], [40, 30, 5]), rng.choice(["x", "y"], 75)
    points = rng.normal(size=(75, 3)) + 5 * (labels == "b")[:, None]
    observed, expected = [], []
    for i in np.flatnonzero(labels != "few"):
        own = np.flatnonzero((labels == labels[i]) & (np.arange(75) != i))
        k = min(15, max(2, (len(own) + 1) // 4))
        near = own[np.argsort(np.linalg.norm(points[own] - points[i], axis=1))[:k]]
        observed.append(np.mean(batches[near] != batches[i]))
        expected.append(np.mean(batches[own] != batches[i]))
    found = neighbours_of_other_batches(points, batches, labels)
    np.testing.assert_allclose(found, (np.mean(observed), np.mean(expected)), rtol=1e-12)
    assert neighbours_of_other_batches(points, labels, labels) is None
    apart = neighbours_of_other_batches(np.c_[points, 1e3 * (batches == "x")], batches, labels)
    assert apart[0] < 0.05 < apart[1]
