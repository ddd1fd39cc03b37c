"""Random walks with restart: against the inverse, against power iteration, and their null draws."""

import numpy as np
import pytest
from scipy import sparse

from sccase_kit.neighbors.walk import matched_seeds, random_walk


def make_graph(n=40, seed=0):
    rng = np.random.default_rng(seed)
    graph = sparse.random(n, n, 0.1, random_state=seed, data_rvs=rng.random)
    return sparse.csr_matrix(graph + graph.T + sparse.diags_array(np.full(n, 0.1)))


@pytest.mark.parametrize("restart", [0.05, 0.5, 1.0])
def test_equals_the_inverse_and_power_iteration(restart):
    graph = make_graph()
    rng = np.random.default_rng(1)
    seeds = (rng.random((40, 3)) < 0.2).astype(float)
    found = random_walk(graph, seeds, restart=restart, tol=1e-12)
    dense = graph.toarray()
    step = dense / dense.sum(axis=0)
    start = seeds / seeds.sum(axis=0)
    exact = restart * np.linalg.solve(np.eye(40) - (1 - restart) * step, start)
    np.testing.assert_allclose(found, exact, rtol=1e-9, atol=1e-13)
    power = start
    for _ in range(800):
        power = restart * start + (1 - restart) * step @ power
    np.testing.assert_allclose(found, power, rtol=1e-9, atol=1e-13)


def test_tolerance_is_held_and_columns_are_distributions():
    graph, seeds = make_graph(), np.eye(40)[:, :5]
    rough = random_walk(graph, seeds, tol=1e-4)
    fine = random_walk(graph, seeds, tol=1e-13)
    assert np.linalg.norm(rough - fine) < 1e-3 * np.linalg.norm(fine)
    np.testing.assert_allclose(rough.sum(axis=0), 1)


def test_a_cell_without_neighbours_keeps_its_walk_and_islands_stay_apart():
    graph = sparse.csr_matrix(sparse.block_diag([make_graph(10), sparse.csr_matrix((1, 1)), make_graph(9, 3)]))
    seeds = np.zeros((20, 2))
    seeds[10, 0] = seeds[2, 1] = 1
    found = random_walk(graph, seeds, tol=1e-10)
    np.testing.assert_allclose(found[:, 0], np.eye(20)[10], atol=1e-9)
    assert np.abs(found[10:, 1]).max() < 1e-9
    assert found[:10, 1].sum() == pytest.approx(1)


def test_columns_do_not_depend_on_how_many_there_are():
    graph = make_graph()
    seeds = np.random.default_rng(0).random((40, 130))
    done = []
    whole = random_walk(graph, seeds, report=done.append)
    np.testing.assert_allclose(whole[:, [129]], random_walk(graph, seeds[:, [129]]), rtol=1e-12)
    assert sum(done) == 130


def test_matched_seeds_have_the_degrees_of_the_seeds():
    rng = np.random.default_rng(0)
    degree = rng.permutation(np.repeat([1.0, 5.0, 9.0], 50))
    seeds = np.zeros(150, dtype=bool)
    seeds[np.flatnonzero(degree == 5)[:7]] = True
    seeds[np.flatnonzero(degree == 9)[:2]] = True
    drawn = matched_seeds(seeds, degree, 30, rng=1)
    assert (drawn[degree == 1].sum(axis=0) == 0).all()
    assert (drawn[degree == 5].sum(axis=0) == 7).all()
    assert (drawn[degree == 9].sum(axis=0) == 2).all()
    assert len(np.unique(drawn, axis=1).T) > 20
    np.testing.assert_array_equal(drawn, matched_seeds(seeds, degree, 30, rng=1))


@pytest.mark.parametrize(
    ("graph", "seeds", "options", "words"),
    [
        (make_graph(), np.zeros((40, 1)), {}, "column 0 has none"),
        (make_graph(), np.ones((39, 1)), {}, "got"),
        (-make_graph(), np.ones((40, 1)), {}, "weights >= 0"),
        (make_graph(), np.ones((40, 1)), {"restart": 0}, "restart"),
        (make_graph(), np.ones((40, 1)), {"tol": 0}, "tol"),
    ],
)
def test_bad_input(graph, seeds, options, words):
    with pytest.raises(ValueError, match=words):
        random_walk(graph, seeds, **options)
