"""Terms that say the same."""

from __future__ import annotations

import numpy as np

from sccase_kit.great.alike import genes_behind, leaders


def test_genes_of_a_column():
    texts = ["A,B", "A; B ;C", "", None, np.nan, 3]
    assert genes_behind(texts) == [{"A", "B"}, {"A", "B", "C"}, set(), set(), set(), set()]


def test_terms_join_the_first_that_shares_enough_genes():
    rng = np.random.default_rng(0)
    pool = np.array([f"g{i}" for i in range(12)])
    terms = [set(rng.choice(pool, rng.integers(0, 9), replace=False)) for _ in range(60)]
    for least in (0.3, 0.5, 1.0):
        expected = []
        for i, own in enumerate(terms):
            one = i
            for j in [k for k in range(i) if expected[k] == k]:
                if own and len(own & terms[j]) / len(own | terms[j]) >= least:
                    one = j
                    break
            expected.append(one)
        assert leaders(terms, least=least).tolist() == expected
    assert leaders([]).tolist() == []
    assert leaders([set(), set()]).tolist() == [0, 1]  # nothing is known of them
