"""The streamed file equals the computed matrix, and appears whole or not at all."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pytest

import sccase_kit as sk
from sccase_kit._atomic import replacing
from sccase_kit.io import _write_enhanced as module


@pytest.fixture(scope="module")
def adata():
    adata = sk.datasets.toy_study(n_cells=60, n_peaks=300).adata
    sk.tl.enhance(adata, 4)
    return adata


@pytest.mark.parametrize("suffix", [".h5ad", ".zarr"])
@pytest.mark.parametrize("scale", [None, "minmax", "counts"])
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_file_equals_the_matrix(adata, tmp_path, suffix, scale, dtype):
    path = tmp_path / f"out{suffix}"
    with sk.settings.override(block_bytes=7 * 4 * adata.n_vars):
        sk.io.write_enhanced(adata, path, scale=scale, dtype=dtype)
        sk.io.write_enhanced(adata, path, scale=scale, dtype=dtype)
    result = ad.read_h5ad(path) if suffix == ".h5ad" else ad.read_zarr(path)
    expected = sk.get.enhanced(adata, scale=scale)
    assert result.X.dtype == dtype
    rounding = 5e-7 if scale else 1e-9  # min–max values are differences of numbers of size 1 in float32
    tolerance = {"rtol": 1e-3, "atol": 1e-6} if dtype == "float16" else {"rtol": 1e-5, "atol": rounding}
    np.testing.assert_allclose(result.X, expected.astype(dtype), **tolerance)
    assert list(result.obs_names) == list(adata.obs_names)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".h5ad", ".zarr"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_a_failed_write_leaves_the_old_file(adata, tmp_path, monkeypatch, suffix, error):
    path = tmp_path / f"out{suffix}"
    sk.io.write_enhanced(adata, path)
    before = ad.read_h5ad(path).X if suffix == ".h5ad" else ad.read_zarr(path).X

    def broken(*args, **kwargs):
        raise error("stop")

    monkeypatch.setattr(module, "_values_of", lambda *_: broken)
    with pytest.raises(error):
        sk.io.write_enhanced(adata, path)
    after = ad.read_h5ad(path).X if suffix == ".h5ad" else ad.read_zarr(path).X
    np.testing.assert_array_equal(before, after)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_bad_arguments(adata, tmp_path):
    with pytest.raises(ValueError, match=r"\.h5ad or \.zarr"):
        sk.io.write_enhanced(adata, tmp_path / "x.csv")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        sk.io.write_enhanced(adata, tmp_path / "nowhere" / "x.h5ad")
    with pytest.raises(KeyError, match=r"tl\.enhance"):
        sk.io.write_enhanced(adata, tmp_path / "x.h5ad", "other")
    with pytest.raises(ValueError, match="dtype must be one of"):
        sk.io.write_enhanced(adata, tmp_path / "x.h5ad", dtype="int8")


def test_replacing_needs_the_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"), replacing(tmp_path / "a" / "b.txt"):
        pass


@pytest.mark.parametrize("suffix", [".h5ad", ".zarr"])
def test_a_dense_fit_is_scaled_once(tmp_path, monkeypatch, suffix):
    from sccase_kit.get import thin

    adata = sk.datasets.toy_study(n_cells=40, n_peaks=200).adata
    sk.tl.enhance(adata, 4, solver="published")
    expected, calls = sk.get.enhanced(adata, scale="minmax"), []
    scale = thin.minmax_scale
    monkeypatch.setattr(thin, "minmax_scale", lambda matrix: calls.append(1) or scale(matrix))
    path = tmp_path / f"a{suffix}"
    with sk.settings.override(block_bytes=7 * 4 * adata.n_vars):
        sk.io.write_enhanced(adata, path, scale="minmax")
    assert len(calls) == 1
    result = ad.read_h5ad(path) if suffix == ".h5ad" else ad.read_zarr(path)
    np.testing.assert_array_equal(result.X, expected.astype(np.float32))
