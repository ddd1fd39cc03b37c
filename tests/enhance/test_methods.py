"""The methods behind the one interface are the numerics themselves, put together by hand here, bit for bit.

The numerics are held against slow, dense references in test_robust, test_thin, test_published and test_reference.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from sklearn.neighbors import NearestNeighbors

import sccase_kit as sk
from sccase_kit.enhance.batch import align_embedding, balanced_factors, spread_over_batches
from sccase_kit.enhance.nmf import fast_start
from sccase_kit.enhance.preparation import prepare
from sccase_kit.enhance.reference import Reference
from sccase_kit.enhance.robust import RobustOptions, choose_bank, fit_robust
from sccase_kit.enhance.thin import Weights, fit_thin

EXACT = np.testing.assert_array_equal


@pytest.fixture(scope="module")
def adata():
    adata = sk.datasets.toy_study(n_cells=120, n_peaks=400).adata
    sk.pp.filter_peaks(adata)
    return adata


def given(adata, *parts):
    """Arguments of tl.enhance, and what they are to the numerics."""
    reference = sk.pp.pseudobulk(adata, "cell_type")
    front = {"reference": reference, "depth": True, "batch_key": "batch"}
    data = prepare(adata.X)
    counts = sk.pp.align_reference(reference, adata).X
    arrays = {
        "reference": np.asarray(counts.toarray() if sparse.issparse(counts) else counts, dtype=np.float64),
        "depth": data.depth / np.median(data.depth[data.depth > 0]),
        "batch_key": adata.obs["batch"].astype("category").cat.codes.to_numpy().astype(np.int64),
    }
    return data, {part: front[part] for part in parts}, {part: arrays.get(part) for part in front if part in parts}


ALL = ("reference", "depth", "batch_key")


@pytest.mark.parametrize("parts", [(), ("reference",), ("depth",), ("batch_key",), ALL], ids=str)
def test_the_consensus(adata, parts):
    data, front, arrays = given(adata, *parts)
    done = sk.tl.enhance(adata, 7, rng=3, copy=True, **front)
    counts = arrays.get("reference")
    fit = fit_robust(
        data.op,
        RobustOptions(bank=choose_bank(7, adata.shape)),
        reference=None if counts is None else Reference(counts, len(counts), 1.0),
        source=arrays.get("depth"),
        codes=arrays.get("batch_key"),
        rng=np.random.default_rng(3),
    )
    EXACT(done.obsm["X_sccase"], fit.embedding.astype(np.float32))
    EXACT(done.obsm["sccase_cell_factors"], fit.cell_factors.astype(np.float32))
    EXACT(done.varm["sccase_peak_factors"], fit.peak_factors.astype(np.float32))
    EXACT(done.obsm["sccase_sources"], fit.sources.astype(np.float32))
    EXACT(done.uns["sccase"]["objective"], fit.objective)


@pytest.mark.parametrize("parts", [(), ("depth",), ("batch_key",)], ids=str)
def test_the_papers_model(adata, parts):
    data, front, arrays = given(adata, *parts)
    options = {"lam": 1e5, "gamma1": 0.5, "gamma2": 2.0, "keep_probability": 0.9, "max_iter": 4}
    done = sk.tl.enhance(adata, 4, method="sccase", rng=3, copy=True, **options, **front)
    codes, rng = arrays.get("batch_key"), np.random.default_rng(3)
    h, w = fast_start(data.op, 4, rng=rng)
    if codes is not None:
        h, w = align_embedding(h, codes, rng=rng), None
    source = arrays.get("depth", np.ones(adata.n_obs))
    fit = fit_thin(data.op, h, Weights(1e5, 0.5, 2.0, 0.9, source), w=w, max_iter=4)
    sources, cells, peaks = fit.state.a, fit.state.h_of_z, fit.state.xa
    if codes is not None:
        sources, cells = spread_over_batches(sources, cells, codes, balanced_factors(sources, cells, codes))
        peaks = data.op.rmatmul(sources)
    if "depth" in parts:
        cells = cells / (cells @ sources.sum(axis=0))[:, None]
    EXACT(done.obsm["X_sccase"], fit.state.h.astype(np.float32))
    EXACT(done.obsm["sccase_cell_factors"], cells.astype(np.float32))
    EXACT(done.varm["sccase_peak_factors"], peaks.astype(np.float32))
    EXACT(done.uns["sccase"]["objective"], fit.objective)


@pytest.mark.parametrize("parts", [(), ("depth",), ("batch_key",)], ids=str)
def test_the_published_program(adata, parts):
    data, front, arrays = given(adata, *parts)
    done = sk.tl.enhance(adata, 4, method="published", copy=True, **front)
    x = data.op.to_csr().T.tocsc()
    w, h = sk.enhance.published_nmf(x, 4, max_iter=3000 if "depth" in parts else 10_000)
    fit = sk.enhance.fit_published(
        x.toarray(), w, h, depth=data.depth if "depth" in parts else None, batch=arrays.get("batch_key")
    )
    EXACT(done.layers["sccase"], (x @ fit.similarity).T.astype(np.float32))
    EXACT(done.obsp["sccase_similarity"], fit.similarity.astype(np.float32))
    EXACT(done.uns["sccase"]["objective"], fit.objective)


def test_the_mean_of_neighbours(adata):
    """By scikit-learn, dense."""
    sk.tl.enhance(adata, method=sk.enhance.Knn(n_components=10, n_neighbors=6), key_added="knn")
    tfidf = sk.metrics.raw_tfidf(adata).toarray().astype(np.float64)
    u, s, _ = np.linalg.svd(tfidf - tfidf.mean(axis=0), full_matrices=False)
    scores = (u * s)[:, :10]
    nearest = NearestNeighbors(n_neighbors=6).fit(scores).kneighbors(scores, return_distance=False)
    expected = tfidf[nearest].mean(axis=1)
    differs = np.abs(sk.get.enhanced(adata, "knn") - expected).max(axis=1) > 1e-5
    assert differs.mean() < 0.05  # neighbours at equal distances
    smoothed = sk.metrics.knn_smoothing(adata, n_components=10, n_neighbors=6)
    EXACT(smoothed.toarray(), adata.layers["knn"].toarray())


def test_the_tfidf(adata):
    done = sk.tl.enhance(adata, method="tfidf", copy=True)
    EXACT(done.layers["sccase"].toarray(), sk.metrics.raw_tfidf(adata).toarray())


def test_experiments_take_methods_by_name_and_as_objects(adata):
    methods = {"robust": "robust", "published": sk.enhance.Published(4), "knn": sk.enhance.Knn(n_neighbors=5)}
    methods["function"] = lambda data: sk.metrics.knn_smoothing(data, n_neighbors=5)
    table = sk.metrics.dropout_experiment(adata, "cell_type", methods, rates=(0.0,), seeds=(0,)).set_index("method")
    assert table.loc["knn", "ari"] == table.loc["function", "ari"]
    assert table["error"].eq("").all()
    with pytest.raises(TypeError, match=r"or to their names \(\['robust', 'sccase'"):
        sk.metrics.dropout_experiment(adata, "cell_type", {"a": "magic"})
