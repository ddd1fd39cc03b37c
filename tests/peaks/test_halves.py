"""Held-out halves summed over groups, against loops; and where cells are put."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from sccase_kit.peaks.halves import assigned_groups, depth_strata, half_sums


def test_sums_are_those_of_loops():
    rng = np.random.default_rng(0)
    n_cells, n_peaks, n_groups = 40, 12, 3
    place = rng.integers(3, size=(n_cells, n_peaks))  # 0 closed, 1 in the first half, 2 in the second
    kept, hidden = (sparse.csr_matrix((place == k).astype(float)) for k in (1, 2))
    codes, strata = rng.integers(n_groups, size=n_cells), rng.integers(2, size=n_cells)
    level = rng.random((n_groups, n_peaks))
    truth = rng.integers(n_groups, size=n_cells)
    groups = {"codes": truth, "told": codes, "n_groups": n_groups}
    found = half_sums(kept, hidden, **groups, strata=strata, level=level)
    assert found.told.tolist() == [[((truth == a) & (codes == b)).sum() for b in range(3)] for a in range(3)]
    for g in range(n_groups):
        for s in range(2):
            for p in range(n_peaks):
                own = [i for i in range(n_cells) if codes[i] == g and strata[i] == s]
                at_risk = [i for i in own if place[i, p] != 1]
                assert found.opens[g, s, p] == sum(place[i, p] == 2 for i in own)
                assert found.cells[g, s, p] == len(at_risk)
                assert found.risk[g, s, p] == sum((place[i] == 2).sum() for i in at_risk)
    np.testing.assert_array_equal(found.level, level)


def test_cells_are_put_where_discriminant_analysis_puts_them():
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    rng = np.random.default_rng(1)
    codes = rng.integers(3, size=300)
    place = rng.normal(size=(300, 4)) @ rng.normal(size=(4, 4)) + codes[:, None] * [4.0, 2.0, 0.0, 0.0]
    folds = rng.integers(2, size=300)
    found = assigned_groups(place, codes, 3, folds=folds)
    for fold in (0, 1):
        other = folds != fold
        model = LinearDiscriminantAnalysis(solver="lsqr").fit(place[other], codes[other])
        assert (found[~other] == model.predict(place[~other])).mean() > 0.99
    assert (found == codes).mean() > 0.5


def test_a_cell_does_not_tell_its_own_group():
    """Labels that are noise are found back no better than by chance."""
    rng = np.random.default_rng(2)
    place, codes = rng.normal(size=(400, 60)), rng.integers(2, size=400)
    assert 0.4 < (assigned_groups(place, codes, 2, folds=rng.integers(5, size=400)) == codes).mean() < 0.6


def test_groups_without_a_cell_in_other_folds_get_none():
    place, codes = np.arange(8.0)[:, None], np.array([0, 0, 0, 1, 1, 1, 1, 2])
    found = assigned_groups(place, codes, 3, folds=np.array([0, 1] * 4))
    assert 2 not in found[1::2]  # the only cell of the third group lies in their own fold
    with pytest.raises(ValueError, match="all cells are of one fold"):
        assigned_groups(place, codes, 3, folds=np.zeros(8, dtype=int))
    flat = assigned_groups(np.zeros((8, 2)), codes, 3, folds=np.array([0, 1] * 4))
    assert set(flat) <= {0, 1, 2}


def test_strata_are_of_equal_size_within_batches():
    depth, batch = np.arange(80)[::-1], np.repeat([0, 1], 40)
    strata = depth_strata(depth, batch, 4)
    assert np.bincount(strata).tolist() == [10] * 8
    assert strata[:40].max() < strata[40:].min()
    assert (np.diff(strata[:40]) <= 0).all()
    assert set(depth_strata(np.ones(10), np.zeros(10, dtype=int), 4)) == {0}
