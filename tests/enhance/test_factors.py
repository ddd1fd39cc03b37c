"""Ranges of the min–max scaling from thin factors."""

import numpy as np
import pytest

import sccase_kit.enhance.factors as _factors
from sccase_kit import settings
from sccase_kit.enhance.factors import compute_ranges


@pytest.mark.parametrize("by_peaks", [True, False])
def test_ranges_are_those_of_the_dense_matrix(by_peaks, monkeypatch):
    monkeypatch.setattr(_factors, "_FEWEST_PEAKS", 1 if by_peaks else 10**9)
    monkeypatch.setattr(_factors, "_LOOKED_AT", 1)  # 16 peaks of a block, then 14
    rng = np.random.default_rng(0)
    cells, peaks = rng.random((40, 5)), rng.random((130, 5))
    peaks[7] = 0  # a constant peak
    dense = cells @ peaks.T
    low, high = dense.min(axis=0), dense.max(axis=0)
    scaled = (dense - low) / np.where(high > low, high - low, 1)
    told = []
    with settings.override(block_bytes=4 * 40 * 8 * 30):  # 30 peaks of all cells, or some cells
        found = compute_ranges(cells, peaks, report=told.append)
    np.testing.assert_allclose(found.peak, np.column_stack([low, high]), rtol=1e-12)
    np.testing.assert_allclose(found.cell, np.column_stack([scaled.min(axis=1), scaled.max(axis=1)]), atol=1e-12)
    assert sum(told) == 80
    assert len(told) > 1
