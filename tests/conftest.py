"""Shared fixtures: where the reference data lie, quiet figures, skip marks."""

from __future__ import annotations

import os
from pathlib import Path

import matplotlib as mpl
import pytest

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
