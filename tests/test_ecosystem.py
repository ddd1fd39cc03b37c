"""Other tools' objects in, ours out: scanpy on enhanced data, SnapATAC2-like and MuData inputs, h5ad round trips."""

from __future__ import annotations

import anndata as ad
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
from scipy import sparse

import sccase_kit as sk


@pytest.fixture(scope="module")
def adata():
    adata = sk.datasets.toy_study(n_cells=150, n_peaks=800, batch_sd=0.0).adata
    sk.pp.filter_peaks(adata)
    sk.tl.enhance(adata)
    sk.tl.specific_peaks(adata, "cell_type", n_top=30, ranking="contrast")
    return adata


def test_enhanced_block_goes_to_rank_genes_groups(adata):
    chosen = adata.uns["specific_peaks"]["peaks"]["peak"].drop_duplicates()
    block = ad.AnnData(sk.get.enhanced(adata, var_names=chosen), obs=adata.obs, var=adata.var.loc[chosen])
    sc.tl.rank_genes_groups(block, "cell_type", method="wilcoxon")
    own = adata.uns["specific_peaks"]["peaks"]
    groups, names = list(block.obs["cell_type"].cat.categories), block.uns["rank_genes_groups"]["names"]
    shared = [len(set(names[g][:20]) & set(own.loc[own["group"] == g, "peak"])) for g in groups]
    assert np.mean(shared) > 2 * 20 / len(groups), shared  # 20 / 5 by chance


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning", "ignore::FutureWarning")
def test_scanpy_works_on_the_embedding(adata):
    own = adata.copy()
    sc.pp.neighbors(own, use_rep="X_sccase", n_neighbors=10)
    sc.tl.leiden(own, flavor="igraph", n_iterations=2)
    assert own.obs["leiden"].nunique() >= 4
    own.obsm["X_umap"] = own.obsm["X_sccase"][:, :2]
    sc.pl.umap(own, color="cell_type", show=False)
    sk.pl.cell_map(own, "cell_type", basis="X_umap")
    ours = [sk.pl.colors.colors_of(own, "cell_type")[1][c] for c in own.obs["cell_type"].cat.categories]
    assert ours == list(own.uns["cell_type_colors"])
    plt.close("all")


def test_round_trip_keeps_everything(adata, tmp_path):
    adata.write_h5ad(tmp_path / "a.h5ad")
    again = ad.read_h5ad(tmp_path / "a.h5ad")
    np.testing.assert_allclose(sk.get.enhanced(again, scale="minmax"), sk.get.enhanced(adata, scale="minmax"))
    pd.testing.assert_frame_equal(
        again.uns["specific_peaks"]["peaks"], adata.uns["specific_peaks"]["peaks"], check_dtype=False
    )


def snapatac2_like():
    """What snapatac2.pp.make_peak_matrix leaves: uint32 CSR, names as var index, its own fields in obs and obsm."""
    study = sk.datasets.toy_study(n_cells=120, n_peaks=500).adata
    made = ad.AnnData(study.X.astype(np.uint32))
    made.obs_names = [f"sample#BARCODE{i}-1" for i in range(made.n_obs)]
    made.var_names = study.var["chrom"] + ":" + study.var["start"].astype(str) + "-" + study.var["end"].astype(str)
    made.obs["n_fragment"] = np.asarray(study.X.sum(axis=1)).ravel().astype(np.uint64)
    made.obs["leiden"] = pd.Categorical(study.obs["cell_type"].astype(str).to_numpy())
    made.obsm["X_spectral"] = np.random.default_rng(0).normal(size=(made.n_obs, 20)).astype(np.float32)
    return made


@pytest.mark.filterwarnings("ignore:no component is specific")
def test_anndata_of_snapatac2(tmp_path):
    snapatac2_like().write_h5ad(tmp_path / "peaks.h5ad")
    adata = sk.read(tmp_path / "peaks.h5ad")
    assert {"chrom", "start", "end"} <= set(adata.var)
    assert adata.var["start"].dtype == np.int64
    sk.tl.enhance(adata)
    assert "X_spectral" in adata.obsm
    sk.tl.specific_peaks(adata, "leiden", n_top=20)
    assert (adata.uns["specific_peaks"]["peaks"]["start"] >= 0).all()


@pytest.mark.filterwarnings("ignore:From 0.4 .update:FutureWarning", "ignore:.*peaks are closed")
@pytest.mark.filterwarnings("ignore:The inplace keyword")  # mudata 0.3 on pandas 3.1
def test_mudata_gives_its_atac_modality(tmp_path):
    mudata = pytest.importorskip("mudata", reason="mudata is not installed")
    atac = snapatac2_like()
    rna = ad.AnnData(sparse.csr_matrix(np.ones((atac.n_obs, 7), np.float32)))
    rna.obs_names, rna.var_names = atac.obs_names, [f"GENE{i}" for i in range(7)]
    mudata.MuData({"rna": rna, "atac": atac}).write(tmp_path / "both.h5mu")
    with pytest.warns(UserWarning, match="left out: rna"):
        adata = sk.read(tmp_path / "both.h5mu")
    assert adata.shape == atac.shape
    sk.tl.enhance(adata)
    assert np.isfinite(sk.get.enhanced(adata, obs_names=slice(0, 5))).all()


def test_view_and_subset_are_left_alone(adata):
    view = adata[adata.obs["cell_type"] == "type_1"]
    sk.get.enhanced(view, obs_names=slice(0, 3))
    assert view.is_view
    with pytest.warns(UserWarning, match="peaks are closed in every cell"):
        again = sk.tl.enhance(adata[:100], copy=True)
    assert again.n_obs == 100
    assert again.uns["sccase"]["shape"].tolist() == [100, adata.n_vars]
