"""Pools of neighbouring cells, over which sparse values are summed or averaged."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from .._rng import check_rng
from .nearest import nearest_neighbors


def neighbor_pools(
    embedding: np.ndarray, n_pools: int, pool_size: int, rng: int | np.random.Generator | None
) -> sparse.csr_matrix:
    """Return weights of cells in pools, shape (n_pools, n_obs): random cells, each with its nearest ones.

    Parameters
    ----------
    embedding
        Cells × dimensions, float32.
    n_pools
        Number of pools; all cells once, where there are fewer.
    pool_size
        Cells per pool, each with weight 1 / `pool_size`; all, where there are fewer.
    rng
        Seed or generator.
    """
    generator = check_rng(rng)
    n = len(embedding)
    pool_size = min(pool_size, n)
    near, _ = nearest_neighbors(embedding, pool_size)
    seeds = generator.choice(n, min(n_pools, n), replace=False)
    indices = near[seeds].ravel()
    shape = (len(seeds), n)
    return sparse.csr_matrix(
        (np.full(indices.size, 1 / pool_size), indices, np.arange(0, indices.size + 1, pool_size)), shape=shape
    )
