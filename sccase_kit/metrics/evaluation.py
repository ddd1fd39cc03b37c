"""The paper's evaluation of an enhanced matrix: clustering against known labels, and silhouette."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._labels import encode_labels
from .._logging import warn
from .._rng import check_rng
from .._validate import Scale, check_adata, check_int, check_key, check_labels, check_scale
from ..get.thin import enhanced, factors, is_dense
from ..matrix.access import get_matrix
from ..neighbors.communities import cluster_to_k
from .agreements import agreement
from .profiles import Profiles
from .silhouettes import silhouette


def profiles_of(
    adata: AnnData,
    *,
    key: str | None = "sccase",
    layer: str | None = None,
    scale: Scale | None = None,
) -> Profiles:
    """Return the enhanced matrix of a fitted AnnData as :class:`Profiles`, or a stored matrix with ``key=None``.

    Raises
    ------
    KeyError
        If the fitted factors are missing.
    ValueError
        If counts are asked of a matrix that was not fitted.
    """
    check_scale(scale)
    if scale in ("counts", "accessibility"):
        return _in_counts(adata, key, scale)
    if key is None:
        profiles = Profiles(get_matrix(adata, layer))
        return profiles if scale is None else profiles.minmax_scaled()
    hint = "Run sccase_kit.tl.enhance first, or pass key=None for the matrix itself."
    slot = f"{key}_cell_factors"
    if slot not in adata.obsm and key in adata.layers:  # solver="published" leaves a dense layer
        profiles = Profiles(get_matrix(adata, key))
        return profiles if scale is None else profiles.minmax_scaled()
    check_key(slot, adata.obsm.keys(), name="key", where="adata.obsm", hint=hint, remedy="tl.enhance")
    check_key(f"{key}_peak_factors", adata.varm.keys(), name="key", where="adata.varm", hint=hint, remedy="tl.enhance")
    profiles = Profiles(np.asarray(adata.obsm[slot]), np.asarray(adata.varm[f"{key}_peak_factors"]))
    if scale is None:
        return profiles
    if f"{key}_range" in adata.obsm and f"{key}_range" in adata.varm:
        return profiles.minmax_scaled(np.asarray(adata.varm[f"{key}_range"]), np.asarray(adata.obsm[f"{key}_range"]))
    return profiles.minmax_scaled()


def _in_counts(adata: AnnData, key: str | None, scale: Scale) -> Profiles:
    if key is None:
        msg = f"scale={scale!r} is for the result of sccase_kit.tl.enhance; with key=None pass scale=None or 'minmax'"
        raise ValueError(msg)
    if is_dense(adata, key):
        return Profiles(enhanced(adata, key, scale=scale))
    return Profiles(*factors(adata, key=key, scale=scale))


def score_clustering(
    profiles: Profiles,
    labels: Any,
    *,
    method: Literal["louvain", "leiden"] = "louvain",
    n_components: int = 50,
    n_neighbors: int = 15,
    n_clusters: int | None = None,
    n_seeds: int = 1,
    rng: int | np.random.Generator | None = 0,
) -> pd.Series:
    """Score a matrix held as :class:`Profiles`; see :func:`evaluate`."""
    _, groups = encode_labels(labels, profiles.shape[0], min_groups=2)
    check_int(n_seeds, name="n_seeds", minimum=1)
    check_int(n_components, name="n_components", minimum=1)
    embedding = profiles.pca(n_components)
    seeds = [rng] if n_seeds == 1 else check_rng(rng).integers(2**31, size=n_seeds).tolist()
    options: dict[str, Any] = {"n_neighbors": n_neighbors, "on_miss": warn}
    found = [cluster_to_k(embedding, n_clusters or len(groups), method, rng=seed, **options) for seed in seeds]
    every = pd.DataFrame([agreement(labels, one.labels) for one in found])
    scores = every.mean()
    scores["silhouette"] = silhouette(labels, profiles.cells, profiles.peaks)
    scores["n_clusters"] = np.mean([one.n_clusters for one in found])
    scores["resolution"] = np.mean([one.resolution for one in found])
    if n_seeds > 1:
        scores["ari_sd"] = every["ari"].std(ddof=1)
    return scores


@checked()
def evaluate(
    adata: AnnData,
    groupby: str,
    *,
    key: str | None = "sccase",
    layer: str | None = None,
    scale: Scale | None = "minmax",
    method: Literal["louvain", "leiden"] = "louvain",
    n_components: int = 50,
    n_neighbors: int = 15,
    n_clusters: int | None = None,
    n_seeds: int = 1,
    rng: int | np.random.Generator | None = 0,
) -> pd.Series:
    """Judge an enhanced matrix as the scCASE paper does.

    PCA, neighbour graph, and Louvain with a search for as many clusters as there are groups, compared with the groups;
    and the silhouette of the groups with the distance 1 − Pearson correlation over the peaks. All of it is computed
    from the thin factors: no cells × peaks array is formed.

    Parameters
    ----------
    adata
        Annotated data with the result of :func:`sccase_kit.tl.enhance`.
    groupby
        Column of `adata.obs` with the known groups.
    key
        Key of the result; `None` judges `adata.X` or a layer as it is (for instance a sparse TF-IDF).
    layer
        Layer to judge with ``key=None``.
    scale
        `"minmax"` scales to [0, 1] per peak, then per cell, as the published program does before clustering; `None`
        takes the enhanced values as they are, `"counts"` and `"accessibility"` expected counts
        (:func:`sccase_kit.get.enhanced`). With ``key=None`` pass ``scale=None`` unless the matrix is small: the
        scaled matrix is dense.
    method
        Clustering method.
    n_components
        Principal components.
    n_neighbors
        Neighbours per cell, itself included.
    n_clusters
        Wanted number of clusters; the number of groups by default.
    n_seeds
        Clusterings, each with another seed; scores are their means.
    rng
        Seed or generator of the clustering.

    Returns
    -------
    Series with `ari`, `ami`, `fmi`, `silhouette`, and the `n_clusters` and `resolution` found; with several seeds
    `ari_sd`, the standard deviation of the ARI over them. A warning tells when the wanted number of clusters was not
    reached.
    """
    labels = check_labels(check_adata(adata), groupby, min_groups=2)
    return score_clustering(
        profiles_of(adata, key=key, layer=layer, scale=scale),
        labels,
        method=method,
        n_components=n_components,
        n_neighbors=n_neighbors,
        n_clusters=n_clusters,
        n_seeds=n_seeds,
        rng=rng,
    )
