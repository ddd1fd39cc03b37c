"""The tour itself: a small part of it, and that it sees what it looks for."""

from __future__ import annotations

import numpy as np
import pytest
import tour

import sccase_kit as sk

CALLS = {
    "tl.enhance(depth=True, batch_key='batch')",
    "metrics.raw_tfidf",
    "tl.chromvar",
    "pp.filter_cells(min_peaks=12)",
}
CALLS |= {"tl.scabc('none')", "get.enhanced(scale='minmax')"}
FORMS = {"CSC", "big-endian CSR", "dense, float16", "dense, big-endian", "dask of CSR", "read_lazy, .zarr"}


@pytest.mark.parametrize("seed", [0, 5, 8])  # counts; counts with NaN; with closed peaks, where this call differed once
def test_a_part_of_the_tour_finds_nothing(seed):
    cases = list(tour.tour(seed, calls=CALLS, containers=FORMS))
    assert {container for container, _, _ in cases} >= FORMS - {"dense, float16"}
    assert {call for _, call, _ in cases} == CALLS
    assert [case for case in cases if case[2] is not None] == []


def test_other_numbers_names_fields_and_errors_are_seen():
    result = {"a": np.array([1.0, np.nan]), "b": ["x"]}
    assert tour.difference(result, {"a": np.array([1.0 + 1e-8, np.nan]), "b": ["x"]}, 1e-6) is None
    assert "differs by" in tour.difference(result, {"a": np.array([1.1, np.nan]), "b": ["x"]}, 1e-6)
    assert "missing" in tour.difference(result, {"a": np.array([np.nan, 1.0]), "b": ["x"]}, 1e-6)
    assert "not" in tour.difference(result, {"a": result["a"], "b": ["y"]}, 1e-6)
    assert "shape" in tour.difference(result, {"a": np.ones(3), "b": ["x"]}, 1e-6)
    assert "fields" in tour.difference(result, {"a": result["a"]}, 1e-6)
    error = ("ValueError", "counts has 1 NaN", True)
    assert tour.difference(error, error, 0) is None
    assert "became" in tour.difference(error, ("ValueError", "counts has 2 negative", True), 0)
    assert "became" in tour.difference(result, error, 0)
    assert "no error" in tour.difference(error, result, 0)
    assert "raw" in tour.difference(error, ("ValueError", "of scipy", False), 0)
    assert tour.difference(result, ("ValueError", "stored by peaks (CSC) on disk", True), 0) == "refused"


def test_a_fault_in_a_call_is_found(monkeypatch):
    def by_container(adata):
        return float(sk.pp.tfidf_scaling(adata.X).col_scale.sum()) + isinstance(adata.X, np.ndarray)

    monkeypatch.setattr(tour, "CALLS", {"faulty": (by_container, 1e-6)})
    found = {c: d for c, _, d in tour.tour(0, calls={"faulty"}, containers={"CSC", "dense"})}
    assert found["CSC"] is None
    assert "differs by" in found["dense"]
