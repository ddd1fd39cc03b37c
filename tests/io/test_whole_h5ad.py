"""An .h5ad whose counts are read without HDF5, against anndata's own reading."""

from __future__ import annotations

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

import sccase_kit as sk
from sccase_kit.io import FormatError, _stored_arrays, _whole_h5ad
from sccase_kit.io._stored_arrays import as_vector, layout_of

N, M = 40, 60


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch):
    """Arrays of any size are read so, in pieces that end within rows."""
    monkeypatch.setattr(_stored_arrays, "_LARGE", 1)
    monkeypatch.setattr(_stored_arrays, "_PIECE", 128)


def counts(dtype=np.float32):
    rng = np.random.default_rng(0)
    dense = rng.poisson(0.3, (N, M))
    dense[[0, 7, 8, N - 1]] = 0  # rows that hold nothing
    out = sparse.csr_matrix(dense.astype(dtype))
    assert out.nnz > 500
    return out


def names():
    return pd.DataFrame(index=[f"chr1:{1000 * k}-{1000 * k + 500}" for k in range(M)])


def write(path, x, **more):
    adata = AnnData(
        x, var=names(), obs=pd.DataFrame({"type": ["a", "b"] * (N // 2)}, index=[f"c{k}" for k in range(N)])
    )
    adata.write_h5ad(path, **more)
    return path


def parts(path):
    """Return whether values and indices can be read without HDF5."""
    with h5py.File(path, "r") as store:
        layout = layout_of(path)
        return [as_vector(store["X"][part], layout) is not None for part in ("data", "indices")]


def put(path, part, values, **how):
    with h5py.File(path, "r+") as store:
        del store["X"][part]
        store["X"].create_dataset(part, data=values, **how)


@pytest.mark.parametrize("chunks", [None, (500,), (37,), (1,)])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int32, np.int64, np.uint8])
@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_equals_anndata(tmp_path, dtype, chunks, index):
    x = counts()
    path = write(tmp_path / "a.h5ad", x)
    put(path, "data", x.data.astype(dtype), chunks=chunks)
    put(path, "indices", x.indices.astype(index), chunks=chunks)
    assert parts(path) == [True, True]
    adata = sk.read(path)
    assert adata.X.dtype == (np.int32 if np.dtype(dtype).kind == "f" else dtype)
    assert type(adata.X) is sparse.csr_matrix
    assert adata.X.has_canonical_format
    np.testing.assert_array_equal(adata.X.toarray(), x.toarray())
    adata.X.data[:] = 7  # its own memory, to be written


@pytest.mark.parametrize(
    "how",
    [
        {"compression": "gzip"},
        {"chunks": (50,), "shuffle": True},
        {"chunks": (50,), "fletcher32": True},
    ],
)
def test_what_hdf5_must_read(tmp_path, how):
    path = write(tmp_path / "a.h5ad", counts())
    put(path, "data", counts().data, **how)
    assert parts(path) == [False, True]
    np.testing.assert_array_equal(sk.read(path).X.toarray(), counts().toarray())


def test_the_byte_order_of_other_machines(tmp_path):
    path = write(tmp_path / "a.h5ad", counts())
    put(path, "indices", counts().indices, dtype=">i4")
    assert parts(path) == [True, False]
    np.testing.assert_array_equal(sk.read(path).X.toarray(), counts().toarray())


def test_chunks_that_are_not_stored_are_hdf5s(tmp_path):
    """A dataset may have a value for what was never written."""
    path = write(tmp_path / "a.h5ad", counts())
    with h5py.File(path, "r+") as store:
        del store["X/data"]
        data = store["X"].create_dataset("data", counts().data.shape, np.float32, chunks=(100,), fillvalue=3)
        data[:100] = counts().data[:100]
    assert parts(path) == [False, True]
    assert (sk.read(path).X.data[100:] == 3).all()


def test_what_is_written_and_not_yet_stored(tmp_path):
    path = write(tmp_path / "a.h5ad", counts())
    put(path, "data", counts().data, chunks=(200,))
    with h5py.File(path, "r+") as store:
        store["X/data"][5:9] = 9
        assert parts(path) == [False, False]
        np.testing.assert_array_equal(sk.read(path).X.data[5:9], 9)
    assert parts(path) == [True, True]
    np.testing.assert_array_equal(sk.read(path).X.data[5:9], 9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("twice", [True, False])
def test_counts_stored_by_peaks_come_by_cells(tmp_path, dtype, twice):
    x = counts(dtype).tocsc()
    path, dense = write(tmp_path / "a.h5ad", x), x.toarray()
    if twice:  # the first two cells of a peak become one
        peak = int(np.flatnonzero(np.diff(x.indptr) > 1)[0])
        first, second = x.indices[x.indptr[peak] :][:2]
        x.indices[x.indptr[peak] + 1] = first
        put(path, "indices", x.indices)
        dense[first, peak] += dense[second, peak]
        dense[second, peak] = 0
    assert parts(path) == [True, True]
    out = sk.read(path).X
    assert type(out) is sparse.csr_matrix
    assert out.dtype == (np.int64 if dtype is np.int64 else np.int32)
    assert out.has_canonical_format
    assert out.nnz == x.nnz - twice
    np.testing.assert_array_equal(out.toarray(), dense)


@pytest.mark.parametrize("kind", ["csr", "csc"])
@pytest.mark.parametrize("part", ["data", "indices"])
def test_values_and_indices_of_different_number_are_damage(tmp_path, kind, part):
    x = counts().asformat(kind)
    path = write(tmp_path / "a.h5ad", x)
    put(path, part, np.append(getattr(x, part), getattr(x, part)[:3]))
    with pytest.raises(FormatError, match=r"a\.h5ad: a damaged sparse matrix .* values and \d+ indices"):
        sk.read(path)


@pytest.mark.parametrize("wrong", [0.5, np.nan, 3e9])
@pytest.mark.parametrize("at", [0, -1])
@pytest.mark.filterwarnings("ignore:.*values are fractional")
def test_values_that_are_no_integers_stay(tmp_path, wrong, at):
    x = counts(np.float64)
    x.data[at] = wrong
    path = write(tmp_path / "a.h5ad", x)
    assert parts(path) == [True, True]
    out = sk.read(path).X
    assert out.dtype == (np.int64 if wrong == 3e9 else np.float64)
    np.testing.assert_array_equal(out.toarray(), x.toarray())


@pytest.mark.parametrize("at", [1, 40, 41, 300])
@pytest.mark.parametrize("twice", [True, False])
def test_rows_out_of_order_are_put_in_order(tmp_path, at, twice):
    """Two neighbours are swapped, or made the same, at the start of a piece, in it and across two."""
    x = counts()
    row = int(np.searchsorted(x.indptr, at, side="right")) - 1
    at = at if at > x.indptr[row] else at + 1
    assert x.indptr[row] < at < x.indptr[row + 1]
    x.indices[[at - 1, at]] = x.indices[at] if twice else x.indices[[at, at - 1]]
    path = write(tmp_path / "a.h5ad", counts())
    put(path, "indices", x.indices)
    out = sk.read(path).X
    assert out.has_canonical_format
    assert out.nnz == x.nnz - twice
    dense = np.zeros((N, M))
    np.add.at(dense, (np.repeat(np.arange(N), np.diff(x.indptr)), x.indices), x.data)
    np.testing.assert_array_equal(out.toarray(), dense)


@pytest.mark.parametrize("wrong", [-1, M])
def test_indices_outside_are_refused(tmp_path, wrong):
    x = counts()
    x.indices[0 if wrong < 0 else x.indptr[3] - 1] = wrong
    path = write(tmp_path / "a.h5ad", counts())
    put(path, "indices", x.indices)
    assert parts(path) == [True, True]
    with pytest.raises(FormatError, match=f"outside 0 to {M - 1}"):
        sk.read(path)


@pytest.mark.filterwarnings("ignore:.*values are fractional")
def test_all_parts_of_a_file_come_along(tmp_path):
    x = counts()
    cells = pd.DataFrame({"type": pd.Categorical(["a", "b"] * (N // 2))}, index=[f"cell{k}" for k in range(N)])
    adata = AnnData(x, var=names(), obs=cells)
    adata.obs["text"] = ["ü", "", "two\nlines", "x"] * (N // 4)
    adata.obs["maybe"] = pd.array([1, None] * (N // 2), dtype="Int64")
    adata.raw = adata[:, :50].copy()
    adata.layers["half"] = x * 0.5
    adata.obsm["table"] = pd.DataFrame({"a": np.arange(N)}, index=adata.obs_names)
    adata.obsp["graph"] = sparse.eye(N).tocsr()
    adata.uns["note"] = {"words": np.array(["a", "b"], dtype=object), "n": 3, "text": "t"}
    adata.write_h5ad(tmp_path / "a.h5ad")
    with h5py.File(tmp_path / "a.h5ad", "r") as store:
        assert _whole_h5ad.is_present_format(store)
        ours = _whole_h5ad.read_whole(store, layout_of(tmp_path / "a.h5ad"))
    theirs = anndata.read_h5ad(tmp_path / "a.h5ad")
    assert ours.X.dtype == np.int32
    for one in (ours, theirs):
        pd.testing.assert_frame_equal(one.obs, theirs.obs)
        pd.testing.assert_frame_equal(one.obsm["table"], theirs.obsm["table"])
        pd.testing.assert_frame_equal(one.raw.var, theirs.raw.var)
        assert one.uns["note"]["words"].tolist() == ["a", "b"]
        assert (one.uns["note"]["n"], one.uns["note"]["text"]) == (3, "t")
        for matrix, same in (
            (one.X, theirs.X),
            (one.layers["half"], theirs.layers["half"]),
            (one.raw.X, theirs.raw.X),
            (one.obsp["graph"], theirs.obsp["graph"]),
        ):
            np.testing.assert_array_equal(matrix.toarray(), same.toarray())
    assert ours.obs["text"].tolist()[:3] == ["ü", "", "two\nlines"]


@pytest.mark.parametrize("mark", ["file", "table"])
def test_older_formats_are_anndatas(tmp_path, mark):
    path = write(tmp_path / "a.h5ad", counts())
    with h5py.File(path, "r+") as store:
        if mark == "file":
            del store.attrs["encoding-type"], store.attrs["encoding-version"]
        else:
            kept = anndata.io.read_elem(store["var"]).index
            del store["var"]
            store["var"] = np.array([(name.encode(),) for name in kept], dtype=[("index", "S30")])
    with h5py.File(path, "r") as store:
        assert not _whole_h5ad.is_present_format(store)


def test_names_that_are_not_unique_are_told(tmp_path):
    path = write(tmp_path / "a.h5ad", counts())
    with h5py.File(path, "r+") as store:
        names = np.array(["c0", "c0", *(f"c{i}" for i in range(2, 40))], dtype=object)
        del store["obs/_index"]
        anndata.io.write_elem(store["obs"], "_index", names)
    with pytest.warns(UserWarning, match="2 of 40 cells share their name"):
        sk.read(path)
