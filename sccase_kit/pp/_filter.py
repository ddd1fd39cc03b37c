"""Filters of peaks and cells, and binarisation."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from anndata import AnnData
from scipy import sparse

from .._arguments import checked
from .._calls import record_step
from .._logging import logger
from .._validate import check_adata, check_choice, check_int, check_number
from ..matrix.access import as_csr, check_counts, get_matrix, in_memory_copy
from ..matrix.blocks import iter_row_blocks
from ..matrix.rows import canonical
from ..matrix.sums import count_statistics
from .loading import load_counts, put_matrix


def _column_sums(matrix: Any) -> np.ndarray:
    total = np.zeros(matrix.shape[1])
    for _, block in iter_row_blocks(matrix):
        check_counts(block)
        total += np.asarray(block.sum(axis=0, dtype=np.float64)).ravel()
    return total


def _subset(adata: AnnData, keep: np.ndarray, *, axis: Literal["obs", "var"], copy: bool) -> AnnData:
    """Return what is left: a copy in memory, or `adata` itself, cut in place."""
    if copy:
        return in_memory_copy(adata[keep] if axis == "obs" else adata[:, keep])
    if adata.isbacked:
        msg = "a backed adata cannot be cut in place; pass copy=True, which loads what is left"
        raise ValueError(msg)
    if axis == "obs":
        adata._inplace_subset_obs(keep)
    else:
        adata._inplace_subset_var(keep)
    return adata


@checked()
def filter_peaks(
    adata: AnnData,
    *,
    min_fraction: float = 0.01,
    by: Literal["cells", "counts"] = "cells",
    layer: str | None = None,
    copy: bool = False,
) -> AnnData | None:
    """Keep peaks open in at least a fraction of the cells.

    Parameters
    ----------
    adata
        Cells × peaks.
    min_fraction
        Least fraction of cells, 0 to 1.
    by
        `"cells"`: cells with the peak open ≥ min_fraction · n_obs (the paper). `"counts"`: total counts of the peak ≥
        min_fraction · n_obs (the published program).
    layer
        Layer with the counts; `None` for `X`.
    copy
        Return a filtered copy instead of cutting `adata`.

    Returns
    -------
    `None`, or the filtered copy (in memory). Everything aligned to the peaks is cut with them. The call is noted in
    ``uns["sccase_kit_steps"]``.

    Raises
    ------
    KeyError
        If the layer is missing.
    ValueError
        If no peak is left, a count is negative, NaN or infinite, or `adata` is backed and `copy` is False.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500).adata
    >>> sk.pp.filter_peaks(adata, min_fraction=0.05)
    >>> bool(((adata.X > 0).sum(axis=0) >= 5).all())
    True
    """
    check_adata(adata)
    check_number(min_fraction, name="min_fraction", minimum=0, maximum=1)
    check_choice(by, ["cells", "counts"], name="by")
    matrix = canonical(get_matrix(adata, layer))
    support = count_statistics(matrix)[1] if by == "cells" else _column_sums(matrix)
    least = min_fraction * adata.n_obs * (1 - 1e-12)  # 0.07 · 100 is 7.000000000000001
    keep = (support >= least) & (support > 0)
    if not keep.any():
        most = support.max(initial=0)
        msg = f"min_fraction={min_fraction} keeps no peak of {adata.n_vars}: the most open has {by} = {most:g} "
        msg += f"of {adata.n_obs} cells"
        raise ValueError(msg)
    logger.info("filter_peaks: kept %d of %d peaks%s", keep.sum(), len(keep), _more(support, keep, least, min_fraction))
    target = _subset(adata, keep, axis="var", copy=copy)
    record_step(target, "filter_peaks", min_fraction=float(min_fraction), by=by, layer=layer)
    return target if copy else None


def _more(support: np.ndarray, keep: np.ndarray, least: float, min_fraction: float) -> str:
    """Return what a lower limit keeps, where most peaks are left out that are open somewhere."""
    lower = int(((support >= least / 10) & (support > 0)).sum())
    if keep.sum() > len(keep) / 2 or lower < 2 * keep.sum():
        return ""
    return f" (min_fraction={min_fraction / 10:g} keeps {lower}: more genes and functions can be told by more peaks)"


@checked()
def filter_cells(
    adata: AnnData,
    *,
    min_peaks: int = 1,
    min_counts: float = 0,
    layer: str | None = None,
    copy: bool = False,
) -> AnnData | None:
    """Keep cells with enough open peaks and counts.

    Parameters
    ----------
    adata
        Cells × peaks.
    min_peaks
        Least number of open peaks.
    min_counts
        Least total count.
    layer
        Layer with the counts; `None` for `X`.
    copy
        Return a filtered copy instead of cutting `adata`.

    Returns
    -------
    `None`, or the filtered copy (in memory). Everything aligned to the cells is cut with them. The call is noted in
    ``uns["sccase_kit_steps"]``.

    Raises
    ------
    KeyError
        If the layer is missing.
    ValueError
        If no cell is left, a count is negative, NaN or infinite, or `adata` is backed and `copy` is False.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500).adata
    >>> sk.pp.filter_cells(adata, min_peaks=1)
    >>> adata.n_obs
    100
    """
    check_adata(adata)
    check_int(min_peaks, name="min_peaks", minimum=0)
    check_number(min_counts, name="min_counts", minimum=0)
    matrix = canonical(get_matrix(adata, layer))
    depth = count_statistics(matrix)[0]
    n_open = np.zeros(adata.n_obs, dtype=np.int64)
    for rows, block in iter_row_blocks(matrix):
        n_open[rows] = np.diff(_nonzero(block).indptr)
    keep = (n_open >= min_peaks) & (depth >= min_counts)
    if not keep.any():
        msg = f"min_peaks={min_peaks}, min_counts={min_counts} keep no cell of {adata.n_obs}: the largest have "
        msg += f"{n_open.max(initial=0)} open peaks and {depth.max(initial=0):g} counts"
        raise ValueError(msg)
    logger.info("filter_cells: kept %d of %d cells", keep.sum(), len(keep))
    target = _subset(adata, keep, axis="obs", copy=copy)
    record_step(target, "filter_cells", min_peaks=int(min_peaks), min_counts=float(min_counts), layer=layer)
    return target if copy else None


def _nonzero(csr: sparse.csr_matrix) -> sparse.csr_matrix:
    csr = as_csr(csr)
    if np.all(csr.data):
        return csr
    csr = csr.copy()
    csr.eliminate_zeros()
    return csr


@checked()
def binarize(adata: AnnData, *, layer: str | None = None, copy: bool = False) -> AnnData | None:
    """Replace every nonzero count by 1.

    Parameters
    ----------
    adata
        Cells × peaks; a backed one needs ``copy=True``.
    layer
        Layer with the counts; `None` for `X`.
    copy
        Return a copy instead of changing `adata`.

    Returns
    -------
    `None`, or the copy (in memory); `X` or the layer becomes CSR of the same dtype. The call is noted in
    ``uns["sccase_kit_steps"]``.

    Raises
    ------
    KeyError
        If the layer is missing.
    ValueError
        If a count is negative, NaN or infinite, or `adata` is backed and `copy` is False.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500).adata
    >>> sk.pp.binarize(adata)
    >>> int(adata.X.max())
    1
    """
    check_adata(adata)
    if adata.isbacked and not copy:
        msg = "a backed adata cannot be changed in place; pass copy=True, which loads it"
        raise ValueError(msg)
    csr = _nonzero(load_counts(adata, layer)).copy()
    csr.data = np.ones_like(csr.data)
    target = in_memory_copy(adata) if copy else adata
    put_matrix(target, layer, csr)
    record_step(target, "binarize", layer=layer)
    return target if copy else None
