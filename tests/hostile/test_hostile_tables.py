"""Hostile tables of genes, SNPs, statistics and sets of genes: a sound result, or a clear error."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_tables import SETS, SIZES, genes, peaks

import sccase_kit as sk
from sccase_kit import regions as rg

pytestmark = pytest.mark.skipif(shutil.which("bedtools") is None, reason="the program bedtools is not installed")


def bodies() -> pd.DataFrame:
    table = genes().rename(columns={"gene_id": "name"})
    return table.assign(start=table["tss"], end=table["tss"] + 300)[["chrom", "start", "end", "name"]]


def blocks() -> pd.DataFrame:
    return pd.DataFrame({"chrom": "chr1", "start": [1_200, 2_100, 20_100], "end": [1_600, 3_100, 21_200]}).assign(
        name=["rs1", "rs2", "rs3"]
    )


def snps() -> pd.DataFrame:
    return pd.DataFrame({"chrom": "chr1", "pos": [1_300, 2_200, 20_500], "snp": ["rs1", "rs2", "rs3"]})


def matrix() -> pd.DataFrame:
    values = np.random.default_rng(3).lognormal(size=(10, 3))
    return pd.DataFrame(values, [f"g{i}" for i in range(10)], ["liver", "lung", "skin"])


def statistics() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    return pd.DataFrame({"SNP": [f"rs{i}" for i in range(60)], "N": 1000.0, "Z": rng.normal(size=60)})


def scores(*names: str) -> rg.ReferenceScores:
    rng = np.random.default_rng(ord(names[0]))
    table = pd.DataFrame({"CHR": "1", "SNP": [f"rs{i}" for i in range(60)], "BP": np.arange(60) * 100})
    return rg.ReferenceScores(table.assign(**{n: rng.gamma(2, 9, 60) for n in names}), np.full(len(names), 500.0))


def raw_statistics() -> pd.DataFrame:
    rng = np.random.default_rng(6)
    out = pd.DataFrame({"SNP": [f"rs{i}" for i in range(40)], "P": rng.uniform(0.01, 1, 40), "A1": "A", "A2": "C"})
    return out.assign(N=1000.0, BETA=rng.normal(0, 0.01, 40), INFO=0.99, MAF=0.3)


SNPSEA = {"gene_intervals": bodies, "snp_intervals": blocks, "null_snps": lambda: blocks()["name"]}
LIMITS = {"min_observations": 2, "max_iterations": 50}


def run_snpsea(**given: Any) -> Any:
    """Run SNPsea with one table replaced."""
    parts = {"snps": ["rs1", "rs3"], "gene_matrix": matrix()} | {k: make() for k, make in SNPSEA.items()} | given
    return rg.snpsea(parts.pop("snps"), parts.pop("gene_matrix"), parts.pop("gene_intervals"), **parts, **LIMITS)


def run_tl(**given: Any) -> Any:
    parts = {"peaks": peaks(), "snps": snps()} | given
    tables = {k: make() for k, make in SNPSEA.items()}
    return sk.tl.snpsea(parts["peaks"], parts["snps"], matrix(), **tables, groupby="group", **LIMITS)


# what takes other tables, by the name of the argument
TABLES: dict[str, tuple[Callable[[], pd.DataFrame], Callable[..., Any]]] = {
    "tss_table": (genes, lambda t: rg.tss_table(t)),
    "closest_genes(tss)": (genes, lambda t: rg.closest_genes(peaks(), t)),
    "great(tss)": (genes, lambda t: rg.great(peaks(), t, SETS, chrom_sizes=SIZES).table),
    "regulatory_domains(tss)": (genes, lambda t: rg.regulatory_domains(t, SIZES)),
    "chrom_sizes": (
        lambda: pd.DataFrame({"chrom": list(SIZES), "length": list(SIZES.values())}),
        lambda t: rg.chrom_sizes(t),
    ),
    "read_snps": (snps, lambda t: rg.read_snps(t)),
    "overlap(points)": (snps, lambda t: rg.overlap(t.rename(columns={"snp": "name"}), peaks())),
    "annotate_snps(bim)": (
        lambda: pd.DataFrame({"CHR": "1", "SNP": ["rs1", "rs2"], "BP": [1_300, 9]}),
        lambda t: rg.annotate_snps(t, peaks()),
    ),
    "snpsea(gene_intervals)": (bodies, lambda t: run_snpsea(gene_intervals=t).table),
    "snpsea(snp_intervals)": (blocks, lambda t: run_snpsea(snp_intervals=t).table),
    "snpsea(gene_matrix)": (matrix, lambda t: run_snpsea(gene_matrix=t).table),
    "snpsea(snps)": (lambda: snps().rename(columns={"snp": "SNP"}), lambda t: run_snpsea(snps=t).table),
    "prepare_snpsea(null_snps)": (lambda: snps().rename(columns={"snp": "SNP"}), lambda t: run_snpsea(null_snps=t)),
    "munge_sumstats": (raw_statistics, lambda t: rg.munge_sumstats(t).table),
    "munge_sumstats(merge_alleles)": (
        lambda: raw_statistics()[["SNP", "A1", "A2"]],
        lambda t: rg.munge_sumstats(raw_statistics(), merge_alleles=t).table.dropna(),
    ),
    "ldsc_h2(sumstats)": (statistics, lambda t: rg.ldsc_h2(t, scores("a"), scores("w"), n_blocks=10).table),
    "ldsc_h2(reference)": (
        lambda: scores("a", "b").table,
        lambda t: rg.ldsc_h2(statistics(), rg.ReferenceScores(t, np.full(2, 500.0)), scores("w"), n_blocks=10).table,
    ),
    "ldsc_h2(weights)": (
        lambda: scores("w").table,
        lambda t: rg.ldsc_h2(statistics(), scores("a"), rg.ReferenceScores(t, np.ones(1)), n_blocks=10).table,
    ),
    "ldsc_cts": (
        lambda: scores("c").table,
        lambda t: rg.ldsc_cts(
            statistics(), scores("a"), scores("w"), cell_types={"B": rg.ReferenceScores(t, np.ones(1))}, n_blocks=10
        ),
    ),
    "combine_scores": (
        lambda: scores("c").table,
        lambda t: rg.combine_scores([scores("a"), rg.ReferenceScores(t, np.ones(1))]).table,
    ),
    "tl.snpsea(peaks)": (peaks, lambda t: run_tl(peaks=t)),
    "tl.snpsea(snps)": (snps, lambda t: run_tl(snps=t)),
}


def every_column(change: Callable[[pd.Series], Any]) -> Callable[[pd.DataFrame], list[pd.DataFrame]]:
    return lambda table: [table.assign(**{c: change(table[c])}) for c in table.columns]


def first(value: Any) -> Callable[[pd.DataFrame], list[pd.DataFrame]]:
    """Put a value into the first row of each column in turn."""

    def change(column: pd.Series) -> pd.Series:
        out = column.astype(object)
        out.iloc[0] = value
        return out.infer_objects()

    return every_column(change)


ALL_COLUMNS: dict[str, Callable[[pd.DataFrame], list[pd.DataFrame]]] = {
    "empty": lambda t: [t.iloc[:0], pd.DataFrame()],
    "one row": lambda t: [t.iloc[:1]],
    "without a column": lambda t: [t.drop(columns=c) for c in t.columns],
    "with a column twice": lambda t: [pd.concat([t, t[[c]]], axis=1) for c in t.columns],
    "repeated rows": lambda t: [pd.concat([t, t]), pd.concat([t, t.iloc[:1]])],
    "indices": lambda t: [t.set_axis([7] * len(t)), t.set_axis(pd.MultiIndex.from_product([["a"], range(len(t))]))],
    "numbers as names of columns": lambda t: [t.assign(**{"x": 1}).rename(columns={"x": 5})],
    "as text": every_column(lambda c: c.astype(str)),
    "as categories": every_column(lambda c: c.astype("category")),
    "all missing": every_column(lambda c: np.nan),
    "dates": every_column(lambda c: pd.Timestamp(0)),
    "booleans": every_column(lambda c: True),
    "all the same": every_column(lambda c: c.iloc[0]),
    "lists": every_column(lambda c: pd.Series([[1, 2]] * len(c), index=c.index)),
    **{
        f"a {value!r}": first(value)
        for value in (np.nan, None, np.inf, -1, 0.5, 2**40 + 1, 1e300, "x", "", "chrUn", (1,))
    },
}


@pytest.mark.parametrize("change", ["as it is", *ALL_COLUMNS])
@pytest.mark.parametrize("name", TABLES)
def test_other_tables(attempt_table, name, change):
    make, call = TABLES[name]
    if change == "as it is":
        assert not isinstance(attempt_table(call, make()), str)
        return
    for table in ALL_COLUMNS[change](make()):
        result = attempt_table(call, table)
        assert change != "empty" or isinstance(result, str) or not len(result), result


GENE_SETS = {
    "unknown ids": ({"T": ["nobody"], "U": ["nothing"]}, "not a single gene"),
    "some unknown": ({"T": ["g1", "nobody"]}, None),
    "an empty set": ({"T": ["g1"], "U": []}, None),
    "only empty sets": ({"T": [], "U": []}, "gene"),
    "no set": ({}, "empty"),
    "repeated genes": ({"T": ["g1", "g1", "S1"]}, None),
    "numbers": ({1: [1, 2, "g1"], 2.5: ["g2"]}, None),
    "missing genes": ({"T": [None, np.nan, "g1"]}, None),
    "equal names": ({1: ["g1"], "1": ["g2"]}, "1"),
    "one text": ({"T": "g1"}, "T"),
    "a number": ({"T": 5, "U": ["g1"]}, "T"),
    "None": ({"T": None, "U": ["g1"]}, "T"),
    "sets and series": ({"T": {"g1"}, "U": pd.Series(["g2"]), "V": np.array(["g3"])}, None),
    "ontologies": ({"A": {"T": ["g1"]}, "B": {"T": ["g2"]}}, None),
    "ontologies and sets": ({"A": {"T": ["g1"]}, "B": ["g2"]}, "B"),
    "a list": ([["g1"], ["g2"]], "gene_sets"),
    "a table": (pd.DataFrame({"T": ["g1"]}), "gene_sets"),
}


@pytest.mark.filterwarnings("ignore:.*not in tss")
@pytest.mark.parametrize("case", GENE_SETS)
@pytest.mark.parametrize("front", ["regions.great", "tl.great"])
def test_gene_sets(attempt_table, front, case):
    sets, word = GENE_SETS[case]
    if front == "tl.great":
        result = attempt_table(lambda s: sk.tl.great(peaks(), None, s, tss=genes(), chrom_sizes=SIZES), sets)
    else:
        result = attempt_table(lambda s: rg.great(peaks(), genes(), s, chrom_sizes=SIZES).table, sets)
    assert isinstance(result, str) == (word is not None), result
    if word is not None:
        assert word in result
