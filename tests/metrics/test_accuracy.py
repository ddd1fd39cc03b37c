from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.metrics import average_precision_score, roc_auc_score

import sccase_kit as sk
from sccase_kit.metrics import Profiles, accuracy
from sccase_kit.metrics.accuracies import accuracy_of, curve_areas


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 40), st.integers(0, 2), st.integers(0, 10_000))
def test_equal_scikit_learn_with_ties(n, decimals, seed):
    rng = np.random.default_rng(seed)
    scores, truth = np.round(rng.normal(size=(4, n)), decimals), rng.random((4, n)) < 0.4
    precision, roc = curve_areas(scores, truth)
    for i in range(4):
        if truth[i].all() or not truth[i].any():
            assert np.isnan(precision[i])
            assert np.isnan(roc[i])
        else:
            assert precision[i] == pytest.approx(average_precision_score(truth[i], scores[i]))
            assert roc[i] == pytest.approx(roc_auc_score(truth[i], scores[i]))


@pytest.mark.parametrize("axis", ["cell", "peak"])
@pytest.mark.parametrize("block_bytes", [1, 10**8])
@pytest.mark.parametrize("as_sparse", [True, False])
def test_blocks_and_containers(thin, axis, block_bytes, as_sparse):
    cells, peaks, _ = thin
    full = cells @ peaks.T
    truth = np.random.default_rng(0).random(full.shape) < 0.3
    rows = (full, truth) if axis == "cell" else (full.T, truth.T)
    expected = [average_precision_score(t, s) for s, t in zip(*rows, strict=True)]
    expected_roc = [roc_auc_score(t, s) for s, t in zip(*rows, strict=True)]
    with sk.settings.override(block_bytes=block_bytes):
        known = sparse.csr_matrix(truth) if as_sparse else truth
        matrix = Profiles(sparse.csr_matrix(full)) if as_sparse else Profiles(cells, peaks)
        table = accuracy_of(matrix, known, axis=axis)
    np.testing.assert_allclose(table["auprc"], expected)
    np.testing.assert_allclose(table["auroc"], expected_roc)


def test_front(study):
    study.layers["tfidf"] = sk.metrics.raw_tfidf(study)
    by_cell = accuracy(study, "truth", key=None, layer="tfidf")
    by_peak = accuracy(study, "truth", axis="peak", key=None, layer="tfidf")
    assert by_cell.index.equals(study.obs_names)
    assert by_peak.index.equals(study.var_names)
    assert by_cell["auroc"].mean() > 0.7


def test_errors(study):
    with pytest.raises(ValueError, match=r"truth has shape \(3, 3\)"):
        accuracy(study, np.ones((3, 3)), key=None)
    with pytest.raises(KeyError, match="available"):
        accuracy(study, "nothing", key=None)
    with pytest.raises(KeyError, match="available"):
        accuracy(study, "truth")
    with pytest.raises(ValueError, match="axis must be one of"):
        accuracy(study, "truth", axis="row", key=None)
