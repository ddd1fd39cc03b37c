"""Principal components and two-dimensional layouts that the maps are drawn from."""

from __future__ import annotations

import warnings
from typing import Literal

import numpy as np
import pandas as pd
from anndata import AnnData

from .._calls import LAYOUTS, layout_settings
from .._progress import stage
from .._rng import check_rng
from .._validate import check_int
from ..enhance.nmf import sketch
from ..enhance.preparation import prepare
from ..get.thin import check_fitted, factors, ranges
from ..matrix.access import get_matrix
from ..metrics import Profiles
from ..metrics.evaluation import profiles_of
from ..neighbors.nearest import neighbor_graph
from ..pp.loading import load_counts

#: What the components are of: the TF-IDF and the enhanced data as they are, or the TF-IDF of either, as in the paper.
Pipeline = Literal["components", "tfidf"]
#: Name of the untreated data next to the keys of fits.
RAW = "raw"


def layout_cells(
    pcs: np.ndarray, *, method: Literal["umap", "tsne"] = "umap", n_neighbors: int = 15, rng: int = 0
) -> np.ndarray:
    """Return a (n_obs × 2) layout of the cells from principal components (n_obs × d)."""
    if method == "tsne":
        from sklearn.manifold import TSNE

        perplexity = min(30.0, (len(pcs) - 1) / 3)
        return TSNE(random_state=rng, init="pca", perplexity=perplexity).fit_transform(pcs.astype(np.float32))
    import scanpy as sc

    pcs = pcs.astype(np.float32)
    view = AnnData(obs=pd.DataFrame(index=pd.RangeIndex(len(pcs)).astype(str)), obsm={"X_pca": pcs})
    # Not by sc.pp.neighbors: scanpy 1.11 fails above 4,096 cells where pynndescent returns sparse arrays.
    near = min(n_neighbors, len(pcs) - 1)
    view.obsp["connectivities"] = neighbor_graph(pcs, near, rng=check_rng(rng)).astype(np.float32)
    params = {"method": "umap", "n_neighbors": near, "metric": "euclidean", "use_rep": "X_pca", "random_state": rng}
    view.uns["neighbors"] = {"connectivities_key": "connectivities", "params": params}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of groups that are not connected: umap places them all the same
        sc.tl.umap(view, random_state=rng, maxiter=umap_epochs(len(pcs)))
    return view.obsm["X_umap"]


def umap_epochs(n_obs: int) -> int:
    """Return how often UMAP goes over the neighbours: 500 times to 5,000 cells, 200 times from 12,500.

    scanpy has 500 to 10,000 cells, and 200 beyond. Of 10,000 cells of Granja 38.4 % of the 15 nearest neighbours are
    kept with 200, 39.0 % with 300 and 39.5 % with 500, in a time that grows with it.
    """
    return int(np.clip(2_500_000 // max(1, n_obs), 200, 500))


def raw_pca(adata: AnnData, *, layer: str | None = None, n_components: int = 50, rng: int = 0) -> np.ndarray:
    """Return principal scores (left singular vectors × values) of the TF-IDF counts, (n_obs × n_components)."""
    op = prepare(get_matrix(adata, layer)).op
    u, s, _ = sketch(op, min(n_components + 20, min(op.shape)), n_power=2, rng=check_rng(rng)).svd()
    return (u * s)[:, :n_components]


def enhanced_pca(adata: AnnData, *, key: str = "sccase", n_components: int = 50) -> np.ndarray:
    """Return principal scores of the min–max scaled enhanced matrix from its thin factors, (n_obs × n_components)."""
    check_fitted(adata, key)
    if f"{key}_cell_factors" not in adata.obsm:  # solver="published" leaves a dense layer
        return profiles_of(adata, key=key, scale="minmax").pca(n_components)
    cells, peaks = factors(adata, key=key)
    limits = ranges(adata, key=key)
    return Profiles(cells, peaks).minmax_scaled(limits.peak, limits.cell).pca(n_components)


def scores_of(
    adata: AnnData, key: str, *, layer: str | None = None, rng: int = 0, pipeline: Pipeline = "components"
) -> np.ndarray:
    """Return 50 principal scores of the raw TF-IDF (`RAW`) or of a fit; with "tfidf", of the TF-IDF of either."""
    if pipeline == "tfidf":
        if key != RAW:
            return profiles_of(adata, key=key, scale="minmax").tfidf().pca(50)
        counts = load_counts(adata, layer)
        return Profiles((counts > 0).astype(np.float64)).tfidf().pca(50)
    return raw_pca(adata, layer=layer, rng=rng) if key == RAW else enhanced_pca(adata, key=key)


def stored_layout(
    adata: AnnData,
    key: str,
    *,
    method: Literal["umap", "tsne"],
    layer: str | None = None,
    rng: int = 0,
    pipeline: Pipeline = "components",
) -> str:
    """Return the key of `obsm` with the layout of the raw data (`RAW`) or of a fit, computing it where needed.

    One that was drawn with another `rng`, or of another `layer` of raw data, is replaced; one of the user stays.
    Written: ``obsm["X_<method>_<key>"]``, (n_obs × 2) float32, and its settings in ``uns["sccase_kit_layouts"]``.
    """
    slot = f"X_{method}_{key}"
    check_int(rng, name="rng", minimum=0, maximum=2**32 - 1)
    settings: dict[str, object] = {"rng": rng, **({"layer": layer or ""} if key == RAW else {})}
    settings |= {"pipeline": pipeline} if pipeline != "components" else {}
    if slot not in adata.obsm or layout_settings(adata, slot) not in (None, settings):
        data = "raw" if key == RAW else "enhanced"
        with stage(f"{'UMAP' if method == 'umap' else 't-SNE'} of {adata.n_obs:,} cells ({data})"):
            scores = scores_of(adata, key, layer=layer, rng=rng, pipeline=pipeline)
            layout = layout_cells(scores, method=method, rng=rng)
        adata.obsm[slot] = np.asarray(layout, dtype=np.float32)
        adata.uns[LAYOUTS] = {**adata.uns.get(LAYOUTS, {}), slot: settings}
    return slot
