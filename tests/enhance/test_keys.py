"""Random numbers that follow the cells and peaks wherever they stand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.stats import kstest

import sccase_kit as sk
from sccase_kit.enhance import hiding
from sccase_kit.enhance.keys import data_keys, drawn, mixed, normal, uniform
from sccase_kit.matrix.operator import ScaledOperator


@pytest.fixture
def counts():
    return sparse.random(60, 90, 0.2, format="csr", random_state=0)


def test_keys_follow_their_cells_and_peaks(counts):
    rng = np.random.default_rng(1)
    rows, cols = rng.permutation(60), rng.permutation(90)
    a, b = data_keys(ScaledOperator(counts)), data_keys(ScaledOperator(counts[rows][:, cols].tocsr()))
    np.testing.assert_array_equal(b.cells, a.cells[rows])
    np.testing.assert_array_equal(b.peaks, a.peaks[cols])
    assert len(np.unique(a.cells)) == 60
    assert len(np.unique(a.peaks)) == 90


def test_keys_know_open_and_closed_alone(counts):
    a, b = data_keys(ScaledOperator(counts)), data_keys(ScaledOperator((3 * counts).astype(np.int32) + counts.sign()))
    np.testing.assert_array_equal(a.cells, b.cells)


def test_numbers_are_uniform_and_normal():
    keys = np.arange(4000, dtype=np.uint64)
    assert kstest(uniform(keys, 3), "uniform").pvalue > 0.01
    values = normal(keys, 3, np.random.default_rng(0))
    assert all(kstest(column, "norm").pvalue > 1e-4 for column in values.T)
    assert np.abs(np.corrcoef(values.T) - np.eye(3)).max() < 0.06
    assert len(np.unique(mixed(keys))) == 4000
    np.testing.assert_array_equal(values, normal(keys, 3, np.random.default_rng(0)))
    assert (values != normal(keys, 3, np.random.default_rng(1))).all()


@pytest.mark.parametrize("most", [hiding.MOST_ENTRIES, 400])  # all hidden entries are judged, or some
def test_a_fit_does_not_depend_on_the_order(most, monkeypatch):
    monkeypatch.setattr(hiding, "MOST_ENTRIES", most)
    adata = sk.datasets.simulate(120, 400, mode="discrete", n_types=3, library_size=150, rng=0)
    sk.pp.filter_peaks(adata)
    rng = np.random.default_rng(1)
    rows, cols = rng.permutation(adata.n_obs), rng.permutation(adata.n_vars)
    other = adata[rows, cols].copy()
    for data in (adata, other):
        sk.tl.enhance(data)
    for scale in (None, "accessibility"):
        a, b = sk.get.enhanced(adata, scale=scale)[np.ix_(rows, cols)], sk.get.enhanced(other, scale=scale)
        assert np.linalg.norm(a - b) < 1e-4 * np.linalg.norm(a)


def test_draws_follow_the_keys_and_take_some_first():
    keys = mixed(np.arange(500, dtype=np.uint64))
    kept, order = drawn(keys, 40, 3), np.random.default_rng(0).permutation(500)
    assert kept.sum() == 40
    np.testing.assert_array_equal(drawn(keys[order], 40, 3), kept[order])
    assert drawn(keys, 600, 3).all()
    assert (drawn(keys, 40, 4) != kept).any()
    first = np.arange(500) < 30
    taken = drawn(keys, 40, 3, first=first)
    assert taken.sum() == 40
    assert taken[:30].all()
    assert drawn(np.zeros(500, dtype=np.uint64), 40, 3).sum() == 40  # cells that cannot be told apart
