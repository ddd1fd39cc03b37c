"""Corruptions for robustness studies: dropout, subsampling, imbalance."""

from __future__ import annotations

import numpy as np
from anndata import AnnData

from .._arguments import checked
from .._calls import record_step
from .._record import seeded
from .._rng import check_rng
from .._validate import check_adata, check_int, check_labels, check_number
from ..matrix.access import in_memory_copy
from .loading import load_counts, put_matrix


@checked()
def dropout(adata: AnnData, rate: float, *, layer: str | None = None, rng: int | np.random.Generator = 0) -> AnnData:
    """Return a copy in which each nonzero count is set to zero with probability `rate` (Fig. 5a).

    Parameters
    ----------
    adata
        Counts, cells × peaks.
    rate
        Probability, 0 to 1.
    layer
        Layer with the counts; `None` for `X`.
    rng
        Seed or generator.

    Returns
    -------
    AnnData in memory; `X` or the layer is CSR of the same dtype. The call is noted in ``uns["sccase_kit_steps"]``.

    Raises
    ------
    ValueError
        If `rate` is outside 0 to 1, or a count is negative, NaN or infinite.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500).adata
    >>> fewer = sk.pp.dropout(adata, 0.3, rng=0)
    >>> bool(fewer.X.sum() < adata.X.sum())
    True
    """
    check_adata(adata)
    rate = check_number(rate, name="rate", minimum=0, maximum=1)
    csr = load_counts(adata, layer).copy()
    csr.eliminate_zeros()
    rng, seed = seeded(rng)
    csr.data[check_rng(rng).random(csr.nnz) < rate] = 0
    csr.eliminate_zeros()
    result = in_memory_copy(adata)
    put_matrix(result, layer, csr)
    record_step(result, "dropout", rate=rate, layer=layer, rng=seed)
    return result


@checked()
def subsample_cells(
    adata: AnnData,
    *,
    fraction: float | None = None,
    n_cells: int | None = None,
    groupby: str | None = None,
    evenness: float | None = None,
    rng: int | np.random.Generator = 0,
) -> AnnData:
    """Return a random subset of the cells, in their order.

    Parameters
    ----------
    adata
        Cells × peaks.
    fraction, n_cells
        Size of the subset, as a share or a number; exactly one, unless `evenness` is given. With `groupby` every group
        gives the same share, rounded, so that the total can differ from `n_cells` by the rounding.
    groupby
        Column of `obs`: sample every group by the same share (at least one cell).
    evenness
        With `groupby`: 0 leaves the group sizes, 1 cuts all groups to the smallest; sizes between shrink
        geometrically, n_g^(1−e) · n_min^e, which reduces the imbalance degree (Fig. 5b).
    rng
        Seed or generator.

    Returns
    -------
    AnnData in memory with the chosen cells, at least one. The call is noted in ``uns["sccase_kit_steps"]``.

    Raises
    ------
    KeyError
        If `groupby` is missing.
    ValueError
        If the size is not given exactly once, a value is out of range, or `evenness` comes without `groupby`.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500).adata
    >>> sk.pp.subsample_cells(adata, fraction=0.5, rng=0).n_obs
    50
    """
    check_adata(adata)
    rng, seed = seeded(rng)
    generator = check_rng(rng)
    given = {"fraction": fraction, "n_cells": n_cells, "evenness": evenness}
    given = {name: value for name, value in given.items() if value is not None}
    if len(given) != 1:
        msg = f"give exactly one of fraction, n_cells, evenness; got {given or 'none'}"
        raise ValueError(msg)
    if evenness is not None and groupby is None:
        msg = f"evenness={evenness!r} needs groupby, the column of adata.obs with the groups to even out"
        raise ValueError(msg)
    n = adata.n_obs
    if n == 0:
        msg = "adata has no cells to draw from"
        raise ValueError(msg)
    if evenness is not None:
        check_number(evenness, name="evenness", minimum=0, maximum=1)
    elif n_cells is not None:
        fraction = check_int(n_cells, name="n_cells", minimum=1, maximum=n) / n
    else:
        fraction = check_number(fraction, name="fraction", minimum=0, maximum=1)
    if groupby is None:
        keep = generator.choice(n, max(1, round(fraction * n)), replace=False)
    else:
        codes = check_labels(adata, groupby).cat.codes.to_numpy()
        sizes = np.bincount(codes)
        if evenness is not None:
            wanted = np.round(sizes ** (1 - float(evenness)) * sizes.min() ** float(evenness))
        else:
            wanted = np.maximum(1, np.round((fraction or 0.0) * sizes))
        parts = [generator.choice(np.flatnonzero(codes == g), int(k), replace=False) for g, k in enumerate(wanted)]
        keep = np.concatenate(parts)
    result = in_memory_copy(adata[np.sort(keep)])
    record_step(result, "subsample_cells", **given, groupby=groupby, rng=seed)
    return result
