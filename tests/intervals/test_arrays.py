"""Interval kernels against loops over bases and pairs."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sccase_kit.intervals.arrays import (
    Linear,
    covered_before,
    linearise,
    merge_groups,
    merge_intervals,
    overlap_pairs,
    overlaps_any,
    points_in,
)

interval = st.tuples(st.sampled_from("abc"), st.integers(0, 60), st.integers(1, 25))
tables = st.lists(interval, max_size=15).map(
    lambda rows: pd.DataFrame(
        {
            "chrom": np.array([c for c, _, _ in rows], dtype=object),
            "start": np.array([s for _, s, _ in rows], dtype=np.int64),
            "end": np.array([s + n for _, s, n in rows], dtype=np.int64),
        }
    )
)


def bases(frame):
    return [{(r.chrom, p) for p in range(r.start, r.end)} for r in frame.itertuples()]


@settings(max_examples=150, deadline=None)
@given(tables, tables)
def test_overlaps_are_those_of_the_bases(left, right):
    a, b = linearise(left, right)
    expected = [(i, j) for i, x in enumerate(bases(left)) for j, y in enumerate(bases(right)) if x & y]
    i, j = overlap_pairs(a, b)
    assert list(zip(i.tolist(), j.tolist(), strict=True)) == expected
    assert overlaps_any(a, b).tolist() == [any(x & y for y in bases(right)) for x in bases(left)]


@settings(max_examples=150, deadline=None)
@given(tables, st.integers(0, 8))
def test_merging_gives_the_union(frame, distance):
    (lin,) = linearise(frame, gap=distance)
    union = merge_intervals(lin, distance)
    assert (union.start[1:] > union.end[:-1] + distance).all()
    label = merge_groups(lin, distance)
    assert (lin.start >= union.start[label]).all()
    assert (lin.end <= union.end[label]).all()
    if distance == 0:
        assert int((union.end - union.start).sum()) == len(set().union(*bases(frame)))


def test_points_and_coverage():
    union = Linear(np.array([2, 10]), np.array([5, 12]))
    assert covered_before(np.arange(14), union).tolist() == [0, 0, 0, 1, 2, 3, 3, 3, 3, 3, 3, 4, 5, 5]
    point, place = points_in(np.array([1, 2, 4, 5, 11]), union)
    assert point.tolist() == [1, 2, 4]
    assert place.tolist() == [0, 0, 1]


def test_empty_tables():
    empty = pd.DataFrame({"chrom": np.array([], object), "start": np.array([], int), "end": np.array([], int)})
    a, b = linearise(empty, empty)
    assert len(overlap_pairs(a, b)[0]) == 0
    assert len(merge_intervals(a).start) == 0


@pytest.mark.parametrize("n", [200_000])
def test_many(n):
    rng = np.random.default_rng(0)
    start = rng.integers(0, 3_000_000_000, n)
    a = Linear(start, start + 500)
    i, j = overlap_pairs(a, a)
    assert ((a.start[i] < a.end[j]) & (a.start[j] < a.end[i])).all()
    assert (i == j).sum() == n
