"""Regulatory domains against GREAT's own program on genes of both strands (benchmarks/same_numbers.py)."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import regdom_cases

from sccase_kit.regions import great, regulatory_domains

THEIRS = json.loads((Path(__file__).parent / "regdoms_great.json").read_text())


@pytest.mark.parametrize("rule", regdom_cases.RULES)
def test_the_domains_of_great(rule):
    genes = regdom_cases.genes()
    found = regulatory_domains(genes, regdom_cases.SIZES, rule=rule, extension=regdom_cases.EXTENSION)
    names = genes["gene_id"].to_numpy()[found["gene"]]
    ours = {name: tuple(row) for name, row in zip(names, found[["chrom", "start", "end"]].to_numpy(), strict=True)}
    theirs = {name: (chrom, start, end) for chrom, start, end, name in THEIRS[rule] if end > start}
    assert ours == theirs


#: Region and distance as GREAT 4.0.4 (its web server, hg19) printed them: midpoint to TSS, negative upstream.
SERVER = [
    ("chr1", 9_853_592, 9_859_363, "PIK3CD", 9_711_802, "+", 144_675),
    ("chr1", 12_716_968, 12_723_206, "AADACL4", 12_704_565, "+", 15_522),
    ("chr1", 9_204_432, 9_208_784, "H6PD", 9_294_833, "+", -88_225),
    ("chr1", 12_716_968, 12_723_206, "AADACL3", 12_776_145, "+", -56_058),
    ("chr1", 9_853_592, 9_859_363, "CLSTN1", 9_884_583, "-", 28_106),
    ("chr1", 13_814_690, 13_823_250, "LRRC38", 13_840_542, "-", 21_572),
    ("chr1", 19_243_283, 19_247_097, "IFFO2", 19_283_179, "-", 37_989),
    ("chr1", 9_204_432, 9_208_784, "GPR157", 9_189_228, "-", -17_380),
    ("chr1", 19_243_283, 19_247_097, "ALDH4A1", 19_229_274, "-", -15_916),
    ("chr1", 24_394_570, 24_400_921, "SRSF10", 24_306_808, "-", -90_937),
]


def test_distances_on_both_strands_are_those_of_the_server():
    genes = pd.DataFrame(
        [(c, t, s, g, g) for c, _, _, g, t, s, _ in SERVER], columns=["chrom", "tss", "strand", "gene_id", "symbol"]
    ).drop_duplicates()
    regions = pd.DataFrame([row[:3] for row in SERVER], columns=["chrom", "start", "end"])
    found = great(regions, genes, {"all": list(genes["symbol"])}, genome="hg19").associations
    ours = {(r.chrom, r.start, r.end, r.symbol): r.distance for r in found.itertuples()}
    assert {key: ours.get(key) for key in [row[:4] for row in SERVER]} == {row[:4]: row[6] for row in SERVER}
    assert {row[5] for row in SERVER} == {"+", "-"}
    assert {row[6] > 0 for row in SERVER if row[5] == "-"} == {True, False}
