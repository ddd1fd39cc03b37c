from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import silhouette_score

import sccase_kit as sk
from sccase_kit.enhance.factors import minmax_scale
from sccase_kit.metrics import evaluate


@pytest.fixture
def fitted(study):
    rng = np.random.default_rng(0)
    codes = study.obs["cell_type"].cat.codes.to_numpy()
    study.obsm["sccase_cell_factors"] = np.eye(3)[codes] + 0.2 * rng.random((120, 3))
    study.varm["sccase_peak_factors"] = rng.random((300, 3))
    return study


def test_planted_types_are_recovered(fitted):
    scores = evaluate(fitted, "cell_type")
    assert scores["ari"] > 0.95
    assert scores["n_clusters"] == 3
    full = fitted.obsm["sccase_cell_factors"] @ fitted.varm["sccase_peak_factors"].T
    expected = silhouette_score(minmax_scale(full), fitted.obs["cell_type"], metric="correlation")
    assert scores["silhouette"] == pytest.approx(expected, abs=1e-9)
    assert evaluate(fitted, "cell_type", scale=None)["silhouette"] == pytest.approx(
        silhouette_score(full, fitted.obs["cell_type"], metric="correlation")
    )


def test_stored_ranges_give_the_same(fitted):
    from sccase_kit.enhance.factors import compute_ranges

    before = evaluate(fitted, "cell_type")
    ranges = compute_ranges(fitted.obsm["sccase_cell_factors"], fitted.varm["sccase_peak_factors"])
    fitted.obsm["sccase_range"], fitted.varm["sccase_range"] = ranges.cell, ranges.peak
    np.testing.assert_allclose(evaluate(fitted, "cell_type"), before)


def test_raw_matrix_and_published_layer(study):
    study.layers["tfidf"] = sk.metrics.raw_tfidf(study)
    raw = evaluate(study, "cell_type", key=None, layer="tfidf", scale=None)
    assert raw["ari"] > 0.8
    study.layers["sccase"] = study.layers["tfidf"].toarray()
    dense = evaluate(study, "cell_type", scale=None)
    assert dense["silhouette"] == pytest.approx(raw["silhouette"], abs=1e-6)
    assert np.isfinite(evaluate(study, "cell_type")).all()


def test_errors(study, fitted):
    with pytest.raises(KeyError, match="groupby='type'"):
        evaluate(fitted, "type")
    with pytest.raises(TypeError, match="must be an AnnData"):
        evaluate("file.h5ad", "type")
    with pytest.raises(ValueError, match="scale must be None"):
        evaluate(fitted, "cell_type", scale="max")
    with pytest.warns(UserWarning, match="did not reach n_clusters=2; the nearest is 3"):
        evaluate(fitted, "cell_type", n_clusters=2, n_neighbors=8)


def test_several_seeds_give_means_and_their_spread(study):
    rng = np.random.default_rng(3)
    codes = study.obs["cell_type"].cat.codes.to_numpy()
    study.obsm["sccase_cell_factors"] = np.eye(3)[codes] + 0.9 * rng.random((120, 3))  # types that overlap
    study.varm["sccase_peak_factors"] = rng.random((300, 3))
    one = evaluate(study, "cell_type", n_clusters=6)
    several = evaluate(study, "cell_type", n_clusters=6, n_seeds=4, rng=0)
    seeds = np.random.default_rng(0).integers(2**31, size=4).tolist()
    found = [evaluate(study, "cell_type", n_clusters=6, rng=seed) for seed in seeds]
    assert "ari_sd" not in one
    assert several["ari"] == pytest.approx(np.mean([scores["ari"] for scores in found]))
    assert several["ari_sd"] == pytest.approx(np.std([scores["ari"] for scores in found], ddof=1))
    assert several["ari_sd"] > 0
    assert several["silhouette"] == one["silhouette"]
    with pytest.raises(ValueError, match="n_seeds"):
        evaluate(study, "cell_type", n_seeds=0)
