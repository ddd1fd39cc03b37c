"""A part of the bad input: strange values for all required arguments of every public function, and what is counted."""

from __future__ import annotations

import warnings

import bad_input
import numpy as np
import pytest

import sccase_kit as sk
from sccase_kit._arguments import Numbers, checked

VALUES = ["None", "a number", "empty text", "an empty list", "an array of objects", "a sparse matrix", "a table"]
SLOW = {"paper_simulation", "simulate", "toy_ldsc", "kmer_annotations"}


@pytest.mark.parametrize("part", bad_input.PARTS)
def test_strange_values_are_told(part, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    faults = []
    for name, function in bad_input.functions():
        if name.split(".")[0] != part or name.split(".")[1] in SLOW:
            continue
        required = bad_input.required(function)
        for what in VALUES if required else []:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                kind, error = bad_input.judge(function, {p: bad_input.STRANGE[what]() for p in required})
            if kind == "raw":
                faults.append(f"{name}({what}): {error}")
    assert not faults


def test_what_is_counted():
    @checked(x=Numbers("cells"))
    def door(x):
        return np.linalg.inv(x)

    assert bad_input.judge(sk.metrics.imbalance_degree, {"labels": list("aab")})[0] == "result"
    assert bad_input.judge(sk.metrics.imbalance_degree, {"labels": 3})[0] == "told"
    assert bad_input.judge(door, {"x": "text"})[0] == "told"
    assert bad_input.judge(door, {"x": [1.0]})[0] == "raw"  # numpy says it
    assert bad_input.judge(lambda x: x.shape, {"x": 3})[0] == "raw"  # Python says it
