"""Cohorts: known groups that are not rare."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

import sccase_kit as sk


def with_labels(labels):
    obs = pd.DataFrame({"cell_type": labels}, index=[f"c{i}" for i in range(len(labels))])
    return AnnData(np.ones((len(labels), 3), dtype=np.int32), obs=obs)


def test_unknown_and_rare_groups_go():
    labels = ["B"] * 50 + ["T"] * 3 + ["NK"] * 2 + ["Unknown"] * 40 + ["unk"] * 3 + [None, np.nan]
    adata = with_labels(labels)
    sk.pp.filter_groups(adata, "cell_type")
    assert adata.obs["cell_type"].value_counts().to_dict() == {"B": 50, "T": 3}  # shares are of all 100 cells


@pytest.mark.parametrize("kind", ["category", "object"])
def test_copies_and_categories(kind):
    adata = with_labels(pd.Series(["a"] * 9 + ["b"]).astype(kind).to_numpy() if kind == "object" else ["a"] * 9 + ["b"])
    adata.obs["cell_type"] = adata.obs["cell_type"].astype(kind)
    kept = sk.pp.filter_groups(adata, "cell_type", min_share=0.2, copy=True)
    assert (adata.n_obs, kept.n_obs) == (10, 9)
    if kind == "category":
        assert list(kept.obs["cell_type"].cat.categories) == ["a"]


def test_own_names_of_the_unknown():
    adata = with_labels(["a"] * 5 + ["Doublet"] * 5)
    sk.pp.filter_groups(adata, "cell_type", unknown=["doublet"])
    assert set(adata.obs["cell_type"]) == {"a"}


def test_nothing_left_is_refused():
    with pytest.raises(ValueError, match=r"no group holds 90% of the 4 cells.*'a': 2"):
        sk.pp.filter_groups(with_labels(["a", "a", "b", "b"]), "cell_type", min_share=0.9)
    with pytest.raises(KeyError, match="groupby"):
        sk.pp.filter_groups(with_labels(["a"]), "nope")
    with pytest.raises(ValueError, match="min_share"):
        sk.pp.filter_groups(with_labels(["a"]), "cell_type", min_share=2)
