"""Cluster the cells, into a given number of clusters if wanted."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._calls import check_free, made_by
from .._logging import logger, warn
from .._progress import progress, stage
from .._record import record, seeded
from .._validate import check_adata, check_choice, check_int, check_key, check_number
from ..matrix.access import in_memory_copy
from ..metrics.evaluation import profiles_of
from ..neighbors.communities import METHODS, Clustering, CommunitySearch, community_search, explain_miss


@checked()
def cluster(
    adata: AnnData,
    n_clusters: int | None = None,
    method: Literal["louvain", "leiden"] = "louvain",
    *,
    use_rep: str = "X_sccase",
    resolution: float = 1.0,
    n_neighbors: int = 15,
    rng: int | np.random.Generator | None = 0,
    key: str = "sccase",
    key_added: str | None = None,
    copy: bool = False,
) -> AnnData | None:
    """Cluster cells by Louvain or Leiden on the neighbour graph of an embedding.

    With `n_clusters` the resolution is searched by bisection, as the scCASE paper does; a warning tells when no
    resolution gives the number, and the nearest result is kept.

    Parameters
    ----------
    adata
        Annotated data.
    n_clusters
        Wanted number of clusters; `None` clusters at `resolution`.
    method
        Community detection, both by igraph with modularity and UMAP's edge weights.
    use_rep
        Key of `adata.obsm` with the embedding. ``"enhanced"`` uses 50 principal components of the enhanced,
        min–max scaled matrix (computed from its factors), which is what the scCASE paper clusters.
    resolution
        Resolution where `n_clusters` is None.
    n_neighbors
        Neighbours per cell, itself included.
    rng
        Seed or generator.
    key
        Key of the enhanced matrix for ``use_rep="enhanced"``.
    key_added
        Key of the result; the method's name by default.
    copy
        Return a copy instead of writing to `adata`.

    Returns
    -------
    `None`, or the copy. Written, with ``key_added="louvain"``:

    `obs["louvain"]`
        Categorical of strings, ``"0"`` the largest cluster.
    `uns["louvain"]`
        `params`, the `resolution` used, `n_clusters` found, and `reached` (whether it is the number wanted).

    Raises
    ------
    KeyError
        If the embedding is missing.
    ValueError
        If an argument is out of range or the embedding holds NaN.

    Examples
    --------
    >>> adata = sk.datasets.toy_study(n_cells=200, n_peaks=1000).adata
    >>> sk.tl.enhance(adata, batch_key="batch")
    >>> sk.tl.cluster(adata, 5)
    >>> adata.obs["louvain"].nunique()
    5
    """
    check_adata(adata)
    slot = method if key_added is None else check_free(adata, key_added, "tl.cluster")
    check_choice(method, METHODS, name="method")
    n_neighbors = check_int(n_neighbors, name="n_neighbors", minimum=2)
    resolution = check_number(resolution, name="resolution", minimum=0, exclusive=True)
    if n_clusters is not None:
        n_clusters = check_int(n_clusters, name="n_clusters", minimum=1, maximum=adata.n_obs)
        if resolution != 1.0:
            warn("resolution is not used when n_clusters is given")
    embedding = _embedding(adata, use_rep, key)
    if not np.isfinite(embedding).all():
        msg = f"adata.obsm[{use_rep!r}] holds NaN or infinite values; enhance again or drop those cells"
        raise ValueError(msg)
    rng, seed = seeded(rng)
    with stage(f"neighbours of {adata.n_obs:,} cells"):
        search = community_search(embedding, n_neighbors, rng=rng)
    if n_clusters is None:
        with stage(f"{method} at resolution {resolution:.4g}"):
            found = search.at(resolution, method)
    else:
        found = _search(search, n_clusters, method)
    target = in_memory_copy(adata) if copy else adata
    if slot in adata.obs and made_by(adata.uns.get(slot)) != "tl.cluster":
        warn(f"obs[{slot!r}] was there before and is replaced")
    target.obs[slot] = pd.Categorical(
        [str(label) for label in found.labels], categories=[str(i) for i in range(found.n_clusters)]
    )
    params = {
        "n_clusters": n_clusters,
        "method": method,
        "use_rep": use_rep,
        "key": key if use_rep == "enhanced" else None,
        "n_neighbors": n_neighbors,
        "resolution": resolution if n_clusters is None else None,
        "rng": seed,
    }
    result = {"resolution": found.resolution, "n_clusters": found.n_clusters, "reached": found.reached}
    record(target, slot, "tl.cluster", params=params, **result)
    logger.info("%s: %d clusters at resolution %.4g", method, found.n_clusters, found.resolution)
    return target if copy else None


def _search(search: CommunitySearch, n_clusters: int, method: str) -> Clustering:
    """Return the clusters with the number nearest to the wanted one, with a bar of the resolutions that are tried."""
    with progress(desc=f"{method}, {n_clusters} clusters wanted", unit="resolution", leave=False) as bar:

        def tried(resolution: float, found: int) -> None:
            bar.set_postfix_str(f"{found} at {resolution:.4g}", refresh=False)
            bar.update()

        found = search.search(n_clusters, method, on_trial=tried)
    if not found.reached:
        warn(explain_miss(found, n_clusters, method, search.n_islands))
    return found


def _embedding(adata: AnnData, use_rep: str, key: str) -> np.ndarray:
    if use_rep == "enhanced":
        return profiles_of(adata, key=key, scale="minmax").pca(50)
    hint = "Run sccase_kit.tl.enhance first, or name another embedding ('enhanced' clusters the enhanced matrix)."
    check_key(use_rep, adata.obsm.keys(), name="use_rep", where="adata.obsm", hint=hint, remedy="tl.enhance")
    if use_rep == f"X_{key}" and f"{key}_cell_factors" in adata.obsm and key not in adata.uns:
        warn(
            f"adata.obsm[{use_rep!r}] comes without adata.uns[{key!r}], as after concatenation: embeddings of separate "
            "fits cannot be compared; enhance the concatenated data"
        )
    return np.asarray(adata.obsm[use_rep], dtype=np.float64)
