"""The toy multiome: one set of cells, links that hold, and decoys that do not."""

from __future__ import annotations

import numpy as np
import pytest

import sccase_kit as sk


@pytest.fixture(scope="module")
def toy():
    return sk.datasets.toy_multiome(n_cells=600, n_peaks=1000, rng=1)


def test_two_modalities_of_the_same_cells(toy):
    assert toy.atac.obs_names.equals(toy.rna.obs_names)
    assert toy.rna.var_names.tolist() == toy.genes["symbol"].tolist()
    assert toy.rna.X.format == "csr"
    assert toy.rna.X.dtype == np.int32
    assert str(toy).startswith("ToyMultiome: 600 cells")
    assert 300 < toy.rna.X.sum(axis=1).mean() < 2_000


def test_links_are_near_and_leave_decoys(toy):
    assert (toy.links["distance"] <= 100_000).all()
    assert toy.links.groupby("gene").size().max() == 2
    assert not toy.links.duplicated(["peak", "gene"]).any()


def test_open_links_raise_the_gene(toy):
    atac, rna = toy.atac.to_df("truth"), toy.rna.to_df()
    depth = rna.sum(axis=1)
    gains = []
    for peak, gene in toy.links[["peak", "gene"]].itertuples(index=False):
        is_open = atac[peak] == 1
        share = rna[gene] / depth
        gains.append(share[is_open].mean() > share[~is_open].mean())
    assert np.mean(gains) > 0.85


def test_equal_arguments_give_equal_data(toy):
    again = sk.datasets.toy_multiome(n_cells=600, n_peaks=1000, rng=1)
    assert (again.rna.X != toy.rna.X).nnz == 0
    assert again.links.equals(toy.links)


@pytest.mark.parametrize("given", [{"n_links": 0}, {"effect": -1.0}, {"umis": 0}, {"effect": np.nan}])
def test_bad_arguments(given):
    with pytest.raises(ValueError, match=next(iter(given))):
        sk.datasets.toy_multiome(**given)
