"""The streamed file equals the computed matrix, and appears whole or not at all."""

from __future__ import annotations

import errno

import anndata as ad
import numpy as np
import pytest

import sccase_kit as sk
from sccase_kit._atomic import replacing
from sccase_kit.io import _write_enhanced as module
from sccase_kit.io import hdf5


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


@pytest.mark.parametrize(("suffix", "compression"), [(".h5ad", None), (".h5ad", "gzip"), (".zarr", None)])
@pytest.mark.parametrize("scale", [None, "minmax"])
def test_many_peaks_are_written_in_parts(adata, tmp_path, monkeypatch, suffix, compression, scale):
    """A .h5ad without chunks is written by some of the peaks at a time, all others by whole cells."""
    monkeypatch.setattr(module, "_FEWEST_CELLS", 8)
    monkeypatch.setattr(module, "_MOST_BYTES", 4 * 8 * 128)  # 300 peaks in three parts; 60 cells in blocks of 8
    monkeypatch.setattr(module, "_BLOCK_BYTES", 1)
    shapes, told, bars = [], [], []
    product = module._product

    def watched(cells, peaks, out):
        shapes.append(out.shape)
        product(cells, peaks, out)

    class Bar:
        def __init__(self, **kwargs):
            bars.append(kwargs["total"])

        def __enter__(self):
            return self

        def __exit__(self, *args):
            return None

        def update(self, count):
            told.append(count)

    monkeypatch.setattr(module, "_product", watched)
    monkeypatch.setattr(module, "progress", Bar)
    path = tmp_path / f"a{suffix}"
    sk.io.write_enhanced(adata, path, scale=scale, compression=compression)
    result = ad.read_h5ad(path) if suffix == ".h5ad" else ad.read_zarr(path)
    np.testing.assert_allclose(result.X, sk.get.enhanced(adata, scale=scale), rtol=1e-5, atol=5e-7)
    if suffix == ".h5ad" and compression is None:
        assert {width for _, width in shapes} == {100}
        assert max(height for height, _ in shapes) == 8
    else:
        assert {width for _, width in shapes} == {300}
    assert bars == [60]
    assert sum(told) == 60
    assert all(isinstance(count, int) and count >= 0 for count in told)


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


def test_the_space_of_the_values_is_asked_for_first(adata, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(hdf5, "_allocate", lambda _, start, size: asked.append((start, size)) or errno.EOPNOTSUPP)
    sk.io.write_enhanced(adata, tmp_path / "a.h5ad")
    sk.io.write_enhanced(adata, tmp_path / "b.h5ad", compression="gzip")
    assert [size for _, size in asked] == [4 * 60 * 300]
    monkeypatch.setattr(hdf5, "_allocate", lambda *_: errno.ENOSPC)
    monkeypatch.setattr(module, "_product", lambda *_: pytest.fail("computed although the disk is full"))
    with pytest.raises(OSError, match=r"No space left on device in .*'a\.h5ad' was not written"):
        sk.io.write_enhanced(adata, tmp_path / "a.h5ad")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.h5ad", "b.h5ad"]
    monkeypatch.undo()
    sk.io.write_enhanced(adata, tmp_path / "c.h5ad")
    sizes = [(tmp_path / name).stat().st_size for name in ("a.h5ad", "c.h5ad")]
    assert sizes[0] == sizes[1]  # nothing of what was asked for is left at the end
    np.testing.assert_array_equal(*(ad.read_h5ad(tmp_path / name).X for name in ("a.h5ad", "c.h5ad")))


def test_a_file_gets_space_where_the_system_can(tmp_path):
    with (tmp_path / "a").open("wb") as file:
        number = hdf5._allocate(file.fileno(), 0, 100_000)
        size = file.seek(0, 2)
    assert (number, size) in {(0, 100_000), (errno.EOPNOTSUPP, 0)}
