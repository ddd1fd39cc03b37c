"""Passes of factorisations over the peaks of few cells, against the same steps written out."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy import sparse

import sccase_kit as sk
from sccase_kit.enhance import bank as _bank
from sccase_kit.enhance.bank import bank_of_cells, nmf_bank
from sccase_kit.matrix import peaks as _peaks
from sccase_kit.matrix.columns import TILE
from sccase_kit.matrix.operator import ScaledOperator
from sccase_kit.matrix.peaks import CountsByPeaks, by_peaks_pays, in_tiles

CUTS = np.array([0, 2, 7])


def data(*, binary=False, dtype=np.float64, width=7):
    rng = np.random.default_rng(0)
    counts = sparse.csr_matrix((rng.poisson(0.4, (30, 300))).astype(np.int32))
    op = ScaledOperator(counts, rng.random(30), rng.random(300), dtype=dtype, binary=binary)
    dense = counts.toarray().astype(float)
    dense = op.row_scale[:, None] * ((dense > 0) if binary else dense) * op.col_scale
    return op, dense, rng.random((30, width)), rng.random((300, width))


def within(values, cuts):
    out = np.zeros((values.shape[1],) * 2)
    for a, b in pairwise(cuts):
        out[a:b, a:b] = values[:, a:b].T @ values[:, a:b]
    return out


def swept(start, target, gram, cuts, n_sweeps=2):
    w = start.copy()
    for a, b in pairwise(cuts):
        for _ in range(n_sweeps):
            for j in range(a, b):
                rest = target[:, j] - w[:, a:b] @ gram[a:b, j]
                w[:, j] = np.maximum(w[:, j] + rest / gram[j, j], 0)
    return w


def turned(values):
    """The rows of every tile as columns, one tile after the other."""
    parts = [values[low : low + TILE].T.ravel() for low in range(0, len(values), TILE)]
    return np.concatenate(parts).reshape(values.shape)


def test_tiles_are_turned_in_place():
    values = np.random.default_rng(1).random((2 * TILE + 30, 5))
    wanted, given = turned(values), values.copy()
    assert in_tiles(given) is given
    np.testing.assert_array_equal(given, wanted)


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("n_threads", [1, 3])
def test_a_pass_is_a_sweep_and_two_products(binary, n_threads, monkeypatch):
    monkeypatch.setattr(_peaks, "_MIN_NNZ_PER_THREAD", 100)
    op, dense, h, w = data(binary=binary)
    with sk.settings.override(n_threads=n_threads):
        counts = CountsByPeaks(op)
        first = counts.image(turned(w), CUTS)
        np.testing.assert_allclose(first.image, dense @ w)
        np.testing.assert_allclose(first.gram, within(w, CUTS))
        gram, start, new = within(h, CUTS), turned(w * 1.3), turned(w)
        wanted = swept(w * 1.3, dense.T @ h, gram, CUTS)
        found = counts.update(h, gram, CUTS, start=start, w=new, momentum=0.5)
        further = np.maximum(wanted + 0.5 * (wanted - w), 0)
        np.testing.assert_allclose(new, turned(wanted))
        np.testing.assert_allclose(start, turned(further))
        np.testing.assert_allclose(found.image, dense @ further)
        np.testing.assert_allclose(found.gram, within(further, CUTS))
        back = counts.finish(h, gram, CUTS, start=start, w=new)
        np.testing.assert_allclose(back, dense.T @ h)
        np.testing.assert_allclose(new, swept(further, dense.T @ h, gram, CUTS))


def test_more_than_sixty_four_columns():
    op, dense, h, w = data(width=83)
    cuts = np.array([0, 20, 83])
    found = CountsByPeaks(op).image(turned(w), cuts)
    np.testing.assert_allclose(found.image, dense @ w)
    back = CountsByPeaks(op).finish(h, within(h, cuts), cuts, start=turned(w), w=turned(w))
    np.testing.assert_allclose(back, dense.T @ h)


@pytest.mark.parametrize("n_iter", [1, 2, 5])
def test_a_bank_by_peaks_is_that_by_cells(n_iter, monkeypatch):
    op, *_ = data()
    assert not by_peaks_pays(op)  # too few counts to compile for
    cells = nmf_bank(op, (2, 3), rng=np.random.default_rng(0), n_iter=n_iter)
    monkeypatch.setattr(_bank, "by_peaks_pays", lambda _op: True)
    peaks = nmf_bank(op, (2, 3), rng=np.random.default_rng(0), n_iter=n_iter)
    for name in ("h", "w", "image"):
        np.testing.assert_allclose(getattr(cells, name), getattr(peaks, name), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("by_peaks", [False, True])
def test_memberships_alone_are_those_of_the_bank(by_peaks, monkeypatch):
    op, *_ = data()
    monkeypatch.setattr(_bank, "by_peaks_pays", lambda _op: by_peaks)
    whole = nmf_bank(op, (2, 3), rng=np.random.default_rng(0), n_iter=4)
    cells = bank_of_cells(op, (2, 3), rng=np.random.default_rng(0), n_iter=4)
    np.testing.assert_allclose(cells, whole.h, rtol=1e-10)


def test_it_pays_for_few_cells_in_memory(monkeypatch):
    monkeypatch.setattr(_peaks, "COMPILED_NNZ", 100)
    op, *_ = data()
    assert by_peaks_pays(op)
    assert not by_peaks_pays(ScaledOperator(sparse.csr_matrix(op.stored().T)))
    monkeypatch.setattr(_peaks, "MOST_CELLS", 20)
    assert not by_peaks_pays(op)
