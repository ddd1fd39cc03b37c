"""A small file with cell types, and an experiment registered for a test."""

from __future__ import annotations

import pytest

import sccase_kit as sk


@pytest.fixture(scope="session")
def counts_file(tmp_path_factory):
    adata = sk.datasets.toy_study(n_cells=90, n_peaks=400, n_types=3).adata
    path = tmp_path_factory.mktemp("paper") / "mine.h5ad"
    adata.write_h5ad(path)
    return path


@pytest.fixture(autouse=True)
def small_simulation(monkeypatch):
    """Let the simulated set be a small one: the paper's takes seconds to make."""
    from sccase_kit.paper import cohorts

    load = cohorts.load

    def small(name, **kwargs):
        if name != "simulated":
            return load(name, **kwargs)
        return sk.datasets.simulate(100, 400, n_types=3, library_size=80, rng=0)

    monkeypatch.setattr(cohorts, "load", small)


@pytest.fixture
def registered():
    """Register experiments for the test; they are taken back at its end."""
    names = []

    def add(experiment):
        sk.paper.register(experiment)
        names.append(experiment.name)
        return experiment

    yield add
    for name in names:
        sk.paper.unregister(name)
