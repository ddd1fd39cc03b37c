"""Design matrices of conditions and covariates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sccase_kit.peaks.designs import design_of

SAMPLES = pd.DataFrame(
    {
        "condition": ["a", "a", "b", "b", "c", "c"],
        "sex": ["m", "f", "m", "f", "f", "m"],
        "age": [20, 30, 40, 30, 20, 40],
    },
    index=[f"s{i}" for i in range(6)],
)


def test_treatment_coding_with_covariates():
    design = design_of(SAMPLES, "condition", "b", covariates=["sex", "age"])
    assert design.matrix.columns.tolist() == ["intercept", "sex[m]", "age", "condition[a]", "condition[c]"]
    assert design.levels == ["a", "c"]
    np.testing.assert_array_equal(design.contrasts, [[0, 0, 0, 1, 0], [0, 0, 0, 0, 1]])
    assert design.matrix["condition[a]"].tolist() == [1, 1, 0, 0, 0, 0]
    assert design.matrix["sex[m]"].tolist() == [1, 0, 1, 0, 0, 1]
    assert design.matrix["age"].sum() == 0


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        ({}, {"reference": "z"}, "is no level of"),
        ({"condition": "a"}, {}, "has only the level"),
        ({"sex": ["x", "x", "y", "y", "y", "y"]}, {"covariates": ["sex"]}, "cannot be told apart"),
    ],
)
def test_designs_that_cannot_be(change, arguments, message):
    with pytest.raises(ValueError, match=message):
        design_of(SAMPLES.assign(**change), "condition", **({"reference": "a"} | arguments))


def test_no_sample_to_spare():
    with pytest.raises(ValueError, match="leave none to estimate"):
        design_of(SAMPLES.iloc[[0, 2, 4]], "condition", "a")
