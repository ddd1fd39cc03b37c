"""The numbers of the claims against slow ways to them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from sccase_kit.metrics import Profiles
from sccase_kit.paper import statistics


def test_gain_over_the_second_best():
    scores = pd.DataFrame(
        {"a": [0.6, 0.3, 0.5, np.nan], "b": [0.5, 0.4, 0.0, 1.0], "c": [0.2, -0.1, 0.0, 0.5]}, index=list("wxyz")
    )
    gain = statistics.over_second_best(scores, "a", rivals=lambda name: name in "bc")
    assert gain.to_dict() == pytest.approx({"w": 20.0, "x": -25.0})  # y: the best is 0; z: no score
    negative = pd.DataFrame({"a": [0.1], "b": [-0.1]})
    assert statistics.over_second_best(negative, "a", rivals=lambda name: name == "b").tolist() == pytest.approx([200])
    assert statistics.over_second_best(scores, "none", rivals=lambda name: True).empty


def test_wilcoxon_by_counting_signs():
    rng = np.random.default_rng(0)
    for n in (3, 6):
        difference = rng.normal(0.5, 1, n)
        ranks = np.argsort(np.argsort(np.abs(difference))) + 1
        observed = ranks[difference > 0].sum()
        sums = [ranks[np.array(signs, dtype=bool)].sum() for signs in product([0, 1], repeat=n)]
        expected = np.mean(np.array(sums) >= observed)
        assert statistics.paired_wilcoxon(difference, np.zeros(n)) == pytest.approx(expected)
    assert statistics.paired_wilcoxon(np.arange(1, 6), np.zeros(5)) == pytest.approx(1 / 2**5)
    assert np.isnan(statistics.paired_wilcoxon([1.0], [0.0]))
    assert np.isnan(statistics.paired_wilcoxon([1.0, 2.0], [1.0, 2.0]))


@pytest.mark.parametrize("kind", ["thin", "dense", "sparse"])
def test_svd_scores(kind):
    rng = np.random.default_rng(1)
    cells, peaks = rng.random((30, 4)), rng.random((50, 4))
    matrix = cells @ peaks.T
    if kind == "sparse":
        matrix = np.where(rng.random(matrix.shape) < 0.3, matrix, 0)
    profiles = {
        "thin": Profiles(cells, peaks),
        "dense": Profiles(matrix),
        "sparse": Profiles(sparse.csr_matrix(matrix)),
    }[kind]
    u, s, _ = np.linalg.svd(matrix, full_matrices=False)
    found = statistics.svd_scores(profiles, 3)
    np.testing.assert_allclose(np.abs(found), np.abs(u * s)[:, :3], rtol=1e-6, atol=1e-9)


def test_area_under_roc_by_pairs():
    rng = np.random.default_rng(2)
    values, inside = rng.integers(0, 4, (12, 3)).astype(float), np.arange(12) < 5
    for j, found in enumerate(statistics.area_under_roc(values, inside)):
        a, b = values[inside, j], values[~inside, j]
        assert found == pytest.approx(np.mean((a[:, None] > b) + 0.5 * (a[:, None] == b)))


def test_purity_of_neighbours():
    rng = np.random.default_rng(3)
    places, labels = rng.normal(size=(40, 2)), rng.integers(0, 3, 40)
    distance = np.linalg.norm(places[:, None] - places, axis=2)
    np.fill_diagonal(distance, np.inf)
    nearest = np.argsort(distance, axis=1)[:, :7]
    expected = (labels[nearest] == labels[:, None]).mean(axis=1)
    np.testing.assert_allclose(statistics.neighbor_purity(places, labels, n_neighbors=7), expected)
    alone = statistics.neighbor_purity(np.zeros((5, 2)), np.array([0, 0, 0, 0, 0]), n_neighbors=3)
    np.testing.assert_allclose(alone, 1)


def test_changes():
    before = pd.Series({"a": 0.5, "b": 0.0, "c": -0.2})
    after = pd.Series({"a": 0.6, "b": 0.1, "c": -0.1, "d": 1.0})
    assert statistics.relative_change(after, before).to_dict() == pytest.approx({"a": 20, "c": 50})
    assert statistics.holds_above(pd.Series([0.0, 0.0])) is None
    assert statistics.holds_above(pd.Series([1.0, 0.0])) is True
    assert statistics.holds_above(pd.Series([-2.0, 1.0])) is False


@pytest.mark.parametrize("kind", ["thin", "dense", "sparse"])
def test_tfidf_first_by_hand(kind):
    rng = np.random.default_rng(4)
    cells, peaks = rng.random((12, 3)), rng.random((20, 3))
    peaks[3] = 0  # a peak without any value
    matrix = cells @ peaks.T / 5
    if kind == "sparse":
        matrix = np.where(rng.random(matrix.shape) < 0.4, matrix, 0)
        matrix[:, 3] = matrix[5] = 0
    given = {
        "thin": Profiles(cells, peaks / 5),
        "dense": Profiles(matrix),
        "sparse": Profiles(sparse.csr_matrix(matrix)),
    }[kind]
    found = given.tfidf().block()
    for i in range(12):
        for j in range(20):
            total, column = matrix[i].sum(), matrix[:, j].sum()
            idf = max(np.log(12 / column), 0) if column > 0 else 0
            expected = matrix[i, j] / total * idf if total > 0 else 0
            assert found[i, j] == pytest.approx(expected, abs=1e-12)


def test_ties_are_no_failures():
    names = ["a", "b", "c"]
    ours, other = pd.Series([1.0, 0.5, 0.9], names), pd.Series([0.996, 0.4, 0.95], names)
    assert statistics.at_ceiling(ours, other).tolist() == [True, False, False]
    assert statistics.wins(ours, other) == (False, "")  # c
    assert statistics.wins(ours[:2], other[:2]) == (True, "")  # a is not judged
    assert statistics.wins(ours[:1], other[:1]) == (None, "at the ceiling")
    assert statistics.wins(pd.Series([1.0]), pd.Series([0.99])) == (True, "")  # the other had room
    assert statistics.exceeds(pd.Series([2, 1]), pd.Series([2, 1])) == (None, "equal")
    assert statistics.exceeds(pd.Series([2, 1]), pd.Series([1, 1])) == (False, "")
    assert statistics.exceeds(pd.Series([2, 2]), pd.Series([1, 1])) == (True, "")
    assert statistics.named_ceiling(pd.Index([])) == ""
    assert statistics.named_ceiling(pd.Index(["a", "b"])).endswith("not judged: a, b")
