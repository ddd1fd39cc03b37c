from __future__ import annotations

import anndata
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

import sccase_kit as sk


@pytest.fixture
def embedded():
    rng = np.random.default_rng(0)
    types = np.repeat(np.arange(4), 30)
    adata = anndata.AnnData(np.ones((120, 3), dtype=np.float32))
    adata.obs_names, adata.var_names = [f"c{i}" for i in range(120)], list("abc")
    adata.obs["type"] = pd.Categorical(types.astype(str))
    adata.obsm["X_sccase"] = rng.normal(scale=6, size=(4, 5))[types] + rng.normal(size=(120, 5))
    return adata


@pytest.mark.parametrize("method", ["louvain", "leiden"])
def test_number_is_reached_and_recorded(embedded, method, tmp_path):
    assert sk.tl.cluster(embedded, 4, method) is None
    assert adjusted_rand_score(embedded.obs["type"], embedded.obs[method]) > 0.95
    assert list(embedded.obs[method].cat.categories) == ["0", "1", "2", "3"]
    entry = embedded.uns[method]
    assert entry["reached"]
    assert entry["n_clusters"] == 4
    assert entry["params"]["use_rep"] == "X_sccase"
    embedded.write_h5ad(tmp_path / "a.h5ad")
    assert anndata.read_h5ad(tmp_path / "a.h5ad").uns[method]["params"]["method"] == method


def test_resolution_and_copy(embedded):
    few = sk.tl.cluster(embedded, resolution=0.1, key_added="few", copy=True)
    many = sk.tl.cluster(embedded, resolution=5, key_added="many", copy=True)
    assert "few" not in embedded.obs
    assert few.obs["few"].nunique() < many.obs["many"].nunique()


def test_enhanced_matrix_as_representation(embedded):
    embedded.obsm["sccase_cell_factors"] = np.eye(4)[embedded.obs["type"].cat.codes] + 0.1
    embedded.varm["sccase_peak_factors"] = np.array([[1.0, 0, 0, 0], [0, 1, 0, 3], [0, 0, 1, 2]])
    sk.tl.cluster(embedded, 4, use_rep="enhanced", n_neighbors=10)
    assert adjusted_rand_score(embedded.obs["type"], embedded.obs["louvain"]) == 1


def test_unreachable_number_is_reported(embedded):
    embedded.obsm["far"] = embedded.obsm["X_sccase"] + 1e4 * embedded.obs["type"].cat.codes.to_numpy()[:, None]
    with pytest.warns(UserWarning, match="did not reach n_clusters=2; the nearest is 4 clusters"):
        sk.tl.cluster(embedded, 2, use_rep="far", n_neighbors=5)
    assert not embedded.uns["louvain"]["reached"]


def test_errors(embedded):
    with pytest.raises(KeyError, match=r"use_rep='X_pca' is not in adata.obsm; available: \['X_sccase'\]"):
        sk.tl.cluster(embedded, 3, use_rep="X_pca")
    with pytest.raises(ValueError, match="method must be one of"):
        sk.tl.cluster(embedded, 3, "kmeans")
    with pytest.raises(ValueError, match="n_clusters must be at most 120"):
        sk.tl.cluster(embedded, 500)
    embedded.obsm["X_sccase"][0, 0] = np.nan
    with pytest.raises(ValueError, match="holds NaN"):
        sk.tl.cluster(embedded, 3)
    with pytest.warns(UserWarning, match="resolution is not used"), pytest.raises(KeyError):
        sk.tl.cluster(embedded, 3, resolution=2, use_rep="none")


def test_the_stages_and_the_resolutions_that_are_tried_are_shown(capsys):
    adata = sk.datasets.toy_study(n_cells=80, n_peaks=300).adata
    adata.obsm["X"] = np.random.default_rng(0).normal(size=(80, 4)) + 6 * (np.arange(80) % 4)[:, None]
    with sk.settings.override(progress=True):
        sk.tl.cluster(adata, use_rep="X", n_neighbors=8)
        one = capsys.readouterr().err
        sk.tl.cluster(adata, 4, use_rep="X", n_neighbors=8)
        wanted = capsys.readouterr().err
    assert "neighbours of 80 cells" in one
    assert "louvain at resolution 1" in one
    assert "louvain, 4 clusters wanted" in wanted
    assert "resolution" in wanted
