"""Walks from seeds against walks from random seeds: planted seeds, calibration, groups."""

import numpy as np
import pytest
from scipy import sparse

from sccase_kit.neighbors.nearest import neighbor_graph
from sccase_kit.neighbors.walk import matched_seeds, random_walk, walk_enrichment


@pytest.fixture(scope="module")
def graph():
    rng = np.random.default_rng(0)
    places = np.concatenate([rng.normal(0, 1, (80, 3)), rng.normal(6, 1, (80, 3)), rng.normal(-6, 1, (40, 3))])
    return neighbor_graph(places.astype(np.float32), 12)


CODES = np.repeat([0, 1, 2], [80, 80, 40])


def test_planted_seeds_mark_their_group(graph):
    seeds = np.zeros(200, dtype=bool)
    seeds[[3, 9, 20, 41, 60, 77]] = True
    done = []
    found = walk_enrichment(graph, seeds, codes=CODES, n_permutations=99, report=done.append)
    assert sum(done) == 99
    assert found.group_p_value.argmin() == 0
    assert found.group_p_value[0] == pytest.approx(0.01)
    assert (found.group_p_value[1:] > 0.5).all()
    assert found.group_fold[0] > 2 > 0.1 > found.group_fold[1]
    assert (found.fold[:80] > 1).mean() > 0.9
    assert (found.p_value[80:] > 0.2).all()


def test_equals_the_definition(graph):
    seeds = np.zeros(200, dtype=bool)
    seeds[[1, 90, 170]] = True
    found = walk_enrichment(graph, seeds, codes=CODES, n_permutations=70, rng=3)
    rng = np.random.default_rng(3)
    degree = np.asarray(graph.sum(axis=1)).ravel()
    drawn = np.hstack([matched_seeds(seeds, degree, n, rng=rng) for n in (64, 6)]).astype(float)
    score, null = random_walk(graph, seeds[:, None].astype(float))[:, 0], random_walk(graph, drawn)
    np.testing.assert_allclose(found.fold, score / null.mean(axis=1), rtol=2e-3, atol=1e-4)
    low, high = ((null >= (1 + slack) * score[:, None]).sum(axis=1) for slack in (0.003, -0.003))
    assert ((1 + low) / 71 <= found.p_value).all()
    assert (found.p_value <= (1 + high) / 71).all()
    mass = np.array([score[CODES == g].sum() for g in range(3)])
    null_mass = np.array([null[CODES == g].sum(axis=0) for g in range(3)])
    np.testing.assert_allclose(found.group_fold, mass / null_mass.mean(axis=1), rtol=2e-3)


def test_random_seeds_are_seldom_significant(graph):
    rng = np.random.default_rng(5)
    degree = np.asarray(graph.sum(axis=1)).ravel()
    p = []
    for _ in range(40):
        seeds = np.zeros(200, dtype=bool)
        seeds[rng.choice(200, 10, replace=False)] = True
        p.append(walk_enrichment(graph, seeds, codes=CODES, n_permutations=39, rng=rng).group_p_value)
    assert degree.min() > 0
    assert 0.0 <= (np.array(p) <= 0.05).mean() < 0.12


def test_float32_stays_float32():
    ring = sparse.csr_matrix(np.roll(np.eye(9), 1, axis=1) + np.roll(np.eye(9), -1, axis=1))
    seeds = np.eye(9, dtype=np.float32)[:, :2]
    found = random_walk(ring, seeds, tol=1e-4)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, random_walk(ring, seeds.astype(float)), atol=1e-4)
