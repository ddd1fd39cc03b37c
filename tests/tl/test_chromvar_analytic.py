"""chromVAR in closed form on AnnData: what is written, agreement with draws, the enhanced signal, errors."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import sccase_kit as sk


def make_data(n_cells=80, n_peaks=500, seed=0):
    """Two groups of cells; the peaks of set "up" are twice as open in group b."""
    rng = np.random.default_rng(seed)
    member = (rng.random((n_peaks, 4)) < 0.2).astype(float)
    group = np.repeat(["a", "b"], n_cells // 2)
    rate = rng.gamma(2, 0.4, n_peaks) * rng.gamma(8, 1 / 8, (n_cells, 1))
    rate = rate * np.where((group == "b")[:, None] & (member[:, 0] > 0), 2.0, 1.0)
    counts = rng.poisson(rate)
    counts[0, counts.sum(axis=0) == 0] = 1
    start = 1000 * np.arange(n_peaks)
    var = pd.DataFrame({"chrom": "chr1", "start": start, "end": start + 500, "gc": rng.normal(0.5, 0.1, n_peaks)})
    var.index = [f"chr1:{s}-{s + 500}" for s in start]
    obs = pd.DataFrame({"group": pd.Categorical(group)}, index=[f"c{i}" for i in range(n_cells)])
    adata = ad.AnnData(sparse.csr_matrix(counts.astype(np.float32)), obs=obs, var=var)
    adata.varm["motifs"] = pd.DataFrame(member, index=var.index, columns=["up", "x", "y", "z"])
    return adata


@pytest.fixture
def adata():
    return make_data()


def test_agrees_with_draws_better_than_draws_with_each_other(adata):
    sk.tl.chromvar(adata, method="analytic", n_bootstrap=0, key_added="exact")
    for seed in (0, 1):
        sk.tl.chromvar(adata, n_bootstrap=0, key_added=f"draw{seed}", rng=seed)
    exact, one, two = (adata.obsm[f"{key}_z"].to_numpy().ravel() for key in ("exact", "draw0", "draw1"))
    assert np.corrcoef(exact, (one + two) / 2)[0, 1] > np.corrcoef(one, two)[0, 1] > 0.9
    tests = sk.tl.differential_deviations(adata, "group", key="exact")
    assert tests["set"].iloc[0] == "up"
    assert tests["p_value_adj"].iloc[0] < 1e-6


def test_writes_what_it_says_and_does_not_depend_on_seeds(adata, tmp_path):
    sk.tl.chromvar(adata, method="permuted", n_bootstrap=0)
    drawn = adata.uns["chromvar"]["variability"]
    sk.tl.chromvar(adata, method="analytic", n_bootstrap=20)
    assert "chromvar_background" not in adata.varm
    assert adata.uns["chromvar"]["params"]["method"] == "analytic"
    first = adata.obsm["chromvar_z"]
    sk.tl.chromvar(adata, method="analytic", n_bootstrap=0, rng=5)
    pd.testing.assert_frame_equal(adata.obsm["chromvar_z"], first)
    table = adata.uns["chromvar"]["variability"]
    for column in ("n_peaks", "fraction_matches", "fraction_background_overlap", "variability"):
        np.testing.assert_allclose(table[column], drawn[column], rtol=0.1)
    adata.write_h5ad(tmp_path / "a.h5ad")
    again = sk.read(tmp_path / "a.h5ad")
    pd.testing.assert_frame_equal(again.obsm["chromvar_z"], first)
    for function in (sk.tl.motif_synergy, sk.tl.motif_correlation):
        assert len(function(again, ["up", "x", "y"])) == 3


def test_backed_data_weights_and_batches_of_cells_give_the_same(adata, tmp_path):
    member = adata.varm["motifs"].to_numpy() * np.random.default_rng(0).random((adata.n_vars, 4))
    sets = sparse.csr_matrix(member)
    sk.tl.chromvar(adata, sets, method="analytic", n_bootstrap=0)
    adata.write_h5ad(tmp_path / "a.h5ad")
    backed = sk.read(tmp_path / "a.h5ad", backed="r")
    with sk.settings.override(block_bytes=8 * 7 * 300):
        found = sk.tl.chromvar(backed, sets, method="analytic", n_bootstrap=0, copy=True)
    np.testing.assert_allclose(found.obsm["chromvar_z"], adata.obsm["chromvar_z"], rtol=1e-9)


def test_enhanced_signal_without_forming_it(adata):
    sk.tl.enhance(adata)
    sk.tl.chromvar(adata, source="enhanced", method="analytic", n_bootstrap=0, key_added="thin")
    dense = adata.copy()
    dense.X = sparse.csr_matrix(sk.get.enhanced(adata).astype(np.float64))
    with pytest.warns(UserWarning, match="fractional"):
        sk.tl.chromvar(dense, method="analytic", n_bootstrap=0, min_expected=0)
    np.testing.assert_allclose(adata.obsm["thin_z"], dense.obsm["chromvar_z"], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"engine": "r", "expectation_norm": True}, "not in the R package betterChromVAR"),
        ({"r_seed": 1}, "r_seed is for drawn"),
        ({"background": "b"}, "background is for drawn"),
        ({"bias": "missing"}, "missing"),
    ],
)
def test_refuses_what_belongs_to_draws(adata, options, words):
    with pytest.raises((ValueError, KeyError), match=words):
        sk.tl.chromvar(adata, method="analytic", **options)


def test_unknown_method_is_named(adata):
    with pytest.raises(ValueError, match="permuted"):
        sk.tl.chromvar(adata, method="closed")


def test_pairs_need_the_gc_content_of_the_run(adata):
    sk.tl.chromvar(adata, method="analytic", bias=adata.var["gc"].to_numpy(), n_bootstrap=0)
    with pytest.raises((KeyError, ValueError), match=r"store it in adata.var|store the GC content"):
        sk.tl.motif_synergy(adata, ["up", "x"])


def test_command(adata, tmp_path, capsys):
    from sccase_kit.cli import main

    adata.write_h5ad(tmp_path / "a.h5ad")
    assert main(["motifs", str(tmp_path / "a.h5ad"), "--method", "analytic", "-q"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("up\t")
