"""In which order the page shows groups."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from sccase_kit._record import record
from sccase_kit.pages.blocks import Card, Contents
from sccase_kit.report._order import Kin, in_order, kin_of, rows_in_order

GROUPS = [str(i) for i in range(9)]
NAMES = ["B", "T", "unknown", "B", "T", "unknown", "unknown", "unknown", "HSC"]
BEST = ["B", "T", "T", "B", "T", "B", "HSC", "NK", "HSC"]
LIKE = ["3", "4", "0", "0", "1", "0", "2", "8", "6"]
SIMILAR = [0.9, 0.9, 0.8, 0.9, 0.9, 0.78, 0.76, 0.4, 0.3]
TYPES = ["HSC", "NK", "T", "B"]


@pytest.fixture
def adata():
    adata = AnnData(obs=pd.DataFrame({"cl": GROUPS}, index=[f"c{i}" for i in range(9)]))
    reason = ["few genes" if name == "unknown" else "" for name in NAMES]
    table = pd.DataFrame({"group": GROUPS, "label": NAMES, "best": BEST, "reason": reason})
    record(adata, "annotation", "tl.annotate", params={"groupby": "cl"}, table=table, types=np.array(TYPES, object))
    groups = pd.DataFrame({"group": GROUPS, "resembles": LIKE, "similarity": SIMILAR})
    record(adata, "specific_peaks", "tl.specific_peaks", params={"groupby": "cl"}, groups=groups)
    return adata


def test_kin_stand_together_and_groups_without_a_name_next_to_what_they_resemble(adata):
    # 2 and 5 resemble 0, 6 resembles 2; 7 resembles none enough, its nearest type comes before T
    assert kin_of(adata, "cl", GROUPS) == [
        Kin("HSC", ("8",)),
        Kin("unknown, nearest NK", ("7",)),
        Kin("T", ("1", "4")),
        Kin("B", ("0", "2", "6", "5", "3")),
    ]


def test_without_names_or_similarities(adata):
    del adata.uns["specific_peaks"]
    kin = kin_of(adata, "cl", GROUPS)
    titles = [
        "HSC",
        "unknown, nearest HSC",
        "unknown, nearest NK",
        "T",
        "unknown, nearest T",
        "B",
        "unknown, nearest B",
    ]
    assert [part.title for part in kin] == titles
    assert sorted(name for part in kin for name in part.groups) == GROUPS
    assert kin_of(adata, "other", ["x", "y"]) == [Kin("", ("x", "y"))]
    alone = kin_of(adata, "cl", [*GROUPS, "new"])  # clustered again since
    assert alone[-1] == Kin("without a name", ("new",))


def test_labels_and_rows_in_order():
    column = pd.Series([2, 1, 3, 1])
    assert in_order(column, ["3", "1"]).cat.categories.tolist() == [3, 1, 2]
    table = pd.DataFrame({"group": ["a", "b", "c", "a"], "x": range(4)})
    assert rows_in_order(table, ["c", "a"])["x"].tolist() == [2, 0, 3, 1]


def test_contents_lead_to_cards():
    card = Card("<b>", head="T & B", color="#112233", anchor="group1")
    text = Contents([("T", [("<b>?", card)])]).html()
    assert '<a href="#group1" title="T &amp; B">' in text
    assert "&lt;b&gt;?</a>" in text
    assert 'id="group1"' in card.html()
