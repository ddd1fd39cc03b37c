"""The consensus against literal, dense computations of its formulas."""

from __future__ import annotations

import numpy as np
import pytest

import sccase_kit as sk
from sccase_kit.enhance import graph as _graph
from sccase_kit.enhance import robust as _robust
from sccase_kit.enhance.bank import Bank, nmf_bank
from sccase_kit.enhance.graph import mean_kernel, smoothing_kernel, spectral_embedding
from sccase_kit.enhance.preparation import prepare
from sccase_kit.enhance.robust import RobustOptions, cell_graph, fit_robust, resolution_weights


def dense_of(op):
    blocks = [block.toarray() * op.row_scale[rows][:, None] * op.col_scale for rows, block in op.iter_blocks()]
    return np.vstack(blocks).astype(np.float64)


def dense_affinity(y):
    """D^-½ (Y Yᵀ − I) D^-½ for unit rows; cells without counts have none."""
    similarity = y @ y.T
    np.fill_diagonal(similarity, 0)
    degree = similarity.sum(axis=1)
    inverse = np.where(degree > 1e-6, 1 / np.sqrt(np.maximum(degree, 1e-6)), 0)
    return inverse[:, None] * similarity * inverse


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("empty", [False, True])
def test_spectral_embedding_is_that_of_the_dense_affinity(counts, dtype, empty):
    if empty:
        counts = counts.tolil()
        counts[7] = 0
        counts = counts.tocsr()
        with pytest.warns(UserWarning, match="1 of 60 cells have no counts"):
            op = prepare(counts, dtype=dtype).op
    else:
        op = prepare(counts, dtype=dtype).op
    values, vectors = np.linalg.eigh(dense_affinity(dense_of(op)))
    values, vectors = values[::-1][1:11], vectors[:, ::-1][:, 1:11]  # the first is the trivial one, of eigenvalue 1
    ours, sizes = spectral_embedding(op, 10, rng=np.random.default_rng(0))
    atol = 1e-5 if dtype == np.float32 else 1e-9  # of eigenvalues up to 1, products in that precision
    np.testing.assert_allclose(sizes, values, atol=atol)
    np.testing.assert_allclose(ours.T @ ours, np.eye(10), atol=1e-10)
    captured = np.linalg.norm(vectors[:, :5].T @ ours[:, :5], axis=1)
    np.testing.assert_allclose(captured, 1, atol=100 * atol)
    if empty:
        np.testing.assert_allclose(ours[7], 0, atol=atol)


def test_more_blocks_come_closer_to_the_dense_affinity(planted):
    """On a matrix too large for the Krylov space to be everything."""
    op = prepare(planted(n_cells=500, n_peaks=700, n_types=5, seed=1)[0]).op
    values, vectors = np.linalg.eigh(dense_affinity(dense_of(op)))
    leading = vectors[:, ::-1][:, 1:21]
    captured = []
    for n_blocks in (3, 6, 12):
        ours, _ = spectral_embedding(op, 20, n_blocks=n_blocks, rng=np.random.default_rng(0))
        captured.append((np.linalg.norm(leading.T @ ours, axis=1) ** 2).mean())
    assert captured[0] < captured[1] < captured[2]
    assert captured[2] > 0.9
    _, sizes = spectral_embedding(op, 20, n_blocks=16, rng=np.random.default_rng(0))
    np.testing.assert_allclose(sizes[:4], values[::-1][1:5], rtol=1e-4)  # the four that tell five types apart


def test_smoothing_kernel_cell_by_cell():
    points = np.random.default_rng(0).normal(size=(40, 3))
    weights = np.zeros((40, 40))
    for i in range(40):
        d = np.linalg.norm(points - points[i], axis=1)
        near = np.argsort(d)[:8]
        weights[i, near] = np.exp(-((d[near] / d[near[5]]) ** 2))
    weights = weights + weights.T
    expected = weights / weights.sum(axis=1, keepdims=True)
    kernel = smoothing_kernel(points, n_neighbors=8)
    np.testing.assert_allclose(kernel.toarray(), expected, atol=1e-12)
    other = smoothing_kernel(points[::-1].copy(), n_neighbors=8)
    mean = mean_kernel([kernel, other]).toarray()
    np.testing.assert_allclose(mean, (expected + other.toarray()) / 2)
    np.testing.assert_allclose(mean.sum(axis=1), 1)


def test_graph_is_the_mean_over_three_views_of_the_dense_affinity(counts):
    op = prepare(counts, dtype=np.float64).op
    members = np.random.default_rng(4).random((60, 5))
    members /= members.sum(axis=1, keepdims=True)
    found = cell_graph(op, members, RobustOptions(n_neighbors=9), codes=None, rng=np.random.default_rng(0))

    x = (dense_of(op) > 0) * op.col_scale
    values, vectors = np.linalg.eigh(dense_affinity(x / np.linalg.norm(x, axis=1, keepdims=True)))
    values, vectors = np.maximum(values[::-1][1:31], 0), vectors[:, ::-1][:, 1:31]
    equal = vectors[:, :20]
    left, sizes, _ = np.linalg.svd(members - members.mean(axis=0), full_matrices=False)
    beside = [equal / np.linalg.norm(equal), left * sizes / np.linalg.norm(sizes)]
    views = [vectors * np.sqrt(values), equal, np.hstack(beside)]
    kernels = [smoothing_kernel(view, n_neighbors=9) for view in views]
    np.testing.assert_allclose(found.toarray(), sum(k.toarray() for k in kernels) / 3, atol=1e-6)


def test_equal_weights_take_more_neighbours_across_batches():
    """Two batches of four types: with equal weights the shift between them is one direction of many."""
    study = sk.datasets.toy_study(n_cells=400, n_peaks=3000, n_types=4, rng=3)
    op = prepare(study.adata.X).op
    types, batches = (study.adata.obs[c].astype(str).to_numpy() for c in ("cell_type", "batch"))
    vectors, values = spectral_embedding(op, 30, rng=np.random.default_rng(0))
    share = {}
    for name, view in {"scaled": vectors * np.sqrt(values), "equal": vectors[:, :20]}.items():
        kernel = smoothing_kernel(view).tocoo()
        rows, columns, weights = kernel.row, kernel.col, kernel.data * (kernel.row != kernel.col)
        assert weights[types[rows] == types[columns]].sum() > 0.7 * weights.sum()
        share[name] = weights[batches[rows] != batches[columns]].sum() / weights.sum()
    assert share["equal"] > 1.2 * share["scaled"]


def test_bank_descends_and_gives_its_images(counts):
    op = prepare(counts, dtype=np.float64).op
    x = dense_of(op)
    bank = nmf_bank(op, (2, 3, 5), rng=np.random.default_rng(0))
    hs, ws, images = (bank.parts(values) for values in (bank.h, bank.w, bank.image))
    best = bank.best
    assert best == pytest.approx(np.linalg.norm(x, 2) ** 2, rel=1e-6)
    residuals = []
    for k, h, w, image in zip((2, 3, 5), hs, ws, images, strict=True):
        assert h.shape == (60, k)
        assert min(h.min(), w.min()) >= 0
        np.testing.assert_allclose(image, x.T @ h, atol=1e-10)
        residuals.append(np.linalg.norm(x - h @ w.T) ** 2)
    assert residuals == sorted(residuals, reverse=True)
    assert residuals[0] < np.linalg.norm(x) ** 2 - best  # two components beat the best single one


@pytest.mark.parametrize("codes", [None, np.arange(60) % 2])
@pytest.mark.parametrize("source", [None, np.linspace(0.5, 2, 60)])
def test_consensus_cell_by_cell(counts, codes, source, monkeypatch):
    """Z as the module states it, built from fixed factors and a fixed kernel."""
    rng = np.random.default_rng(3)
    op = prepare(counts, dtype=np.float64).op
    x = dense_of(op)
    bank = (2, 4)
    hs, ws = [rng.random((60, k)) for k in bank], [0.02 * rng.random((120, k)) for k in bank]
    kernel = rng.random((60, 60)) * (rng.random((60, 60)) < 0.2) + np.eye(60)
    kernel /= kernel.sum(axis=1, keepdims=True)
    given = Bank(np.hstack(hs), np.hstack(ws), np.hstack([x.T @ h for h in hs]), bank, 1.0)
    monkeypatch.setattr(_robust, "nmf_bank", lambda *_args, **_options: given)
    monkeypatch.setattr(_robust, "cell_graph", lambda *_args, **_options: _graph.sparse.csr_matrix(kernel))
    monkeypatch.setattr(_robust, "align_embedding", lambda h, codes, rng: h)
    fit = fit_robust(op, RobustOptions(bank=bank), source=source, codes=codes, rng=rng)

    residuals = [np.linalg.norm(x - h @ w.T) ** 2 / np.linalg.norm(x) ** 2 for h, w in zip(hs, ws, strict=True)]
    np.testing.assert_allclose(fit.objective, residuals)
    weights = resolution_weights(bank, np.array(residuals), 1.0 / np.linalg.norm(x) ** 2)
    np.testing.assert_allclose(fit.weights, weights)
    z = np.zeros((60, 60))
    for omega, h in zip(weights, hs, strict=True):
        for c in range(h.shape[1]):
            seen = h[:, c] if source is None else h[:, c] * source
            column = seen / seen.sum()
            scaled = h / h.sum(axis=0)
            member = scaled[:, c] / scaled.sum(axis=1)
            for _ in range(2):
                member = np.array([sum(kernel[j, i] * member[i] for i in range(60)) for j in range(60)])
            z += omega * np.outer(column, member)
    if codes is not None:
        for j in range(60):
            means = [np.mean([z[i, j] for i in range(60) if codes[i] == b and i != j]) for b in (0, 1)]
            for i in range(60):
                z[i, j] *= np.mean(means) / means[codes[i]]
    else:
        np.testing.assert_allclose(z.sum(axis=0), 1)
    np.testing.assert_allclose(fit.sources @ fit.cell_factors.T, z, rtol=1e-10)
    np.testing.assert_allclose(fit.cell_factors @ fit.peak_factors.T, z.T @ x, rtol=1e-9, atol=1e-14)


def test_weights_follow_the_structure_explained():
    """Three types in noise: one component explains .2, two .3, three .4, and each further one .01 of noise."""
    bank = (2, 3, 4, 6, 10)
    explained = np.array([0.31, 0.42, 0.43, 0.45, 0.49])
    weights = resolution_weights(bank, 1 - explained, 0.2)
    structure = (explained - 0.2) - 0.01 * (np.array(bank) - 1)
    np.testing.assert_allclose(weights, structure**4 / (structure**4).sum())
    np.testing.assert_allclose(weights[1:], weights[1])
    np.testing.assert_allclose(weights[0], weights[1] / 16)


@pytest.mark.parametrize("bank", [(3,), (2, 5)])
def test_without_structure_all_sizes_count_alike(bank):
    np.testing.assert_allclose(resolution_weights(bank, np.full(len(bank), 0.8), 0.2), 1 / len(bank))


def test_spectral_embedding_by_lanczos_is_that_of_the_dense_affinity(counts, monkeypatch):
    """Without the n × n array, and the way of large data."""
    op = prepare(counts, dtype=np.float64).op
    exact, values = spectral_embedding(op, 6, rng=np.random.default_rng(0))
    monkeypatch.setattr(_graph, "gram_pays", lambda _op: False)
    for small in (100, 10):
        monkeypatch.setattr(_graph, "SMALL", small)
        ours, sizes = spectral_embedding(op, 6, rng=np.random.default_rng(0))
        np.testing.assert_allclose(sizes, values, atol=1e-9 if small == 100 else 1e-5)
        np.testing.assert_allclose(np.abs(np.sum(exact * ours, axis=0)), 1, atol=1e-7 if small == 100 else 1e-4)


def test_peaks_that_are_closed_everywhere_change_nothing(planted):
    from anndata import AnnData
    from scipy import sparse

    counts = sparse.csr_matrix(planted(n_cells=90, n_peaks=300, n_types=3, seed=2)[0])
    counts = counts[:, np.asarray((counts > 0).sum(axis=0)).ravel() > 0]
    empty = sparse.csr_matrix((90, 150), dtype=counts.dtype)
    plain, wide = AnnData(counts), AnnData(sparse.hstack([empty, counts], format="csr"))
    sk.tl.enhance(plain)
    with pytest.warns(UserWarning, match="150 of"):
        sk.tl.enhance(wide)
    for name in ("sccase_cell_factors", "sccase_shares"):
        np.testing.assert_array_equal(wide.obsm[name], plain.obsm[name])
    for name in ("sccase_projection", "sccase_peak_factors", "sccase_profiles"):
        np.testing.assert_array_equal(wide.varm[name][150:], plain.varm[name])
        np.testing.assert_array_equal(wide.varm[name][:150], 0)
