"""Data of so many cells that a sample of them is factorised first; here the limits are lowered."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pytest
from scipy import sparse
from sklearn.decomposition import NMF
from sklearn.metrics import adjusted_rand_score

import sccase_kit as sk
from sccase_kit.enhance import bank, extension, graph, nmf, preparation, prepare, recovery, robust, run, survey
from sccase_kit.enhance.bank import nmf_bank
from sccase_kit.enhance.survey import sample_of

SMALL, SAMPLED = 200, 150


@pytest.fixture(params=[0, 10**9], ids=["extended", "all cells"])
def large(monkeypatch, request):
    monkeypatch.setattr(survey, "ENTRIES", request.param)
    for module in (bank, extension, graph, nmf, preparation, recovery, robust, run):
        monkeypatch.setattr(module, "SMALL", SMALL)
    for module in (recovery, survey):
        monkeypatch.setattr(module, "SAMPLED", SAMPLED)


@pytest.fixture(scope="module")
def study():
    adata = sk.datasets.simulate(500, 1500, mode="discrete", n_types=4, library_size=200, rng=0)
    sk.pp.filter_peaks(adata, min_fraction=0.01)
    return adata


def residual(found, op, size, part):
    dense = np.vstack([b.toarray() * op.row_scale[r][:, None] * op.col_scale for r, b in op.iter_blocks()])
    h, w = (values[:, part].astype(np.float64) for values in (found.h, found.w))
    best = NMF(size, init="nndsvda", max_iter=2000, tol=1e-4).fit(dense)
    return np.linalg.norm(dense - h @ w.T), best.reconstruction_err_


def test_a_factorisation_of_a_sample_first_fits_all_cells_as_well_as_scikit_learn(large, study):
    op = prepare(study.X).op
    found = nmf_bank(op, (4, 6), rng=np.random.default_rng(0))
    for size, part in ((4, slice(0, 4)), (6, slice(4, 10))):
        ours, best = residual(found, op, size, part)
        assert ours < 1.01 * best
    exact = np.linalg.svd(np.vstack([b.toarray() for _, b in op.iter_blocks()]) * op.row_scale[:, None] * op.col_scale)
    assert found.best == pytest.approx(exact[1][0] ** 2, rel=0.05)
    np.testing.assert_allclose(found.image, op.rmatmul(found.h), atol=1e-4 * np.abs(found.image).max())


def test_a_large_fit_finds_the_types_in_any_order_storage_and_number_of_threads(large, study, tmp_path):
    rng = np.random.default_rng(1)
    rows, cols = rng.permutation(study.n_obs), rng.permutation(study.n_vars)
    plain, other = study.copy(), study[rows, cols].copy()
    path = tmp_path / "counts.h5ad"
    study.write_h5ad(path)
    stored, pieces = sk.read(path, backed=True), sk.read(path, backed=True)
    for adata in (plain, other, stored):
        sk.tl.enhance(adata, rng=0)
    with sk.settings.override(block_bytes=60_000, n_threads=3):
        sk.tl.enhance(pieces, rng=0)
    sk.tl.cluster(plain, n_clusters=4, rng=0, key_added="kinds")
    assert adjusted_rand_score(study.obs["cell_type"], plain.obs["kinds"]) > 0.9
    for scale in (None, "accessibility"):
        a = sk.get.enhanced(plain, scale=scale)
        for b in (
            sk.get.enhanced(other, scale=scale)[np.ix_(np.argsort(rows), np.argsort(cols))],
            sk.get.enhanced(stored, scale=scale),
            sk.get.enhanced(pieces, scale=scale),
        ):
            assert np.linalg.norm(a - b) < 2e-3 * np.linalg.norm(a)


def test_expected_accessibility_of_a_sample_first_is_near_that_of_all(large, study, monkeypatch):
    few = study.copy()
    sk.tl.enhance(few, rng=0)
    for module in (bank, extension, graph, nmf, preparation, recovery, robust, run):
        monkeypatch.setattr(module, "SMALL", 20_000)
    whole = study.copy()
    sk.tl.enhance(whole, rng=0)
    a, b = (sk.get.enhanced(adata, scale="accessibility") for adata in (few, whole))
    means = {
        kind: b[(study.obs["cell_type"] == kind).to_numpy()].mean(axis=0) for kind in study.obs["cell_type"].unique()
    }
    for kind, mean in means.items():
        own = a[(study.obs["cell_type"] == kind).to_numpy()].mean(axis=0)
        assert np.corrcoef(own, mean)[0, 1] > 0.98


def test_cells_without_counts_are_drawn_last(large, study):
    empty = sparse.csr_matrix((400, study.n_vars), dtype=study.X.dtype)
    counts = sparse.vstack([study.X[:100], empty], format="csr")
    adata = ad.AnnData(counts[:, np.asarray(counts.sum(axis=0)).ravel() > 0])
    with pytest.warns(UserWarning, match="400 of 500 cells have no counts"):
        op = prepare(adata.X).op
    kept = sample_of(op, np.random.default_rng(0)).kept
    assert kept[:100].all()
    assert kept.sum() == SAMPLED
    with pytest.warns(UserWarning, match="400 of 500 cells have no counts"):
        sk.tl.enhance(adata)
    assert np.isfinite(sk.get.enhanced(adata)).all()
