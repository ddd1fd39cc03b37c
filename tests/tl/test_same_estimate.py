"""The estimated number of types is that of one algorithm, however the counts are stored."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pytest
from scipy import sparse

import sccase_kit as sk
from sccase_kit.matrix import krylov


def small_counts(seed):
    """40 to 90 cells of four types."""
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(40, 90)), int(rng.integers(150, 300))
    open_in = np.where(rng.random((4, m)) < 0.2, 0.5, 0.08)
    x = (rng.random((n, m)) < open_in[rng.integers(4, size=n)]) * rng.integers(1, 4, (n, m))
    x[rng.integers(n, size=m), np.arange(m)] += 1
    return sparse.csr_matrix(x)


def stored_in_every_way(counts, folder):
    """Yield (storage, AnnData)."""
    for name, matrix in {"csc": counts.tocsc(), "dense": counts.toarray(), "array": sparse.csr_array(counts)}.items():
        yield name, ad.AnnData(matrix)
    da = pytest.importorskip("dask.array")
    yield "dask", ad.AnnData(da.from_array(counts.toarray(), chunks=(29, -1)).map_blocks(sparse.csr_matrix))
    path = folder / "counts.h5ad"
    ad.AnnData(counts).write_h5ad(path)
    backed = ad.read_h5ad(path, backed="r")
    yield "backed", backed
    backed.file.close()
    pytest.importorskip("xarray")
    yield "lazy", ad.experimental.read_lazy(path)


@pytest.mark.parametrize("seed", range(6))
def test_the_curves_are_the_same_bit_by_bit(seed, tmp_path):
    counts = small_counts(seed)
    first = ad.AnnData(counts)
    wanted = sk.tl.estimate_k(first, k_values=range(3, 7))
    for name, adata in stored_in_every_way(counts, tmp_path):
        assert sk.tl.estimate_k(adata, k_values=range(3, 7)) == wanted, name
        curves = adata.uns["estimate_k"]["curves"]
        np.testing.assert_array_equal(curves, first.uns["estimate_k"]["curves"], err_msg=name)


@pytest.mark.parametrize("seed", range(2))
def test_many_cells_in_blocks_get_the_same_number(seed, tmp_path, monkeypatch):
    monkeypatch.setattr(krylov, "EXACT_BELOW", 0)  # the algorithm of more than 3,000 cells
    counts = small_counts(seed)
    wanted = sk.tl.estimate_k(ad.AnnData(counts), k_values=range(3, 7))
    for name, adata in stored_in_every_way(counts, tmp_path):
        assert sk.tl.estimate_k(adata, k_values=range(3, 7)) == wanted, name


@pytest.mark.parametrize("seed", range(2))
def test_sccase_with_an_automatic_number(seed, tmp_path):
    counts = small_counts(seed)
    first = ad.AnnData(counts)
    sk.tl.enhance(first, method="sccase")
    for name, adata in stored_in_every_way(counts, tmp_path):
        if name == "lazy":
            continue  # has no arrays to write to
        sk.tl.enhance(adata, method="sccase")
        assert adata.uns["sccase"]["params"]["n_components"] == first.uns["sccase"]["params"]["n_components"], name
        np.testing.assert_allclose(sk.get.enhanced(adata), sk.get.enhanced(first), rtol=1e-4, atol=1e-6, err_msg=name)
