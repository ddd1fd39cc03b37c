"""Entries that a fit hides from itself: what is left and judged, and scores against dense sums."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from sccase_kit.enhance import choosing, hiding
from sccase_kit.enhance.choosing import choose, large_weights, likelihood_weights
from sccase_kit.enhance.hiding import FEWEST, HIDDEN, Hidden, sample_cells
from sccase_kit.enhance.keys import data_keys, uniform
from sccase_kit.enhance.robust import RobustOptions
from sccase_kit.matrix.operator import ScaledOperator
from sccase_kit.metrics.hidden import ThinShares, score_entries

BANK = (2, 3, 4)


@pytest.fixture(scope="module")
def counts():
    rng = np.random.default_rng(0)
    return sparse.csr_matrix((rng.random((150, 90)) < rng.uniform(0.02, 0.4, 90)) * rng.integers(1, 3, (150, 90)))


@pytest.fixture(scope="module")
def sample(counts):
    op = ScaledOperator(counts)
    return sample_cells(op, data_keys(op), 3)


def typed(effect, *, n_cells=200, n_peaks=300, seed=0):
    """Cells of three types."""
    rng = np.random.default_rng(seed)
    base = rng.gamma(2.0, 1.0, n_peaks) + 0.1
    profiles = base * np.exp(effect * rng.standard_normal((3, n_peaks)))
    profiles = (profiles / profiles.sum(axis=1, keepdims=True))[rng.integers(3, size=n_cells)]
    return ScaledOperator(sparse.csr_matrix((rng.random(profiles.shape) < 1 - np.exp(-60 * profiles)).astype(np.int32)))


def test_folds_hide_every_entry_once_and_leave_the_rest(counts, sample):
    hidden_in = np.zeros(counts.shape)
    for number in range(10):
        left, hidden, judged = sample.fold(number)
        assert left.shape == hidden.shape == (150, judged.sum())
        whole = (left + hidden).toarray()
        np.testing.assert_array_equal(whole, counts[:, judged].toarray())
        assert not left.multiply(hidden).nnz
        n_left = np.bincount(left.indices, minlength=left.shape[1])
        assert n_left.min() >= FEWEST
        hidden_in[:, judged] += hidden.toarray() > 0
    often = np.asarray((counts > 0).sum(axis=0)).ravel() > 2 * FEWEST
    np.testing.assert_array_equal(hidden_in[:, often], counts[:, often].toarray() > 0)
    assert sample.fold(0)[1].nnz == pytest.approx(HIDDEN * counts.nnz, rel=0.3)


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("most", [40, 12_000])
def test_a_fold_written_out(counts, binary, most, monkeypatch):
    monkeypatch.setattr(hiding, "MOST_ENTRIES", most)
    stored = counts.copy()
    stored.data[::7] = 0  # zeros that are stored are no entries
    op = ScaledOperator(stored, binary=binary)
    keys = data_keys(op)
    left, hidden, judged = sample_cells(op, keys, 3).fold(4)
    cells, peaks = np.nonzero(stored.toarray())
    numbers = uniform(keys.cells[cells] ^ (keys.peaks[peaks] << np.uint64(1)), 4)
    hide = (numbers >= 0.4) & (numbers < 0.5)
    returned = hide & (numbers < 0.4 + 0.1 * min(1, most / hide.sum()))
    assert (returned.sum() < hide.sum()) == (most == 40)
    values = np.ones(len(cells)) if binary else stored.toarray()[cells, peaks]
    wanted = np.zeros((2, *counts.shape))
    wanted[0][cells[~hide], peaks[~hide]] = values[~hide]
    wanted[1][cells[returned], peaks[returned]] = values[returned]
    np.testing.assert_array_equal(judged, (wanted[0] > 0).sum(axis=0) >= FEWEST)
    for found, dense in zip((left, hidden), wanted, strict=True):
        assert found.has_canonical_format
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found.toarray(), dense[:, judged])


def test_a_fold_does_not_depend_on_order(counts, sample):
    rng = np.random.default_rng(1)
    cells, peaks = rng.permutation(150), rng.permutation(90)
    op = ScaledOperator(sparse.csr_matrix(counts[cells][:, peaks]))
    moved = sample_cells(op, data_keys(op), 3)
    (left, hidden, judged), (other, other_hidden, other_judged) = sample.fold(2), moved.fold(2)
    np.testing.assert_array_equal(judged[peaks], other_judged)
    at = np.argsort(peaks[other_judged])
    np.testing.assert_array_equal(other.toarray()[np.argsort(cells)][:, at], left.toarray())
    np.testing.assert_array_equal(other_hidden.toarray()[np.argsort(cells)][:, at], hidden.toarray())


def test_where_all_peaks_are_rare_they_are_judged_all_the_same():
    rng = np.random.default_rng(2)
    counts = sparse.csr_matrix(rng.random((60, 400)) < 0.03).astype(np.int32)
    op = ScaledOperator(counts)
    left, _, judged = sample_cells(op, data_keys(op), 0).fold(0)
    n_open = np.bincount(left.indices, minlength=left.shape[1])
    assert n_open.min() < FEWEST
    assert 2 * left.nnz >= 0.85 * counts.nnz
    assert judged.sum() == left.shape[1]


def test_scores_are_those_of_the_evaluation(sample, monkeypatch):
    from sccase_kit.metrics import hidden as evaluation

    monkeypatch.setattr(evaluation, "FLOOR", 0.0)
    left, gone, _ = sample.fold(1)
    rng = np.random.default_rng(4)
    theta, phi = rng.random((150, 3)), rng.random((left.shape[1], 3))
    theta, phi = theta / theta.sum(axis=1, keepdims=True), phi / phi.sum(axis=0)
    hidden = Hidden(left, gone)
    values = hidden.values(theta, phi, squares=True)
    both = sparse.csr_matrix((left > 0).astype(np.int8) + 2 * (gone > 0).astype(np.int8))
    blocks = iter([(slice(0, 150), both, both.data == 2)])
    wanted = score_entries(ThinShares(theta, phi, hidden.mean), blocks, hidden.mean)
    gain = np.bincount(hidden.row, weights=hidden.log_ratios(values), minlength=150)
    np.testing.assert_allclose(gain, wanted.gain, rtol=1e-9, atol=1e-12)
    seen, said = hidden.deviations(values)
    np.testing.assert_allclose(seen, wanted.seen, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(said, wanted.said, rtol=1e-9, atol=1e-9)


def test_stretched_ratios_are_those_of_stretched_predictions(sample):
    left, gone, _ = sample.fold(0)
    rng = np.random.default_rng(5)
    theta, phi = rng.random((150, 2)), rng.random((left.shape[1], 2))
    theta, phi = theta / theta.sum(axis=1, keepdims=True), phi / phi.sum(axis=0)
    hidden = Hidden(left, gone)
    half = hidden.mean[:, None] + 0.5 * (phi - hidden.mean[:, None])
    found = hidden.ratios(hidden.values(theta, phi), 0.5)
    np.testing.assert_allclose(found, hidden.ratios(hidden.values(theta, half)), rtol=1e-9)
    np.testing.assert_allclose(hidden.ratios(hidden.values(theta, phi), 0.0), 1)


def test_ratios_of_parts_are_those_of_each(sample):
    left, gone, _ = sample.fold(0)
    rng = np.random.default_rng(7)
    thetas, phi = rng.random((2, 150, 6)), rng.random((left.shape[1], 6))
    phi /= phi.sum(axis=0)
    hidden = Hidden(left, gone)
    found = hidden.ratios_of_parts(thetas, phi, (1, 3, 2))
    for theta, ratios in zip(thetas, found, strict=True):
        for part, own in zip((slice(0, 1), slice(1, 4), slice(4, 6)), ratios, strict=True):
            np.testing.assert_allclose(own, hidden.ratios(hidden.values(theta[:, part], phi[:, part])), rtol=1e-9)


def test_experts_of_little_weight_are_dropped_and_the_others_fitted_anew():
    rng = np.random.default_rng(8)
    ratios = np.exp(rng.normal(0, 0.3, (2000, 1)) + rng.normal([0.02, 0.02, 0.01, 0, 0, -0.05], 0.3, (2000, 6)))
    weights = likelihood_weights(ratios)
    found = large_weights(ratios, weights)
    few = weights < min(choosing.LEAST, 0.7 * weights.max())
    assert 0 < few.sum() < 5
    assert not found[few].any()
    assert found.sum() == pytest.approx(1)
    np.testing.assert_allclose(found[~few], likelihood_weights(ratios[:, ~few]))
    scaled = np.where(few, 0, weights) / weights[~few].sum()
    assert np.log(ratios @ found).mean() >= np.log(ratios @ scaled).mean() - 1e-4
    alike = np.full((50, 40), 1.2)
    np.testing.assert_allclose(large_weights(alike, likelihood_weights(alike)), 1 / 40)


@pytest.mark.parametrize("seed", range(3))
def test_without_signal_the_choice_is_the_mean_after_every_fold(seed):
    op = typed(0.0, seed=seed)
    choice = choose(op, BANK, data_keys(op), RobustOptions(), rng=np.random.default_rng(0))
    assert choice.mean == 1
    assert choice.stretch == 1
    assert not np.concatenate([choice.climbed, choice.plain, choice.smooth]).any()
    assert choice.n_folds == choosing.MOST_FOLDS
    assert choice.gain < 2 * choice.error


def test_with_signal_one_fold_is_enough():
    op = typed(1.0)
    choice = choose(op, BANK, data_keys(op), RobustOptions(), rng=np.random.default_rng(0))
    assert choice.n_folds == 1
    assert choice.mean < 0.3
    assert choice.gain > 4 * choice.error


@pytest.mark.parametrize("n_cells", [300, 1800])
def test_where_like_entries_are_hidden_together_the_mean_is_the_answer(n_cells):
    of_type = np.repeat(np.eye(2, dtype=np.int32), 40, axis=1)  # all cells of a type, and their peaks, are alike
    op = ScaledOperator(sparse.csr_matrix(np.repeat(of_type, n_cells // 2, axis=0)))
    choice = choose(op, BANK, data_keys(op), RobustOptions(), rng=np.random.default_rng(0))
    assert choice.mean == 1
    assert (choice.gain, choice.error) == (0, 0)
    assert not np.any([choice.climbed, choice.plain, choice.smooth])


def test_the_stretch_is_the_slope_of_what_was_seen_unless_it_is_unlikely_or_unknown(sample):
    left, gone, _ = sample.fold(0)
    hidden = Hidden(left, gone)
    rng = np.random.default_rng(6)
    theta = rng.random((150, 2))
    theta /= theta.sum(axis=1, keepdims=True)
    noise = hidden.mean[:, None] * rng.uniform(0.5, 1.5, (left.shape[1], 2))  # nothing is known of these data
    values = hidden.values(theta, noise / noise.sum(axis=0), squares=True)
    assert choosing._stretch([(hidden, values)]) < 0.7
    flat = hidden.values(theta, np.column_stack([hidden.mean, hidden.mean]), squares=True)
    assert choosing._stretch([(hidden, flat)]) == 1


def test_a_slope_that_is_well_known_is_the_stretch():
    rng = np.random.default_rng(7)
    mean = np.full(200, 1 / 200)
    profiles = np.column_stack([1 + 0.8 * np.sin(np.arange(200)), 1 - 0.8 * np.sin(np.arange(200))]) / 200
    kind = rng.integers(2, size=3000)
    x = rng.random((3000, 200)) < 6 * profiles.T[kind]  # so few that a peak is hardly ever drawn twice
    hide = x & (rng.random(x.shape) < 0.1)
    hidden = Hidden(sparse.csr_matrix(x & ~hide).astype(np.int8), sparse.csr_matrix(hide).astype(np.int8))
    theta = np.eye(2)[kind]
    for factor in (0.5, 0.8):
        said = mean[:, None] + factor * (profiles - mean[:, None])
        found = choosing._stretch([(hidden, hidden.values(theta, said, squares=True))])
        assert found == pytest.approx(1 / factor, rel=0.1)
