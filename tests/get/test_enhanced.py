"""Blocks of the enhanced matrix by names, masks, positions and slices."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk


@pytest.fixture(scope="module")
def adata():
    adata = sk.datasets.toy_study(n_cells=80, n_peaks=400).adata
    sk.tl.enhance(adata, 4)
    return adata


@pytest.mark.parametrize("scale", [None, "minmax"])
def test_blocks_are_cut_from_the_whole(adata, scale):
    whole = sk.get.enhanced(adata, scale=scale)
    rows, cols = [3, 70, 5], [0, 399, 17]
    mask = np.zeros(adata.n_vars, dtype=bool)
    mask[[1, 5]] = True
    cases = [
        (adata.obs_names[rows], adata.var_names[cols], whole[np.ix_(rows, cols)]),
        (rows, cols, whole[np.ix_(rows, cols)]),
        (slice(2, 9, 2), mask, whole[2:9:2][:, mask]),
        (adata.obs_names[4], None, whole[[4]]),
        (None, [-1], whole[:, [-1]]),
    ]
    for obs_names, var_names, expected in cases:
        block = sk.get.enhanced(adata, obs_names=obs_names, var_names=var_names, scale=scale)
        np.testing.assert_allclose(block, expected, atol=1e-6)


def test_minmax_is_the_published_scaling(adata):
    values = sk.get.enhanced(adata).astype(np.float64)
    for axis in (0, 1):
        low, high = values.min(axis=axis, keepdims=True), values.max(axis=axis, keepdims=True)
        values = (values - low) / np.where(high > low, high - low, 1)
    np.testing.assert_allclose(sk.get.enhanced(adata, scale="minmax"), values, atol=2e-4)


def test_subset_keeps_the_ranges_of_the_whole(adata):
    whole = sk.get.enhanced(adata, scale="minmax")
    part = adata[10:20, 50:90].copy()
    np.testing.assert_allclose(sk.get.enhanced(part, scale="minmax"), whole[10:20, 50:90], atol=1e-6)
    for slots in (part.obsm, part.varm):
        del slots["sccase_range"]
    with pytest.raises(ValueError, match=r"get\.ranges"):
        sk.get.enhanced(part, scale="minmax")


def test_ranges_do_not_depend_on_block_size(adata):
    limits = []
    for block_bytes in (1, 10_000, 10**9):
        other = adata.copy()
        del other.obsm["sccase_range"], other.varm["sccase_range"]
        with sk.settings.override(block_bytes=block_bytes):
            limits.append(sk.get.ranges(other))
    for other in limits[1:]:
        np.testing.assert_allclose(other.peak, limits[0].peak, rtol=1e-5, atol=1e-9)
        np.testing.assert_allclose(other.cell, limits[0].cell, rtol=1e-4, atol=1e-5)


def test_errors(adata):
    with pytest.raises(KeyError, match="2 name"):
        sk.get.enhanced(adata, var_names=["nope", "nada"])
    with pytest.raises(ValueError, match="mask of length 3"):
        sk.get.enhanced(adata, var_names=np.array([True, False, True]))
    with pytest.raises(IndexError, match="outside"):
        sk.get.enhanced(adata, obs_names=[1000])
    with pytest.raises(KeyError, match="found"):
        sk.get.enhanced(adata, "other")
    with pytest.raises(ValueError, match="scale must be None"):
        sk.get.enhanced(adata, scale="unit")
    twins = adata[:3].copy()
    twins.obs.index = pd.Index(["a", "a", "b"])
    with pytest.raises(ValueError, match="duplicated"):
        sk.get.enhanced(twins, obs_names=["a"])
