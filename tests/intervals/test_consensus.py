import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sccase_kit.intervals.arrays import Linear
from sccase_kit.intervals.consensus import best_match, iterative_consensus, keep_best, quantiles, union_consensus


def slow_keep(start, end, score):
    """Keep the best, drop what overlaps it, look again."""
    left = sorted(range(len(start)), key=lambda i: (-score[i], start[i], end[i], i))
    kept = np.zeros(len(start), dtype=bool)
    while left:
        best = left.pop(0)
        kept[best] = True
        left = [i for i in left if start[i] >= end[best] or end[i] <= start[best]]
    return kept


intervals = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20), st.integers(0, 4)), max_size=25)


@settings(deadline=None)
@given(intervals)
def test_keep_best_is_the_literal_rule(rows):
    start = np.array([a for a, _, _ in rows], dtype=np.int64)
    end = start + np.array([w for _, w, _ in rows], dtype=np.int64)
    score = np.array([s for _, _, s in rows], dtype=np.float64)
    assert np.array_equal(keep_best(Linear(start, end), score), slow_keep(start, end, score))


def table(*rows):
    return pd.DataFrame(rows, columns=["chrom", "start", "end", "score"])


def test_iterative_over_two_sets():
    a = table(("chr2", 10, 20, 0.9), ("chr1", 0, 10, 0.5), ("chr1", 5, 15, 0.8))
    b = table(("chr1", 12, 22, 0.6), ("chr1", 90, 100, 0.1), ("chr1", 500, 510, 1.0))
    found = iterative_consensus([a, b], chrom_sizes={"chr1": 505, "chr2": 100})
    assert found[["chrom", "start", "set", "n_sets"]].values.tolist() == [
        ["chr1", 5, 0, 2],
        ["chr1", 90, 1, 1],
        ["chr2", 10, 0, 1],
    ]
    assert len(iterative_consensus([a, b], min_sets=2)) == 1


def test_union_joins_what_overlaps_or_touches():
    a, b = table(("chr1", 0, 10, 0.5), ("chr1", 40, 50, 0.2)), table(("chr1", 10, 20, 0.7), ("chr1", 55, 60, 0.1))
    found = union_consensus([a, b])
    assert found[["start", "end", "score"]].values.tolist() == [[0, 20, 0.7], [40, 50, 0.2], [55, 60, 0.1]]
    assert found["n_sets"].tolist() == [2, 1, 1]
    assert union_consensus([a, b], distance=20).shape[0] == 1


def test_quantiles_count_ties_together():
    assert quantiles([3, 1, 1, 9]).tolist() == [0.75, 0.5, 0.5, 1.0]


@pytest.mark.parametrize("n", [0, 1, 40])
def test_best_match_against_every_pair(n):
    rng = np.random.default_rng(n)
    old = pd.DataFrame({"chrom": rng.choice(["a", "b"], n), "start": rng.integers(0, 300, n)})
    old["end"] = old["start"] + rng.integers(1, 30, n)
    new = pd.DataFrame({"chrom": rng.choice(["a", "b"], 20), "start": rng.integers(0, 300, 20)})
    new["end"] = new["start"] + rng.integers(1, 60, 20)
    got = best_match(old, new)
    for i, o in enumerate(old.itertuples()):
        shared = [
            max(0, min(o.end, p.end) - max(o.start, p.start)) if p.chrom == o.chrom else 0 for p in new.itertuples()
        ]
        assert got[i] == (int(np.argmax(shared)) if max(shared) else -1)
