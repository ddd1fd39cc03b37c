"""A small count matrix with peaks that have coordinates, and one copy of it per storage."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse


@pytest.fixture
def adata():
    rng = np.random.default_rng(3)
    dense = rng.poisson(0.6, (30, 12)).astype(np.int32)
    dense[:, 0] = 0
    dense[0, 0] = 5
    dense[4] = [0, 2] + [0] * 10
    names = [f"chr{1 + i // 6}:{1000 * i}-{1000 * i + 400}" for i in range(12)]
    obs = pd.DataFrame(
        {"type": pd.Categorical(np.repeat(["a", "b", "c"], [5, 10, 15])), "n": np.arange(30)},
        index=[f"cell{i}" for i in range(30)],
    )
    adata = ad.AnnData(sparse.csr_matrix(dense), obs=obs, var=pd.DataFrame(index=names))
    adata.layers["double"] = sparse.csr_matrix(2 * dense)
    adata.obsm["X_pca"] = rng.normal(size=(30, 2))
    return adata


def _store(adata, kind, folder):
    other = adata.copy()
    if kind == "ndarray":
        other.X = adata.X.toarray()
    elif kind in {"csc_matrix", "csr_array", "csc_array"}:
        other.X = getattr(sparse, kind)(adata.X)
    elif kind == "float64":
        other.X = adata.X.astype(np.float64)
    elif kind == "explicit zeros":
        coo = adata.X.tocoo()
        zeros = np.argwhere(adata.X.toarray() == 0)[::3]
        data = np.concatenate([coo.data, np.zeros(len(zeros), dtype=coo.dtype)])
        rows, cols = np.concatenate([coo.row, zeros[:, 0]]), np.concatenate([coo.col, zeros[:, 1]])
        other.X = sparse.csr_matrix((data, (rows, cols)), shape=adata.shape)
    elif kind == "entries twice":
        coo = adata.X.tocoo()
        parts = [np.concatenate([x, x[::2]]) for x in (coo.row, coo.col)]
        data = np.concatenate([coo.data, np.zeros_like(coo.data[::2])])
        data[: len(coo.data) : 2] -= 1
        data[len(coo.data) :] += 1
        order = np.argsort(parts[0], kind="stable")
        pointers = np.r_[0, np.cumsum(np.bincount(parts[0], minlength=adata.n_obs))]
        other.X = sparse.csr_matrix((data[order], parts[1][order], pointers), shape=adata.shape)
        assert not other.X.has_canonical_format
    elif kind == "dask":
        da = pytest.importorskip("dask.array")
        other.X = da.from_array(adata.X.toarray(), chunks=(7, 5)).map_blocks(sparse.csr_matrix)
    elif kind == "backed":
        adata.write_h5ad(folder / "stored.h5ad")
        other = ad.read_h5ad(folder / "stored.h5ad", backed="r")
    return other


@pytest.fixture(
    params=[
        *["csr", "ndarray", "csc_matrix", "csr_array", "csc_array", "float64"],
        *["explicit zeros", "entries twice", "dask", "backed"],
    ]
)
def stored(request, adata, tmp_path):
    """The same counts in every storage."""
    other = _store(adata, request.param, tmp_path)
    yield other
    if other.isbacked:
        other.file.close()


@pytest.fixture
def unchanged():
    """A check that a function left its input alone: call it before, call what it returns after."""

    def remember(adata):
        before = adata.copy()

        def check():
            now, then = (sparse.csr_matrix(a.to_memory().X).toarray() for a in (adata, before))
            np.testing.assert_array_equal(now, then)
            pd.testing.assert_frame_equal(adata.obs, before.obs)
            pd.testing.assert_frame_equal(adata.var, before.var)
            for slot in ("layers", "obsm", "varm", "uns"):
                assert list(getattr(adata, slot)) == list(getattr(before, slot))

        return check

    return remember
