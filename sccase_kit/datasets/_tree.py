"""Cell types on a balanced binary tree."""

from __future__ import annotations

import numpy as np


def type_names(n_types: int) -> list[str]:
    """Return ``type_1`` … ``type_n``."""
    return [f"type_{i + 1}" for i in range(n_types)]


def branches(n_types: int) -> list[list[int]]:
    """Return the leaves under each branch of a balanced binary tree, the root left out, parents first.

    The tree of five types is ``((1,2),(3,(4,5)))``; its branches are (1,2), 1, 2, (3,4,5), 3, (4,5), 4, 5.
    """

    def below(leaves: list[int]) -> list[list[int]]:
        if len(leaves) == 1:
            return []
        half = len(leaves) // 2
        return [b for part in (leaves[:half], leaves[half:]) for b in (part, *below(part))]

    return below(list(range(n_types))) if n_types > 1 else [[0]]


def brownian_leaves(n_types: int, n_dims: int, *, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Let a Gaussian vector diffuse down the tree.

    Every branch adds an independent standard normal step; leaves are scaled to unit variance on average.

    Returns
    -------
    Positions at the two ends of every branch, each of shape (n_branches, n_dims): the branch starts and
    the branch ends, in the order of :func:`branches`.
    """
    tree = branches(n_types)
    ends: dict[tuple[int, ...], np.ndarray] = {tuple(range(n_types)): np.zeros(n_dims)}
    starts = np.empty((len(tree), n_dims))
    stops = np.empty((len(tree), n_dims))
    for i, leaves in enumerate(tree):
        parent = min((p for p in ends if set(leaves) < set(p)), key=len, default=tuple(range(n_types)))
        starts[i] = ends[parent]
        stops[i] = starts[i] + rng.standard_normal(n_dims)
        ends[tuple(leaves)] = stops[i]
    leaf = [len(leaves) == 1 for leaves in tree]
    scale = np.sqrt(np.mean(stops[leaf] ** 2))
    return starts / scale, stops / scale
