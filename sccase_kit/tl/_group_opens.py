"""What groups of cells hold: open cells by peak in the counts, and mean enhanced profiles."""

from __future__ import annotations

import numpy as np
from anndata import AnnData

from ..get.raw import fitted_layer, raw_layer
from ..get.thin import check_fitted, factors, is_dense
from ..matrix.access import check_counts, get_matrix
from ..matrix.sums import csr_pieces
from ..peaks import group_profiles


def has_counts(adata: AnnData, key: str) -> bool:
    """Return whether what was enhanced under `key` is still there."""
    check_fitted(adata, key)
    try:
        layer = raw_layer(adata, key)
    except KeyError:
        return False
    return layer is not None or adata.X is not None


def group_opens(adata: AnnData, codes: np.ndarray, n_groups: int, *, key: str, layer: str | None) -> np.ndarray:
    """Count the cells of every group that are open at every peak, by blocks of cells.

    Parameters
    ----------
    adata
        Data with the counts.
    codes
        0-based group of each cell, shape (n_obs,); cells with a negative code are left out.
    n_groups
        Number of groups.
    key
        The `key_added` of the fit, which says what was enhanced.
    layer
        Layer with the counts; `None` for what was enhanced.

    Returns
    -------
    Array of shape (n_groups, n_vars), int64.

    Raises
    ------
    KeyError
        If the layer is missing.
    ValueError
        If a count is negative, NaN or infinite.
    """
    return count_opens(adata, codes, n_groups, layer=fitted_layer(adata, key, layer))


def count_opens(adata: AnnData, codes: np.ndarray, n_groups: int, *, layer: str | None) -> np.ndarray:
    """Do what :func:`group_opens` does for counts that need not be those of a fit; a `layer` of `None` is `X`."""
    from ..peaks.marker_kernels import add_open

    matrix = get_matrix(adata, layer)
    codes = np.ascontiguousarray(codes, dtype=np.int64)
    opens = np.zeros((n_groups, adata.n_vars), dtype=np.int64)
    for rows, block in csr_pieces(matrix):
        check_counts(block)
        add_open(block.indptr, block.indices, block.data, codes[rows], opens)
    return opens


def mean_profiles(adata: AnnData, codes: np.ndarray, n_groups: int, *, key: str) -> np.ndarray:
    """Return the mean enhanced profile of every group, shape (n_groups, n_vars), float64.

    Parameters
    ----------
    adata
        Enhanced data, thin or dense (``solver="published"``).
    codes
        0-based group of each cell, shape (n_obs,).
    n_groups
        Number of groups, each with at least one cell.
    key
        The `key_added` of the fit.
    """
    if is_dense(adata, key):
        layer = adata.layers[key]
        means = [layer[codes == g].mean(axis=0, dtype=np.float64) for g in range(n_groups)]
        return np.array([np.asarray(mean).ravel() for mean in means])
    cells, peaks = factors(adata, key=key)
    return group_profiles(cells, peaks, codes=codes, n_groups=n_groups)
