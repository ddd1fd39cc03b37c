from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

from sccase_kit.metrics import depth_correlation


def test_against_scipy():
    rng = np.random.default_rng(0)
    depth = rng.integers(10, 500, 80)
    embedding = rng.normal(size=(80, 4)) + np.log(depth)[:, None] * [0, 1, 0, -2]
    found = depth_correlation(embedding, depth)
    np.testing.assert_allclose(found, [pearsonr(x, np.log(depth))[0] for x in embedding.T])
    ranked = depth_correlation(embedding, depth, method="spearman")
    np.testing.assert_allclose(ranked, [spearmanr(x, depth)[0] for x in embedding.T])
    assert list(found.index) == [1, 2, 3, 4]


def test_constant_component_and_bad_depth():
    assert depth_correlation(np.ones((3, 1)), np.array([1, 2, 3])).iloc[0] == 0
    with pytest.raises(ValueError, match="1 cells have none"):
        depth_correlation(np.ones((3, 1)), np.array([1, 0, 3]))
    with pytest.raises(ValueError, match="depth has 2 values, embedding has 3 cells"):
        depth_correlation(np.ones((3, 1)), np.array([1, 2]))
