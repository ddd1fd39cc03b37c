from __future__ import annotations

from itertools import combinations
from math import comb, log

import numpy as np
import pytest
from scipy.stats import hypergeom

from sccase_kit.metrics import agreement, imbalance_degree


def pair_counts(a, b):
    both = only_a = only_b = neither = 0
    for i, j in combinations(range(len(a)), 2):
        same_a, same_b = a[i] == a[j], b[i] == b[j]
        both += same_a and same_b
        only_a += same_a and not same_b
        only_b += same_b and not same_a
        neither += not same_a and not same_b
    return both, only_a, only_b, neither


def mutual_information(a, b):
    n = len(a)
    total = 0.0
    for u in set(a):
        for v in set(b):
            n_uv = sum(x == u and y == v for x, y in zip(a, b, strict=True))
            if n_uv:
                total += n_uv / n * log(n * n_uv / (a.count(u) * b.count(v)))
    return total


def expected_information(a, b):
    n, total = len(a), 0.0
    for n_u in (a.count(u) for u in set(a)):
        for n_v in (b.count(v) for v in set(b)):
            for k in range(1, min(n_u, n_v) + 1):
                total += k / n * log(n * k / (n_u * n_v)) * hypergeom.pmf(k, n, n_u, n_v)
    return total


def entropy(a):
    return -sum(a.count(u) / len(a) * log(a.count(u) / len(a)) for u in set(a))


@pytest.mark.parametrize("seed", range(3))
def test_against_definitions(seed):
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 3, 40).tolist()
    b = [x if rng.random() < 0.6 else int(rng.integers(0, 4)) for x in a]
    found = agreement([f"type {x}" for x in a], b)
    both, only_a, only_b, _ = pair_counts(a, b)
    expected = (both + only_a) * (both + only_b) / comb(40, 2)
    assert found["ari"] == pytest.approx((both - expected) / ((2 * both + only_a + only_b) / 2 - expected))
    assert found["fmi"] == pytest.approx(both / np.sqrt((both + only_a) * (both + only_b)))
    emi = expected_information(a, b)
    assert found["ami"] == pytest.approx((mutual_information(a, b) - emi) / ((entropy(a) + entropy(b)) / 2 - emi))


def test_imbalance_degree():
    assert imbalance_degree(["a"] * 10) == 1
    assert imbalance_degree(np.repeat(["a", "b", "c"], 5)) == pytest.approx(0, abs=1e-12)
    shares = np.array([0.7, 0.2, 0.1])
    by_hand = 1 + sum(s * log(s) for s in shares) / log(3)
    assert imbalance_degree(np.repeat([0, 1, 2], [70, 20, 10])) == pytest.approx(by_hand)
