"""Work on a dask cluster of two processes against the same work here."""

from __future__ import annotations

import threading
import warnings

import anndata as ad
import numpy as np
import pytest
from scipy import sparse

import sccase_kit as sk
from sccase_kit.enhance import ScaledOperator
from sccase_kit.enhance.preparation import prepare
from sccase_kit.matrix.cluster import ClusterBlocks, active_client, cluster_of

da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def client():
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        patch.delenv(
            "LD_LIBRARY_PATH", raising=False
        )  # rpy2 sets R's, with which another Python than the system's fails
        warnings.simplefilter("ignore")  # about ports and the machine
        cluster = distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, memory_limit=None
        )
        with cluster, distributed.Client(cluster) as client:
            yield client


@pytest.fixture(scope="module")
def counts():
    return sk.datasets.toy_study(n_cells=200, n_peaks=800, rng=3).adata.X.tocsr()


@pytest.fixture(autouse=True)
def counts_are_large():
    """Send also these small counts to the workers."""
    with sk.settings.override(block_bytes=1_000):
        yield


def blocks(counts, rows=67):
    return da.from_array(counts.toarray(), chunks=(rows, -1)).map_blocks(sparse.csr_matrix)


def test_without_a_client_nothing_is_sent(counts):
    assert active_client() is None
    assert cluster_of(blocks(counts)) is None


def test_products_on_the_workers(client, counts):
    rng = np.random.default_rng(0)
    n, m = counts.shape
    row, col, right, left = rng.random(n), rng.random(m), rng.standard_normal((m, 3)), rng.standard_normal((n, 5))
    op = ScaledOperator(blocks(counts), row, col, dtype=np.float64)
    assert isinstance(op._cluster, ClusterBlocks)
    dense = row[:, None] * counts.toarray() * col
    np.testing.assert_allclose(op.matmul(right), dense @ right, atol=1e-11)
    np.testing.assert_allclose(op.rmatmul(left), dense.T @ left, atol=1e-11)
    np.testing.assert_allclose(op.row_sq_norms(), (dense**2).sum(axis=1))
    binary = (row[:, None] * (counts.toarray() > 0) * col) @ right
    np.testing.assert_allclose(op.binarized().matmul(right), binary, atol=1e-11)
    new, back = op.sweep(right, lambda rows, product: left[rows, :2] * product[:, :2], n_left=2)
    np.testing.assert_allclose(new, left[:, :2] * (dense @ right)[:, :2], atol=1e-11)
    np.testing.assert_allclose(back, dense.T @ new, atol=1e-11)


def test_small_counts_are_worked_on_here(client, counts, monkeypatch):
    with sk.settings.override(block_bytes=10**6):
        there = blocks(counts)
        held = cluster_of(there)
        np.testing.assert_array_equal(held.here.toarray(), counts.toarray())
        op = ScaledOperator(there)
        assert op.in_memory
        sent = []
        monkeypatch.setattr(ClusterBlocks, "_computed", lambda self, tasks: sent.append(1))
        adata, here = ad.AnnData(there), ad.AnnData(counts)
        sk.tl.enhance(adata)
        sk.tl.enhance(here)
        assert not sent
    np.testing.assert_array_equal(sk.get.enhanced(adata), sk.get.enhanced(here))


def test_stored_blocks_come_from_the_workers_in_order(client, counts):
    held = cluster_of(blocks(counts))
    assert held.here is None
    found = list(held.stored())
    assert [rows for rows, _ in found] == held.rows
    np.testing.assert_array_equal(sparse.vstack([block for _, block in found]).toarray(), counts.toarray())


def test_blocks_are_loaded_by_the_workers(client, counts):
    import os

    def process(_block):  # a function of its own: what other packages call `tests` may hide this module from workers
        return os.getpid()

    seen = {pid for _, pid in cluster_of(blocks(counts)).map(process)}
    assert os.getpid() not in seen
    assert len(seen) == 2


@pytest.mark.parametrize("method", ["sccase", "robust"])
def test_enhance_on_the_cluster_equals_enhance_here(client, counts, method):
    here, there = ad.AnnData(counts), ad.AnnData(blocks(counts))
    sk.tl.enhance(here, 5, method=method, dtype="float64")
    sk.tl.enhance(there, 5, method=method, dtype="float64")
    for scale in (None, "counts"):
        found, wanted = (sk.get.enhanced(adata, scale=scale) for adata in (there, here))
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6 * wanted.max())


@pytest.mark.slow  # workers start again, twice
def test_killed_workers_change_nothing(client, counts, monkeypatch):
    import os
    import signal

    computed, calls = ClusterBlocks._computed, []

    def killing(self, tasks):
        calls.append(1)
        if len(calls) in (8, 15):
            pid = next(iter(client.run(os.getpid).values()))
            timer = threading.Timer(0.02, os.kill, (pid, signal.SIGKILL))
            timer.start()
        return computed(self, tasks)

    monkeypatch.setattr(ClusterBlocks, "_computed", killing)
    here, there = ad.AnnData(counts), ad.AnnData(blocks(counts))
    sk.tl.enhance(here, 5, method="sccase")
    sk.tl.enhance(there, 5, method="sccase")
    assert len(calls) > 15
    np.testing.assert_allclose(sk.get.enhanced(there), sk.get.enhanced(here), rtol=1e-4, atol=1e-6)


def test_a_zarr_store_is_read_by_the_workers(client, counts, tmp_path):
    adata = ad.AnnData(counts)
    adata.var_names = [f"chr1:{1000 * i}-{1000 * i + 500}" for i in range(counts.shape[1])]
    sk.tl.enhance(adata, 4, method="sccase")
    adata.write_h5ad(tmp_path / "counts.h5ad")
    sk.io.convert(tmp_path / "counts.h5ad", tmp_path / "counts.zarr")
    with sk.settings.override(block_bytes=5_000):
        stored = sk.read(tmp_path / "counts.zarr", backed=True)
    assert len(stored.X.chunks[0]) > 2
    sk.tl.enhance(stored, 4, method="sccase", key_added="again")
    result, expected = sk.get.enhanced(stored, "again"), sk.get.enhanced(adata)
    assert np.corrcoef(result.ravel(), expected.ravel())[0, 1] > 0.99999


def test_bad_counts_are_found_on_the_workers(client, counts):
    bad = counts.astype(np.float64).toarray()
    bad[150, 3] = -1
    with pytest.raises(ValueError, match="negative"):
        sk.tl.enhance(ad.AnnData(da.from_array(bad, chunks=(50, -1)).map_blocks(sparse.csr_matrix)), 4)


def test_entries_stored_twice_are_one_on_the_workers(client, counts):
    def stored_twice(block):
        csr = sparse.csr_matrix(block, dtype=np.float64)
        values, indices = np.repeat(csr.data / 2, 2), np.repeat(csr.indices, 2)
        return sparse.csr_matrix((values, indices, 2 * csr.indptr), shape=csr.shape)

    data = prepare(blocks(counts).map_blocks(stored_twice), dtype=np.float64)
    expected = prepare(counts, dtype=np.float64)
    assert data.nnz == expected.nnz
    np.testing.assert_array_equal(data.n_cells_open, expected.n_cells_open)
    right = np.random.default_rng(0).random((counts.shape[1], 3))
    np.testing.assert_allclose(data.op.matmul(right), expected.op.matmul(right))
    np.testing.assert_allclose(data.op.row_sq_norms(), expected.op.row_sq_norms())
