r"""Silhouette with the distance 1 − Pearson correlation, exact and linear in the number of cells.

With unit vectors u the mean distance of cell i to a group is :math:`1 - u_i \cdot \bar u_{group}`: one product with
the group sums replaces all pairs of cells, so no sampling is needed at any size.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._arguments import checked
from .._labels import encode_labels
from .profiles import Profiles


@checked()
def silhouette_samples(labels: Any, cell_factors: Any, peak_factors: np.ndarray | None = None) -> np.ndarray:
    """Return the silhouette of every cell with the distance 1 − Pearson correlation over the peaks.

    Parameters
    ----------
    labels
        Group of every cell, shape (n_obs,), any hashable.
    cell_factors
        Cell factors of shape (n_obs, r); or, without `peak_factors`, the cells × peaks matrix (dense or sparse).
    peak_factors
        Peak factors of shape (n_vars, r).

    Returns
    -------
    Array of shape (n_obs,) with values in [-1, 1]; 0 for the only cell of a group, as in :mod:`sklearn.metrics`.
    Cells without variance over the peaks have correlation 0 with every cell.

    Raises
    ------
    ValueError
        If there are fewer than two groups or the numbers of cells differ.
    """
    profiles = Profiles(cell_factors, peak_factors)
    codes, groups = encode_labels(labels, profiles.shape[0], min_groups=2)
    coordinates = profiles.correlation_coordinates()
    sizes = np.bincount(codes, minlength=len(groups))
    products = coordinates.group_products(codes, len(groups))
    cells = np.arange(len(codes))
    own_size = sizes[codes]
    # a cell's distance to itself is not counted: 1 − u·u is 0, or 1 for a constant cell (u = 0)
    own = own_size - products[cells, codes] - coordinates.constant
    within = own / np.maximum(own_size - 1, 1)
    between = 1 - products / sizes
    between[cells, codes] = np.inf
    nearest = between.min(axis=1)
    largest = np.maximum(within, nearest)
    score = (nearest - within) / np.where(largest > 0, largest, 1)
    return np.where(own_size > 1, score, 0.0)


@checked()
def silhouette(labels: Any, cell_factors: Any, peak_factors: np.ndarray | None = None) -> float:
    """Return the mean of :func:`silhouette_samples` over the cells.

    Parameters
    ----------
    labels, cell_factors, peak_factors
        As in :func:`silhouette_samples`.

    Returns
    -------
    Mean silhouette, between −1 and 1.
    """
    return float(silhouette_samples(labels, cell_factors, peak_factors).mean())
