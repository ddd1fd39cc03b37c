import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from sccase_kit.intervals.segments import disjoint_segments

rows = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 40), st.integers(1, 15)), max_size=15)


@settings(deadline=None)
@given(rows)
def test_every_base_shows_the_largest_region_over_it(rows):
    regions = pd.DataFrame(rows, columns=["chrom", "start", "end"])
    regions["end"] += regions["start"]
    values = np.arange(1.0, len(regions) + 1)
    expected = {name: np.zeros(60) for name in "ab"}
    for value, (chrom, start, end) in zip(values, regions.itertuples(index=False), strict=True):
        expected[chrom][start:end] = np.maximum(expected[chrom][start:end], value)
    found = disjoint_segments(regions)
    got = {name: np.zeros(60) for name in "ab"}
    for value, (chrom, start, end) in zip(found.largest(values), found.regions.itertuples(index=False), strict=True):
        assert not got[chrom][start:end].any()
        got[chrom][start:end] = value
    assert all(np.array_equal(got[name], expected[name]) for name in "ab")
    for _, part in found.regions.groupby("chrom"):
        assert (part["start"].to_numpy()[1:] >= part["end"].to_numpy()[:-1]).all()
