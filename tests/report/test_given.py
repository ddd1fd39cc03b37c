"""Tables of an interpretation are named alike, whether they come from Python or from the folder."""

from __future__ import annotations

import pandas as pd
import pytest
from anndata import AnnData

from sccase_kit._record import record
from sccase_kit.interpret.steps import CALLED
from sccase_kit.report._given import given_tables, given_title

PEAKS = pd.DataFrame(
    {"group": ["a", "background"], "peak": ["chr1:1-2", "chr1:5-9"], "rank": [1, 1], "score": [2.0, None]}
)


def adata(*, marked):
    data = AnnData(obs=pd.DataFrame(index=["0"]))
    if marked:
        record(data, "specific_peaks", "tl.specific_peaks", params={}, peaks=PEAKS)
    return data


def called(table):
    table = table.copy()
    table.attrs[CALLED] = {"path": "'some/folder'"}
    return table


@pytest.mark.parametrize("recorded", [True, False])
def test_peaks_are_left_to_the_data_and_the_background_is_kept(recorded):
    peaks = called(PEAKS) if recorded else PEAKS
    found = given_tables(adata(marked=True), {"peaks": peaks})
    assert found.tables == {}
    assert found.background.to_dict("list") == {"peak": ["chr1:5-9"], "rank": [1]}
    found = given_tables(adata(marked=False), {"peaks": peaks})
    (name,) = found.tables
    assert name == ("Marker peaks (folder some/folder)" if recorded else "Marker peaks")
    assert found.tables[name]["group"].tolist() == ["a"]


def test_steps_are_called_what_they_are_and_other_tables_stay():
    table = pd.DataFrame({"x": [1]})
    found = given_tables(adata(marked=True), {"great": called(table), "mine": table, "peaks": table})
    assert list(found.tables) == ["GREAT on the marker peaks (folder some/folder)", "mine", "peaks"]
    assert found.background is None
    assert given_tables(adata(marked=True), None).tables == {}
    with pytest.raises(TypeError, match=r"tables\['x'\] must be a DataFrame, got int"):
        given_tables(adata(marked=True), {"x": 1})
    odd = called(table)
    odd.attrs[CALLED] = {"path": "what("}
    assert list(given_tables(adata(marked=True), {"ldsc": odd}).tables) == ["LD score regression on the marker peaks"]


def test_a_heading_does_not_say_the_same_twice():
    assert given_title("Fine-mapped variants", "Fine-mapped variants (folder m)") == "Fine-mapped variants (folder m)"
    assert given_title("Fine-mapped variants", "mine") == "Fine-mapped variants (mine)"
