"""Groups against each other in held-out halves: slow references, splits by chance, and what is merged."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from scipy import sparse, stats

from sccase_kit.peaks.halves import HalfSums, half_sums
from sccase_kit.peaks.sisters import PairTest, merged_groups, pair_test, peak_contrast, told_apart


def sums(rng, n_groups=3, n_strata=2, n_peaks=15, scale=1.0):
    cells = rng.integers(20, 40, size=(n_groups, n_strata, n_peaks)).astype(np.float32)
    risk = cells * rng.uniform(3, 6, size=(n_groups, n_strata, 1)).astype(np.float32)
    opens = rng.binomial(cells.astype(int), 0.2 * scale).astype(np.float32)
    told = 1_000 * np.eye(n_groups, dtype=int) + 1
    return HalfSums(opens, risk, cells, rng.random((n_groups, n_peaks)) + 0.1, told)


def by_loops(half, own, other):
    """Return z, difference, and (opens, expected, rates) by peak."""
    n_strata, n_peaks = half.opens.shape[1:]
    profiles = []
    for side in (own, other):
        profile = [sum(half.level[g, p] for g in side) for p in range(n_peaks)]
        profiles.append([value / (sum(profile) / n_peaks) for value in profile])
    along = noise = scale = information = 0.0
    rows = []
    for p in range(n_peaks):
        log = np.log((profiles[0][p] + 0.1) / (profiles[1][p] + 0.1))
        seen = expected = left = right = 0.0
        for s in range(n_strata):
            ours, theirs = (sum(float(half.opens[g, s, p]) for g in side) for side in (own, other))
            risks = [sum(float(half.risk[g, s, p]) for g in side) for side in (own, other)]
            n = sum(float(half.cells[g, s, p]) for g in [*own, *other])
            w = risks[0] / sum(risks)
            total = ours + theirs
            seen, expected = seen + ours, expected + w * total
            noise += log**2 * w * (1 - w) * total * (1 - total / n)
            scale += log**2 * w * (1 - w) * total
            information += w * (1 - w) * total
            left, right = left + ours * (1 - w), right + theirs * w
        along += log * (seen - expected)
        rows.append((seen, expected, left, right))
    squared = (along * abs(along) - noise) / (scale * information)
    return along / np.sqrt(noise), np.sign(squared) * np.sqrt(abs(squared)), np.array(rows)


@pytest.mark.parametrize(("own", "other"), [([0], [1]), ([2], [0]), ([0, 2], [1])])
def test_pairs_are_those_of_loops(own, other):
    rng = np.random.default_rng(0)
    halves = [sums(rng), sums(rng)]
    expected = [by_loops(half, own, other) for half in halves]
    found = pair_test(halves, own, other)
    assert found.z == pytest.approx(np.mean([part[0] for part in expected]), rel=1e-5)  # agreement is far larger
    assert found.difference == pytest.approx(np.mean([part[1] for part in expected]), rel=1e-5)
    turned = pair_test(halves, other, own)
    assert turned.z == pytest.approx(found.z)
    assert turned.difference == pytest.approx(found.difference)
    contrast = peak_contrast(halves, own, other)
    rows = expected[0][2] + expected[1][2]
    np.testing.assert_allclose(contrast.opens, rows[:, 0])
    np.testing.assert_allclose(contrast.expected, rows[:, 1], rtol=1e-6)
    np.testing.assert_allclose(contrast.log2fc, np.log2((rows[:, 2] + 2) / (rows[:, 3] + 2)), rtol=1e-6, atol=1e-8)
    total = sum(half.opens[[*own, *other]].sum(axis=(0, 1)) for half in halves)
    for p in range(len(rows)):
        law = stats.binom(int(total[p]), contrast.expected[p] / total[p])
        tails = law.sf(contrast.opens[p] - 1), law.cdf(contrast.opens[p])
        assert contrast.pvalue[p] == pytest.approx(min(1, 2 * min(tails)), rel=1e-6)


def test_sides_without_a_count_are_told_nothing_of():
    half = sums(np.random.default_rng(0))
    half.opens[0], half.risk[0], half.cells[0] = 0, 0, 0
    assert pair_test([half], [0], [1]) == PairTest(0.0, 0.0, 0.0)
    contrast = peak_contrast([half], [0], [1])
    assert (contrast.pvalue == 1).all()
    assert np.isfinite(contrast.log2fc).all()


def split_by_chance(rng, rate, groups):
    """Return the halves of cells whose groups were chosen by one half of their counts, each half in turn."""
    n_cells, n_peaks = len(groups), rate.shape[1]
    opens = rng.random((n_cells, n_peaks)) < rate[groups]
    deal = rng.random(opens.shape) < 0.5
    first, second = opens & deal, opens & ~deal
    found = []
    for kept, hidden in ((first, second), (second, first)):
        centre = np.array([kept[groups == g].mean(axis=0) for g in np.unique(groups)])
        told = (np.log(centre + 0.05) @ kept.T - centre.sum(axis=1)[:, None]).argmax(axis=0)
        level = np.array([kept[told == g].mean(axis=0) for g in range(len(centre))])
        kept_, hidden_ = (sparse.csr_matrix(part.astype(float)) for part in (kept, hidden))
        strata = np.zeros(n_cells, dtype=int)
        names = {"codes": groups, "told": told, "n_groups": len(centre)}
        found.append(half_sums(kept_, hidden_, **names, strata=strata, level=level))
    return found


def test_groups_made_from_one_half_do_not_differ_in_the_other():
    """Cells of one kind, put apart by their own counts: the half that did it differs, the other does not."""
    rng = np.random.default_rng(3)
    z = []
    for _ in range(20):
        rate = np.tile(rng.uniform(0.05, 0.6, size=200), (2, 1))
        halves = split_by_chance(rng, rate, rng.integers(2, size=150))
        sure = [replace(half, told=np.eye(2) * 1e6) for half in halves]
        z += [pair_test([half], [0], [1]).z for half in sure]
        own = halves[0].level
        assert np.abs(np.log(own[0] + 0.1) - np.log(own[1] + 0.1)).max() > 0.2
    assert abs(np.mean(z)) < 4 / np.sqrt(len(z))
    assert 0.6 < np.std(z) < 1.4


def test_groups_that_differ_are_told_apart_and_others_merged():
    rng = np.random.default_rng(4)
    base = rng.uniform(0.05, 0.3, size=300)
    changed = base.copy()
    changed[:60] *= 3
    halves = split_by_chance(rng, np.array([base, changed, base]), np.repeat([0, 1, 2], 100))
    assert pair_test(halves, [0], [1]).difference > 0.3
    families, tests = merged_groups(halves, 3, alpha=0.01, min_difference=0.04)
    assert families == [[0, 2], [1]]
    assert set(tests) == {(0, 1)}
    assert tests[0, 1] == pair_test(halves, [0, 2], [1])
    assert merged_groups(halves, 3, alpha=1.0, min_difference=-1.0)[0] == [[0], [1], [2]]
    everything, none = merged_groups(halves, 3, alpha=0.0, min_difference=0.04)
    assert everything == [[0, 1, 2]]
    assert none == {}


@pytest.mark.parametrize("alpha", [1e-30, 1e-3, 0.3])
def test_what_is_left_is_told_apart(alpha):
    rng = np.random.default_rng(5)
    halves = [sums(rng, n_groups=6, n_peaks=60) for _ in range(2)]
    families, tests = merged_groups(halves, 6, alpha=alpha, min_difference=0.0)
    assert sorted(g for family in families for g in family) == list(range(6))
    assert set(tests) == set(combinations(range(len(families)), 2))
    assert all(told_apart(test, n_pairs=15, alpha=alpha, min_difference=0.0) for test in tests.values())


def test_cells_must_be_put_into_their_own_group():
    """Groups without a meaning are put where cells differ: held-out counts differ there, but not by their doing."""
    halves = [sums(np.random.default_rng(6), n_peaks=400) for _ in range(2)]
    for half in halves:
        half.opens[0] += (half.level[0] > half.level[1]) * 5
        half.opens[1] += (half.level[0] < half.level[1]) * 5
    assert pair_test(halves, [0], [1]).z > 5
    table = np.array([[30, 20, 3], [28, 25, 1], [9, 9, 9]])
    found = pair_test([replace(half, told=table) for half in halves], [0], [1]).z
    n, k, m = 103, 50, 58
    law = stats.hypergeom(n, k, m)
    assert found == pytest.approx((30 - law.mean()) / law.std())
    assert pair_test([replace(half, told=np.diag([5, 0, 1])) for half in halves], [0], [1]).z == 0
