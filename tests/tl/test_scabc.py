"""scABC on AnnData: keys, planted peaks, the R engine's columns, errors."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pytest

import sccase_kit as sk
from sccase_kit.io.zarr_store import write_zarr
from sccase_kit.motifs import scabc_pvalues


@pytest.fixture(scope="module")
def toy():
    return sk.datasets.toy_study(n_cells=300, n_peaks=1500, rng=1).adata


def test_writes_what_it_says(toy, tmp_path):
    adata = sk.tl.scabc(toy, "cell_type", n_top=20, copy=True)
    assert "scabc" not in toy.uns
    names = list(toy.obs["cell_type"].cat.categories)
    assert list(adata.varm["scabc_pvalues"].columns) == names
    assert list(adata.varm["scabc_beta"].columns) == ["intercept", *names]
    depth = np.asarray(toy.X.sum(axis=1)).ravel()
    expected = scabc_pvalues(toy.X, depth, toy.obs["cell_type"])
    np.testing.assert_allclose(adata.varm["scabc_pvalues"].to_numpy(), expected.pvalues, rtol=1e-8, atol=1e-12)
    top = adata.uns["scabc"]["top"]
    assert (top.groupby("group")["rank"].max() == 20).all()
    assert (top.groupby("group")["pvalue"].apply(lambda p: p.is_monotonic_increasing)).all()
    np.testing.assert_array_equal(top["start"], adata.var.loc[top["peak"], "start"])
    adata.write_h5ad(tmp_path / "a.h5ad")
    again = ad.read_h5ad(tmp_path / "a.h5ad")
    assert again.uns["scabc"]["params"]["groupby"] == "cell_type"
    assert list(again.varm["scabc_padj"].columns) == names


def test_finds_planted_peaks(toy):
    adata = sk.tl.scabc(toy, "cell_type", n_top=10, copy=True)
    top = adata.uns["scabc"]["top"]
    hits = adata.var.loc[top["peak"], "specific_to"].to_numpy() == top["group"].to_numpy()
    assert hits.mean() > 0.8


def test_r_engine_gives_same_columns(toy, monkeypatch):
    part = toy[:, :200].copy()
    keep = np.ones(200)
    keep[3] = 0
    part.X = part.X.multiply(keep).tocsr()
    depth = np.asarray(part.X.sum(axis=1), dtype=float).ravel()
    seen = {}

    def fake(counts, depth, labels):
        seen["shape"] = counts.shape
        result = scabc_pvalues(counts, depth, labels)
        fields = ("pvalues", "beta", "sigma", "groups")
        return {name: getattr(result, name) for name in fields} | {"session": ["R"]}

    monkeypatch.setattr(sk.r, "scabc", fake)
    native = sk.tl.scabc(part, "cell_type", depth=depth, copy=True)
    with pytest.warns(UserWarning, match="without counts are left out"):
        through_r = sk.tl.scabc(part, "cell_type", depth=depth, engine="r", copy=True)
    assert seen["shape"][1] < 200
    for key in ("scabc_pvalues", "scabc_padj", "scabc_beta"):
        np.testing.assert_allclose(through_r.varm[key], native.varm[key], rtol=1e-9)


def test_enhanced_source_equals_the_dense_block(toy):
    adata = toy.copy()
    sk.tl.enhance(adata, 8)
    sk.tl.scabc(adata, "cell_type", source="enhanced", n_top=10)
    dense = sk.get.enhanced(adata).astype(np.float64)
    expected = scabc_pvalues(dense, dense.sum(axis=1), adata.obs["cell_type"])
    np.testing.assert_allclose(adata.varm["scabc_pvalues"].to_numpy(), expected.pvalues, rtol=1e-3, atol=1e-6)
    assert adata.uns["scabc"]["params"]["source"] == "enhanced"
    with pytest.raises(ValueError, match="use engine='python'"):
        sk.tl.scabc(adata, "cell_type", source="enhanced", engine="r")
    with pytest.raises(KeyError, match="run sccase_kit"):
        sk.tl.scabc(toy, "cell_type", source="enhanced")


def test_errors(toy):
    with pytest.raises(KeyError, match="available"):
        sk.tl.scabc(toy, "nothing")
    with pytest.raises(ValueError, match="engine must be one of"):
        sk.tl.scabc(toy, "cell_type", engine="julia")
    with pytest.raises(KeyError, match="depth='nothing'"):
        sk.tl.scabc(toy, "cell_type", depth="nothing")
    with pytest.raises(TypeError, match="adata must be an AnnData"):
        sk.tl.scabc(toy.X, "cell_type")


def test_depths_that_do_not_fit(toy):
    part = toy[:60, :40].copy()
    part.obs["cell_type"] = part.obs["cell_type"].cat.remove_unused_categories()
    enhanced = toy.copy()
    sk.tl.enhance(enhanced, 4, method="sccase")
    with pytest.raises(ValueError, match=r"depth must have one value per cell \(300\), got shape \(3,\)"):
        sk.tl.scabc(enhanced, "cell_type", source="enhanced", depth=np.ones(3))
    with pytest.warns(UserWarning, match="layer is ignored with source='enhanced'"):
        sk.tl.scabc(enhanced, "cell_type", source="enhanced", layer="truth")
    part.X = part.X * 0
    with pytest.raises(ValueError, match="adata holds no counts at all"):
        sk.tl.scabc(part, "cell_type")


def test_groups_of_the_same_name_are_refused(toy):
    adata = toy.copy()
    adata.obs["mixed"] = np.where(np.arange(adata.n_obs) % 2, 1, 0).astype(object)
    adata.obs.loc[adata.obs_names[:5], "mixed"] = "1"
    for function in (sk.tl.scabc, sk.tl.differential_deviations):
        adata.obsm["chromvar_deviations"] = np.ones((adata.n_obs, 2))
        with pytest.raises(ValueError, match="are not distinct as text; rename them"):
            function(adata, "mixed")


@pytest.mark.parametrize("suffix", [".h5ad", ".zarr"])
@pytest.mark.parametrize("engine", ["python", "r"])
def test_backed_counts_give_the_same(toy, tmp_path, monkeypatch, suffix, engine):
    def fake(counts, depth, labels):
        result = scabc_pvalues(counts, depth, labels)
        return {name: getattr(result, name) for name in ("pvalues", "beta", "sigma")} | {"session": ["R"]}

    monkeypatch.setattr(sk.r, "scabc", fake)
    write = ad.AnnData.write_h5ad if suffix == ".h5ad" else write_zarr
    write(toy, tmp_path / f"a{suffix}")
    backed = sk.read(tmp_path / f"a{suffix}", backed=True)
    expected = sk.tl.scabc(toy, "cell_type", n_top=5, copy=True)
    with sk.settings.override(block_bytes=2**14):
        result = sk.tl.scabc(backed, "cell_type", n_top=5, engine=engine, copy=True)
    np.testing.assert_allclose(result.varm["scabc_pvalues"], expected.varm["scabc_pvalues"], rtol=1e-9)
    assert result.uns["scabc"]["top"]["peak"].tolist() == expected.uns["scabc"]["top"]["peak"].tolist()
    if backed.isbacked:
        backed.file.close()
