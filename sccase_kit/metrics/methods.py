"""What a method is to the experiments: a function of an AnnData; and two baselines."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from anndata import AnnData
from scipy import sparse

from .._validate import check_adata
from ..enhance.preparation import prepare
from ..matrix.access import get_matrix
from ..matrix.krylov import leading_components
from ..neighbors.nearest import nearest_neighbors
from ..pp import tfidf_scaling
from .evaluation import profiles_of
from .profiles import Profiles

Method = Callable[..., Any]


def run_method(
    method: Method, adata: AnnData, *, rng: int, key: str = "sccase"
) -> tuple[Profiles, Profiles, np.ndarray | slice]:
    """Run a method on a copy of the data; return its values (unscaled, and as they are clustered) and its peaks.

    Factors and fitted AnnData are min–max scaled for clustering, as the published program's output is. A matrix is
    taken as it is for both.

    Parameters
    ----------
    method
        Function of an AnnData, and of `rng` if it has such a parameter. It returns a pair (cell_factors,
        peak_factors), a cells × peaks matrix, or an AnnData (a fitted one, or one with the enhanced matrix in `X`);
        or it writes to the AnnData and returns None.
    adata
        Counts and labels; the method gets a copy.
    rng
        Seed for the method.
    key
        Key under which fitted AnnData hold the result.

    Returns
    -------
    The values unscaled, the values as they are clustered, and the positions of their peaks in `adata` (an AnnData
    may hold fewer peaks, matched by name).

    Raises
    ------
    ValueError
        If the result has another number of cells, or unknown peaks.
    """
    own = adata.copy()
    takes_rng = "rng" in inspect.signature(method).parameters
    result = method(own, rng=rng) if takes_rng else method(own)
    result = own if result is None else result
    plain, scaled = as_profiles(result, key=key)
    if plain.shape[0] != adata.n_obs:
        msg = f"the method returned {plain.shape[0]} cells for {adata.n_obs}; the result must hold every cell once"
        raise ValueError(msg)
    return plain, scaled, _peaks_of(result, plain, adata)


def _peaks_of(result: Any, plain: Profiles, adata: AnnData) -> np.ndarray | slice:
    n_peaks = plain.shape[1]
    if isinstance(result, AnnData) and not result.var_names.equals(adata.var_names):
        positions = adata.var_names.get_indexer(result.var_names)
        if (positions >= 0).all():
            return positions
        msg = f"the method returned {int((positions < 0).sum())} peaks that the data lack"
        raise ValueError(msg)
    if n_peaks != adata.n_vars:
        msg = f"the method returned {n_peaks} peaks for {adata.n_vars}; return an AnnData with their names"
        raise ValueError(msg)
    return slice(None)


def as_profiles(result: Any, *, key: str = "sccase") -> tuple[Profiles, Profiles]:
    """Return a method's result as :class:`Profiles`: unscaled, and as it is clustered."""
    if isinstance(result, AnnData):
        if f"{key}_cell_factors" in result.obsm or key in result.layers:
            return profiles_of(result, key=key), profiles_of(result, key=key, scale="minmax")
        result = get_matrix(result)
    if isinstance(result, tuple):
        plain = Profiles(np.asarray(result[0]), np.asarray(result[1]))
        return plain, plain.minmax_scaled()
    plain = Profiles(sparse.csr_matrix(result) if sparse.issparse(result) else np.asarray(result))
    return plain, plain


def raw_tfidf(adata: AnnData, *, layer: str | None = None) -> sparse.csr_matrix:
    """Return the TF-IDF that the enhancer starts from, CSR of shape (n_obs, n_vars), float32.

    Parameters
    ----------
    adata
        Counts, cells × peaks.
    layer
        Layer with the counts; `None` for `X`.

    Returns
    -------
    CSR matrix of shape (n_obs, n_vars), float32.
    """
    check_adata(adata)
    counts = get_matrix(adata, layer)
    return tfidf_scaling(counts).apply(counts)


def knn_smoothing(
    adata: AnnData,
    *,
    n_neighbors: int = 15,
    n_components: int = 50,
    layer: str | None = None,
    rng: int | np.random.Generator | None = 0,
) -> sparse.csr_matrix:
    """Return the mean TF-IDF of every cell's nearest neighbours (itself included), CSR of shape (n_obs, n_vars).

    Neighbours are by Euclidean distance in principal components of the TF-IDF.

    Parameters
    ----------
    adata
        Counts, cells × peaks.
    n_neighbors
        Neighbours per cell, itself included.
    n_components
        Principal components in which neighbours are found.
    layer
        Layer with the counts; `None` for `X`.
    rng
        Seed or generator.

    Returns
    -------
    CSR matrix of shape (n_obs, n_vars).
    """
    check_adata(adata)
    generator = np.random.default_rng(rng)
    data = prepare(get_matrix(adata, layer))
    scores = leading_components(data.op, n_components, rng=generator)
    indices, _ = nearest_neighbors(scores, min(n_neighbors, adata.n_obs), rng=generator)
    n, k = indices.shape
    mean = sparse.csr_matrix((np.full(n * k, 1 / k, dtype=np.float32), indices.ravel(), np.arange(0, n * k + 1, k)))
    return (mean @ raw_tfidf(adata, layer=layer)).tocsr()
