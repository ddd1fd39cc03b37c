"""What is left of fits after anndata.concat: the same numbers, or an error that says so."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pytest

import sccase_kit as sk


@pytest.fixture(scope="module")
def whole():
    adata = sk.datasets.toy_study(n_cells=120, n_peaks=500).adata
    sk.pp.filter_peaks(adata)
    return adata


def fitted(adata):
    sk.tl.enhance(adata, 4, method="sccase")
    return adata


@pytest.fixture(scope="module")
def parts(whole):
    halves = [whole[:60].copy(), whole[60:].copy()]
    open_in_both = np.logical_and(*(np.asarray(half.X.sum(axis=0)).ravel() > 0 for half in halves))
    return [fitted(half[:, open_in_both].copy()) for half in halves]


def test_parts_of_one_fit_stay_right(whole):
    one = fitted(whole.copy())
    again = ad.concat([one[60:], one[:60]], merge="first", uns_merge="first")
    np.testing.assert_array_equal(sk.get.enhanced(again), sk.get.enhanced(one)[np.r_[60:120, :60]])


@pytest.mark.parametrize("read", [sk.get.enhanced, sk.get.factors, sk.get.ranges, sk.get.similarity])
def test_two_fits_are_not_taken_for_one(parts, read):
    both = ad.concat(parts, merge="first", uns_merge="first")
    with pytest.raises(ValueError, match="fitted on 60 cells, but adata has 120; fits cannot be concatenated"):
        read(both)


def test_lost_peaks_are_named(parts):
    both = ad.concat([parts[0][:30], parts[0][30:]], uns_merge="first")
    with pytest.raises(KeyError, match=r"adata\.varm has lost sccase_peak_factors, as by concatenation"):
        sk.get.enhanced(both)


def test_a_lost_fit_is_named(parts):
    both = ad.concat(parts)
    with pytest.raises(KeyError, match="what obsm holds lost its fit, as by concatenation"):
        sk.get.enhanced(both)
    with pytest.warns(UserWarning, match="as after concatenation: embeddings of separate fits cannot be compared"):
        sk.tl.cluster(both)
