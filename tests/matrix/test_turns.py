"""Blocks of stored counts: read in turn by several threads, and without their values."""

from __future__ import annotations

import threading
import time

import anndata as ad
import numpy as np
import pytest
from scipy import sparse

import sccase_kit as sk
from sccase_kit.matrix.blocks import each_in_turn, iter_row_blocks
from sccase_kit.matrix.operator import ScaledOperator


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_every_thread_has_items_of_its_own_whatever_its_speed(n_threads):
    seen, reading = [[] for _ in range(n_threads)], threading.Lock()

    def items():
        for number in range(23):
            assert reading.acquire(blocking=False)  # one is read at a time
            yield number
            reading.release()

    def work(thread, item):
        time.sleep(0.001 * (item % 3))
        seen[thread].append(item)

    each_in_turn(items(), work, n_threads)
    assert seen == [list(range(thread, 23, n_threads)) for thread in range(n_threads)]


@pytest.mark.parametrize("n_threads", [1, 3])
@pytest.mark.parametrize("where", ["reading", "work"])
def test_an_error_ends_all_threads(n_threads, where):
    done = []

    def items():
        for number in range(1000):
            if where == "reading" and number == 7:
                raise ValueError(where)
            yield number

    def work(_thread, item):
        if where == "work" and item == 7:
            raise ValueError(where)
        done.append(item)

    with pytest.raises(ValueError, match=where):
        each_in_turn(items(), work, n_threads)
    assert set(range(5)) <= set(done) < set(range(20))


@pytest.fixture
def stored(tmp_path):
    counts = sparse.random(70, 40, 0.2, format="csr", random_state=0)
    counts.data = np.random.default_rng(0).integers(1, 4, counts.nnz).astype(np.int32)

    def write(matrix):
        adata, path = ad.AnnData(matrix), tmp_path / "counts.h5ad"
        adata.var_names = [f"chr1:{100 * i}-{100 * i + 50}" for i in range(40)]
        adata.write_h5ad(path)
        return sk.read(path, backed=True).X

    return counts, write


def test_blocks_without_values_have_the_structure(stored):
    counts, write = stored
    matrix = write(counts)
    blocks = list(iter_row_blocks(matrix, block_rows=17, values=False))
    found = sparse.vstack([block for _, block in blocks], format="csr")
    np.testing.assert_array_equal(found.toarray(), counts.toarray() > 0)
    assert {block.dtype for _, block in blocks} == {np.dtype(np.uint8)}
    ((_, whole),) = iter_row_blocks(counts, values=False)
    np.testing.assert_array_equal(whole.toarray(), counts.toarray())  # in memory nothing is saved


@pytest.mark.parametrize("zeros", [False, True])
def test_binary_products_read_values_only_where_some_are_zero(stored, zeros, monkeypatch):
    counts, write = stored
    counts.data[::5] = 0 if zeros else 1
    nnz = int((counts.data > 0).sum())
    monkeypatch.setattr(sk.settings, "block_bytes", 2000)
    monkeypatch.setattr(sk.settings, "n_threads", 2)
    op = ScaledOperator(write(counts), binary=True, memo={"nnz": nnz})
    dtypes = set()
    op.each_stored(lambda _slot, _rows, block: dtypes.add(block.dtype), values=False)
    assert dtypes == {np.dtype(np.int32 if zeros else np.uint8)}
    right = np.random.default_rng(1).random((40, 3), dtype=np.float32)
    np.testing.assert_allclose(op.matmul(right), (counts.toarray() > 0) @ right, rtol=1e-5)
    unknown = ScaledOperator(op._source, binary=True)
    np.testing.assert_array_equal(unknown.matmul(right), op.matmul(right))
