"""Calls as records: what is written is read back, from files too; other tools' entries are not taken for ours."""

from __future__ import annotations

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk
from sccase_kit._record import generator_of, record, recorded, records, required, seeded, stored_params


@pytest.fixture
def adata():
    return ad.AnnData(np.eye(3, dtype=np.float32))


def through(adata, path):
    adata.write_h5ad(path)
    return ad.read_h5ad(path)


GIVEN = {
    "layer": None,
    "source": "counts",
    "n": np.int64(7),
    "weight": np.float32(0.5),
    "norm": np.True_,
    "numbers": range(2, 5),
    "names": ("a", "b"),
    "path": Path("x") / "y.fa",
    "annotations": pd.DataFrame({"a": [1]}),
    "bias": np.arange(3.0),
    "mixed": [1, "a"],
}
KEPT = {
    **{"source": "counts", "n": 7, "weight": 0.5, "norm": True, "numbers": [2, 3, 4], "names": ["a", "b"]},
    "path": str(Path("x") / "y.fa"),
}


@pytest.mark.parametrize("file", [False, True])
def test_a_call_is_read_as_it_was_written(adata, tmp_path, file):
    record(adata, "mine", "tl.chromvar", params=GIVEN, names=np.array(["s"]), table=pd.DataFrame({"x": [1.5]}))
    adata = through(adata, tmp_path / "a.h5ad") if file else adata
    found = recorded(adata.uns["mine"])
    assert (found.function, found.version, found.number) == ("tl.chromvar", sk.__version__, 0)
    assert found.params == KEPT
    assert {name: type(value) for name, value in found.params.items()} == {n: type(v) for n, v in KEPT.items()}
    assert found.objects == ("annotations", "bias", "mixed")
    assert set(found.results) == {"names", "table"}
    assert found.results["table"]["x"].tolist() == [1.5]


def test_what_was_there_is_replaced_and_calls_are_counted(adata):
    record(adata, "a", "tl.cluster", params={}, labels=3)
    record(adata, "b", "tl.great", params={})
    record(adata, "a", "tl.scabc", params={"n": 1})
    assert {key: (found.function, found.number) for key, found in records(adata.uns).items()} == {
        "a": ("tl.scabc", 2),
        "b": ("tl.great", 1),
    }
    assert "labels" not in adata.uns["a"]


def test_only_the_functions_asked_for_are_found(adata):
    record(adata, "a", "tl.cluster", params={})
    assert recorded(adata.uns["a"], "tl.scabc", "tl.cluster").function == "tl.cluster"
    assert recorded(adata.uns["a"], "tl.scabc") is None
    assert required(adata, "a", "tl.cluster").number == 0
    with pytest.raises(KeyError, match=r"key='b': adata\.uns\['b'\] is missing; the keys that are: \['a'\]"):
        required(adata, "b", "tl.cluster")
    why = r"adata\.uns\['a'\] is no result of sccase_kit\.tl\.scabc; run sccase_kit\.tl\.scabc first"
    with pytest.raises(KeyError, match=why):
        required(adata, "a", "tl.scabc")


LOOKALIKES = {
    "great": {"params": {"genome": "hg38", "gene_sets": "GO"}},
    "tfidf": {"params": {"variant": "log", "layer": ""}, "idf": [1.0]},
    "chromvar": {"params": {"source": "counts", "bias": "gc", "n_background": 50}, "variability": None, "names": []},
    "leiden": {"params": {"resolution": 1.0, "random_state": 0, "n_iterations": -1}},
    "function": {"function": "tl.chromvar", "version": "1.0", "params": {"layer": "X"}},
    "package": {"package": "another", "function": "tl.chromvar", "version": "1.0", "params": {}},
    "code": {"package": "sccase_kit", "function": "os.x\nimport os", "version": "1.0", "params": {}},
    "no params": {"package": "sccase_kit", "function": "tl.chromvar", "params": "no"},
    "text": "tl.chromvar",
    "nothing": None,
}


@pytest.mark.parametrize("name", LOOKALIKES)
def test_entries_of_other_tools_are_not_ours(name):
    assert recorded(LOOKALIKES[name]) is None
    assert records({name: LOOKALIKES[name], 3: LOOKALIKES[name]}) == {}


def generators():
    used = np.random.default_rng(4)
    used.random(3)
    spawned = np.random.default_rng(5)
    spawned.spawn(2)
    other = np.random.Generator(np.random.MT19937(6))
    other.integers(9, size=3, dtype=np.int32)
    kinds = [np.random.Generator(kind(7)) for kind in (np.random.Philox, np.random.SFC64, np.random.PCG64DXSM)]
    return [*(np.random.default_rng(s) for s in (1, [1, 2])), used, spawned, spawned.spawn(1)[0], other, *kinds]


@pytest.mark.parametrize("number", range(len(generators())))
def test_a_generator_is_recorded_in_the_state_it_began_with(adata, tmp_path, number):
    rng, text = seeded(generators()[number])
    record(adata, "a", "tl.cluster", params={"rng": text})
    expected = rng.random(4), rng.spawn(1)[0].random(4), rng.integers(9, size=3, dtype=np.int32)
    again = generator_of(recorded(through(adata, tmp_path / "a.h5ad").uns["a"]).params["rng"])
    found = again.random(4), again.spawn(1)[0].random(4), again.integers(9, size=3, dtype=np.int32)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_seeds():
    assert seeded(np.int32(3)) == (3, 3)
    assert seeded(2**70)[1] == f"default_rng({2**70})"  # more than a file holds
    assert seeded(np.random.default_rng(1))[1] == "default_rng(1)"
    rng, text = seeded(None)  # drawn by chance, and yet repeatable
    assert generator_of(text).random() == rng.random()
    with pytest.raises(TypeError, match=r"rng: record what seeded\(\) returned"):
        stored_params({"rng": np.random.default_rng(1)})


@pytest.mark.parametrize("text", ["generator", "{}", '{"state": {"bit_generator": "Nothing"}, "seed_seq": {}}', "5"])
def test_what_is_no_state_is_refused(text):
    with pytest.raises(ValueError, match="is not the state of a generator"):
        generator_of(text)
