"""Analytic deviations: the limit of many drawn backgrounds, exact small cases, factors, blocks and bad input."""

import numpy as np
import pytest
from scipy import sparse

from sccase_kit import settings
from sccase_kit.motifs import (
    BackgroundBins,
    annotation_synergy,
    background_bins,
    deviations,
    deviations_of_factors,
    sample_background_peaks,
)


def make_data(n_cells=6, n_peaks=400, n_sets=4, seed=0):
    rng = np.random.default_rng(seed)
    rate = rng.gamma(2, 1, n_peaks)
    counts = rng.poisson(rate * rng.gamma(5, 0.2, (n_cells, 1))).astype(float)
    counts[0, counts.sum(axis=0) == 0] = 1
    sets = sparse.random(n_peaks, n_sets, 0.2, format="csc", random_state=seed)
    plain = sets.copy()
    plain.data[:] = 1
    return sparse.csr_matrix(counts), {"0/1": plain, "weights": sets}, rng.random(n_peaks)


def bins_of(counts, gc):
    return background_bins(np.asarray(counts.sum(axis=0)).ravel(), gc)


def literal(counts, sets, bins, expectation):
    """Moments by loops over sets and cells with the full distribution over peaks of every peak."""
    counts, sets, transition = counts.toarray(), sets.toarray(), bins.transition.toarray()
    chance = transition[bins.member][:, bins.member] / bins.size[bins.member]  # peaks × peaks
    np.testing.assert_allclose(chance.sum(axis=1), 1)
    depth = counts.sum(axis=1)
    deviation, z = np.empty((2, len(counts), sets.shape[1]))
    for s, weight in enumerate(sets.T):
        for i, x in enumerate(counts):
            mean_y, mean_s = weight @ chance @ x, weight @ chance @ expectation
            square = weight**2
            var_s = square @ (chance @ expectation**2 - (chance @ expectation) ** 2)
            cov = square @ (chance @ (x * expectation) - (chance @ x) * (chance @ expectation))
            ratio = mean_y / mean_s
            residual = x - ratio * expectation
            var = square @ (chance @ residual**2 - (chance @ residual) ** 2)
            mean = (ratio + (ratio * var_s - cov) / mean_s**2) / depth[i]
            own = weight @ x / (depth[i] * (weight @ expectation))
            deviation[i, s] = own - mean
            z[i, s] = (own - mean) / (np.sqrt(var) / (depth[i] * mean_s))
    return deviation, z


@pytest.mark.parametrize("kind", ["0/1", "weights"])
@pytest.mark.parametrize("given", [False, True])
def test_equals_moments_over_all_peaks(kind, given):
    counts, sets, gc = make_data()
    bins = bins_of(counts, gc)
    per_peak = np.asarray(counts.sum(axis=0)).ravel()
    expectation = np.random.default_rng(3).dirichlet(per_peak) + 1e-4 if given else per_peak / per_peak.sum()
    found = deviations(counts, sets[kind], bins, expectation=expectation, min_expected=0)
    deviation, z = literal(counts, sets[kind], bins, expectation)
    np.testing.assert_allclose(found.deviations, deviation, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.z, z, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("kind", ["0/1", "weights"])
def test_is_the_limit_of_many_draws(kind):
    counts, sets, gc = make_data(n_peaks=300)
    bins, n_draws = bins_of(counts, gc), 8_000
    drawn = sample_background_peaks(np.asarray(counts.sum(axis=0)).ravel(), gc, n_draws, rng=1)
    many = deviations(counts, sets[kind], drawn, min_expected=0)
    found = deviations(counts, sets[kind], bins, min_expected=0)
    spread, limit = many.deviations / many.z, found.deviations / found.z
    # standard errors of a mean and of a standard deviation over the draws, five of them
    assert (np.abs(found.deviations - many.deviations) < 5 * spread / np.sqrt(n_draws)).all()
    np.testing.assert_allclose(limit, spread, rtol=5 / np.sqrt(2 * n_draws))
    np.testing.assert_allclose(found.fraction_background_overlap, many.fraction_background_overlap, atol=2e-3)
    np.testing.assert_array_equal(found.fraction_matches, many.fraction_matches)


def test_one_bin_gives_the_moments_of_all_peaks():
    counts, sets, _ = make_data()
    n_peaks = counts.shape[1]
    bins = BackgroundBins(np.zeros(n_peaks, dtype=np.intp), np.array([n_peaks]), sparse.csr_matrix([[1.0]]))
    found = deviations(counts, sets["0/1"], bins, expectation=np.full(n_peaks, 1 / n_peaks), min_expected=0)
    x = counts.toarray()
    size = np.diff(sets["0/1"].indptr)
    share = size / n_peaks
    own = (x @ sets["0/1"].toarray()) / (x.sum(axis=1, keepdims=True) * share) - 1
    np.testing.assert_allclose(found.deviations, own, atol=1e-12)
    sd = np.sqrt(size * x.var(axis=1, keepdims=True)) / (x.sum(axis=1, keepdims=True) * share)
    np.testing.assert_allclose(found.z, own / sd, atol=1e-10)


@pytest.mark.parametrize("kind", ["0/1", "weights"])
def test_factors_give_what_their_product_gives(kind):
    counts, sets, gc = make_data()
    rng = np.random.default_rng(5)
    cells, peaks = rng.random((70, 5)), rng.gamma(1, 1, (counts.shape[1], 5))
    product = sparse.csr_matrix(cells @ peaks.T)
    bins = bins_of(product, gc)
    with settings.override(block_bytes=8 * 20 * 19):
        thin = deviations_of_factors(cells, peaks, sets[kind], background=bins)
    whole = deviations(product, sets[kind], bins, min_expected=0)
    np.testing.assert_allclose(thin.deviations, whole.deviations, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(thin.z, whole.z, rtol=1e-7, atol=1e-9)


def test_cells_stand_alone_and_blocks_and_threads_change_nothing():
    counts, sets, gc = make_data(n_cells=50)
    bins = bins_of(counts, gc)
    per_peak = np.asarray(counts.sum(axis=0)).ravel()
    options = {"expectation": per_peak / per_peak.sum(), "min_expected": 0}
    whole = deviations(counts, sets["0/1"], bins, **options)
    done = []
    with settings.override(block_bytes=8 * 3 * 300, n_threads=3):
        blocks = deviations(counts, sets["0/1"], bins, report=done.append, **options)
    np.testing.assert_allclose(blocks.z, whole.z, rtol=1e-9)
    assert sum(done) == 50
    assert len(done) > 3
    again = deviations(counts, sets["0/1"], bins, **options)
    np.testing.assert_array_equal(again.z, whole.z)
    assert np.corrcoef(whole.z.ravel(), deviations(counts, sets["weights"], bins, **options).z.ravel())[0, 1] > 0.5


def test_unknown_values_are_where_the_drawn_form_has_them():
    counts, _, gc = make_data()
    sets = np.zeros((counts.shape[1], 3))
    sets[:100, 0] = 1
    sets[5, 1] = 1  # one peak, less than one read expected; the third set is empty
    drawn = sample_background_peaks(np.asarray(counts.sum(axis=0)).ravel(), gc, 20)
    found = deviations(counts, sets, bins_of(counts, gc), min_expected=50)
    want = deviations(counts, sets, drawn, min_expected=50)
    np.testing.assert_array_equal(np.isnan(found.deviations), np.isnan(want.deviations))
    assert np.isnan(found.z[:, 1:]).all()
    assert np.isnan(found.fraction_background_overlap[2])


def test_synergy_takes_bins():
    counts, _, gc = make_data(n_cells=30)
    rng = np.random.default_rng(0)
    sets = (rng.random((counts.shape[1], 3)) < 0.3).astype(float)
    square = annotation_synergy(counts, sets, bins_of(counts, gc), n_draws=4)
    assert square.shape == (3, 3)
    assert np.isfinite(square.to_numpy()).all()


def test_kernel_equals_itself_uncompiled(uncompiled):
    from sccase_kit.motifs.analytic_kernels import sum_blocks

    counts, sets, _ = make_data()
    rng = np.random.default_rng(0)
    member = rng.integers(0, 7, counts.shape[1]).astype(np.int32)
    share = rng.random(counts.shape[1])
    stored = (counts.indptr.astype(np.int64), counts.indices, counts.data)
    for kind, matrix in sets.items():
        by_peak = matrix.tocsr()
        data = by_peak.data[:0] if kind == "0/1" else by_peak.data
        columns = (by_peak.indptr.astype(np.int64), by_peak.indices.astype(np.uint16), data)
        results = []
        for run in (sum_blocks, uncompiled("sccase_kit.motifs.analytic_kernels").sum_blocks):
            observed, moments = np.zeros((6, 4)), np.zeros((3, 6, 7))
            run(stored, 0, 6, columns, member, share, observed, moments)
            results.append((observed, moments))
        np.testing.assert_allclose(results[0][0], results[1][0])
        np.testing.assert_allclose(results[0][1], results[1][1])
        np.testing.assert_allclose(results[0][0], counts @ matrix.toarray())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bias": np.full(400, np.nan)}, "bias is NaN"),
        ({"peak_counts": np.zeros(400)}, "have no reads"),
        ({"w": 0}, "w must be greater"),
        ({"bs": 1}, "bs must be"),
    ],
)
def test_bad_input_of_bins(change, words):
    counts, _, gc = make_data()
    given = {"peak_counts": np.asarray(counts.sum(axis=0)).ravel(), "bias": gc} | change
    with pytest.raises(ValueError, match=words):
        background_bins(given.pop("peak_counts"), given.pop("bias"), **given)


def test_bins_of_other_peaks_are_refused():
    counts, sets, gc = make_data()
    with pytest.raises(ValueError, match="background bins belong to 400 peaks, but there are 399"):
        deviations(counts[:, :399], sets["0/1"][:399], bins_of(counts, gc))
