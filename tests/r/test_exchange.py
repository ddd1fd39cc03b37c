from __future__ import annotations

import io
import subprocess

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from sccase_kit.r._exchange import read_bundle, write_bundle, write_value
from sccase_kit.r._locate import rscript, scripts_dir
from sccase_kit.r._values import RValue


def through_r(values, tmp_path):
    """Write, read and write in R, read."""
    write_bundle(values, tmp_path / "in")
    code = (
        "a <- commandArgs(TRUE); for (f in c('guard', 'exchange', 'objects')) "
        "source(file.path(a[[1]], 'lib', paste0(f, '.R'))); library(Matrix); "
        "v <- read_bundle(a[[2]]); write_bundle(v, a[[3]])"
    )
    command = [rscript(), "-e", code, str(scripts_dir()), str(tmp_path / "in"), str(tmp_path / "out")]
    subprocess.run(command, check=True, capture_output=True)
    return read_bundle(tmp_path / "out")


@pytest.mark.r("Matrix")
def test_round_trip_through_r(tmp_path):
    rng = np.random.default_rng(0)
    matrix = sparse.random(7, 5, 0.4, format="csc", rng=rng)
    values = {
        "flag": True,
        "count": 3,
        "real": 2.5,
        "text": "subject",
        "texts": ["ACGT", "", "Straße"],
        "gaps": np.array(["a", None, "NA", ""], dtype=object),
        "nested": {"a": [1, "x"], "b": [None, {"ü": 1.5}]},
        "table": pd.DataFrame(
            {"x y": [1.5, 2.5], "f": pd.Categorical(["v", None], ["w", "v"])}, index=["a\tb", "c\nd"]
        ),
        "flags": np.array([True, False, True]),
        "integers": np.arange(-3, 4, dtype=np.int64),
        "wide": np.array([1, 2**40]),
        "reals": np.array([0.1, np.nan, np.inf]),
        "floats32": np.array([0.5, 1.5], dtype=np.float32),
        "bytes": np.array([0, 255], dtype=np.uint8),
        "grid": rng.normal(size=(3, 2)),
        "grid_f": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "nothing": np.empty((0, 4)),
        "none": None,
        "matrix": matrix,
        "mask": sparse.csc_matrix(matrix > 0.3),
        "empty": sparse.csc_matrix((0, 0)),
        "hollow": sparse.csc_matrix((3, 2)),
    }
    back = through_r(values, tmp_path)
    assert set(back) == set(values) - {"none"}
    assert back["flag"].tolist() == [True]
    assert back["count"].tolist() == [3]
    assert back["text"].tolist() == ["subject"]
    assert back["texts"].tolist() == values["texts"]
    assert back["gaps"].tolist() == values["gaps"].tolist()
    assert back["nested"]["b"][1]["ü"].tolist() == [1.5]
    pd.testing.assert_frame_equal(back["table"], values["table"])
    for name in ("flags", "integers", "wide", "reals", "floats32", "bytes", "grid", "grid_f", "nothing"):
        np.testing.assert_array_equal(back[name], values[name], err_msg=name)
    assert back["integers"].dtype == np.int32
    assert back["wide"].dtype == np.float64
    for name in ("matrix", "mask", "empty", "hollow"):
        assert back[name].shape == values[name].shape, name
        assert (back[name] != values[name]).nnz == 0, name
    assert back["mask"].dtype == bool


@pytest.mark.r
def test_data_frames_and_missing_values_come_back(tmp_path):
    code = (
        "a <- commandArgs(TRUE); for (f in c('guard', 'exchange', 'objects')) "
        "source(file.path(a[[1]], 'lib', paste0(f, '.R'))); "
        "write_bundle(list(a = c(1L, NA), f = data.frame(x = c(1.5, 2), y = c('u', 'v'), z = factor(c('b', 'a'))), "
        "g = mean, s = quote(x + y)), commandArgs(TRUE)[[2]])"
    )
    subprocess.run([rscript(), "-e", code, str(scripts_dir()), str(tmp_path / "out")], check=True)
    lost = []
    back = read_bundle(tmp_path / "out", lost)
    np.testing.assert_array_equal(back["a"], [1, np.nan])
    expected = pd.DataFrame({"x": [1.5, 2.0], "y": ["u", "v"], "z": pd.Categorical(["b", "a"])})
    pd.testing.assert_frame_equal(back["f"], expected)
    assert back["g"] is back["s"] is None
    assert lost == ["a value of class 'function'", "a value of class 'call'"]


def test_values_without_r_counterpart_are_refused(tmp_path):
    with pytest.raises(TypeError, match="x: no R vector for an array of dtype"):
        write_bundle({"x": np.array([object()])}, tmp_path / "in")
    with pytest.raises(ValueError, match="x holds a NUL character"):
        write_bundle({"x": ["a", "b\0c"]}, tmp_path / "in")
    with pytest.raises(TypeError, match="another R process"):
        write_value(None, RValue("opaque"))


HELD = {
    "a name of a list": {"x": {"a": 1, "b\0c": 2, "d": 3}},
    "a name deep in lists": {"x": {"a": {"b\0c": [1]}}},
    "a name of the bundle": {"b\0c": 1},
    "a category": {"x": pd.Series(pd.Categorical(["b\0c", "d"]))},
    "a column": {"x": pd.DataFrame({"b\0c": [1], "d": [2]})},
    "a row": {"x": pd.DataFrame({"d": [1, 2]}, index=["b\0c", "e"])},
    "an index": {"x": pd.Index(["b\0c"])},
    "a text beside missing ones": {"x": np.array([None, "b\0c"], dtype=object)},
}


@pytest.mark.parametrize("values", HELD.values(), ids=HELD)
def test_a_nul_in_a_name_is_refused(values, tmp_path):
    with pytest.raises(ValueError, match=r"NUL character \('b\\x00c'\), which text in R cannot hold"):
        write_bundle(values, tmp_path / "in")
    assert not (tmp_path / "in" / "values.bin").exists()


@pytest.mark.parametrize("key", ["b\0c", "b\udc80c"])
def test_a_name_that_r_cannot_hold_names_its_list(key, tmp_path):
    with pytest.raises(ValueError, match=r"a name in x\['deep'\] holds .*rename it first"):
        write_bundle({"x": {"deep": {"a": 1, key: 2}}}, tmp_path / "in")


@pytest.mark.parametrize(
    "value",
    [
        RValue("character", ["a", "b\0c"]),
        RValue("list", [RValue("NULL")], {"names": RValue("character", ["b\0c"])}),
        RValue("NULL", None, {"b\0c": RValue("NULL")}),
    ],
)
def test_the_writer_itself_lets_no_nul_through(value):
    with pytest.raises(ValueError, match="NUL character"):
        write_value(io.BytesIO(), value)


@pytest.mark.parametrize("place", ["obs_names", "var_names", "layer"])
def test_a_nul_in_an_anndata_is_refused(place, tmp_path):
    adata = AnnData(sparse.csr_matrix(np.eye(3, dtype=np.float32)))
    if place == "layer":
        adata.layers["b\0c"] = adata.X.copy()
    else:
        setattr(adata, place, ["a", "b\0c", "d"])
    with pytest.raises(ValueError, match=r"NUL character \('b\\x00c'\)"):
        write_bundle({"x": adata}, tmp_path / "in")


def test_columns_with_a_nul_are_named_and_left_out(tmp_path):
    adata = AnnData(sparse.csr_matrix(np.eye(3, dtype=np.float32)))
    adata.obs["b\0c"] = 1
    adata.obs["x"] = pd.Categorical(["a", "b\0c", "d"])
    with pytest.warns(UserWarning, match=r"obs\.columns holds a NUL .*; adata\.obs\['x'\] holds a NUL"):
        write_bundle({"x": adata}, tmp_path / "in")


def test_matrix_beyond_32_bit_is_refused(tmp_path):
    tall = sparse.csc_matrix((np.ones(1), np.zeros(1, dtype=np.int64), np.array([0, 1])), shape=(2**31, 1))
    with pytest.raises(OverflowError, match=r"x has 2,147,483,648 rows"):
        write_bundle({"x": tall}, tmp_path / "in")
