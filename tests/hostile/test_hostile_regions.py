"""Hostile tables of regions: a sound result, or a clear error, and the input as it was; pairs against loops."""

from __future__ import annotations

import re
import shutil
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from small_tables import SETS, SIZES, genes, peaks

import sccase_kit as sk
from sccase_kit import regions as rg
from sccase_kit.great.enrichment import union_lengths
from sccase_kit.intervals.arrays import Linear, covered_before, linearise, merge_intervals

pytestmark = pytest.mark.skipif(shutil.which("bedtools") is None, reason="the program bedtools is not installed")
# what takes regions
REGIONS: dict[str, Callable[..., Any]] = {
    "check_regions": lambda r: rg.check_regions(r, chrom_sizes=SIZES, sort=True),
    "check_regions, genome": lambda r: rg.check_regions(r, genome="hg38", unknown="drop"),
    "closest": lambda r: rg.closest(r, peaks()),
    "closest, second": lambda r: rg.closest(peaks(), r, max_distance=10),
    "closest_genes": lambda r: rg.closest_genes(r, genes()),
    "coverage": lambda r: rg.coverage(r, peaks()),
    "coverage, second": lambda r: rg.coverage(peaks(), r),
    "great": lambda r: rg.great(r, genes(), SETS, chrom_sizes=SIZES).table,
    "great, background": lambda r: rg.great(peaks(), genes(), SETS, chrom_sizes=SIZES, background=r).table,
    "tl.great": lambda r: sk.tl.great(r, None, SETS, tss=genes(), chrom_sizes=SIZES),
    "merge": lambda r: rg.merge(r),
    "overlap": lambda r: rg.overlap(r, peaks()),
    "overlap, pairs": lambda r: rg.overlap(peaks(), r, how="pairs", min_fraction=0.1),
    "shuffle": lambda r: rg.shuffle(r, SIZES),
    "shuffle, exclude": lambda r: rg.shuffle(peaks(), SIZES, exclude=r),
    "window": lambda r: rg.window(r, peaks(), distance=100),
    "annotate_snps": lambda r: rg.annotate_snps(pd.DataFrame({"CHR": "1", "BP": [1, 1_300]}), r),
    "regulatory_domains": lambda r: rg.regulatory_domains(genes(), SIZES, curated=r.assign(gene="g1")),
    "gaps": lambda r: rg.great(peaks(), genes(), SETS, chrom_sizes=SIZES, gaps=r).table,
    "liftover": lambda r: rg.liftover(r, CHAIN).regions,
    "io.write_bed": lambda r: sk.io.write_bed(r, OUT / "x.bed"),
    "io.write_bed, merge": lambda r: sk.io.write_bed(r, OUT / "x.bed", merge=True, genome="hg38"),
    "io.write_great": lambda r: sk.io.write_great(r, OUT / "x.bed", genome="hg38"),
    "io.write_great, groups": lambda r: sk.io.write_great(r, OUT / "g", genome="hg38", groupby="group"),
}
ELSEWHERE = {"chrom_sizes", "combine_scores", "ldsc_cts", "ldsc_h2", "munge_sumstats", "prepare_snpsea", "read_snps"}
ELSEWHERE |= {"snpsea", "tss_table"}  # test_hostile_tables
ELSEWHERE |= {"GENOMES", "GeneSets", "GreatResult", "LdScores", "LdscResult", "Lifted", "Munged", "SnpseaResult"}
ELSEWHERE |= {"GeneMatrix", "ReferenceScores", "parse_names"}  # results; below
ELSEWHERE |= {
    "read_bed",
    "read_bim",
    "read_gct",
    "read_gmt",
    "read_gtf",
    "read_ld_scores",
    "common_overlap",
    "open_panel",
}  # files:
ELSEWHERE |= {"go_from_gaf", "go_from_orgdb", "ld_scores"}  # test_fuzz_readers, test_gene_sets, test_ldsc_scores


@pytest.fixture(autouse=True, scope="module")
def _folder(tmp_path_factory):
    global OUT, CHAIN
    OUT = tmp_path_factory.mktemp("hostile")
    CHAIN = OUT / "a.chain"
    CHAIN.write_text("chain 9 chr1 60000 + 0 60000 chr1 60000 + 0 60000 1\n60000\n", encoding="utf-8")


def test_the_tables_are_complete():
    named = {name.partition(",")[0] for name in REGIONS}
    assert {n for n in named if "." not in n} | ELSEWHERE == set(rg.__all__)


def put(column: str, value: Any, *, rows: Any = None, kind: Any = None) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return a function that changes a column, in all rows or in some."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        values = table[column].astype(object)
        values.iloc[slice(None) if rows is None else rows] = value
        return table.assign(**{column: values.infer_objects() if kind is None else values.astype(kind)})

    return change


HARMLESS = {
    "as it is": lambda t: t,
    "unsorted": lambda t: t.iloc[::-1],
    "extra columns": lambda t: t.assign(extra=[{"a": 1}] * len(t), **{"ü $": None}),
    "one index for all": lambda t: t.set_axis([7] * len(t)),
    "levels of the index": lambda t: t.set_axis(pd.MultiIndex.from_product([["a"], range(len(t))])),
    "whole floats": lambda t: t.astype({"start": float, "end": float}),
    "nullable integers": lambda t: t.astype({"start": "Int64", "end": "Int64"}),
    "unsigned": lambda t: t.astype({"start": np.uint32, "end": np.uint32}),
    "categories": lambda t: t.assign(chrom=pd.Categorical(t["chrom"], ["chr9", "chr2", "chr1"])),
    "text": lambda t: t.astype({"start": str, "end": str}),
    "categories of text": lambda t: t.assign(start=pd.Categorical(t["start"].astype(str))),
    "other names": lambda t: t.rename(columns={"chrom": "Chromosome", "start": "chromStart", "end": "Stop"}),
    "without chr": lambda t: t.assign(chrom=t["chrom"].str[3:]),
    "strings of pandas": lambda t: t.assign(chrom=t["chrom"].astype("string")),
}
REFUSED = {
    "empty": (lambda t: t.iloc[:0], "empty"),
    "no start": (lambda t: t.drop(columns="start"), "start"),
    "no chrom": (lambda t: t.drop(columns="chrom"), "chrom"),
    "two columns end": (lambda t: pd.concat([t, t[["end"]]], axis=1), "end"),
    "NaN start": (put("start", np.nan, rows=[0], kind=float), "start"),
    "NA end": (put("end", pd.NA, rows=[1], kind="Int64"), "end"),
    "inf end": (put("end", np.inf, rows=[1], kind=float), "end"),
    "no chrom in a row": (put("chrom", None, rows=[2]), "chrom"),
    "half": (put("start", 0.5, rows=[0], kind=float), "start"),
    "below 0": (put("start", -1, rows=[0]), "start"),
    "end = start": (lambda t: t.assign(end=t["start"]), "end"),
    "backwards": (lambda t: t.assign(start=t["end"], end=t["start"]), "end"),
    "text": (put("start", "one", rows=[0]), "start"),
    "dates": (lambda t: t.assign(start=pd.Timestamp(0)), "start"),
    "complex": (lambda t: t.assign(start=t["start"].astype(complex)), "start"),
    "booleans": (lambda t: t.assign(start=False, end=True), "start"),
    "2**40": (lambda t: t.assign(start=2**40, end=2**40 + 5), "chr|start|end|position"),
    "2**62": (lambda t: t.assign(end=2**62), "chr|start|end|position"),
    "1e300": (lambda t: t.assign(end=1e300), "chr|start|end|position"),
    "1 and chr1": (put("chrom", "1", rows=[0]), "chr"),
    "two genomes": (lambda t: t.assign(genome=np.resize(["hg19", "hg38"], len(t))), "hg19"),
}


@pytest.mark.parametrize("change", HARMLESS)
@pytest.mark.parametrize("name", REGIONS)
def test_harmless_regions(attempt_table, name, change):
    given = HARMLESS[change](peaks())
    result = attempt_table(REGIONS[name], given)
    if name not in ("regulatory_domains", "liftover", "check_regions, genome"):
        assert not isinstance(result, str), result


@pytest.mark.parametrize("change", REFUSED)
@pytest.mark.parametrize("name", REGIONS)
def test_refused_regions(attempt_table, name, change):
    make, word = REFUSED[change]
    result = attempt_table(REGIONS[name], make(peaks()))
    if (name, change) == ("gaps", "empty"):  # a genome without gaps
        return
    assert isinstance(result, str), f"{name} took it"
    assert re.search(word, result), result


@pytest.mark.parametrize("value", [None, 3, [1, 2], {"a": 1}, np.ones((2, 3)), "no such file", b"x"], ids=str)
@pytest.mark.parametrize("name", [n for n in REGIONS if n != "regulatory_domains"])
def test_not_regions(name, value):
    if value is not None or name not in ("shuffle, exclude", "great, background", "gaps"):
        with pytest.raises((TypeError, ValueError, FileNotFoundError), match=r"[a-z]{3}.* .*[a-z]{3}"):
            REGIONS[name](value)


NAMES: list[list[Any]] = [[], ["chr1:1-2", None], ["chr1"], [5], ["chr1:5-3"], [b"chr1:1-2"]]
NAMES += [[f"chr1:1-{2**62}"], [f"chr1:1-{10**30}"]]


@pytest.mark.parametrize("names", NAMES, ids=str)
def test_names_of_regions(attempt_table, names):
    result = attempt_table(rg.check_regions, names)
    assert isinstance(result, str)
    assert isinstance(attempt_table(lambda n: len(rg.parse_names(n)), names), (str, int))


SITES = st.lists(
    st.tuples(st.sampled_from(["chr1", "chr2", "chr10"]), st.integers(0, 90), st.integers(1, 30)),
    min_size=1,
    max_size=8,
)
SLOW = settings(max_examples=30, derandomize=True, deadline=None, database=None)


def frame(sites: list[tuple[str, int, int]]) -> pd.DataFrame:
    return pd.DataFrame([(c, s, s + n) for c, s, n in sites], columns=["chrom", "start", "end"])


def gap(x: Any, y: Any) -> float:
    """Bases between two regions: 0 if they touch, below 0 if they overlap."""
    return max(x.start, y.start) - min(x.end, y.end) if x.chrom == y.chrom else np.inf


def pairs(a: pd.DataFrame, b: pd.DataFrame, most: int) -> list[tuple[int, int]]:
    return [(x.Index, y.Index) for x in a.itertuples() for y in b.itertuples() if gap(x, y) <= most]


@SLOW
@given(SITES, SITES, st.integers(0, 20))
def test_pairs_are_those_of_a_loop(left, right, distance):
    a, b = frame(left), frame(right)
    found = rg.overlap(a, b, how="pairs")
    assert list(zip(found["a"], found["b"], strict=True)) == pairs(a, b, -1)
    assert rg.overlap(a, b).index.tolist() == sorted({i for i, _ in pairs(a, b, -1)})
    near = rg.window(a, b, distance=distance)
    assert set(zip(near["a"], near["b"], strict=True)) == set(pairs(a, b, distance - 1))


@SLOW
@given(SITES, st.integers(0, 20))
def test_merged_regions_are_connected_components(sites, distance):
    table = frame(sites)
    groups: list[set[int]] = []
    for row in table.index:
        near = {j for i, j in pairs(table, table, distance) if i == row}
        touching = [g for g in groups if g & near]
        groups = [g for g in groups if not g & near] + [{row}.union(*touching)]
    expected = sorted(
        (table["chrom"][min(g)], table["start"][list(g)].min(), table["end"][list(g)].max(), len(g)) for g in groups
    )
    assert sorted(rg.merge(table, distance=distance).itertuples(index=False, name=None)) == expected


@SLOW
@given(SITES, st.lists(st.tuples(st.sampled_from(["chr1", "chr2"]), st.integers(0, 130), st.sampled_from("+-")),
                       min_size=1, max_size=6))  # fmt: skip
def test_closest_genes_are_those_of_a_loop(sites, starts):
    table = frame(sites)
    tss = pd.DataFrame(starts, columns=["chrom", "tss", "strand"]).assign(gene_id=[f"g{i}" for i in range(len(starts))])
    if not set(table["chrom"]) & set(tss["chrom"]):
        with pytest.raises(ValueError, match="not among those of tss"):
            rg.closest_genes(table, tss)
        return
    bare = int((~table["chrom"].isin(set(tss["chrom"]))).sum())
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = rg.closest_genes(table, tss)
    assert [f"{bare} of {len(table)} rows" in str(w.message) for w in said] == ([True] if bare else [])
    expected = set()
    for x in table.itertuples():
        # bases to the nearest edge, 0 inside; negative where the region lies upstream
        away = [
            (
                max(x.start - g.tss, g.tss - x.end + 1, 0) * (1 if (x.start > g.tss) == (g.strand == "+") else -1),
                g.gene_id,
            )
            for g in tss.itertuples()
            if g.chrom == x.chrom
        ]
        least = min((abs(d) for d, _ in away), default=None)
        expected |= {(x.Index, name, d) for d, name in away if abs(d) == least}
    assert set(zip(found["region"], found["gene_id"], found["distance"], strict=True)) == expected


@settings(max_examples=80, derandomize=True, deadline=None, database=None)
@given(SITES, st.lists(st.integers(0, 140), max_size=12), st.integers(1, 4), st.data())
def test_lengths_are_those_of_the_bases(sites, points, n_terms, data):
    table = frame([("chr1", s, n) for _, s, n in sites])
    (places,) = linearise(table)
    union = {p for row in table.itertuples() for p in range(row.start, row.end)}
    at = np.array(points, dtype=np.int64)
    assert covered_before(at, merge_intervals(places)).tolist() == [sum(p < q for p in union) for q in points]
    gene = np.arange(len(table)) // 2
    member = np.array(data.draw(st.lists(st.lists(st.booleans(), min_size=n_terms, max_size=n_terms),
                                         min_size=int(gene.max()) + 1, max_size=int(gene.max()) + 1)))  # fmt: skip
    found = union_lengths(sparse.csc_matrix(member.astype(np.int8)), Linear(*places), gene)
    for term in range(n_terms):
        rows = table[member[gene, term]]
        assert found[term] == len({p for row in rows.itertuples() for p in range(row.start, row.end)})
