"""Native chromVAR against chromVAR 1.5.0 (golden/r/chromvar_mini) and against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from sccase_kit.motifs import deviations, sample_background_peaks


@pytest.fixture
def mini(golden):
    with np.load(golden / "r" / "chromvar_mini.npz") as store:
        data = {name: store[name] for name in store.files}

    def matrix(name):
        parts = (data[f"{name}_data"], data[f"{name}_indices"], data[f"{name}_indptr"])
        return sparse.csc_matrix(parts, shape=data[f"{name}_shape"])

    return matrix("counts").T.tocsr(), matrix("annot").tocsr(), data


def test_background_is_bit_identical_to_r(mini):
    counts, _, data = mini
    background = sample_background_peaks(np.asarray(counts.sum(axis=0)).ravel(), data["bias"], seed=2017)
    np.testing.assert_array_equal(background + 1, data["bg"])


def test_deviations_equal_r(mini):
    counts, annotations, data = mini
    result = deviations(counts, annotations, data["bg"] - 1)
    np.testing.assert_allclose(result.deviations.T, data["dev"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(result.z.T, data["z"], rtol=0, atol=1e-9)


def test_deviations_equal_plain_loops():
    rng = np.random.default_rng(0)
    counts = rng.poisson(1.0, (5, 12)) + (np.arange(12) == 0)
    sets = rng.random((12, 3)) < 0.4
    sets[0] = True
    background = rng.integers(0, 12, (12, 6))
    share = counts.sum(axis=0) / counts.sum()

    def deviation(cell, peaks):
        expected = counts[cell].sum() * share[peaks].sum()
        return (counts[cell, peaks].sum() - expected) / expected

    result = deviations(sparse.csr_matrix(counts), sparse.csr_matrix(sets), background)
    for k in range(3):
        peaks = np.flatnonzero(sets[:, k])
        for cell in range(5):
            raw = deviation(cell, peaks)
            drawn = np.array([deviation(cell, background[peaks, b]) for b in range(6)])
            np.testing.assert_allclose(result.deviations[cell, k], raw - drawn.mean(), atol=1e-12)
            np.testing.assert_allclose(result.z[cell, k], (raw - drawn.mean()) / drawn.std(ddof=1), rtol=1e-9)
