"""Merge clusters that held-out counts do not tell apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._calls import check_free, made_by
from .._logging import logger, warn
from .._record import record
from .._validate import check_adata
from ..matrix.access import in_memory_copy
from ._sisters import find_sisters, pair_table


@checked()
def merge_clusters(
    adata: AnnData,
    groupby: str = "louvain",
    *,
    alpha: float = 0.01,
    min_difference: float = 0.03,
    n_splits: int = 1,
    layer: str | None = None,
    key: str = "sccase",
    key_added: str | None = None,
    rng: int | np.random.Generator | None = 0,
    copy: bool = False,
) -> AnnData | None:
    """Merge clusters until held-out counts tell every pair that is left apart.

    How many clusters the data can tell: cluster finely, then merge. Half of the counts, at random, is enhanced alone
    and puts every cell into a cluster; the clusters are compared in the other half, at equal depth and within batches,
    and the halves change places. Of the pairs that are not told apart, the one with the smallest difference is merged,
    and so on. A cluster that was split by chance is put together again; see docs/sisters.md for what this gives on
    labelled data.

    Parameters
    ----------
    adata
        Data enhanced by :func:`sccase_kit.tl.enhance`, with the counts.
    groupby
        Column of `adata.obs` with the clusters.
    alpha
        Largest adjusted p-value (Bonferroni over all pairs of clusters) at which two clusters are told apart.
    min_difference
        Least difference of their profiles, 0.03 for 3 % (root mean square of relative differences along what the other
        half says). In many cells differences are certain that are too small to mean a type.
    n_splits
        Random divisions into halves; more make the answer depend less on the seed.
    layer
        Layer with the counts; `None` for what was enhanced.
    key
        The `key_added` of the fit.
    key_added
        Key of the result; `groupby` with ``"_merged"`` by default.
    rng
        Seed of the halves.
    copy
        Return a copy instead of writing to `adata`.

    Returns
    -------
    `None`, or the copy. Written, with ``key_added="louvain_merged"``:

    `obs["louvain_merged"]`
        Categorical of strings; a merged cluster has the name of its largest part.
    `uns["louvain_merged"]`
        ``clusters`` (DataFrame: cluster, members, n_cells), ``pairs`` (DataFrame of the clusters that are left: group,
        other, z, pvalue, padj, difference, apart; see :func:`sccase_kit.tl.sister_groups`), ``n_clusters`` and
        ``params``.

    Raises
    ------
    KeyError
        If `adata` was not enhanced under `key`, or `groupby` or the counts are missing.
    ValueError
        If there are fewer than two clusters, an argument is out of range, or the fit used a reference.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=800, n_peaks=1500, rng=1).adata
    >>> sk.tl.enhance(adata, 8, method="sccase", batch_key="batch")
    >>> sk.tl.cluster(adata, resolution=3)
    >>> sk.tl.merge_clusters(adata)
    >>> adata.obs["louvain_merged"].nunique() < adata.obs["louvain"].nunique()
    True
    """
    check_adata(adata)
    slot = check_free(adata, f"{groupby}_merged" if key_added is None else key_added, "tl.merge_clusters")
    found = find_sisters(
        adata,
        groupby,
        alpha=alpha,
        min_difference=min_difference,
        n_splits=n_splits,
        layer=layer,
        key=key,
        rng=rng,
    )
    names, n_left = found.labels, len(found.families)
    family = np.empty(len(found.names), dtype=np.int64)
    for f, members in enumerate(found.families):
        family[members] = f
    sizes = [int(found.sizes[members].sum()) for members in found.families]
    members_of = [found.members(f) for f in range(n_left)]
    clusters = pd.DataFrame({"cluster": names, "members": members_of, "n_cells": sizes})
    pairs = pair_table(found, found.families, names, alpha=alpha, min_difference=min_difference)
    target = in_memory_copy(adata) if copy else adata
    if slot in adata.obs and made_by(adata.uns.get(slot)) != "tl.merge_clusters":
        warn(f"obs[{slot!r}] was there before and is replaced")
    target.obs[slot] = pd.Categorical.from_codes(family[found.codes], categories=names)
    params = {"groupby": groupby, "alpha": alpha, "min_difference": min_difference, "n_splits": n_splits}
    params |= {"layer": layer, "key": key, "rng": found.seed}
    record(target, slot, "tl.merge_clusters", params=params, clusters=clusters, pairs=pairs, n_clusters=n_left)
    logger.info("%s: %d clusters of %d are told apart by held-out counts", groupby, n_left, len(found.names))
    return target if copy else None
