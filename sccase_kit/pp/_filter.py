"""Filters of peaks and cells, and binarisation."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from anndata import AnnData
from scipy import sparse

from .._logging import logger
from .._matrix import get_matrix
from .._validate import check_adata, check_choice, check_int, check_number
from ..enhance._prepare import count_statistics


def _column_sums(matrix: Any) -> np.ndarray:
    from ..io._blocks import iter_row_blocks

    total = np.zeros(matrix.shape[1])
    for _, block in iter_row_blocks(matrix):
        total += np.asarray(block.sum(axis=0, dtype=np.float64)).ravel()
    return total


def _subset(adata: AnnData, *, rows: Any = None, cols: Any = None, copy: bool) -> AnnData | None:
    if copy:
        part = adata[slice(None) if rows is None else rows, slice(None) if cols is None else cols]
        return part.to_memory() if adata.isbacked else part.copy()
    if adata.isbacked:
        msg = "a backed adata cannot be cut in place; pass copy=True (loads the rest) or filter once with io.convert"
        raise ValueError(msg)
    if rows is not None:
        adata._inplace_subset_obs(rows)
    if cols is not None:
        adata._inplace_subset_var(cols)
    return None


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

    Raises
    ------
    ValueError
        If no peak is left, or `adata` is backed and `copy` is False.
    """
    check_adata(adata)
    check_number(min_fraction, name="min_fraction", minimum=0, maximum=1)
    check_choice(by, ["cells", "counts"], name="by")
    matrix = get_matrix(adata, layer)
    support = count_statistics(matrix)[1] if by == "cells" else _column_sums(matrix)
    keep = (support >= min_fraction * adata.n_obs) & (support > 0)
    if not keep.any():
        msg = f"min_fraction={min_fraction} keeps no peak: the most open peak has {by} = {support.max():g} "
        msg += f"of {adata.n_obs} cells"
        raise ValueError(msg)
    logger.info("filter_peaks: kept %d of %d peaks", keep.sum(), len(keep))
    return _subset(adata, cols=keep, copy=copy)


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

    Raises
    ------
    ValueError
        If no cell is left, or `adata` is backed and `copy` is False.
    """
    from ..io._blocks import iter_row_blocks

    check_adata(adata)
    check_int(min_peaks, name="min_peaks", minimum=0)
    check_number(min_counts, name="min_counts", minimum=0)
    matrix = get_matrix(adata, layer)
    depth = count_statistics(matrix)[0]
    n_open = np.concatenate([np.diff(_nonzero(block).indptr) for _, block in iter_row_blocks(matrix)])
    keep = (n_open >= min_peaks) & (depth >= min_counts)
    if not keep.any():
        msg = f"min_peaks={min_peaks}, min_counts={min_counts} keep no cell: the largest have {n_open.max()} open "
        msg += f"peaks and {depth.max():g} counts"
        raise ValueError(msg)
    logger.info("filter_cells: kept %d of %d cells", keep.sum(), len(keep))
    return _subset(adata, rows=keep, copy=copy)


def _nonzero(csr: sparse.csr_matrix) -> sparse.csr_matrix:
    if np.all(csr.data):
        return csr
    csr = csr.copy()
    csr.eliminate_zeros()
    return csr


def binarize(adata: AnnData, *, layer: str | None = None, copy: bool = False) -> AnnData | None:
    """Replace every nonzero count by 1.

    Parameters
    ----------
    adata
        Cells × peaks, in memory.
    layer
        Layer with the counts; `None` for `X`.
    copy
        Return a copy instead of changing `adata`.

    Returns
    -------
    `None`, or the copy; `X` or the layer becomes CSR of the same dtype.
    """
    check_adata(adata)
    target = adata.copy() if copy else adata
    csr = _nonzero(sparse.csr_matrix(get_matrix(target, layer))).copy()
    csr.data = np.ones_like(csr.data)
    if layer is None:
        target.X = csr
    else:
        target.layers[layer] = csr
    return target if copy else None
