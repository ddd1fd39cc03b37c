"""Damaged HDF5 and zarr stores: a sound matrix, or a FormatError that names the file."""

from __future__ import annotations

import shutil
import warnings

import h5py
import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from others import ANNDATA

import sccase_kit as sk

FORMS = ["counts.h5ad", "counts.zarr", "peaks.h5"]
ELEMENTS = {
    "counts.h5ad": [
        "X",
        "X/data",
        "X/indices",
        "X/indptr",
        "obs",
        "obs/_index",
        "var",
        "var/_index",
        "var/start",
        "uns",
    ],
    "peaks.h5": [f"matrix{p}" for p in ("", "/data", "/indices", "/indptr", "/shape", "/barcodes", "/features/id")],
}
ELEMENTS["counts.zarr"] = ELEMENTS["counts.h5ad"]
VALUES = {
    "nothing": np.zeros(0, dtype=np.int32),
    "one": np.ones(1, dtype=np.int64),
    "negative": np.full(7, -3, dtype=np.int32),
    "huge": np.full(5, 2**62, dtype=np.int64),
    "floats": np.linspace(0, 1, 9),
    "a number": 5,
    "a table": np.ones((3, 4)),
    "text": b"text",
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """One folder with the same counts in every form."""
    folder = tmp_path_factory.mktemp("whole")
    adata = sk.datasets.toy_study(n_cells=40, n_peaks=200).adata
    adata.write_h5ad(folder / "counts.h5ad")
    sk.io.convert(folder / "counts.h5ad", folder / "counts.zarr")
    peaks = adata.X.T.tocsc()
    with h5py.File(folder / "peaks.h5", "w") as file:
        group = file.create_group("matrix")
        parts = {"data": peaks.data, "indices": peaks.indices, "indptr": peaks.indptr, "shape": peaks.shape}
        names = {"barcodes": adata.obs_names, "features/id": adata.var_names}
        for name, value in (parts | {k: v.to_numpy(object).astype("S") for k, v in names.items()}).items():
            group[name] = value
    return folder


def read(path):
    """Return the counts of every cell, read at once and by blocks, or None after a clear error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=ANNDATA)
        warnings.filterwarnings("ignore", category=UserWarning)
        try:
            adata = sk.read(path)
        except ValueError as err:
            kind, message = type(err), str(err)
        else:
            adata.X.check_format(full_check=True)
            return adata.X
    assert kind is sk.io.FormatError, f"a raw {kind.__name__}: {message}"
    assert path.name in message
    return None


@pytest.mark.parametrize("name", FORMS)
def test_whole_store(whole, name):
    assert (read(whole / name) != read(whole / "counts.h5ad")).nnz == 0


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("value", [None, *VALUES])
def test_element_lost_or_replaced(whole, tmp_path, name, value):
    for element in ELEMENTS[name]:
        path = tmp_path / name
        if path.is_dir():
            shutil.rmtree(path)
        copy = shutil.copytree if (whole / name).is_dir() else shutil.copyfile
        copy(whole / name, path)
        store = h5py.File(path, "r+") if path.is_file() else zarr.open_group(str(path), mode="r+")
        del store[element]
        if value is not None and path.is_file():
            store[element] = VALUES[value]
        elif value not in (None, "text"):  # fixed-length text has no zarr v3 specification
            create = store.create_array if hasattr(type(store), "create_array") else store.create_dataset  # zarr 3, 2
            create(element, data=np.atleast_1d(np.asarray(VALUES[value])))
        if path.is_file():
            store.close()
        counts = read(path)
        plain = element in ("X", "X/data", "matrix/data", "var/start")  # another matrix, which can be sound
        assert counts is None or plain or counts.shape == (40, 200)


@pytest.mark.skipif(h5py.version.hdf5_version_tuple < (2,), reason="HDF5 1.14 itself crashes on some damaged files")
@pytest.mark.parametrize("name", ["counts.h5ad", "peaks.h5"])
@settings(max_examples=150, derandomize=True, deadline=None, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(places=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), min_size=1, max_size=6), end=st.floats(0.3, 3))
def test_damaged_bytes(whole, tmp_path, name, places, end):
    data = bytearray((whole / name).read_bytes())
    for place, flip in places:
        data[int(place * (len(data) - 1))] ^= flip
    path = tmp_path / name
    path.write_bytes(data[: int(end * len(data))])
    read(path)


@pytest.mark.parametrize("indices", [[-1], [200], [2**30]])
def test_backed_indices_outside_the_matrix(whole, tmp_path, indices):
    """Blocks are read later: the fit refuses them, and nothing reads or writes out of bounds."""
    path = tmp_path / "counts.h5ad"
    shutil.copyfile(whole / "counts.h5ad", path)
    with h5py.File(path, "r+") as store:
        store["X/indices"][5] = indices[0]
    adata = sk.read(path, backed=True)
    with pytest.raises(ValueError, match="counts: a damaged sparse matrix"):
        sk.tl.enhance(adata)
    assert "sccase" not in adata.uns
    adata.file.close()
