"""Types that differ within groups of one name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk
from sccase_kit.report._among import among_lines
from sccase_kit.report._order import Kin


@pytest.fixture(scope="module")
def adata():
    adata = sk.datasets.simulate(240, 800, mode="discrete", n_types=4, library_size=200, rng=0)
    sk.pp.filter_peaks(adata)
    genes = pd.DataFrame({"chrom": adata.var["chrom"].astype(str), "start": adata.var["start"].to_numpy(int)})
    genes = genes.iloc[::8].assign(strand="+").reset_index(drop=True)
    genes = genes.assign(end=genes["start"] + 2_000, tss=genes["start"], symbol=[f"G{i}" for i in range(len(genes))])
    genes = genes.assign(gene_id=genes["symbol"])
    sk.tl.enhance(adata)
    markers = {name: genes["symbol"].iloc[i::6].tolist() for i, name in enumerate(["Pre-B", "B cell", "T cell"])}
    sk.tl.annotate(adata, "cell_type", markers, genome=genes)
    return adata


def planted(adata, scores, support):
    out = adata.copy()
    entry = dict(out.uns["annotation"])
    groups, types = list(adata.obs["cell_type"].cat.categories), ["Pre-B", "B cell", "T cell"]
    entry["scores"] = pd.DataFrame(scores, index=groups, columns=types)
    entry["support"] = pd.DataFrame(support, index=groups, columns=types)
    out.uns["annotation"] = entry
    return out


def test_types_that_differ_are_told_with_their_range(adata):
    groups = list(adata.obs["cell_type"].cat.categories)
    scores = [[3.0, 2.1, 0.0], [2.8, -0.1, 0.1], [2.9, 1.0, -3.0], [0.0, 0.0, 5.0]]
    support = [[0.6, 0.4, 0.0], [0.9, 0.1, 0.0], [0.7, 0.3, 0.0], [0.0, 0.0, 1.0]]
    found = among_lines(
        planted(adata, scores, support), "cell_type", [Kin("B", tuple(groups[:3])), Kin("T", (groups[3],))]
    )
    assert found == {
        groups[0]: f"B cell score 2.1, the highest (-0.1 in {groups[1]})",
        groups[1]: f"B cell score -0.1, the lowest (2.1 in {groups[0]})",
        groups[2]: f"B cell score 1.0 (-0.1 in {groups[1]}, 2.1 in {groups[0]})",
    }


def test_groups_that_do_not_differ_or_types_without_support_say_nothing(adata):
    groups = tuple(adata.obs["cell_type"].cat.categories)
    scores = np.array([[3.0, 2.1, 0.0], [2.8, 2.0, 4.0], [2.9, 2.2, 0.0], [2.9, 2.2, 0.0]])
    support = np.tile([0.6, 0.4, 0.0], (4, 1))
    assert among_lines(planted(adata, scores, support), "cell_type", [Kin("B", groups)]) == {}
    low = planted(adata, scores - 3, np.full((4, 3), 0.3))
    assert among_lines(low, "cell_type", [Kin("B", groups)]) == {}


def test_without_names_there_is_nothing(adata):
    other = adata.copy()
    del other.uns["annotation"]
    assert among_lines(other, "cell_type", [Kin("", tuple(adata.obs["cell_type"].cat.categories))]) == {}
