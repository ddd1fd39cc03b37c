"""Support of names, lineages, and the test on cells, against literal computations and under chance."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from sccase_kit.genes import (
    PANELS,
    cell_set_scores,
    group_pvalues,
    lineages,
    panel,
    set_support,
    smallest_lineage,
)


def test_support_is_the_share_of_draws_that_a_loop_counts():
    rng = np.random.default_rng(0)
    genes = rng.normal(size=(3, 30)) * 2
    genes[:, 4] = np.nan
    sets = {"a": np.array([0, 1, 2, 4]), "b": np.arange(5, 12), "none": np.array([4])}
    found = set_support(genes, sets, n_random=40, rng=np.random.default_rng(7))
    again = np.random.default_rng(7)
    draws = {
        name: again.choice(own, size=(40, len(own)))
        for name, own in {"a": np.array([0, 1, 2]), "b": np.arange(5, 12)}.items()
    }
    for g in range(3):
        best = Counter()
        for i in range(40):
            scores = {n: np.clip(genes[g, d[i]], -2, 4).sum() / np.sqrt(d.shape[1]) for n, d in draws.items()}
            best[max(scores, key=scores.get)] += 1
        assert found[g].tolist() == [best["a"] / 40, best["b"] / 40, 0]


def test_a_planted_set_has_all_support_and_related_sets_share_it():
    genes = np.random.default_rng(1).normal(size=(1, 300)) * 0.3
    genes[0, :20] = 3
    sets = {"first": np.arange(10), "second": np.arange(10, 20), "other": np.arange(100, 110)}
    found = set_support(genes, sets, rng=np.random.default_rng(0))[0]
    assert found[2] == 0
    assert found.sum() == pytest.approx(1)
    assert set_support(genes[:, 20:], {"x": np.zeros(0, int)}, rng=np.random.default_rng(0)).tolist() == [[0.0]]


def test_the_smallest_lineage_with_enough_support():
    support = {"a": 0.5, "b": 0.35, "c": 0.15}
    families = {"all": ["a", "b", "c"], "ab": ["a", "b"], "bc": ["b", "c"], "alone": ["a"], "ac": ["a", "c", "unknown"]}
    assert smallest_lineage("a", support, families, min_support=0.6) == ("ab", 0.85)
    assert smallest_lineage("a", support, families, min_support=0.9) == ("all", 1.0)
    assert smallest_lineage("c", support, families, min_support=0.6) == ("ac", 0.65)
    assert smallest_lineage("a", support, {}, min_support=0.6) == ("", 0.5)


def test_p_values_of_cells_are_those_of_a_z_test_and_of_chance():
    rng = np.random.default_rng(2)
    activity = rng.gamma(2, 1, size=(200, 4))
    activity[:, 3] = 1
    scores = cell_set_scores(activity)
    standard = (activity[:, :3] - activity[:, :3].mean(axis=0)) / activity[:, :3].std(axis=0)
    np.testing.assert_allclose(scores, standard.sum(axis=1))
    codes = rng.integers(5, size=200)
    found = group_pvalues(np.column_stack([scores, np.ones(200)]), codes, 6)
    assert (found[:, 1] == 1).all()
    assert (found[5] == 1).all()  # a group without cells
    means = np.array([[scores[rng.permutation(codes) == g].mean() for g in range(5)] for _ in range(2000)])
    observed = np.array([scores[codes == g].mean() for g in range(5)])
    np.testing.assert_allclose(found[:5, 0], (means >= observed).mean(axis=0), atol=0.05)


def test_groups_of_types_that_fall_unequally_by_chance_are_not_found():
    """Half of the cells are of a type with a high score: a Poisson model would call most groups."""
    rng = np.random.default_rng(3)
    scores = rng.normal(size=(400, 1)) + 10 * (np.arange(400)[:, None] < 200)
    pvalues = [group_pvalues(scores, rng.integers(8, size=400), 8) for _ in range(50)]
    assert 0.02 < np.mean(np.concatenate(pvalues) < 0.05) < 0.09


@pytest.mark.parametrize("name", PANELS)
def test_lineages_are_of_types_of_their_panel(name):
    kinds = set(panel(name))
    found = lineages(name)
    assert len(found) >= 4
    for family, members in found.items():
        assert family not in kinds
        assert set(members) < kinds
        assert len(members) > 1
    assert lineages(name.split(":")[1], species=name.split(":")[0]) == found
