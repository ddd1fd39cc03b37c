"""Estimate the number of cell types."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from anndata import AnnData

from .._arguments import checked
from .._calls import check_free
from .._logging import logger
from .._progress import progress
from .._record import record
from .._rng import check_rng
from .._validate import check_adata, check_int, check_list, check_number
from ..enhance.preparation import require_differences
from ..matrix.access import get_matrix
from ..matrix.operator import ScaledOperator
from ..matrix.rows import canonical
from ..matrix.sums import count_statistics
from ..metrics.aster import embeddings, estimate

_FEW_CELLS = 50


@checked()
def estimate_k(
    adata: AnnData,
    *,
    k_values: Sequence[int] = range(3, 15),
    layer: str | None = None,
    min_fraction: float = 0.01,
    max_cells: int = 20_000,
    rng: int | np.random.Generator | None = 0,
    key_added: str | None = "estimate_k",
) -> int:
    """Estimate the number of cell types with ASTER's three estimators.

    The knee of the k-means inertia, the lowest Davies–Bouldin score, and the largest silhouette of Louvain and Leiden
    each name a number; the estimate is their mean, rounded up. The estimate depends on the range of numbers
    considered, and the k-means part on chance: on few cells the Davies–Bouldin vote can be anywhere. Look at the
    curves (:func:`sccase_kit.pl.estimate_k`), and prefer methods that need no number where there are any.

    Parameters
    ----------
    adata
        Annotated data with counts, in memory or backed; the counts are binarised.
    k_values
        Numbers of types to consider; the published scCASE considers 3 to 14.
    layer
        Layer with the counts; `None` for `adata.X`.
    min_fraction
        Peaks open in a smaller fraction of the cells are left out.
    max_cells
        Above this number the curves are computed on a random subset of the cells (the embedding uses all).
    rng
        Seed or generator. With the default the k-means starts are those of the published program under scanpy < 1.10,
        whose PCA resets the random numbers whatever the `seed` it was given.
    key_added
        Key of `adata.uns` for the curves; `None` writes nothing.

    Returns
    -------
    The estimated number of types. Written, with ``key_added="estimate_k"``:

    `uns["estimate_k"]`
        `n_types`; `votes` (dict with `knee`, `davies_bouldin`, `silhouette`; one that could not be had is absent);
        `curves` (DataFrame with columns `k`, `inertia`, `davies_bouldin`, `silhouette_louvain`,
        `silhouette_leiden`); `params`.

    Raises
    ------
    ValueError
        If a number is below 2 or not below the number of cells with counts.

    References
    ----------
    Chen et al., ASTER, Bioinformatics 39, btac842 (2023); compared with PyPI ``epiaster`` 0.0.7.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study()  # doctest: +SKIP
    >>> sk.tl.estimate_k(adata)  # doctest: +SKIP
    6
    """
    check_adata(adata)
    if key_added is not None:
        check_free(adata, key_added, "tl.estimate_k")
    k_values = check_list(k_values, name="k_values", what="integers")
    numbers = sorted({check_int(k, name="k_values", minimum=2) for k in k_values})
    if len(numbers) < 2:
        msg = f"k_values must hold at least two numbers, got {list(k_values)!r}"
        raise ValueError(msg)
    min_fraction = check_number(min_fraction, name="min_fraction", minimum=0, maximum=1)
    max_cells = check_int(max_cells, name="max_cells", minimum=100)
    matrix = canonical(get_matrix(adata, layer))
    seed = _seed(rng)
    generator = np.random.default_rng(seed)
    few = adata.n_obs < _FEW_CELLS
    _, n_open, nnz = count_statistics(matrix)
    if nnz == 0:
        msg = "the counts hold no nonzero value; no number of types can be estimated"
        raise ValueError(msg)
    require_differences(n_open, adata.n_obs)
    operator = ScaledOperator(matrix, binary=True)
    knee_embedding, embedding, keep = embeddings(
        operator, n_open, min_fraction=min_fraction, n_components=10 if few else 50, rng=generator
    )
    if not keep.all():
        logger.info("%d cells without an open peak are left out", int((~keep).sum()))
    n_used = int((n_open >= max(1, np.ceil(min_fraction * adata.n_obs))).sum())
    n_draws = min(len(embedding), n_used)
    if len(embedding) > max_cells:
        chosen = np.sort(generator.choice(len(embedding), max_cells, replace=False))
        knee_embedding, embedding = knee_embedding[chosen], embedding[chosen]
    if numbers[-1] >= len(embedding):
        msg = f"k_values goes up to {numbers[-1]}, there are only {len(embedding)} cells with counts"
        raise ValueError(msg)
    with progress(total=len(numbers), desc="number of types", unit="k") as bar:
        result = estimate(
            knee_embedding,
            embedding,
            numbers,
            n_neighbors=5 if few else 15,
            n_draws_before=n_draws,
            seed=seed,
            report=bar.update,
        )
    votes = {"knee": result.knee, "davies_bouldin": result.davies_bouldin, "silhouette": result.silhouette}
    votes = {name: vote for name, vote in votes.items() if vote is not None}
    logger.info("estimated %d cell types (%s)", result.n_types, votes)
    if key_added is not None:
        params = {
            "k_values": numbers,
            "layer": layer,
            "min_fraction": min_fraction,
            "max_cells": max_cells,
            "rng": seed,  # a generator serves to draw it and for nothing else
        }
        curves = result.curves.reset_index().rename(index=str)
        record(adata, key_added, "tl.estimate_k", params=params, n_types=result.n_types, votes=votes, curves=curves)
    return result.n_types


def _seed(rng: int | np.random.Generator | None) -> int:
    """Return an integer seed: an integer itself, else a draw."""
    if isinstance(rng, (int, np.integer)) and not isinstance(rng, bool):
        return check_int(rng, name="rng", minimum=0, maximum=2**32 - 1)
    return int(check_rng(rng).integers(2**31))
