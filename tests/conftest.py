"""Shared fixtures: where the reference data lie, quiet figures, skip marks."""

from __future__ import annotations

import os
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from scipy import sparse

mpl.use("agg")

SHARED = Path(os.environ.get("SCCASE_KIT_SHARED", Path(__file__).resolve().parents[2] / "shared"))


@pytest.fixture(scope="session")
def golden() -> Path:
    """Folder with the outputs of the original tools."""
    path = SHARED / "golden"
    if not path.is_dir():
        pytest.skip(f"reference outputs of the original tools are not at {path}")
    return path


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with the real data sets."""
    path = SHARED / "data"
    if not path.is_dir():
        pytest.skip(f"real data sets are not at {path}")
    return path


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium, which may not leave this machine; one for all tests of a run."""
    import shutil

    program = next((p for p in ("chromium", "chromium-browser", "google-chrome") if shutil.which(p)), None)
    if program is None or shutil.which("chromedriver") is None:
        pytest.skip("no Chromium with its driver on the PATH: apt-get install chromium chromium-driver")
    webdriver = pytest.importorskip("selenium.webdriver", reason="pip install selenium")
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which(program)
    for word in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "hide-scrollbars"):
        options.add_argument(f"--{word}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    driver.set_window_size(1400, 1000)
    yield driver
    driver.quit()


@pytest.fixture
def uncompiled(monkeypatch):
    """Return a function that loads a module of kernels as plain Python: no coverage tool sees compiled lines."""
    import importlib.util

    import numba

    def load(name: str):
        monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
        found = importlib.util.find_spec(name)
        module = importlib.util.module_from_spec(found)
        found.loader.exec_module(module)
        monkeypatch.setattr(numba.config, "DISABLE_JIT", 0)
        return module

    return load


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
def planted():
    """The function that makes planted counts of a given size."""
    return planted_counts


@pytest.fixture
def counts():
    return planted_counts()[0]


@pytest.fixture
def types():
    return planted_counts()[1]
