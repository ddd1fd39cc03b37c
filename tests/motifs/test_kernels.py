"""The compiled loops give what the same loops give in plain Python, at the corners the other tests seldom reach."""

from __future__ import annotations

import importlib
from itertools import pairwise

import numpy as np
import pytest
from scipy import sparse


@pytest.fixture
def both(uncompiled):
    def load(name):
        return importlib.import_module(f"sccase_kit.motifs.{name}"), uncompiled(f"sccase_kit.motifs.{name}")

    return load


def parts(matrix):
    return matrix.indptr, matrix.indices, matrix.data


def test_deviations(both):
    compiled, plain = both("chromvar_kernels")
    rng = np.random.default_rng(0)
    n_cells, n_peaks, n_draws = 7, 12, 5
    counts = rng.poisson(1.0, (n_cells, n_peaks)).astype(float)
    counts[3] = 0
    sets = (rng.random((n_peaks, 4)) < 0.4).astype(float)
    sets[:, 2] = 0
    expectation = counts.sum(axis=0) / counts.sum()
    background = rng.integers(n_peaks, size=(n_draws, n_peaks))
    results = []
    for kernels in (compiled, plain):
        dev, z = np.zeros((2, 4, n_cells))
        given = parts(sparse.csc_matrix(counts)), counts.sum(axis=1), parts(sparse.csc_matrix(sets)), background
        with np.errstate(divide="ignore", invalid="ignore"):
            kernels.deviate_sets(*given, expectation, 0.5, 0, 4, dev, z)
        results.append((dev, z))
    np.testing.assert_allclose(results[0], results[1], rtol=1e-12, atol=1e-12)
    dev = results[1][0]
    assert np.isnan(dev[2]).all()
    assert np.isnan(dev[:, 3]).all()
    depth, member = counts[0].sum(), sets[:, 0] > 0
    expected = expectation[member].sum() * depth
    drawn = []
    for row in background:
        peaks = row[member]
        drawn.append(counts[0, peaks].sum() / (expectation[peaks].sum() * depth) - 1)
    assert dev[0, 0] == pytest.approx((counts[0, member].sum() - expected) / expected - np.mean(drawn), rel=1e-12)


def test_background_draws(both):
    compiled, plain = both("background_kernels")
    rng = np.random.default_rng(1)
    for n in (1, 2, 7, 8, 30, 31, 32, 33):
        values = rng.random(n)
        uniforms = rng.random(50)
        given = [values.copy(), values.copy()]
        for kernels, p in zip((compiled, plain), given, strict=True):
            kernels.normalise(p)
        np.testing.assert_array_equal(*given)
        assert given[0].sum() == pytest.approx(1)
        drawn = [np.empty(50, dtype=np.int64) for _ in range(2)]
        for kernels, p, out in zip((compiled, plain), given, drawn, strict=True):
            kernels.alias_draw(p, uniforms, out)
        np.testing.assert_array_equal(*drawn)
        assert set(drawn[0]) <= set(range(n))


def test_alias_table_keeps_the_probabilities(uncompiled):
    probability = np.array([0.5, 0.05, 0.15, 0.3])
    n_draws = 40_000
    out = np.empty(n_draws, dtype=np.int64)
    uncompiled("sccase_kit.motifs.background_kernels").alias_draw(
        probability.copy(), (np.arange(n_draws) + 0.5) / n_draws, out
    )
    np.testing.assert_allclose(np.bincount(out, minlength=4) / n_draws, probability, atol=1e-4)


def test_words(both):
    compiled, plain = both("kmer_kernels")
    for k in (1, 2, 3):
        np.testing.assert_array_equal(compiled.canonical_words(k), plain.canonical_words(k))
    rng = np.random.default_rng(2)
    codes = rng.integers(5, size=200).astype(np.int64)
    starts = np.array([0, 1, 60, 60, 200])
    column = np.arange(16)
    column[3] = -1
    results = [kernels.words_of_sequences(codes, starts, 2, column, 16) for kernels in (compiled, plain)]
    np.testing.assert_array_equal(results[0][0], results[1][0])
    np.testing.assert_array_equal(results[0][1], results[1][1])
    indptr, indices = results[1]
    for i in range(4):
        part = codes[starts[i] : starts[i + 1]]
        words = {4 * a + b for a, b in pairwise(part) if a < 4 and b < 4} - {3}
        assert set(indices[indptr[i] : indptr[i + 1]]) == words


def test_list_of_words_grows(both):
    """More distinct words than a quarter of the bases, the room at the start."""
    compiled, plain = both("kmer_kernels")
    codes = np.random.default_rng(3).integers(4, size=300).astype(np.int64)
    given = codes, np.array([0, 300]), 5, np.arange(4**5), 4**5
    one, two = compiled.words_of_sequences(*given), plain.words_of_sequences(*given)
    assert len(one[1]) > 75
    np.testing.assert_array_equal(one[1], two[1])


@pytest.mark.parametrize("p", [0.0, 1e-3, 0.01, 0.1, 0.999999, 1.0])
def test_tail_of_the_scores(both, p):
    compiled, plain = both("match_kernels")
    steps = np.random.default_rng(4).integers(0, 6, size=(5, 4))
    background = np.array([0.3, 0.2, 0.2, 0.3])
    tail = plain.score_tail(steps, background, p)
    assert compiled.score_tail(steps, background, p) == tail
    scores, weights = np.zeros(1, dtype=int), np.ones(1)
    for column in steps:
        scores = (scores[:, None] + column).ravel()
        weights = (weights[:, None] * background).ravel()
    above = [r for r in range(scores.max() + 1) if weights[scores >= r].sum() > p + 1e-12]
    if not above:
        assert tail == -1
    else:
        assert tail == (-2 if max(above) == scores.max() else max(above))


@pytest.mark.parametrize("p", [1e-9, 5e-5, 0.03, 0.4, 0.97, 1.5])
def test_tail_of_fine_scores(both, p):
    """Exactly the answer of a distribution of all scores from 0 to the top, whatever part of it is looked at."""
    compiled, _ = both("match_kernels")
    rng = np.random.default_rng(5)
    for width, top in ((4, 9_000), (9, 3_000), (14, 700), (3, 0)):
        steps = rng.integers(0, top + 1, size=(width, 4))
        background = rng.dirichlet(np.ones(4))
        most = int(steps.max(axis=1).sum())
        chance = np.zeros(most + 1)
        chance[0] = 1.0
        for column in steps:
            following = np.zeros(most + 1)
            for f, step in zip(background, column, strict=True):
                following[step:] += f * chance[: most + 1 - step]
            chance = following
        above = np.flatnonzero(np.cumsum(chance[::-1]) > p)
        expected = -1 if not len(above) else -2 if above[0] == 0 else most - above[0]
        assert compiled.score_tail(steps, background, p) == expected


@pytest.mark.parametrize(("width", "core"), [(2, 0), (3, 0), (5, 1), (9, 5), (12, 0), (12, 9), (23, 10), (26, 4)])
def test_sites(both, width, core):
    """Motifs narrower and wider than the indexed words; breaks, ends, and more hits than the first room."""
    compiled, plain = both("match_kernels")
    rng = np.random.default_rng(width)
    codes = rng.choice(5, p=[0.24, 0.24, 0.24, 0.24, 0.04], size=900).astype(np.int64)
    weights, k = rng.normal(size=(width, 4)), 3
    threshold = -0.5 if width < 5 else 1.0
    index = [kernels.index_words(codes, k) for kernels in (compiled, plain)]
    for a, b in zip(*index, strict=True):
        np.testing.assert_array_equal(a, b)
    found = []
    for kernels, words in zip((compiled, plain), index, strict=True):
        positions, scores = kernels.find_sites(codes, words, k, weights, threshold, core)
        order = np.argsort(positions)
        found.append((positions[order], scores[order]))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-12)
    expected = {}
    for start in range(len(codes) - width + 1):
        site = codes[start : start + width]
        if (site < 4).all() and (score := weights[np.arange(width), site].sum()) >= threshold:
            expected[start] = score
    assert found[1][0].tolist() == list(expected)
    np.testing.assert_allclose(found[1][1], list(expected.values()), rtol=1e-9)
    if width < 5:
        assert len(expected) > 256


def sums_by_bits(kernels, counts, sets, background, expectation, least):
    depth = np.asarray(counts.sum(axis=1)).ravel()
    shares = np.empty((sets.shape[1], 1 + len(background)))
    kernels.sum_expectations(sets.indptr, sets.indices, background, expectation, shares)
    values = counts.data.astype(np.uint32)
    packed = kernels.pack_counts(counts.indptr.astype(np.int64), counts.indices, values, counts.shape[0], least)
    out, out_z = np.empty((2, sets.shape[1], counts.shape[0]))
    given = packed, depth, (sets.indptr, sets.indices), background, shares, 1.0
    for first in range(0, sets.shape[1], 3):
        kernels.deviate_plain_sets(*given, first, min(first + 3, sets.shape[1]), out, out_z)
    return out, out_z


def sums_one_by_one(kernels, counts, sets, background, expectation):
    depth = np.asarray(counts.sum(axis=1)).ravel()
    out, out_z = np.empty((2, sets.shape[1], counts.shape[0]))
    given = parts(counts), depth, parts(sets), background, expectation, 1.0
    kernels.deviate_sets(*given, 0, sets.shape[1], out, out_z)
    return out, out_z


@pytest.mark.parametrize("least", [1, 3, 100])  # all digits as bits, some, none
def test_plain_sets_give_the_same_numbers(both, least, monkeypatch):
    compiled, plain = both("bit_kernels")
    monkeypatch.setattr(plain, "WINDOW", 16)  # several windows of one digit
    reference, _ = both("chromvar_kernels")
    rng = np.random.default_rng(0)
    n_cells, n_peaks, n_sets = 9, 40, 5
    counts = sparse.csc_matrix(rng.poisson(1.0, (n_cells, n_peaks)).astype(float))
    counts.data[::17] = [2**16 - 1, 5] * (len(counts.data[::17]) // 2) + [7] * (len(counts.data[::17]) % 2)
    member = rng.random((n_peaks, n_sets)) < 0.4
    member[:, 4] = False
    sets = sparse.csc_matrix(member.astype(float))
    background = rng.integers(0, n_peaks, (6, n_peaks)).astype(np.int32)
    background[:, :20] = 3  # one peak many times
    expectation = np.asarray(counts.sum(axis=0)).ravel() / counts.sum()
    expected = sums_one_by_one(reference, counts, sets, background, expectation)
    for kernels in (compiled, plain):
        found = sums_by_bits(kernels, counts, sets, background, expectation, least)
        np.testing.assert_array_equal(found, expected)


def test_plain_sets_of_many_peaks_and_cells(both):
    """More rows than a window has, more cells than a part has, and sums that are carried far."""
    compiled, _ = both("bit_kernels")
    reference, _ = both("chromvar_kernels")
    rng = np.random.default_rng(1)
    n_cells, n_peaks = compiled.CELLS + 70, compiled.WINDOW + 300
    counts = sparse.random(n_cells, n_peaks, 0.01, format="csc", random_state=2)
    counts.data = rng.integers(1, 4, counts.nnz).astype(float)
    member = np.zeros((n_peaks, 2))
    member[:, 0] = 1
    member[rng.random(n_peaks) < 0.05, 1] = 1
    sets = sparse.csc_matrix(member)
    background = rng.integers(0, n_peaks, (3, n_peaks)).astype(np.int32)
    expectation = (np.asarray(counts.sum(axis=0)).ravel() + 1) / counts.sum()
    expected = sums_one_by_one(reference, counts, sets, background, expectation)
    found = sums_by_bits(compiled, counts, sets, background, expectation, 8)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kind", ["integers", "fractions", "large"])
def test_which_kernel_runs_changes_nothing(kind, monkeypatch):
    from sccase_kit.motifs import chromvar as module
    from sccase_kit.motifs import drawn as choice

    rng = np.random.default_rng(1)
    counts = rng.poisson(2.0, (12, 60)).astype(float) + np.eye(12, 60)
    counts[:, 5] += 1
    counts[0] += 1
    counts = {"integers": counts, "fractions": counts / 2, "large": counts * 2**16}[kind]
    sets = (rng.random((60, 7)) < 0.3).astype(float)
    drawn = rng.integers(0, 60, (60, 5))
    first = module.deviations(counts, sets, drawn)
    monkeypatch.setattr(choice, "_are_plain", lambda sets: False)
    second = module.deviations(counts, sets, drawn)
    np.testing.assert_array_equal(first.z, second.z)
    np.testing.assert_array_equal(first.deviations, second.deviations)
