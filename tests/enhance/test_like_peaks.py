"""Peaks open in one and the same cell go together in the fit of few cells, and nothing else changes."""

import numpy as np
import pytest
from anndata import AnnData
from scipy import sparse

import sccase_kit as sk
import sccase_kit.enhance.bank as _bank
import sccase_kit.enhance.mixture as _mixture
import sccase_kit.enhance.preparation as _preparation
from sccase_kit.enhance.expected import PeakScaling, measured_peaks
from sccase_kit.enhance.experts import consensus_profiles
from sccase_kit.enhance.keys import data_keys
from sccase_kit.enhance.mixture import climb, peak_shares, start
from sccase_kit.enhance.preparation import Places, distinct_peaks, prepare


@pytest.fixture
def counts(planted):
    """90 cells: 300 peaks of types, 400 peaks that are open in a single cell, and closed ones, in turn."""
    rng = np.random.default_rng(1)
    alone = sparse.csr_matrix(
        (rng.choice([1, 1, 1, 2], 400), (rng.integers(0, 90, 400), np.arange(400))), shape=(90, 400)
    )
    shared = sparse.csr_matrix(planted(n_cells=90, n_peaks=300, n_types=3, seed=2)[0])
    both = sparse.hstack([shared, alone, sparse.csr_matrix((90, 50))], format="csr")
    return sparse.csr_matrix(both[:, rng.permutation(750)].astype(np.int32))


@pytest.fixture
def by_peaks(monkeypatch):
    for module in (_preparation, _bank, _mixture):
        monkeypatch.setattr(module, "by_peaks_pays", lambda _op: True)


@pytest.mark.filterwarnings("ignore:.*peaks are closed")
def test_like_peaks_are_those_open_in_one_cell_with_the_same_count(counts, by_peaks):
    data = prepare(counts)
    together, places = distinct_peaks(data)
    dense = counts.toarray()
    wanted, at = {}, []
    for j, column in enumerate(dense.T):
        cells = tuple(np.flatnonzero(column))
        key = None if not cells else (cells[0], column.max()) if len(cells) == 1 else j
        at.append(-1 if key is None else wanted.setdefault(key, len(wanted)))
    np.testing.assert_array_equal(places.column, at)
    np.testing.assert_array_equal(places.copies, np.bincount([a for a in at if a >= 0]))
    assert places.together
    assert together.op.shape == (90, len(wanted))
    np.testing.assert_array_equal(together.op.copies, places.copies)
    whole, fewer = data.op.to_csr().toarray(), together.op.to_csr().toarray()
    np.testing.assert_allclose(fewer @ fewer.T, whole @ whole.T, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(together.op.sq_norm(), data.op.sq_norm(), rtol=1e-6)
    np.testing.assert_array_equal(data_keys(together.op).cells, data_keys(data.op).cells)
    one_each = [next(j for j in range(750) if at[j] == c) for c in range(len(wanted))]
    np.testing.assert_array_equal(data_keys(together.op).peaks, data_keys(data.op).peaks[one_each])


@pytest.mark.filterwarnings("ignore:.*peaks are closed")
def test_stored_zeros_and_binary_counts_are_seen_as_they_are(counts, by_peaks):
    padded = counts.copy().tolil()
    padded = sparse.csr_matrix(padded)
    zeros = sparse.csr_matrix((np.zeros(90), (np.arange(90), np.full(90, 7))), shape=counts.shape)
    both = sparse.coo_matrix(padded), sparse.coo_matrix(zeros)
    stored = [np.concatenate([getattr(part, name) for part in both]) for name in ("data", "row", "col")]
    padded = sparse.csr_matrix((stored[0], (stored[1], stored[2])), shape=counts.shape)
    assert padded.nnz > counts.nnz
    np.testing.assert_array_equal(distinct_peaks(prepare(padded))[1].column, distinct_peaks(prepare(counts))[1].column)
    ones = counts.copy()
    ones.data[:] = 1
    _, places = distinct_peaks(prepare(counts, binary=True))
    np.testing.assert_array_equal(places.column, distinct_peaks(prepare(ones))[1].column)


@pytest.mark.filterwarnings("ignore:.*peaks are closed")
def test_mixtures_and_consensus_of_columns_are_the_sums_of_those_of_peaks(counts, by_peaks):
    data = prepare(counts)
    together, places = distinct_peaks(data)
    rng = np.random.default_rng(0)
    hs = [rng.random((90, k)) for k in (2, 3)]
    kernel = sparse.csr_matrix(np.eye(90))
    found = {}
    for name, some in (("peaks", data), ("columns", together)):
        mean, n_entries = peak_shares(some.op)
        mixtures = climb(some.op, start(some.op, hs, mean), kernel, alpha=30.0, mean=mean, n_entries=n_entries)
        scaling = measured_peaks(some.op, some.n_cells_open)
        found[name] = mean, mixtures, consensus_profiles(some.op, hs, kernel, scaling), n_entries

    def summed(values):
        out = np.zeros((len(places.copies), *values.shape[1:]))
        np.add.at(out, places.column[places.column >= 0], values[places.column >= 0])
        return out

    (mean, mixtures, consensus, n_entries), of_columns = found["peaks"], found["columns"]
    assert n_entries == of_columns[3] == counts.nnz
    np.testing.assert_allclose(of_columns[0], summed(mean), rtol=1e-12)
    np.testing.assert_allclose(of_columns[1].theta, mixtures.theta, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(of_columns[1].phi, summed(mixtures.phi), rtol=1e-4, atol=1e-8)
    np.testing.assert_allclose(of_columns[2].plain, consensus.plain, rtol=1e-5)
    np.testing.assert_allclose(of_columns[2].profiles, summed(consensus.profiles), rtol=1e-4, atol=1e-8)


def test_a_peak_open_in_every_cell_has_its_share_where_peaks_go_together():
    counts = sparse.csr_matrix(np.hstack([np.full((4, 1), 2), np.eye(4), np.eye(4)[:, :2], np.tri(4)[:, :2]]))
    from sccase_kit.matrix.operator import ScaledOperator

    op = ScaledOperator(counts, None, np.ones(9))
    together = op.with_columns(np.array([0, 1, 2, 3, 4, 7, 8]), np.array([1.0, 2, 2, 1, 1, 1, 1]))
    together.col_scale[0] = 0
    scaling = measured_peaks(together, np.array([4, 1, 1, 1, 1, 4, 3]))
    assert isinstance(scaling, PeakScaling)
    np.testing.assert_allclose(scaling.share[0], 8 / counts.sum())


@pytest.mark.filterwarnings("ignore:.*peaks are closed")
def test_a_fit_is_the_same_with_like_peaks_together(planted, monkeypatch):
    rng = np.random.default_rng(3)
    shared = sparse.csr_matrix(planted(n_cells=120, n_peaks=600, n_types=3, seed=4)[0])
    alone = sparse.csr_matrix((np.ones(900), (rng.integers(0, 120, 900), np.arange(900))), shape=(120, 900))
    counts = sparse.hstack([shared, alone], format="csr").astype(np.int32)
    for module in (_preparation, _bank, _mixture):
        monkeypatch.setattr(module, "by_peaks_pays", lambda _op: True)
    fits = {}
    for most in (1_500, 0):
        monkeypatch.setattr(_preparation, "MOST_CELLS", most)
        fits[most] = AnnData(counts.copy())
        sk.tl.enhance(fits[most], rng=0)
    together, apart = fits.values()
    assert together.uns["sccase"]["expected"]["gain"] > 0
    for axis, names in (("obsm", ("X_sccase", "sccase_cell_factors", "sccase_shares")), ("varm", ("sccase_profiles",))):
        for name in names:
            ours, theirs = getattr(together, axis)[name], getattr(apart, axis)[name]
            assert np.abs(ours - theirs).max() < 0.02 * np.abs(theirs).max(), name
    np.testing.assert_allclose(together.varm["sccase_projection"].sum(axis=0), 1, rtol=1e-4)
    np.testing.assert_allclose(together.varm["sccase_profiles"].sum(axis=0), 1, rtol=1e-4)
    like = [np.flatnonzero((counts[:, 600:].toarray() > 0)[cell]) + 600 for cell in range(3)]
    for peaks in like:
        for name in ("sccase_projection", "sccase_peak_factors", "sccase_profiles"):
            assert np.ptp(together.varm[name][peaks], axis=0).max() == 0


def test_sums_are_shared_out_in_the_room_they_stand_in():
    places = Places(6, np.array([0, -1, 1, 0, 2, 0]), np.array([3.0, 1.0, 1.0]))
    sums = np.arange(1.0, 7.0).reshape(3, 2)
    apart = places.shared_out(sums)
    np.testing.assert_allclose(apart, [[1 / 3, 2 / 3], [0, 0], [3, 4], [1 / 3, 2 / 3], [5, 6], [1 / 3, 2 / 3]])
    whole, first = places.room(2, np.float64)
    first[:] = sums
    assert places.shared_out(first, whole) is whole
    np.testing.assert_array_equal(whole, apart)


def test_places_without_anything_to_do_leave_arrays_as_they_are():
    values = np.arange(6.0).reshape(3, 2)
    places = Places(3)
    assert not places.together
    assert places.spread(values) is values
    assert places.shared_out(values) is values
