from __future__ import annotations

import numpy as np
import pytest

from sccase_kit.datasets._tree import branches, brownian_leaves, newick_leaves, type_names


def test_five_types():
    assert branches(5) == [[0, 1], [0], [1], [2, 3, 4], [2], [3, 4], [3], [4]]
    assert type_names(2) == ["type_1", "type_2"]


@pytest.mark.parametrize("n", [1, 2, 3, 8, 17])
def test_every_leaf_has_a_branch_and_branches_nest(n):
    tree = branches(n)
    assert [[i] in tree for i in range(n)] == [True] * n
    assert len(tree) == max(1, 2 * n - 2)
    for a in tree:
        for b in tree:
            assert not set(a) & set(b) or set(a) <= set(b) or set(b) <= set(a)


def test_sisters_are_closer_than_cousins_on_average():
    tree = branches(4)
    leaf = [tree.index([i]) for i in range(4)]
    sisters, cousins = [], []
    for seed in range(20):
        starts, stops = brownian_leaves(4, 50, rng=np.random.default_rng(seed))
        x = stops[leaf]
        sisters.append(np.mean((x[0] - x[1]) ** 2))
        cousins.append(np.mean((x[0] - x[2]) ** 2))
        assert np.mean(x**2) == pytest.approx(1)
        assert np.array_equal(starts[tree.index([0])], stops[tree.index([0, 1])])
    assert np.mean(cousins) > 1.5 * np.mean(sisters)


def test_newick_by_hand():
    names, found = newick_leaves("(((A:0.2,B:0.2):0.2,C:0.4):0.5,(D:1,E:1):1);")
    assert names == list("ABCDE")
    shared = np.array(
        [
            [0.9, 0.7, 0.5, 0, 0],
            [0.7, 0.9, 0.5, 0, 0],
            [0.5, 0.5, 0.9, 0, 0],
            [0, 0, 0, 2.0, 1.0],
            [0, 0, 0, 1.0, 2.0],
        ]
    )
    size = np.sqrt(np.diag(shared))
    np.testing.assert_allclose(found, shared / np.outer(size, size))
    names, found = newick_leaves("((x, y)inner, z:1e-1)root:7;")
    assert names == ["x", "y", "z"]
    assert found[0, 1] == pytest.approx(0.5)
    assert found[0, 2] == 0
    assert newick_leaves("A;")[0] == ["A"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no name"),
        ("(A,B", "missing at 'the end'"),
        ("(A,B));", r"'\);' follows the end"),
        ("(A,A);", "the same name"),
        ("(A:x,B);", "'x' after ':' is no number"),
        ("(A:-1,B);", "a length is -1.0"),
        ("(A:0,B);", "leaf 'A' has length 0"),
        ("(,B);", "no name"),
        ("(A B);", "missing at 'B'"),
    ],
)
def test_what_is_no_newick_is_told(text, why):
    with pytest.raises(ValueError, match=why):
        newick_leaves(text)
