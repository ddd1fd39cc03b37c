"""Corruptions for robustness studies: dropout, subsampling, imbalance."""

from __future__ import annotations

import numpy as np
from anndata import AnnData
from scipy import sparse

from .._matrix import get_matrix
from .._validate import check_adata, check_int, check_labels, check_number


def dropout(adata: AnnData, rate: float, *, layer: str | None = None, rng: int | np.random.Generator = 0) -> AnnData:
    """Return a copy in which each nonzero count is set to zero with probability `rate` (Fig. 5a).

    Parameters
    ----------
    adata
        Counts, cells × peaks, in memory.
    rate
        Probability, 0 to 1.
    layer
        Layer with the counts; `None` for `X`.
    rng
        Seed or generator.
    """
    check_adata(adata)
    rate = check_number(rate, name="rate", minimum=0, maximum=1)
    csr = sparse.csr_matrix(get_matrix(adata, layer)).copy()
    csr.data[np.random.default_rng(rng).random(csr.nnz) < rate] = 0
    csr.eliminate_zeros()
    result = adata.copy()
    if layer is None:
        result.X = csr
    else:
        result.layers[layer] = csr
    return result


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
        Size of the subset, as a share or a number; exactly one, unless `evenness` is given.
    groupby
        Column of `obs`: sample every group by the same share (at least one cell).
    evenness
        With `groupby`: 0 leaves the group sizes, 1 cuts all groups to the smallest; sizes between shrink
        geometrically, n_g^(1−e) · n_min^e, which reduces the imbalance degree (Fig. 5b).
    rng
        Seed or generator.

    Raises
    ------
    ValueError
        If the size is not given exactly once, or `evenness` comes without `groupby`.
    """
    check_adata(adata)
    generator = np.random.default_rng(rng)
    given = [value for value in (fraction, n_cells, evenness) if value is not None]
    if len(given) != 1:
        msg = f"give exactly one of fraction, n_cells, evenness; got {len(given)}"
        raise ValueError(msg)
    if evenness is not None and groupby is None:
        msg = "evenness needs groupby"
        raise ValueError(msg)
    n = adata.n_obs
    if fraction is not None:
        check_number(fraction, name="fraction", minimum=0, maximum=1, exclusive=False)
    if n_cells is not None:
        fraction = check_int(n_cells, name="n_cells", minimum=1, maximum=n) / n
    if groupby is None:
        keep = generator.choice(n, max(1, round(fraction * n)), replace=False)
        return adata[np.sort(keep)].copy()
    codes = check_labels(adata, groupby).cat.codes.to_numpy()
    sizes = np.bincount(codes)
    if evenness is not None:
        check_number(evenness, name="evenness", minimum=0, maximum=1)
        wanted = np.round(sizes ** (1 - evenness) * sizes.min() ** float(evenness))
    else:
        wanted = np.maximum(1, np.round(fraction * sizes))
    parts = [generator.choice(np.flatnonzero(codes == g), int(k), replace=False) for g, k in enumerate(wanted)]
    return adata[np.sort(np.concatenate(parts))].copy()
