"""Dropout and subsampling: sizes, shares, seeds, and inputs left alone."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse, stats

import sccase_kit as sk


def dense_of(matrix):
    return sparse.csr_matrix(matrix).toarray()


@pytest.mark.parametrize("rate", [0, 0.3, 1])
def test_dropout_only_removes_in_every_storage(adata, stored, rate):
    before = adata.X.toarray()
    after = dense_of(sk.pp.dropout(stored, rate).X)
    assert ((after == before) | (after == 0)).all()
    assert (after > 0).sum() == {0: (before > 0).sum(), 1: 0}.get(rate, (after > 0).sum())
    np.testing.assert_array_equal(dense_of(sk.pp.dropout(adata, rate).X), after)


def test_dropout_rate_is_a_probability():
    adata = ad.AnnData(np.ones((200, 200)))
    kept = sk.pp.dropout(adata, 0.3, rng=5).X.nnz
    assert stats.binomtest(kept, 40_000, 0.7).pvalue > 1e-3


def test_dropout_seeds_layers_and_input(adata, unchanged):
    check = unchanged(adata)
    first, same, other = (sk.pp.dropout(adata, 0.5, rng=s) for s in (1, 1, 2))
    layered = sk.pp.dropout(adata, 0.5, layer="double", rng=np.random.default_rng(1))
    check()
    np.testing.assert_array_equal(first.X.toarray(), same.X.toarray())
    assert (first.X != other.X).nnz > 0
    np.testing.assert_array_equal(layered.layers["double"].toarray(), 2 * first.X.toarray())
    np.testing.assert_array_equal(layered.X.toarray(), adata.X.toarray())


@pytest.mark.parametrize(
    ("rate", "error", "message"),
    [
        (-0.1, ValueError, "rate must be at least 0"),
        (1.1, ValueError, "rate must be at most 1"),
        (np.nan, ValueError, "rate must be finite"),
        ("half", TypeError, "rate must be a number, got 'half'"),
    ],
)
def test_bad_rates_are_named(adata, rate, error, message):
    with pytest.raises(error, match=message):
        sk.pp.dropout(adata, rate)


def test_bad_counts_are_named(adata):
    adata.X = adata.X.astype(float)
    adata.X.data[0] = -3
    with pytest.raises(ValueError, match="1 negative value"):
        sk.pp.dropout(adata, 0.1)


@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=5),
    fraction=st.floats(0, 1),
    grouped=st.booleans(),
    seed=st.integers(0, 1000),
)
@settings(max_examples=100, deadline=None)
def test_shares(sizes, fraction, grouped, seed):
    labels = np.repeat([f"g{i}" for i in range(len(sizes))], sizes)
    adata = ad.AnnData(np.arange(len(labels), dtype=float)[:, None])
    adata.obs["g"] = labels
    part = sk.pp.subsample_cells(adata, fraction=fraction, groupby="g" if grouped else None, rng=seed)
    chosen = part.X.ravel()
    assert (np.diff(chosen) > 0).all()  # in order, each once
    if grouped:
        found = part.obs["g"].value_counts()
        for i, size in enumerate(sizes):
            assert found[f"g{i}"] == max(1, np.round(fraction * size))
    else:
        assert len(chosen) == max(1, round(fraction * len(labels)))


def test_number_of_cells(adata, stored, unchanged):
    check = None if stored.isbacked else unchanged(stored)
    part = sk.pp.subsample_cells(stored, n_cells=7)
    assert part.n_obs == 7
    assert not part.isbacked
    np.testing.assert_array_equal(dense_of(part.to_memory().X), adata[part.obs_names].X.toarray())
    if check:
        check()


def test_evenness_moves_between_the_sizes_and_the_smallest(adata):
    def counts(e):
        return sk.pp.subsample_cells(adata, groupby="type", evenness=e).obs["type"].value_counts().sort_index().tolist()

    assert counts(0) == [5, 10, 15]
    assert counts(1) == [5, 5, 5]
    assert counts(0.5) == [5, round(np.sqrt(50)), round(np.sqrt(75))]
    degrees = []
    for e in (0, 0.25, 0.5, 0.75, 1):
        part = sk.pp.subsample_cells(adata, groupby="type", evenness=e)
        degrees.append(sk.metrics.imbalance_degree(part.obs["type"]))
    assert np.all(np.diff(degrees) <= 0)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, ValueError, "give exactly one of fraction, n_cells, evenness; got none"),
        ({"fraction": 0.5, "n_cells": 3}, ValueError, "exactly one of .* got {'fraction': 0.5, 'n_cells': 3}"),
        ({"evenness": 0.5}, ValueError, "evenness=0.5 needs groupby"),
        ({"fraction": 1.5}, ValueError, "fraction must be at most 1"),
        ({"fraction": "half"}, TypeError, "fraction must be a number"),
        ({"n_cells": 31}, ValueError, "n_cells must be at most 30, got 31"),
        ({"n_cells": 0}, ValueError, "n_cells must be at least 1"),
        ({"n_cells": 2.0}, TypeError, "n_cells must be an integer"),
        ({"evenness": 2, "groupby": "type"}, ValueError, "evenness must be at most 1"),
        ({"fraction": 0.5, "groupby": "nope"}, KeyError, "groupby='nope' is not in adata.obs"),
    ],
)
def test_bad_sizes_are_named(adata, arguments, error, message):
    with pytest.raises(error, match=message):
        sk.pp.subsample_cells(adata, **arguments)


def test_nothing_to_draw_from(adata):
    with pytest.raises(ValueError, match="no cells"):
        sk.pp.subsample_cells(adata[:0], fraction=0.5)
