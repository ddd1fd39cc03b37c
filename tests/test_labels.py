"""Labels become codes in category, sorted or first-seen order, whoever asks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sccase_kit._labels import encode_labels


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
