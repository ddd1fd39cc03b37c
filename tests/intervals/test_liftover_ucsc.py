"""liftOver at the bounds of minMatch: what UCSC's own program made of 400 regions (benchmarks/same_numbers.py)."""

from __future__ import annotations

import json
from pathlib import Path

import liftover_cases
import pandas as pd
import pytest

from sccase_kit.regions import liftover

THEIRS = json.loads((Path(__file__).parent / "liftover_ucsc.json").read_text())
REASONS = {"Deleted": "deleted", "Partially deleted": "partial", "Split": "split", "Duplicated": "duplicated"}


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    path = tmp_path_factory.mktemp("chain") / "old_to_new.over.chain"
    path.write_text(liftover_cases.chain_text())
    return path


@pytest.mark.parametrize("ratio", liftover_cases.RATIOS)
def test_the_same_places_and_reasons_as_ucsc(chain, ratio):
    regions = pd.DataFrame(liftover_cases.regions(), columns=["chrom", "start", "end", "strand"])
    found = liftover(regions, chain, min_match=ratio)
    ours = dict(found.lost["reason"])
    ours |= {r.Index: f"{r.chrom}:{r.start}-{r.end}{r.strand}" for r in found.regions.itertuples()}
    theirs = [REASONS.get(place, place) for place in THEIRS[str(ratio)]]
    assert [ours[k] for k in range(len(regions))] == theirs


def test_the_bounds_are_met():
    """UCSC takes the ratio in single precision: 20 of 200 bases are less than 0.1, 14 of 20 are enough for 0.7."""
    assert len({tuple(places) for places in THEIRS.values()}) == len(THEIRS)
    assert {place for places in THEIRS.values() for place in places if ":" not in place} == set(REASONS)
    regions = liftover_cases.regions()
    assert THEIRS["0.1"][regions.index(("chr2", 1_679, 1_879, "+"))] == "Partially deleted"
