"""Groups and batches on the page: the table, and which groups are mostly of one batch."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from sccase_kit.pages.table import Table
from sccase_kit.report._batches import Taken, _all_the_same, batch_section, batch_table, skewed


def cells(counts):
    """Data with so many cells of every group and batch."""
    rows = [(g, b) for (g, b), n in counts.items() for _ in range(n)]
    obs = pd.DataFrame(rows, columns=["cl", "donor"], index=[f"c{i}" for i in range(len(rows))])
    return AnnData(obs=obs)


def test_groups_mostly_of_one_batch_are_told_by_their_odds():
    adata = cells({("a", "D6"): 94, ("a", "D5"): 6, ("b", "D6"): 636, ("b", "D5"): 264, ("c", "D5"): 4, ("c", "D6"): 0})
    found = skewed(adata, "cl", "donor")
    assert set(found) == {"a"}
    share, overall = 0.94, 730 / 1004
    assert found["a"] == ("D6", pytest.approx(share), pytest.approx(overall))
    assert share / (1 - share) > 3 * overall / (1 - overall)
    assert skewed(cells({("c", "D5"): 40, ("b", "D6"): 400}), "cl", "donor").keys() == {"b", "c"}
    assert skewed(cells({("c", "D5"): 4, ("b", "D6"): 400, ("b", "D5"): 40}), "cl", "donor") == {}  # too few cells
    assert skewed(adata, None, "donor") == {}
    whole = cells({("a", "D6"): 10, ("b", "D6"): 10})  # one batch alone tells nothing
    assert skewed(whole, "cl", "donor") == {}


def test_the_table_counts_every_cell_once():
    adata = cells({("a", "D6"): 3, ("a", "D5"): 1, ("b", "D6"): 5, ("b", "D5"): 1})
    table = batch_table(adata, "cl", "donor", ["b", "a"])
    assert table["group"].tolist() == ["all cells", "b", "a"]
    assert table["cells"].tolist() == [10, 6, 4]
    np.testing.assert_allclose(table["D6, share"], [0.8, 5 / 6, 0.75])
    assert table["D5, cells"].tolist() == [2, 1, 1]
    adata.obs.loc["c0", "donor"] = None
    assert batch_table(adata, "cl", "donor")["cells"].tolist()[0] == 9


def test_of_many_batches_every_row_is_a_group_and_a_batch():
    rng = np.random.default_rng(0)
    counts = {(g, f"s{b}"): int(rng.integers(0, 5)) for g in "ab" for b in range(12)}
    table = batch_table(cells(counts), "cl", "donor")
    assert {(row.group, row.donor): row.cells for row in table.itertuples()} == {k: n for k, n in counts.items() if n}
    np.testing.assert_allclose(table.groupby("group")["share of the group"].sum(), 1)
    (shown,) = (b for b in batch_section(cells(counts), "cl", [Taken("donor", "name", "", 1.0)]).blocks[1:])
    assert isinstance(shown, Table)
    assert shown.percent == ("share of the group", "share of all cells")
    assert batch_section(cells(counts), "cl", []) is None
    assert batch_section(cells(counts), None, [Taken("donor", "name", "", 1.0)]) is None


def test_groups_of_one_batch_are_said_although_cells_are_mixed():
    adata = cells({("a", "D6"): 94, ("a", "D5"): 6, ("b", "D6"): 636, ("b", "D5"): 264})
    assert _all_the_same(adata, "cl", "donor") == " 1 group is mostly of one donor all the same (To doubt)."
    assert _all_the_same(adata, None, "donor") == ""
