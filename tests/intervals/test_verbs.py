"""Interval algebra against loops over pairs."""

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sccase_kit.intervals.bedtools import bedtools
from sccase_kit.regions import closest_genes, merge, overlap, shuffle, window

needs_bedtools = pytest.mark.skipif(shutil.which("bedtools") is None, reason="the program bedtools is not installed")
SIZES = {"chr1": 5_000, "chr2": 3_000}


def some(n, seed, label):
    rng = np.random.default_rng(seed)
    start = rng.integers(0, 2_000, n)
    frame = pd.DataFrame(
        {"chrom": rng.choice(["chr2", "chr1"], n), "start": start, "end": start + rng.integers(1, 80, n)}
    )
    frame.index = [f"{label}{i}" for i in range(n)]
    return frame.assign(extra=np.arange(n))


def shared(x, y):
    return min(x.end, y.end) - max(x.start, y.start) if x.chrom == y.chrom else -(10**9)


@pytest.fixture(scope="module")
def pair():
    return some(60, 0, "a"), some(40, 1, "b")


@pytest.fixture(autouse=True)
def leaves_no_files():
    before = set(Path(tempfile.gettempdir()).glob("sccase_kit_*"))
    default = tempfile.tempdir
    yield
    assert set(Path(tempfile.gettempdir()).glob("sccase_kit_*")) <= before
    assert tempfile.tempdir == default


def test_overlap(pair):
    a, b = pair
    expected = [(x.Index, y.Index, shared(x, y)) for x in a.itertuples() for y in b.itertuples() if shared(x, y) > 0]
    pairs = overlap(a, b, how="pairs")
    assert list(pairs[["a", "b", "overlap"]].itertuples(index=False, name=None)) == expected
    hit = {x for x, _, _ in expected}
    pd.testing.assert_frame_equal(overlap(a, b), a[a.index.isin(hit)], check_dtype=False)
    pd.testing.assert_frame_equal(overlap(a, b, how="none"), a[~a.index.isin(hit)], check_dtype=False)
    half = {x for x, _, n in expected if n >= 0.5 * (a.loc[x, "end"] - a.loc[x, "start"])}
    assert set(overlap(a, b, min_fraction=0.5).index) == half


def test_snps_in_peaks():
    peaks = pd.DataFrame({"chrom": ["chr1"], "start": [10], "end": [20]})
    snps = pd.DataFrame({"chrom": "chr1", "pos": [10, 11, 20, 21]}, index=["rs1", "rs2", "rs3", "rs4"])
    assert overlap(peaks, snps, how="pairs")["b"].tolist() == ["rs2", "rs3"]


def test_window(pair):
    a, b = pair
    expected = {(x.Index, y.Index) for x in a.itertuples() for y in b.itertuples() if shared(x, y) > -25}
    got = window(a, b, distance=25)
    assert set(got[["a", "b"]].itertuples(index=False, name=None)) == expected


def test_merge(pair):
    a, _ = pair
    rows = sorted(a[["chrom", "start", "end"]].itertuples(index=False, name=None))
    expected = []
    for chrom, start, end in rows:
        if expected and expected[-1][0] == chrom and start <= expected[-1][2] + 5:
            expected[-1][2] = max(expected[-1][2], end)
            expected[-1][3] += 1
        else:
            expected.append([chrom, start, end, 1])
    assert merge(a, distance=5).values.tolist() == expected


def test_regions_on_chromosomes_without_genes_are_counted():
    tss = pd.DataFrame({"chrom": ["chr1"], "tss": [50], "strand": ["+"], "gene_id": ["g"], "symbol": ["G"]})
    regions = ["chr1:0-10", "GL000194.1:5-9", "chr1:60-70"]
    with pytest.warns(UserWarning, match=r"regions: 1 of 3 rows lie on sequences that are not among those of tss"):
        found = closest_genes(regions, tss)
    assert found["region"].tolist() == ["chr1:0-10", "chr1:60-70"]
    with pytest.raises(ValueError, match=r"1 of 3 rows .*GL000194.1"):
        closest_genes(regions, tss, unknown="error")
    with pytest.raises(ValueError, match="unknown"):
        closest_genes(regions, tss, unknown="keep")
    with pytest.raises(ValueError, match="1 of 1 rows"):
        closest_genes(["GL000194.1:5-9"], tss)


@pytest.mark.filterwarnings("ignore:regions. .* not among those of tss")  # those on chr2
def test_closest_genes(pair):
    a, _ = pair
    rng = np.random.default_rng(2)
    tss = pd.DataFrame(
        {"chrom": "chr1", "tss": rng.choice(2_000, 12, replace=False), "strand": rng.choice(["+", "-"], 12)}
    )
    tss["gene_id"] = [f"g{i}" for i in range(12)]
    found = closest_genes(a, tss)
    on_chr1 = a[a["chrom"] == "chr1"]
    assert set(found["region"]) == set(on_chr1.index)
    for row in found.itertuples():
        gap = np.maximum(0, np.maximum(row.start - tss["tss"], tss["tss"] - row.end + 1)).to_numpy()
        gene = int(row.gene_id[1:])
        assert abs(row.distance) == gap.min() == gap[gene]
        upstream = (tss["tss"][gene] >= row.end) == (tss["strand"][gene] == "+")
        assert row.distance == 0 or (row.distance < 0) == upstream
    assert (closest_genes(a, tss, max_distance=20)["distance"].abs() <= 20).all()
    assert len(closest_genes(a, tss, k=2)) > len(found)


def closest_with_ties(k):
    regions = pd.DataFrame({"chrom": "chr1", "start": [100], "end": [200]})
    tss = pd.DataFrame({"chrom": "chr1", "tss": [120, 150, 209, 90, 400], "strand": "+", "gene_id": [*"abcde"]})
    return closest_genes(regions, tss, k=k)


def test_equally_close_genes_are_one_place():
    """A gene 10 to the left and one 10 to the right are one place, as are two inside."""
    assert [closest_with_ties(k)["gene_id"].str.cat() for k in (1, 2, 3)] == ["ab", "abcd", "abcde"]
    assert closest_with_ties(3)["distance"].tolist() == [0, 0, -10, 10, -201]


@needs_bedtools
@pytest.mark.parametrize("seed", range(3))
def test_closest_genes_are_those_of_bedtools(seed):
    import pybedtools

    rng = np.random.default_rng(seed)
    start = rng.integers(0, 3_000, 60)
    regions = pd.DataFrame({"chrom": rng.choice(["chr1", "chr2"], 60), "start": start})
    regions["end"] = regions["start"] + rng.integers(1, 200, 60)
    tss = pd.DataFrame({"chrom": rng.choice(["chr1", "chr2"], 40), "tss": rng.integers(0, 3_200, 40)})
    tss["strand"], tss["gene_id"] = rng.choice(["+", "-"], 40), [f"g{i}" for i in range(40)]
    left = "".join(
        f"{r.chrom}\t{r.start}\t{r.end}\t{r.Index}\n" for r in regions.sort_values(["chrom", "start"]).itertuples()
    )
    right = "".join(
        f"{g.chrom}\t{g.tss}\t{g.tss + 1}\t{g.gene_id}\t0\t{g.strand}\n"
        for g in tss.sort_values(["chrom", "tss"]).itertuples()
    )
    theirs = pybedtools.BedTool(left, from_string=True).closest(
        pybedtools.BedTool(right, from_string=True), D="b", t="all"
    )
    found = closest_genes(regions, tss)
    ours = set(zip(found["region"], found["gene_id"], found["distance"], strict=True))
    assert ours == {(int(f[3]), f[7], int(f[10])) for f in theirs}


@needs_bedtools
def test_shuffle(pair):
    a, b = pair
    moved = shuffle(a, SIZES, exclude=b, rng=1)
    assert moved.index.equals(a.index)
    assert ((moved["end"] - moved["start"]) == (a["end"] - a["start"])).all()
    assert (moved["end"] <= moved["chrom"].map(SIZES)).all()
    assert overlap(moved, b).empty
    pd.testing.assert_frame_equal(moved, shuffle(a, SIZES, exclude=b, rng=1))
    assert not moved.equals(shuffle(a, SIZES, exclude=b, rng=2))
    assert (shuffle(a, SIZES, same_chromosome=True)["chrom"] == a["chrom"]).all()


@needs_bedtools
@pytest.mark.parametrize("options", [{}, {"same_chromosome": True}])
def test_shuffle_without_room(pair, options):
    full = pd.DataFrame({"chrom": list(SIZES), "start": 0, "end": list(SIZES.values())})
    with pytest.raises(ValueError, match="no room"):
        shuffle(pair[0], SIZES, exclude=full, **options)
    crowded = pd.DataFrame({"chrom": list(SIZES), "start": 3, "end": list(SIZES.values())})
    with pytest.raises(ValueError, match="no room"):
        shuffle(pair[0], SIZES, exclude=crowded, **options)
    large = pd.DataFrame({"chrom": "chr1", "start": [0, 5, 9], "end": 4_000})
    assert (shuffle(large, SIZES, **options)["end"] <= 5_000).all()
    with pytest.raises(ValueError, match="no room"):
        shuffle(large, SIZES, overlapping=False, **options)


@needs_bedtools
def test_shuffle_is_uniform_over_the_free_part():
    peaks = pd.DataFrame({"chrom": "chr1", "start": np.arange(4_000), "end": np.arange(4_000) + 5})
    taken = pd.DataFrame({"chrom": ["chr1"], "start": [1_000], "end": [4_000]})
    moved = shuffle(peaks, SIZES, exclude=taken)
    assert (moved["chrom"] == "chr2").mean() == pytest.approx(3 / 5, abs=0.03)
    assert (moved["start"][moved["chrom"] == "chr1"] < 1_000).mean() == pytest.approx(1 / 2, abs=0.05)


def test_styles_need_not_agree(pair):
    a, b = pair
    bare = b.assign(chrom=b["chrom"].str[3:])
    pd.testing.assert_frame_equal(overlap(a, bare), overlap(a, b))
    pd.testing.assert_frame_equal(overlap(bare, a), overlap(b, a).assign(chrom=lambda t: t["chrom"].str[3:]))
    with pytest.raises(ValueError, match="empty"):
        overlap(a, b.iloc[:0])


@needs_bedtools
def test_folder_goes_even_after_an_error():
    seen = []

    def break_it():
        with bedtools() as module:
            seen.append(Path(module.get_tempdir()))
            (seen[0] / "x").write_text("x")
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        break_it()
    assert not seen[0].exists()
