"""Columns that may hold batches."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sccase_kit._batch_columns import batch_columns, explained

NAMED = [
    "batch",
    "Batch",
    "sampleID",
    "sample_id",
    "DonorName",
    "prep",
    "lane2",
    "library",
    "orig.ident",
    "run",
    "batches",
]
OTHER = ["library_size", "cell_type", "exploration", "prepared", "runtime", "planes", "state", "leiden", "sampled"]


def cells(n=200):
    rng = np.random.default_rng(0)
    return pd.DataFrame({"group": rng.choice(list("abcd"), n), "values": rng.choice(["x", "y", "z"], n)})


@pytest.mark.parametrize("name", NAMED)
def test_names_that_say_so(name):
    obs = cells().rename(columns={"values": name})
    assert [tuple(found) for found in batch_columns(obs[[name]])] == [(name, "name")]
    assert [found.name for found in batch_columns(obs, obs["group"])] == [name]


@pytest.mark.parametrize("name", OTHER[1:])
def test_names_that_do_not(name):
    assert batch_columns(cells().rename(columns={"values": name})[[name]]) == []


def test_depths_are_no_libraries():
    assert batch_columns(pd.DataFrame({"library_size": np.linspace(0, 1, 100)})) == []


def test_values_across_the_groups_and_labels_like_them():
    obs = cells()
    obs["finer"] = obs["group"] + (np.arange(len(obs)) % 2).astype(str)
    obs["upper"] = obs["group"].str.upper()
    obs["flag"] = obs["values"] == "x"
    obs["singlets"] = np.where(obs["flag"], "Singlet", "Doublet")
    obs["number"] = np.arange(len(obs)) % 3
    obs["barcode"] = [f"cell {i}" for i in range(len(obs))]
    obs["lacking"] = np.where(obs["flag"], "x", None)
    assert [tuple(found) for found in batch_columns(obs, obs["group"])] == [("values", "values")]
    assert batch_columns(obs) == []


def test_each_partition_once_and_batches_first():
    obs = cells().rename(columns={"values": "donor"})
    obs["batch"] = obs["donor"].map({"x": "3", "y": "1", "z": "2"})
    obs["lane"] = (np.arange(len(obs)) % 2).astype(int)
    assert [found.name for found in batch_columns(obs, obs["group"])] == ["batch", "lane"]
    assert [found.name for found in batch_columns(obs, obs["donor"])] == ["lane", "group"]


def test_what_groups_explain():
    obs = cells(4000)
    assert explained(obs["group"], obs["group"].str.upper()) == pytest.approx(1)
    assert explained(obs["values"], obs["group"]) < 0.01
    assert explained(obs["values"], obs["values"] + obs["group"]) == pytest.approx(1)
    assert explained(pd.Series(["a"] * 3), pd.Series(list("xyz"))) == 1
