"""The closest points against a literal search."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sccase_kit.intervals.closest import closest_points


def literal(start, end, points, k):
    pairs = []
    for i, (low, high) in enumerate(zip(start, end, strict=True)):
        away = [p - low if p < low else p - high + 1 if p >= high else 0 for p in points]
        allowed = sorted({abs(a) for a in away})[:k]
        pairs += [(i, j, int(a)) for j, a in enumerate(away) if abs(a) in allowed]
    return sorted(pairs)


regions = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 9)), min_size=1, max_size=6)


@settings(max_examples=200, deadline=None)
@given(regions=regions, points=st.lists(st.integers(0, 60), max_size=9), k=st.integers(1, 4))
def test_equals_a_literal_search(regions, points, k):
    start = np.array([low for low, _ in regions])
    end = start + np.array([length for _, length in regions])
    found = closest_points(start, end, np.array(points, dtype=np.int64), k=k)
    assert sorted(zip(*(part.tolist() for part in found), strict=True)) == literal(start, end, points, k)


@pytest.mark.parametrize(("point", "distance"), [(5, -5), (9, -1), (10, 0), (19, 0), (20, 1), (25, 6)])
def test_distances_are_those_of_bedtools(point, distance):
    _, _, away = closest_points(np.array([10]), np.array([20]), np.array([point]))
    assert away.tolist() == [distance]
