from __future__ import annotations

import pytest

import sccase_kit as sk


@pytest.fixture(scope="session")
def study():
    """The toy study at its default size."""
    return sk.datasets.toy_study()


@pytest.fixture(scope="session")
def small_study():
    """A toy study that is cheap to write and to scan base by base."""
    return sk.datasets.toy_study(n_cells=120, n_peaks=600, n_types=3, rng=5)
