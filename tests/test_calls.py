"""The steps of preparation that are noted in the data, whoever wrote there before."""

from __future__ import annotations

import numpy as np
import pytest

import sccase_kit as sk
from sccase_kit._calls import BEFORE, STEPS, record_step, steps


@pytest.fixture
def adata():
    return sk.datasets.toy_study(n_cells=60, n_peaks=300).adata


CALLS = {
    "filter_cells": ({"min_peaks": 2}, {"min_peaks": 2, "min_counts": 0.0}),
    "filter_peaks": ({"by": "counts"}, {"min_fraction": 0.01, "by": "counts"}),
    "filter_groups": ({"groupby": "cell_type"}, {"groupby": "cell_type", "min_share": 0.03}),
    "binarize": ({"layer": "truth"}, {"layer": "truth"}),
    "dropout": ({"rate": 0.5, "rng": np.int64(3)}, {"rate": 0.5, "rng": 3}),
    "subsample_cells": (
        {"n_cells": 20, "groupby": "batch", "rng": np.random.default_rng(0)},
        {"n_cells": 20, "groupby": "batch", "rng": "default_rng(0)"},
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_what_changes_the_data_is_noted_where_it_changes(adata, name):
    arguments, noted = CALLS[name]
    function, keys = getattr(sk.pp, name), set(adata.uns)
    copies = name in ("dropout", "subsample_cells")
    other = function(adata, **arguments) if copies else function(adata, **arguments, copy=True)
    assert steps(other.uns) == [(f"pp.{name}", noted)]
    assert set(adata.uns) == keys
    if not copies:
        assert function(adata, **arguments) is None
        assert steps(adata.uns) == [(f"pp.{name}", noted)]


def test_what_fails_or_changes_nothing_is_not_noted(adata):
    for name, arguments in (("filter_peaks", {"min_fraction": 1.0}), ("filter_cells", {"min_counts": 1e9})):
        with pytest.raises(ValueError, match="keep"):
            getattr(sk.pp, name)(adata, **arguments)
    sk.pp.pseudobulk(adata, "cell_type")
    sk.pp.tfidf(adata)
    assert STEPS not in adata.uns


@pytest.mark.parametrize("suffix", [".h5ad", ".zarr"])
def test_every_call_is_kept_in_order_in_files(adata, tmp_path, suffix):
    for number in range(12):
        record_step(adata, "filter_cells", min_peaks=number, layer=None)
    adata.write_h5ad(tmp_path / "a.h5ad")
    sk.io.convert(tmp_path / "a.h5ad", tmp_path / f"b{suffix}")
    again = sk.read(tmp_path / f"b{suffix}")
    record_step(again, "filter_peaks", by="cells")
    *first, last = steps(again.uns)
    assert [(name, int(params["min_peaks"])) for name, params in first] == [("pp.filter_cells", n) for n in range(12)]
    assert last == ("pp.filter_peaks", {"by": "cells"})


def test_results_know_the_steps_before_them(adata):
    adata.uns["mine"] = {"params": {"a": 1}}
    sk.pp.tfidf(adata)
    sk.pp.filter_peaks(adata)
    sk.pp.tfidf(adata, key_added="second")
    sk.pp.filter_cells(adata)
    assert adata.uns["tfidf"][BEFORE] == 0
    assert adata.uns["second"][BEFORE] == 1
    sk.pp.tfidf(adata)
    assert BEFORE not in adata.uns["tfidf"]
    assert adata.uns["mine"] == {"params": {"a": 1}}


OTHERS = [3, "text", {"0000": 3}, {5: None}, {"x": {"function": "pp.a"}}]
OTHERS += [{"7": {"function": name, "params": {}}} for name in ("os.system", "pp.x\nimport os", 5)]


@pytest.mark.parametrize("value", OTHERS, ids=str)
def test_what_is_no_step_is_passed_over(adata, value):
    adata.uns[STEPS] = value
    assert steps(adata.uns) == []
    sk.pp.filter_peaks(adata)
    assert [name for name, _ in steps(adata.uns)] == ["pp.filter_peaks"]
