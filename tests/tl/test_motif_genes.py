"""Motifs against the genes of their factors: the member of a family that is active, dimers, names, bad input."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import sccase_kit as sk
from sccase_kit.tl._motif_genes import _families


@pytest.fixture(scope="module")
def data():
    """Two motifs of one family and one of another; only the second gene of the family follows the deviations."""
    rng = np.random.default_rng(0)
    n = 300
    program = np.repeat([0.0, 1.0, 2.0], 100)
    other = rng.permutation(program)
    z = np.stack([program, program, other], axis=1) + rng.normal(0, 0.3, (n, 3))
    names = ["GATA1_MA0035.4", "GATA2", "TAL1::TCF3"]
    adata = ad.AnnData(sparse.csr_matrix(np.ones((n, 5), dtype=np.float32)))
    adata.obs_names = [f"c{i}" for i in range(n)]
    embedding = np.stack([program, other], axis=1) * 10 + rng.normal(0, 1, (n, 2))
    adata.obsm["X_sccase"] = embedding.astype(np.float32)
    for part in ("z", "deviations"):
        adata.obsm[f"chromvar_{part}"] = pd.DataFrame(z, index=adata.obs_names, columns=names)
    adata.uns["chromvar"] = {
        "package": "sccase_kit",
        "function": "tl.chromvar",
        "version": "0.1.0",
        "number": 0,
        "params": {"source": "counts"},
        "names": np.array(names, dtype=object),
        "variability": pd.DataFrame({"variability": [1.0, 1.0, 1.0]}, index=names),
    }
    values = np.stack([rng.normal(0, 1, n), program + rng.normal(0, 1, n), other, np.zeros(n)], axis=1)
    genes = ad.AnnData(np.abs(values).astype(np.float32), var=pd.DataFrame(index=["Gata1", "Gata2", "TAL1", "TCF3"]))
    genes.obs_names = adata.obs_names
    return adata, genes


def test_the_gene_tells_family_members_apart(data):
    adata, genes = data
    table = sk.tl.motif_genes(adata, genes)
    assert table[["set", "gene"]].values.tolist() != []
    by = table.set_index(["set", "gene"])
    assert set(by.index) == {
        ("GATA1_MA0035.4", "GATA1"), ("GATA2", "GATA2"), ("TAL1::TCF3", "TAL1"), ("TAL1::TCF3", "TCF3")
    }  # fmt: skip
    assert by.loc[("GATA2", "GATA2"), "correlation"] > 0.9
    assert abs(by.loc[("GATA1_MA0035.4", "GATA1"), "correlation"]) < 0.7
    assert by.loc[("GATA2", "GATA2"), "family"] == by.loc[("GATA1_MA0035.4", "GATA1"), "family"]
    assert by.loc[("GATA2", "GATA2"), "rank_in_family"] == 1
    assert by.loc[("GATA1_MA0035.4", "GATA1"), "rank_in_family"] == 2
    assert np.isnan(by.loc[("TAL1::TCF3", "TCF3"), "correlation"])
    assert table["correlation"].dropna().is_monotonic_decreasing
    pd.testing.assert_frame_equal(table, sk.tl.motif_genes(adata, genes))


def test_families_do_not_chain():
    """The first two correlate by .92, the last two by .88, the outer two by .62: linked, but not alike on average."""
    t = np.linspace(0, 2 * np.pi, 50, endpoint=False)
    turns = np.array([0, np.arccos(0.92), np.arccos(0.62)])
    waves = np.sin(t[:, None] + turns)
    assert np.corrcoef(waves, rowvar=False)[[0, 1, 0], [1, 2, 2]] == pytest.approx([0.92, 0.88, 0.62], abs=0.01)
    assert _families(waves, 0.8).tolist() == [0, 0, 1]
    assert _families(waves, 0.6).tolist() == [0, 0, 0]
    assert _families(waves[:, :1], 0.8).tolist() == [0]
    flat = np.column_stack([waves[:, 0], np.ones(50), waves[:, 0]])
    assert _families(flat, 1).tolist() == [0, 1, 0]


def test_pools_by_hand(data):
    adata, genes = data
    table = sk.tl.motif_genes(adata, genes, sets="GATA2", n_pools=300, pool_size=1)
    x, y = adata.obsm["chromvar_z"]["GATA2"], genes[:, "Gata2"].X.ravel()
    assert table["correlation"].iloc[0] == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert table["deviation_range"].iloc[0] == pytest.approx(x.max() - x.min())


def test_activities_of_the_package():
    study = sk.datasets.toy_study(rng=0)
    adata = study.adata
    sk.tl.match_motifs(adata, study.motifs, sequences=study.sequences)
    sk.tl.enhance(adata, 8)
    sk.tl.chromvar(adata, method="analytic", n_bootstrap=0)
    planted = study.genes[study.genes["specific_to"] != ""]
    sk.tl.gene_activity(adata, planted, source="counts")
    with pytest.raises(ValueError, match="no factor of the motifs has a gene"):
        sk.tl.motif_genes(adata)
    reached = adata.uns["gene_activity"]["genes"].query("n_peaks > 0")
    symbols = reached["symbol"].astype(str).tolist()
    named = adata.copy()
    tf = named.uns["motifs"]["tf"].copy()
    tf[:2] = symbols[:2]
    named.uns["motifs"] = {**named.uns["motifs"], "tf": tf}
    with pytest.warns(UserWarning, match="have no gene in genes"):
        table = sk.tl.motif_genes(named)
    assert 1 <= table["correlation"].notna().sum() <= 2
    assert set(symbols[:2]) <= set(table["gene"])
    with pytest.raises(KeyError, match="gene_activity first"):
        sk.tl.motif_genes(adata, "nothing")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sets": ["nothing"]}, "not among the sets"),
        ({"use_rep": "X_nothing"}, "X_nothing"),
        ({"n_pools": 1}, "n_pools"),
        ({"same_family": 2}, "same_family"),
        ({"key": "nothing"}, "nothing"),
    ],
)
def test_bad_input(data, options, words):
    adata, genes = data
    with pytest.raises((ValueError, KeyError), match=words):
        sk.tl.motif_genes(adata, genes, **options)


def test_cells_of_another_data_set(data):
    adata, genes = data
    with pytest.raises(ValueError, match="same order"):
        sk.tl.motif_genes(adata, genes[::-1].copy())
