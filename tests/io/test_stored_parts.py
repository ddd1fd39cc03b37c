"""Stores that have lost a part: nothing is read as zeros, or left out, without a word."""

from __future__ import annotations

import shutil
import struct
import warnings

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

import sccase_kit as sk
from sccase_kit.io import FormatError, heaps
from sccase_kit.io._stored_arrays import layout_of
from sccase_kit.io.heaps import check_heaps

zarr = pytest.importorskip("zarr", reason="zarr (extra scale) is not installed")


@pytest.fixture(scope="module")
def adata():
    rng = np.random.default_rng(0)
    counts = sparse.csr_matrix(rng.poisson(0.4, (30, 40)).astype(np.float32))
    names = [f"chr1:{1000 * k}-{1000 * k + 500}" for k in range(40)]
    return AnnData(counts, var=pd.DataFrame(index=names), layers={"raw": counts.copy()})


@pytest.fixture(params=[2, 3])
def store(adata, tmp_path, request):
    return write(adata, tmp_path / "a.zarr", request.param)


def write(adata, path, version):
    with anndata.settings.override(zarr_write_format=version), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what zarr and anndata announce
        adata.write_zarr(path)
    return path


def chunks(path, element):
    return sorted(p for p in (path / element).rglob("*") if p.is_file() and "zarr" not in p.name and p.name[0] != ".")


@pytest.mark.parametrize("element", ["X/data", "X/indices", "X/indptr", "layers/raw/data"])
@pytest.mark.parametrize("backed", [False, True])
def test_a_lost_chunk(store, element, backed):
    assert sk.read(store, backed=backed).shape == (30, 40)
    for chunk in chunks(store, element):
        chunk.unlink()
    if element.endswith("indptr"):
        with (
            pytest.warns(UserWarning, match=r"1 of 1 chunks of X/indptr"),
            pytest.raises(FormatError, match="end at 0"),
        ):
            sk.read(store, backed=backed)
    else:
        with pytest.raises(FormatError, match=rf"a.zarr: 1 of 1 chunks of {element} are not there"):
            sk.read(store, backed=backed)


@pytest.mark.parametrize("backed", [False, True])
def test_pointers_that_end_early(adata, tmp_path, backed):
    """scipy would drop what they do not reach."""
    path = tmp_path / "a.h5ad"
    adata.write_h5ad(path)
    with h5py.File(path, "r+") as file:
        file["X/indptr"][-1] -= 1
    with pytest.raises(FormatError, match=f"pointers of X end at {adata.X.nnz - 1}, of {adata.X.nnz} values"):
        sk.read(path, backed=backed)


def test_counts_of_nothing_but_zeros_are_whole(adata, tmp_path):
    empty = AnnData(sparse.csr_matrix(adata.shape, dtype=np.float32), var=adata.var)
    assert sk.read(write(empty, tmp_path / "e.zarr", 3)).X.nnz == 0


def test_a_damaged_block_names_the_file(store):
    for chunk in chunks(store, "X/data"):
        chunk.write_bytes(b"")
    lazy = sk.read(store, backed=True)
    with pytest.raises(ValueError, match=r"a.zarr: the rows 0 to 29 of the counts cannot be read"):
        sk.pp.tfidf(lazy)


def test_a_backed_file_that_changes_names_itself(adata, tmp_path):
    path, other = tmp_path / "a.h5ad", tmp_path / "b.h5ad"
    adata.write_h5ad(path)
    shutil.copyfile(path, other)
    backed = sk.read(path, backed=True)
    backed.file.close()
    with h5py.File(path, "r+") as file:
        del file["X/indices"]
        file["X/indices"] = np.zeros(3, np.int32)
    again = anndata.read_h5ad(path, backed="r")
    with pytest.raises(ValueError, match=r"a.h5ad: the rows 0 to 29 of the counts cannot be read"):
        sk.pp.tfidf(again)
    again.file.close()


def heap(objects, size=4096):
    body = b"".join(struct.pack("<HH4xQ", number, 1, length) + b"\0" * fill for number, length, fill in objects)
    return b"GCOL\x01\0\0\0" + struct.pack("<Q", size) + body + b"\0" * (size - 16 - len(body))


@pytest.mark.parametrize("before", [0, 512])  # MuData begins with a block of 512 bytes
@pytest.mark.parametrize(
    ("objects", "sound"),
    [
        ([(1, 5, 8), (2, 16, 16), (0, 4096 - 16 - 24 - 32, 0)], True),
        ([(1, 5, 8), (0, 0, 0)], False),  # points to itself
        ([(1, 2**64 - 16, 0)], False),  # and back to its own start
        ([(1, 5, 8), (2, 10_000, 0)], False),  # beyond the end
    ],
)
def test_heaps(tmp_path, objects, sound, before):
    """Of files that HDF5 would not open: signature and heap, and nothing else."""
    path = tmp_path / "x.h5"
    path.write_bytes(b"\0" * before + b"\x89HDF\r\n\x1a\n" + b"\0" * 40 + heap(objects) + b"\0" * 9)
    if sound:
        check_heaps(path)
    else:
        with pytest.raises(FormatError, match=rf"x\.h5: damaged: the texts at byte {before + 48}"):
            check_heaps(path)


@pytest.mark.parametrize("chunks", [None, (5000,)])
@pytest.mark.parametrize("block", [0, 512])
def test_a_damaged_heap_is_found_between_large_arrays(tmp_path, monkeypatch, chunks, block):
    monkeypatch.setattr(heaps, "_PIECE", 1000)  # heaps lie across pieces
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", userblock_size=block) as file:
        file.create_dataset("before", data=np.arange(60_000.0), chunks=chunks)
        file["names"] = [f"cell{i}" * (1 + i % 9) for i in range(400)]
        file.create_dataset("after", data=np.arange(60_000.0), chunks=chunks)
    check_heaps(path)
    held = path.read_bytes()
    taken = heaps._taken(layout_of(path).blocks).tolist()
    assert bool(taken) == (block == 0)
    for first, last in taken:
        assert b"cell7" not in held[first:last]
    assert sum(last - first for first, last in taken) == (960_000 if block == 0 else 0)
    at = held.index(b"cell300") - 8  # the length of a name in the middle of a heap
    path.write_bytes(held[:at] + struct.pack("<Q", 10**6) + held[at + 8 :])
    with pytest.raises(FormatError, match="have lost their order"):
        check_heaps(path)


def test_whole_files_have_sound_heaps(adata, tmp_path):
    other = adata.copy()
    other.obs["text"] = [f"{k}" * (k + 1) for k in range(30)]
    other.write_h5ad(tmp_path / "a.h5ad", compression="gzip")
    check_heaps(tmp_path / "a.h5ad")
    (tmp_path / "short").write_bytes(b"")
    check_heaps(tmp_path / "short")
