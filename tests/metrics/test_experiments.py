from __future__ import annotations

import numpy as np
import pytest

import sccase_kit as sk
from sccase_kit.metrics import (
    batch_experiment,
    dropout_experiment,
    imbalance_experiment,
    knn_smoothing,
    raw_tfidf,
    size_experiment,
)
from sccase_kit.metrics.experiments import skew_groups


def factors(adata):
    rng = np.random.default_rng(0)
    codes = adata.obs["cell_type"].cat.codes.to_numpy()
    return np.eye(3)[codes] + 0.1 * rng.random((adata.n_obs, 3)), rng.random((adata.n_vars, 3))


def in_place(adata, rng):
    adata.obsm["sccase_cell_factors"] = np.random.default_rng(rng).random((adata.n_obs, 2))
    adata.varm["sccase_peak_factors"] = np.random.default_rng(rng).random((adata.n_vars, 2))


def test_dropout(study):
    before = study.X.copy()
    table = dropout_experiment(
        study, "cell_type", {"raw": raw_tfidf, "kNN": knn_smoothing}, rates=(0, 0.9), seeds=range(2), truth="truth"
    )
    assert (study.X != before).nnz == 0
    assert table.shape[0] == 8
    assert (table["error"] == "").all()
    mean = table.groupby(["rate", "method"])[["ari", "cell_auroc", "peak_auprc", "seconds"]].mean()
    assert mean.loc[(0, "raw"), "ari"] > 0.9
    assert mean.loc[(0.9, "raw"), "ari"] < 0.6
    assert mean.loc[(0, "kNN"), "cell_auroc"] > mean.loc[(0, "raw"), "cell_auroc"]
    again = dropout_experiment(study, "cell_type", {"raw": raw_tfidf}, rates=[0.9], seeds=[1])
    row = table.query("rate == 0.9 and seed == 1 and method == 'raw'")
    assert again["ari"].iloc[0] == row["ari"].iloc[0]


def test_imbalance(study):
    table = imbalance_experiment(study, "cell_type", {"f": factors}, evenness=(-0.8, 0, 1), seeds=[0])
    degrees = table.set_index("evenness")["imbalance"]
    assert degrees[-0.8] > degrees[0] > degrees[1]
    assert degrees[1] == pytest.approx(0)
    assert table.set_index("evenness")["n_cells"][1] == 60
    assert (table.set_index("evenness")["ari"][[0, 1]] == 1).all()


def test_size_and_methods_that_write_in_place(study):
    table = size_experiment(study, "cell_type", {"p": in_place}, fractions=(0.5, 1.0), seeds=[0, 1])
    assert sorted(table["n_cells"].unique()) == [60, 120]
    assert "sccase_cell_factors" not in study.obsm


def test_batches(study):
    table = batch_experiment(study, "cell_type", {"raw": raw_tfidf}, batch_key="batch", seeds=[0])
    assert table["kbet"].iloc[0] > 0.5
    assert table["batch_asw"].iloc[0] > 0.8
    with pytest.raises(KeyError, match="batch_key='donor'"):
        batch_experiment(study, "cell_type", {"raw": raw_tfidf}, batch_key="donor")


def test_failures_are_raised_or_recorded(study):
    def broken(adata):
        msg = "no convergence"
        raise RuntimeError(msg)

    with pytest.raises(RuntimeError, match="no convergence"):
        dropout_experiment(study, "cell_type", {"b": broken}, rates=[0], seeds=[0])
    table = dropout_experiment(
        study, "cell_type", {"b": broken, "raw": raw_tfidf}, rates=[0], seeds=[0], on_error="record"
    )
    assert table["error"].tolist() == ["RuntimeError: no convergence", ""]
    assert table["ari"].isna().tolist() == [True, False]


def test_a_method_must_return_every_cell(study):
    with pytest.raises(ValueError, match="returned 5 cells for 120"):
        dropout_experiment(study, "cell_type", {"b": lambda a: np.ones((5, 3))}, rates=[0], seeds=[0])


def test_methods_that_keep_fewer_peaks(study):
    def fewer(adata):
        adata.X = raw_tfidf(adata)
        return adata[:, ::3].copy()

    def unknown(adata):
        adata.var_names = [f"p{i}" for i in range(adata.n_vars)]
        return adata

    table = dropout_experiment(study, "cell_type", {"f": fewer}, rates=[0], seeds=[0], truth="truth")
    assert table["cell_auroc"].iloc[0] > 0.7
    with pytest.raises(ValueError, match="returned 3 peaks for 300"):
        dropout_experiment(study, "cell_type", {"b": lambda a: np.eye(120)[:, :3]}, rates=[0], seeds=[0])
    with pytest.raises(ValueError, match="300 peaks that the data lack"):
        dropout_experiment(study, "cell_type", {"u": unknown}, rates=[0], seeds=[0])


def test_skewed_groups(study):
    small = skew_groups(study, groupby="cell_type", keep=0.1)
    assert small.obs["cell_type"].value_counts().to_dict() == {"a": 60, "b": 13, "c": 5}


def test_bad_arguments(study):
    with pytest.raises(TypeError, match="methods must map names to functions"):
        dropout_experiment(study, "cell_type", {"raw": "magic"})
    with pytest.raises(ValueError, match="rates must be at most 1"):
        dropout_experiment(study, "cell_type", {"raw": raw_tfidf}, rates=[80])
    with pytest.raises(ValueError, match="evenness must be greater than -1"):
        imbalance_experiment(study, "cell_type", {"raw": raw_tfidf}, evenness=[-1])
    with pytest.raises(KeyError, match="truth='t'"):
        dropout_experiment(study, "cell_type", {"raw": raw_tfidf}, truth="t")


def test_baselines(study):
    x = study.X.toarray().astype(float)
    expected = x * np.log(120 / (x > 0).sum(axis=0))
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    raw = raw_tfidf(study).toarray()
    np.testing.assert_allclose(raw, expected, atol=1e-6)
    centred = expected - expected.mean(axis=0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    scores = u[:, :50] * s[:50]
    distance = ((scores[:, None] - scores[None]) ** 2).sum(axis=2)
    near = np.argsort(distance, axis=1)[:, :15]
    np.testing.assert_allclose(knn_smoothing(study).toarray(), expected[near].mean(axis=1), atol=1e-5)
    assert sk.metrics.silhouette(study.obs["cell_type"], knn_smoothing(study)) > sk.metrics.silhouette(
        study.obs["cell_type"], raw_tfidf(study)
    )
