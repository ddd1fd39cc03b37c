"""What a method is to the experiments: a method of enhancement or a function of an AnnData; and two baselines."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from anndata import AnnData
from scipy import sparse

from .._arguments import checked
from .._rng import check_rng
from .._validate import check_adata
from ..enhance import METHODS, Enhancement, Inputs, Knn, fit, prepare
from ..enhance import Method as EnhancementMethod
from ..enhance.run import choose
from ..matrix.access import get_matrix
from ..pp import tfidf_scaling
from ..pp.loading import load_counts
from .evaluation import profiles_of
from .profiles import Profiles

#: A function of an AnnData, or a method of enhancement by name or as an object.
Method = Callable[..., Any] | str | EnhancementMethod


def run_method(
    method: Method, adata: AnnData, *, rng: int, key: str = "sccase"
) -> tuple[Profiles, Profiles, np.ndarray | slice]:
    """Run a method on a copy of the data; return its values (unscaled, and as they are clustered) and its peaks.

    Factors and fitted AnnData are min–max scaled for clustering, as the published program's output is. A matrix is
    taken as it is for both.

    Parameters
    ----------
    method
        Name or object of a method of enhancement, such as ``sk.enhance.Knn(n_neighbors=30)``; or a function of an
        AnnData, and of `rng` if it has such a parameter. It returns a pair (cell_factors,
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
    result = _result_of(method, adata, rng)
    plain, scaled = as_profiles(result, key=key)
    if plain.shape[0] != adata.n_obs:
        msg = f"the method returned {plain.shape[0]} cells for {adata.n_obs}; the result must hold every cell once"
        raise ValueError(msg)
    return plain, scaled, _peaks_of(result, plain, adata)


def _result_of(method: Method, adata: AnnData, rng: int) -> Any:
    if isinstance(method, (str, EnhancementMethod)):
        return fit(get_matrix(adata), choose(method, {}), rng=rng).result
    own = adata.copy()
    takes_rng = "rng" in inspect.signature(method).parameters
    result = method(own, rng=rng) if takes_rng else method(own)
    return own if result is None else result


def is_method(value: object) -> bool:
    """Return whether :func:`run_method` can run it."""
    known = isinstance(value, str) and value in METHODS
    return known or callable(value) or isinstance(value, EnhancementMethod)


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
    if isinstance(result, Enhancement):
        if result.matrix is None:
            result = result.factors
        elif not sparse.issparse(result.matrix):
            plain = Profiles(np.asarray(result.matrix))
            return plain, plain.minmax_scaled()
        else:
            result = result.matrix
    if isinstance(result, AnnData):
        if f"{key}_cell_factors" in result.obsm or key in result.layers:
            return profiles_of(result, key=key), profiles_of(result, key=key, scale="minmax")
        result = get_matrix(result)
    if isinstance(result, tuple):
        plain = Profiles(np.asarray(result[0]), np.asarray(result[1]))
        return plain, plain.minmax_scaled()
    plain = Profiles(sparse.csr_matrix(result) if sparse.issparse(result) else np.asarray(result))
    return plain, plain


@checked()
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
    counts = load_counts(adata, layer)
    return tfidf_scaling(counts).apply(counts)


@checked()
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
    method = Knn(n_components, n_neighbors)
    result = method.fit(prepare(get_matrix(adata, layer)), Inputs(check_rng(rng)))
    return sparse.csr_matrix(result.matrix)
