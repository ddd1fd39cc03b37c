"""Products with the scaled counts against the dense matrix."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import sccase_kit as sk
from sccase_kit.enhance import ScaledOperator
from sccase_kit.matrix import operator as module
from sccase_kit.matrix import products as _products
from sccase_kit.matrix import row_block as blocks
from sccase_kit.matrix.rows import aligned_zeros

CONTAINERS = {
    "ndarray": np.asarray,
    "csr_matrix": sparse.csr_matrix,
    "csc_matrix": sparse.csc_matrix,
    "csr_array": sparse.csr_array,
    "coo_matrix": sparse.coo_matrix,
}


@pytest.fixture(params=["scipy", "compiled", "turned"])
def products(request, monkeypatch):
    """The ways to multiply; the compiled ones with rows cut every few columns and small tiles."""
    if request.param == "turned":
        monkeypatch.setattr(blocks, "_FEW_PRODUCTS", 0)
    if request.param != "scipy":
        monkeypatch.setattr(module, "COMPILED_NNZ", 0)
        for name, value in {"_SLAB": 5, "_NNZ_PER_CUT": 1, "_NNZ_PER_TILE": 20}.items():
            monkeypatch.setattr(blocks, name, value)
    return request.param


def dense_case(seed, n=13, m=17):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(0.4, (n, m))
    return counts, rng.random(n), rng.random(m), rng.standard_normal((m, 3)), rng.standard_normal((n, 3))


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("count_type", [bool, np.uint8, np.int32, np.int64, np.float32, np.float64])
@pytest.mark.parametrize(("dtype", "tol"), [(np.float32, 2e-6), (np.float64, 1e-13)])
def test_products_equal_the_dense_ones(products, container, count_type, dtype, tol):
    counts, r, c, right, left = dense_case(0)
    counts = counts.astype(count_type)
    op = ScaledOperator(CONTAINERS[container](counts), r, c, dtype=dtype)
    kind = blocks.ScipyBlock if products == "scipy" else blocks.PanelBlock
    assert all(isinstance(block, kind) for _, block in op._row_blocks)
    dense = r[:, None] * counts * c
    np.testing.assert_allclose(op.matmul(right), dense @ right, rtol=0, atol=tol * 20)
    np.testing.assert_allclose(op.rmatmul(left), dense.T @ left, rtol=0, atol=tol * 20)
    np.testing.assert_allclose(op.row_sq_norms(), (dense**2).sum(axis=1), rtol=10 * tol)
    np.testing.assert_allclose(op.sq_norm(), (dense**2).sum(), rtol=10 * tol)
    binary = op.binarized()
    np.testing.assert_allclose(binary.matmul(right), (r[:, None] * (counts > 0) * c) @ right, rtol=0, atol=tol * 20)
    assert op.matmul(right).dtype == dtype


@given(seed=st.integers(0, 10**6), n=st.integers(1, 9), m=st.integers(1, 9))
def test_adjoint_property(seed, n, m):
    counts, r, c, right, left = dense_case(seed, n, m)
    op = ScaledOperator(sparse.csr_matrix(counts), r, c, dtype=np.float64)
    np.testing.assert_allclose(np.sum(op.matmul(right) * left), np.sum(right * op.rmatmul(left)), atol=1e-10)


def test_sweep_is_two_products_around_the_update(products):
    counts, r, c, right, _ = dense_case(1)
    op = ScaledOperator(sparse.csr_matrix(counts), r, c, dtype=np.float64)
    dense = r[:, None] * counts * c
    left, back = op.sweep(right, lambda rows, product: np.tanh(product) + rows.start * 0)
    np.testing.assert_allclose(left, np.tanh(dense @ right))
    np.testing.assert_allclose(back, dense.T @ np.tanh(dense @ right), atol=1e-13)
    left, back = op.sweep(right, lambda rows, product: product[:, :1] ** 2, n_left=1)
    np.testing.assert_allclose(left, (dense @ right)[:, :1] ** 2)
    np.testing.assert_allclose(back, dense.T @ left, atol=1e-13)


def test_result_does_not_depend_on_threads(products, monkeypatch):
    counts, r, c, right, left = dense_case(2, 200, 50)
    monkeypatch.setattr(module, "_MIN_NNZ_PER_THREAD", 10)
    results = []
    for n_threads in (1, 2, 7):
        with sk.settings.override(n_threads=n_threads):
            op = ScaledOperator(sparse.csr_matrix(counts), r, c, dtype=np.float64)
            assert len(list(op.iter_blocks())) == n_threads
            results.append((op.matmul(right), op.rmatmul(left)))
    for matmul, rmatmul in results[1:]:
        np.testing.assert_array_equal(matmul, results[0][0])
        np.testing.assert_allclose(rmatmul, results[0][1], rtol=1e-12, atol=1e-13)


def test_input_is_not_changed(counts):
    before = counts.copy()
    op = ScaledOperator(counts, None, np.full(counts.shape[1], 2.0))
    op.matmul(np.ones((counts.shape[1], 1)))
    op.binarized().rmatmul(np.ones((counts.shape[0], 1)))
    assert (counts != before).nnz == 0
    assert counts.dtype == before.dtype


@given(
    seed=st.integers(0, 10**6),
    n=st.integers(0, 40),
    m=st.integers(1, 90),
    k=st.integers(1, 35),
    slab=st.integers(1, 100),
    tile=st.integers(1, 50),
    density=st.sampled_from([0.0, 0.05, 0.6, 1.0]),
    values=st.sampled_from([np.int8, np.uint16, np.int64, np.float32, None]),
    dtype=st.sampled_from([np.float32, np.float64]),
)
@settings(deadline=None)  # each pair of types is compiled at its first call
def test_compiled_products_equal_dense_ones(seed, n, m, k, slab, tile, density, values, dtype):
    rng = np.random.default_rng(seed)
    counts = (rng.random((n, m)) < density) * (1 if values is None else rng.integers(1, 9, (n, m)))
    csr = sparse.csr_matrix(counts.astype(values or np.int32))
    stored = None if values is None else csr.data
    right, left = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((n, k)).astype(dtype)
    cuts = _products.cut_rows(csr.indptr, csr.indices, m, slab)
    product = _products.gather(cuts, csr.indices, stored, _products.to_rows(right, dtype), tile=tile)
    total = _products.to_rows(np.ones((m, k)), dtype)
    _products.scatter(cuts, csr.indices, stored, _products.to_rows(left, dtype), total, tile=tile)
    atol = (1e-4 if dtype == np.float32 else 1e-12) * max(1, n, m) / 10
    np.testing.assert_allclose(product[:, :k], counts @ right, rtol=0, atol=atol)
    np.testing.assert_allclose(total[:, :k], 1 + counts.T @ left, rtol=0, atol=atol)


@pytest.mark.parametrize("count_type", [bool, np.uint8, np.int32, np.int64, np.float32, np.float64])
@pytest.mark.parametrize("most", [1, 300])
@pytest.mark.parametrize("n", [40, 70_000])
def test_rows_by_columns_are_the_transpose(count_type, most, n):
    """Row numbers take 16 bits and counts 8 where they can."""
    rng = np.random.default_rng(3)
    counts = sparse.random(n, 17, 40 / n, format="csr", random_state=0)
    counts.data = rng.integers(1, most + 1, counts.nnz)
    counts = counts.astype(count_type)
    rows = blocks.SharedRows(counts, turn=True)
    assert [rows.turned() is None for _ in range(5)] == [True, True, True, False, False]
    cuts, indices, values, tile = rows.turned()
    assert indices.dtype == (np.uint16 if n == 40 else np.int32)
    kept = np.dtype(count_type).kind in "iub" and counts.data.max() < 256
    assert values.dtype == (np.uint8 if kept else count_type)
    product = _products.gather(cuts, indices, values, _products.to_rows(np.eye(n, 5), np.float64), tile=tile)
    np.testing.assert_array_equal(product[:, :5], counts[:5].toarray().T)
    other = sparse.csc_matrix(counts.astype(np.float64))
    np.testing.assert_array_equal(indices, other.indices)
    assert blocks.SharedRows(counts).turned() is None


def test_operators_of_the_same_counts_cut_them_once(products, monkeypatch):
    cuts, cut = [], blocks.slab_cuts
    monkeypatch.setattr(blocks, "slab_cuts", lambda *given: cuts.append(given) or cut(*given))
    counts, r, c, right, left = dense_case(6, 40, 30)
    op = ScaledOperator(sparse.csr_matrix(counts), r, c, dtype=np.float64)
    for other, dense in ((op, counts), (op.binarized(), counts > 0), (op.with_scales(r, 2 * c), 2 * counts)):
        for _ in range(2):
            np.testing.assert_allclose(other.matmul(right), r[:, None] * dense * c @ right, atol=1e-12)
            np.testing.assert_allclose(other.rmatmul(left), (r[:, None] * dense * c).T @ left, atol=1e-12)
    assert len(cuts) == (0 if products == "scipy" else 1)
    if products == "scipy":
        return
    zeros = sparse.csr_matrix(counts)
    zeros.data[::4] = 0
    op = ScaledOperator(zeros, r, c, dtype=np.float64)
    np.testing.assert_allclose(op.binarized().matmul(right), r[:, None] * (zeros.toarray() > 0) * c @ right)
    np.testing.assert_allclose(op.binarized().rmatmul(left), (r[:, None] * (zeros.toarray() > 0) * c).T @ left)
    assert sum(block.nnz for _, block in op.iter_open()) == (zeros.toarray() > 0).sum()


@pytest.mark.parametrize("shape", [(0, 16), (1, 16), (7, 48), (100_000, 16)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dense_sides_start_at_a_line_of_the_cache(shape, dtype):
    zeros = aligned_zeros(shape, dtype)
    assert zeros.shape == shape
    assert zeros.dtype == dtype
    assert zeros.flags.c_contiguous
    assert zeros.flags.writeable
    assert not zeros.any()
    packed = _products.to_rows(np.ones((shape[0], shape[1] - 3), dtype), dtype)
    assert packed.sum() == shape[0] * (shape[1] - 3)
    total = blocks.PanelBlock.zeros(*shape, np.dtype(dtype))
    if shape[0]:
        assert {array.ctypes.data % 64 for array in (zeros, packed, total)} == {0}


@pytest.mark.parametrize(("indices", "n_columns"), [([0, 2, 1], 3), ([0, 1, 3], 3), ([0, 1, 9], 3)])
def test_rows_that_cannot_be_cut_are_refused(indices, n_columns):
    with pytest.raises(ValueError, match="sorted and below 3"):
        _products.cut_rows(np.array([0, 3]), np.array(indices), n_columns, 2)


def test_unsorted_rows_and_stored_zeros_are_multiplied_as_they_mean(products):
    counts = sparse.csr_matrix((np.array([3, 0, 1, 2]), np.array([2, 1, 0, 1]), np.array([0, 3, 4])), shape=(2, 3))
    op = ScaledOperator(counts, dtype=np.float64)
    np.testing.assert_array_equal(op.matmul(np.eye(3)), [[1, 0, 3], [0, 2, 0]])
    np.testing.assert_array_equal(op.binarized().matmul(np.eye(3)), [[1, 0, 1], [0, 1, 0]])
    np.testing.assert_array_equal(op.binarized().row_sq_norms(), [2, 1])
    assert counts.indices.tolist() == [2, 1, 0, 1]


def test_blocks_read_from_disk_give_the_same_products(products, tmp_path):
    counts, r, c, right, left = dense_case(5, 60, 40)
    adata = ad.AnnData(sparse.csr_matrix(counts))
    adata.var_names = [f"chr1:{100 * i}-{100 * i + 50}" for i in range(40)]
    adata.write_h5ad(tmp_path / "counts.h5ad")
    dense = r[:, None] * counts * c
    with sk.settings.override(block_bytes=1500):
        stored = sk.read(tmp_path / "counts.h5ad", backed=True)
        op = ScaledOperator(stored.X, r, c, dtype=np.float64)
        assert len(list(op.iter_blocks())) > 3
        np.testing.assert_allclose(op.matmul(right), dense @ right, atol=1e-12)
        np.testing.assert_allclose(op.rmatmul(left), dense.T @ left, atol=1e-12)
        np.testing.assert_allclose(op.row_sq_norms(), (dense**2).sum(axis=1))
        new, back = op.sweep(right, lambda rows, product: left[rows] * product)
    np.testing.assert_allclose(new, left * (dense @ right), atol=1e-12)
    np.testing.assert_allclose(back, dense.T @ new, atol=1e-12)


def test_norms_are_kept_until_the_peaks_are_scaled_anew():
    counts, r, c, _, _ = dense_case(6)
    op = ScaledOperator(counts, None, c)
    np.testing.assert_allclose(op.row_sq_norms(), ((counts * c) ** 2).sum(axis=1))
    np.testing.assert_allclose(op.with_scales(r, c).row_sq_norms(), ((r[:, None] * counts * c) ** 2).sum(axis=1))
    np.testing.assert_allclose(
        op.with_scales(r, c + 1).row_sq_norms(), ((r[:, None] * counts * (c + 1)) ** 2).sum(axis=1)
    )


def test_even_cuts_cover_all_rows_once():
    from sccase_kit.matrix.rows import even_cuts

    rng = np.random.default_rng(0)
    for _ in range(20):
        indptr = np.concatenate([[0], np.cumsum(rng.integers(0, 30, rng.integers(1, 40)))])
        cuts = even_cuts(indptr, 50)
        assert [a for a, _ in cuts] == [0, *(b for _, b in cuts[:-1])]
        assert cuts[-1][1] == len(indptr) - 1
        assert all(indptr[b] - indptr[a] <= 50 + 30 for a, b in cuts)


def test_counts_stored_twice_are_added():
    from sccase_kit.enhance import prepare

    rows, cols, values = [0, 0, 1, 2, 2], [1, 1, 0, 2, 0], [1, 2, 5, 1, 1]
    twice = sparse.csr_matrix((3, 3), dtype=np.int32)
    twice.indptr, twice.indices, twice.data = np.array([0, 2, 3, 5]), np.array(cols), np.array(values, dtype=np.int32)
    once = sparse.csr_matrix(sparse.coo_matrix((values, (rows, cols)), shape=(3, 3)))
    assert not twice.has_canonical_format
    a, b = prepare(twice), prepare(once)
    np.testing.assert_array_equal(a.n_cells_open, b.n_cells_open)
    np.testing.assert_allclose(a.op.matmul(np.eye(3)), b.op.matmul(np.eye(3)))
    assert len(twice.data) == 5


def test_some_cells_are_those_rows_of_any_storage(tmp_path):
    counts = sparse.random(60, 40, 0.2, format="csr", random_state=0, dtype=np.float32)
    kept = np.random.default_rng(0).random(60) < 0.4
    scales = np.linspace(1, 2, 60), np.linspace(2, 3, 40)
    right = np.random.default_rng(1).standard_normal((40, 3))
    for storage in (counts, counts.toarray(), counts.tocsc()):
        op = ScaledOperator(storage, *scales, dtype=np.float64)
        part = op.with_rows(kept)
        assert part.shape == (kept.sum(), 40)
        np.testing.assert_allclose(part.matmul(right), op.matmul(right)[kept])
