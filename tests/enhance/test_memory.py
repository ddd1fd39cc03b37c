"""The memory stated before a fit against what one takes."""

from __future__ import annotations

import logging
import tracemalloc

import anndata as ad
import numpy as np
import pytest
from scipy import sparse

import sccase_kit as sk
from sccase_kit.enhance import bank, extension, graph, memory, nmf, preparation, recovery, robust, run, survey
from sccase_kit.enhance.memory import expected_memory
from sccase_kit.enhance.nmf import sketch_width


def test_it_grows_with_both_sides_and_not_with_the_nonzeros():
    base = expected_memory((1000, 2000), 60, robust=False, in_memory=True)
    assert expected_memory((2000, 4000), 60, robust=False, in_memory=True) == 2 * base
    assert expected_memory((1000, 2000), 120, robust=False, in_memory=True) == 2 * base
    assert expected_memory((1000, 2000), 60, robust=True, in_memory=True) > base
    with sk.settings.override(block_bytes=10**6):
        assert expected_memory((1000, 2000), 60, robust=False, in_memory=False) == base + 3 * 10**6


@pytest.mark.parametrize("method", ["sccase", "robust"])
def test_a_streamed_fit_stays_below_what_is_stated_and_says_it(tmp_path, caplog, method):
    rng = np.random.default_rng(0)
    n, m = 9000, 9000
    rows = np.repeat(np.arange(n), 30)
    columns = rng.integers(0, m // 5, rows.size) * 5 + rows % 5
    counts = sparse.csr_matrix((np.ones(rows.size, np.int32), (rows, columns)), shape=(n, m))
    counts.data[:] = 1
    adata = ad.AnnData(counts)
    adata.var_names = [f"chr1:{1000 * i}-{1000 * i + 500}" for i in range(m)]
    adata.write_h5ad(tmp_path / "counts.h5ad")
    stored = sk.read(tmp_path / "counts.h5ad", backed=True)
    options = {"n_components": 5, "method": "sccase"} if method == "sccase" else {}
    small = ad.AnnData(sparse.csr_matrix((rng.random((90, 120)) < 0.4).astype(np.int32)))
    sk.tl.enhance(small, **options)  # what is imported is no memory of the fit
    with sk.settings.override(block_bytes=2**20), caplog.at_level(logging.INFO):
        columns = sketch_width(5) if method == "sccase" else sk.enhance.Robust().columns((n, m))
        stated = expected_memory((n, m), columns, robust=method == "robust", in_memory=False)
        tracemalloc.start()
        sk.tl.enhance(stored, **options)
        taken = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert stated / 10 <= taken <= stated
    assert f"about {stated / 2**30:.1f} GiB" in caplog.text


def test_the_sample_of_large_data_is_in_what_is_stated():
    def stated(n, per_cell):
        return expected_memory((n, 2000), 47, robust=True, in_memory=True, nnz=n * per_cell)

    for n in (60_000, 600_000):
        assert stated(n, 3000) == stated(n, 0) + 13 * 20_000 * 3000 - 4 * 132 * (n + 2000)  # no Krylov space of all
        assert stated(n, 1000) < stated(n, 3000)
    assert stated(20_000, 0) == stated(20_000, 3000)


def test_a_streamed_fit_by_way_of_a_sample_stays_below_what_is_stated(tmp_path, monkeypatch):
    for module in (bank, extension, graph, memory, nmf, preparation, recovery, robust, run):
        monkeypatch.setattr(module, "SMALL", 2000)
    for module in (memory, recovery, survey):
        monkeypatch.setattr(module, "SAMPLED", 1500)
    for module in (memory, survey):
        monkeypatch.setattr(module, "ENTRIES", 0)
    adata = ad.AnnData(sparse.random(4000, 2000, 0.02, format="csr", random_state=0, dtype=np.float32))
    adata.X.data[:] = 1
    adata.var_names = [f"chr1:{1000 * i}-{1000 * i + 500}" for i in range(2000)]
    adata.write_h5ad(tmp_path / "counts.h5ad")
    stored = sk.read(tmp_path / "counts.h5ad", backed=True)
    with sk.settings.override(block_bytes=2**20):
        columns = sk.enhance.Robust().columns(adata.shape)
        stated = expected_memory(adata.shape, columns, robust=True, in_memory=False, nnz=adata.X.nnz)
        tracemalloc.start()
        sk.tl.enhance(stored)
        taken = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert stated / 5 <= taken <= stated


def test_a_fit_of_many_peaks_stays_below_what_is_stated():
    """Expected accessibility holds profiles of every peak next to those of the fit."""
    rng = np.random.default_rng(0)
    n, m = 600, 25_000
    rows = np.repeat(np.arange(n), 80)
    columns = rng.integers(0, m // 5, rows.size) * 5 + rows % 5
    counts = sparse.csr_matrix((np.ones(rows.size, np.int32), (rows, columns)), shape=(n, m))
    adata = ad.AnnData(counts[:, np.unique(columns)])
    stated = expected_memory(adata.shape, sk.enhance.Robust().columns(adata.shape), robust=True, in_memory=True)
    tracemalloc.start()
    sk.tl.enhance(adata)
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "sccase_profiles" in adata.varm
    assert stated / 3 <= taken <= stated
