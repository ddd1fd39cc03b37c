"""Small count matrices with known structure."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse


def planted_counts(n_cells=60, n_peaks=120, n_types=3, seed=0):
    """Return (counts, types): each type opens its own third of the peaks, on a sparse background."""
    rng = np.random.default_rng(seed)
    types = np.arange(n_cells) % n_types
    rate = np.full((n_cells, n_peaks), 0.05)
    for t in range(n_types):
        rate[np.ix_(types == t, np.arange(n_peaks) % n_types == t)] = 0.6
    counts = rng.poisson(rate)
    counts[np.arange(n_cells), rng.integers(n_peaks, size=n_cells)] += 1
    counts[rng.integers(n_cells, size=n_peaks), np.arange(n_peaks)] += 1
    return sparse.csr_matrix(counts.astype(np.int32)), types


@pytest.fixture
def counts():
    return planted_counts()[0]


@pytest.fixture
def types():
    return planted_counts()[1]
