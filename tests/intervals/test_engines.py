"""The two engines of interval algebra give the same tables: sorted arrays, and the program BEDTools."""

from __future__ import annotations

import inspect
import shutil

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sccase_kit import regions as rg
from sccase_kit._optional import MissingProgramError
from sccase_kit.intervals import native, through_bedtools

needs_bedtools = pytest.mark.skipif(shutil.which("bedtools") is None, reason="the program bedtools is not installed")
BOTH = ("native", "bedtools")
# Few places on few chromosomes: most draws hold regions that touch, tie, nest or repeat.
SITES = st.lists(
    st.tuples(st.sampled_from(["chr1", "chr2", "chr10", "chrX"]), st.integers(0, 25), st.integers(1, 12)),
    min_size=1,
    max_size=12,
)
SLOW = settings(max_examples=25, derandomize=True, deadline=None, database=None)


def frame(sites: list[tuple[str, int, int]], letter: str = "r") -> pd.DataFrame:
    table = pd.DataFrame([(c, s, s + n) for c, s, n in sites], columns=["chrom", "start", "end"])
    return table.set_axis([f"{letter}{i}" for i in range(len(table))])


def same(call, *args, **options) -> pd.DataFrame:
    ours, theirs = (call(*args, engine=engine, **options) for engine in BOTH)
    pd.testing.assert_frame_equal(ours, theirs)
    return ours


@needs_bedtools
@SLOW
@given(SITES, SITES, st.sampled_from([None, 0.1, 0.2, 1 / 3, 0.5, 0.6, 1.0]))
def test_overlaps(left, right, min_fraction):
    a, b = frame(left, "a"), frame(right, "b")
    for how in ("any", "none", "pairs"):
        same(rg.overlap, a, b, how=how, min_fraction=min_fraction)


@needs_bedtools
@SLOW
@given(SITES, SITES, st.integers(0, 30))
def test_windows(left, right, distance):
    same(rg.window, frame(left, "a"), frame(right, "b"), distance=distance)


@needs_bedtools
@SLOW
@given(SITES, SITES, st.none() | st.integers(0, 6))
def test_closest_regions(left, right, max_distance):
    here = {c for c, _, _ in right}
    a = frame([site for site in left if site[0] in here], "a")
    if len(a):
        same(rg.closest, a, frame(right, "b"), max_distance=max_distance)


@needs_bedtools
@SLOW
@given(SITES, SITES)
def test_coverage(left, right):
    same(rg.coverage, frame(left, "a"), frame(right, "b"))


@needs_bedtools
@SLOW
@given(SITES, st.integers(0, 30))
def test_merged_regions(sites, distance):
    same(rg.merge, frame(sites), distance=distance)


@needs_bedtools
@SLOW
@given(
    SITES,
    st.lists(
        st.tuples(st.sampled_from(["chr1", "chr2"]), st.integers(0, 40), st.sampled_from("+-")),
        min_size=1,
        max_size=9,
    ),
)
def test_closest_genes_by_strand(sites, starts):
    from sccase_kit.intervals.bedtools import bedtools, read_columns, to_bed

    here = {c for c, _, _ in starts}
    a = frame([site for site in sites if site[0] in here], "a")
    if not len(a):
        return
    tss = pd.DataFrame(starts, columns=["chrom", "tss", "strand"]).assign(gene_id=[f"g{i}" for i in range(len(starts))])
    with bedtools() as module:
        places = to_bed(module, tss.assign(start=tss["tss"], end=tss["tss"] + 1), tss["strand"].to_numpy())
        theirs = read_columns(to_bed(module, a).closest(places, D="b", t="all"), {3: "a", 7: "b", 10: "distance"})
    found = rg.closest_genes(a, tss)
    ours = set(zip(found["region"], found["gene_id"], found["distance"], strict=True))
    assert ours == {(f"a{a}", f"g{b}", d) for a, b, d in theirs.itertuples(index=False)}


@needs_bedtools
@pytest.mark.parametrize("seed", range(2))
def test_many_regions(seed):
    """Thousands, long and short, in no order, with points among them."""
    rng = np.random.default_rng(seed)

    def some(n: int) -> pd.DataFrame:
        start = rng.integers(0, 200_000, n)
        end = start + np.maximum(1, rng.lognormal(4, 2, n)).astype(np.int64)
        return pd.DataFrame({"chrom": rng.choice(["chr1", "chr2", "chr11", "chrY"], n), "start": start, "end": end})

    a, b = some(2_000), some(3_000)
    assert len(same(rg.overlap, a, b, how="pairs")) > 5_000
    assert len(same(rg.closest, a, b.iloc[:300])) >= 2_000
    for call in (rg.overlap, rg.window, rg.coverage):
        same(call, a, b)
    assert same(rg.merge, b)["n"].sum() == 3_000
    snps = pd.DataFrame({"chrom": "chr1", "pos": rng.integers(1, 200_000, 500)})
    same(rg.overlap, a, snps, how="pairs")
    same(rg.closest, snps, a)


@pytest.mark.parametrize("engine", BOTH)
def test_regions_without_bases_are_refused(engine):
    if engine == "bedtools" and shutil.which("bedtools") is None:
        pytest.skip("the program bedtools is not installed")
    good = frame([("chr1", 5, 5)])
    none = good.assign(end=good["start"])
    for call in (rg.overlap, rg.window, rg.closest, rg.coverage):
        for a, b in ((good, none), (none, good)):
            with pytest.raises(ValueError, match="end <= start"):
                call(a, b, engine=engine)
    with pytest.raises(ValueError, match="end <= start"):
        rg.merge(none, engine=engine)


def test_engines_have_the_same_functions():
    def verbs(module):
        own = {k: v for k, v in vars(module).items() if getattr(v, "__module__", "") == module.__name__}
        return {name: inspect.signature(value) for name, value in own.items() if not name.startswith("_")}

    assert verbs(native) == verbs(through_bedtools)


def test_only_the_second_engine_needs_the_program(monkeypatch):
    monkeypatch.setenv("PATH", "")
    a = frame([("chr1", 5, 5), ("chr2", 1, 1)])
    for call in (rg.overlap, rg.window, rg.closest, rg.coverage):
        assert len(call(a, a)) == 2
        with pytest.raises(MissingProgramError, match="apt-get install bedtools"):
            call(a, a, engine="bedtools")
    assert len(rg.merge(a)) == 2
    with pytest.raises(MissingProgramError, match="apt-get install bedtools"):
        rg.merge(a, engine="bedtools")
    with pytest.raises(ValueError, match="engine must be one of"):
        rg.merge(a, engine="samtools")


def test_distances():
    """0 where a base is shared, 1 where they touch, negative to the left; all of equals; never other chromosomes."""
    a = frame([("chr1", 10, 10), ("chr3", 10, 10)], "a")
    b = frame([("chr1", 0, 10), ("chr1", 20, 3), ("chr1", 5, 5), ("chr2", 1, 2)], "b")
    with pytest.warns(UserWarning, match="a: 1 of 2 rows lie on sequences that are not among those of b"):
        found = rg.closest(a, b)
    assert found[["a", "b", "distance"]].values.tolist() == [["a0", "b0", -1], ["a0", "b1", 1], ["a0", "b2", -1]]
    assert rg.closest(a.iloc[:1], b, max_distance=0).empty
    with pytest.raises(ValueError, match=r"1 of 2 rows .*chr3"):
        rg.closest(a, b, unknown="error")
    with pytest.raises(ValueError, match="1 of 1 rows"):
        rg.closest(a.iloc[1:], b)


def test_coverage_counts_bases_once():
    a = frame([("chr1", 0, 10), ("chr2", 0, 10)], "a")
    table = rg.coverage(a, frame([("chr1", 2, 3), ("chr1", 3, 4), ("chr1", 9, 5)]))
    assert table.index.tolist() == ["a0", "a1"]
    assert table[["n", "covered", "fraction"]].values.tolist() == [[3, 6, 0.6], [0, 0, 0]]


def test_far_distances_do_not_reach_other_chromosomes():
    a = frame([("chr1", 0, 10), ("chr2", 50, 10)])
    assert rg.window(a, a, distance=2**50)["a"].tolist() == ["r0", "r1"]
    assert rg.merge(a, distance=2**50)["n"].tolist() == [1, 1]
