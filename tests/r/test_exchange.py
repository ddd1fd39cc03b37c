from __future__ import annotations

import subprocess

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from sccase_kit.r._exchange import read_bundle, write_bundle
from sccase_kit.r._locate import rscript, scripts_dir


def through_r(values, tmp_path):
    """Write, read and write in R, read."""
    write_bundle(values, tmp_path / "in")
    code = (
        "a <- commandArgs(TRUE); source(file.path(a[[1]], 'lib', 'exchange.R')); library(Matrix); "
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
    assert back["text"] == ["subject"]
    assert back["texts"] == values["texts"]
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
        "source(file.path(commandArgs(TRUE)[[1]], 'lib', 'exchange.R')); write_bundle(list(a = c(1L, NA), "
        "f = data.frame(x = c(1.5, 2), y = c('u', 'v'), z = factor(c('b', 'a')))), commandArgs(TRUE)[[2]])"
    )
    subprocess.run([rscript(), "-e", code, str(scripts_dir()), str(tmp_path / "out")], check=True)
    back = read_bundle(tmp_path / "out")
    np.testing.assert_array_equal(back["a"], [1, np.nan])
    expected = pd.DataFrame({"x": [1.5, 2.0], "y": ["u", "v"], "z": ["b", "a"]})
    pd.testing.assert_frame_equal(back["f"], expected)


def test_values_without_r_counterpart_are_refused(tmp_path):
    with pytest.raises(TypeError, match="x has dtype complex128"):
        write_bundle({"x": np.array([1j])}, tmp_path / "in")


def test_matrix_beyond_32_bit_is_refused(tmp_path):
    tall = sparse.csc_matrix((np.ones(1), np.zeros(1, dtype=np.int64), np.array([0, 1])), shape=(2**31, 1))
    with pytest.raises(OverflowError, match=r"x has 2,147,483,648 rows"):
        write_bundle({"x": tall}, tmp_path / "in")
