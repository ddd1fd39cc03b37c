"""Labels become codes in category, sorted or first-seen order, whoever asks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from sccase_kit._labels import encode_labels
from sccase_kit._validate import check_labels


@pytest.mark.parametrize(
    ("labels", "codes", "groups"),
    [
        (pd.Categorical(["b", "a"], categories=["z", "b", "a"]), [0, 1], ["b", "a"]),
        (pd.Series(["b", "a"], dtype="category"), [1, 0], ["a", "b"]),
        (np.array(["b", "a", "b"]), [1, 0, 1], ["a", "b"]),
        ([3, 1, 3], [1, 0, 1], [1, 3]),
        ([("x", 1), "b", ("x", 1)], [0, 1, 0], [("x", 1), "b"]),
    ],
)
def test_order_of_the_groups(labels, codes, groups):
    found, names = encode_labels(labels, len(codes))
    assert (found.tolist(), names) == (codes, groups)
    assert found.dtype == np.intp


@pytest.mark.parametrize(
    ("labels", "match"),
    [
        (list("ab"), r"batches must have one value per cell \(3\), got 2"),
        (["a", None, "b"], "batches: 1 of 3 cells have no label"),
        (pd.Categorical(["a", None, None]), "batches: 2 of 3 cells have no label"),
        (list("aaa"), r"batches has 1 group\(s\) \['a'\], at least 2 are needed"),
    ],
)
def test_bad_labels_are_named(labels, match):
    with pytest.raises(ValueError, match=match):
        encode_labels(labels, 3, name="batches", min_groups=2)


@pytest.mark.parametrize(
    ("values", "match"),
    [
        (np.linspace(0, 1, 40), "'score' holds fractional numbers such as 0, not groups of cells"),
        (np.repeat([0.5, 1.0], 20), "holds fractional numbers such as 0.5"),
        (np.arange(40), "'score' has 40 values for 40 cells, so these are no groups"),
        ([f"cell_{i}" for i in range(40)], "so these are no groups"),
    ],
)
def test_measured_values_are_no_groups(values, match):
    adata = AnnData(obs=pd.DataFrame({"score": values}, index=[str(i) for i in range(40)]))
    with pytest.raises(ValueError, match=match):
        check_labels(adata, "score")


def test_whole_numbers_are_groups():
    adata = AnnData(obs=pd.DataFrame({"cluster": np.repeat([1.0, 2.0], 20)}, index=[str(i) for i in range(40)]))
    assert list(check_labels(adata, "cluster").cat.categories) == [1.0, 2.0]
