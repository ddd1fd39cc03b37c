r"""Thin factors of the enhanced matrix and what can be had from them block by block.

The enhanced matrix is :math:`E = C P^\top` with cell factors C (n_obs × r) and peak factors P (n_vars × r).
It is computed only for the block that is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike
from scipy import sparse

from .._arguments import Numbers, checked
from .._settings import settings

#: Peaks of all cells at a time: products of fewer are slow, and values should not leave the processor's cache: those
#: of a block its third level, those looked at (`_LOOKED_AT`) its second.
_FEWEST_PEAKS, _MOST_PEAKS, _VALUES, _LOOKED_AT = 64, 512, 1 << 20, 1 << 18


@dataclass(frozen=True)
class Ranges:
    """Minima and maxima for the published program's two min–max passes.

    Attributes
    ----------
    peak
        Array of shape (n_vars, 2): minimum and maximum of every peak over the cells of E.
    cell
        Array of shape (n_obs, 2): minimum and maximum of every cell over the peaks, after the peaks were scaled.
    """

    peak: np.ndarray
    cell: np.ndarray


def range_width(limits: np.ndarray) -> np.ndarray:
    """Return max − min, with 1 for rows that are constant up to rounding (they become 0)."""
    width = limits[:, 1] - limits[:, 0]
    rounding = 10 * np.finfo(width.dtype).eps * np.abs(limits).max(axis=1)
    return np.where(width > rounding, width, 1)


@checked(matrix=Numbers("cells peaks", empty=False))
def minmax_scale(matrix: np.ndarray) -> np.ndarray:
    """Scale a dense matrix to [0, 1] per peak, then per cell, as the published program.

    Parameters
    ----------
    matrix
        Cells × peaks.

    Returns
    -------
    Scaled copy; constant peaks and cells become 0.
    """
    for axis in (0, 1):
        low, high = matrix.min(axis=axis, keepdims=True), matrix.max(axis=axis, keepdims=True)
        width = high - low
        matrix = (matrix - low) / np.where(width > 0, width, 1)
    return matrix


@checked(
    cell_factors=Numbers("cells components"),
    peak_factors=Numbers("peaks components"),
    peak_range=Numbers("peaks ends"),
    cell_range=Numbers("cells ends"),
)
def block(
    cell_factors: np.ndarray,
    peak_factors: np.ndarray,
    *,
    peak_range: np.ndarray | None = None,
    cell_range: np.ndarray | None = None,
) -> np.ndarray:
    """Return the enhanced block of the given cells and peaks, min–max scaled if both ranges are given.

    Parameters
    ----------
    cell_factors, peak_factors
        Factors of the wanted cells (a × r) and peaks (b × r).
    peak_range, cell_range
        Rows of :class:`Ranges` of the same peaks (b × 2) and cells (a × 2).

    Returns
    -------
    Array of shape (a, b) of the factors' dtype.
    """
    if peak_range is None or cell_range is None:
        return cell_factors @ peak_factors.T
    cells, peaks = minmax_factors(cell_factors, peak_factors, Ranges(peak=peak_range, cell=cell_range))
    out = cells @ peaks.T
    return np.clip(out, 0, 1, out=out)


def minmax_factors(cell_factors: np.ndarray, peak_factors: np.ndarray, limits: Ranges) -> tuple[np.ndarray, np.ndarray]:
    """Return factors of two more components whose product, cut to [0, 1], is min–max scaled.

    Parameters
    ----------
    cell_factors, peak_factors
        Factors of some cells (a × r) and peaks (b × r).
    limits
        Their ranges.

    Returns
    -------
    Arrays of shapes (a, r + 2) and (b, r + 2), of the factors' dtype.
    """
    width, cell_width = range_width(limits.peak)[:, None], range_width(limits.cell)[:, None]
    dtype = np.result_type(cell_factors, peak_factors)
    cells = np.hstack([cell_factors, np.ones_like(cell_width), -limits.cell[:, :1]], dtype=dtype)
    peaks = np.hstack([peak_factors, -limits.peak[:, :1], width], dtype=dtype)
    cells /= cell_width
    peaks /= width
    return cells, peaks


def scaled_block(values: np.ndarray, peak_range: np.ndarray, cell_range: np.ndarray) -> np.ndarray:
    """Return values of the enhanced matrix (a × b), min–max scaled by the ranges of the peaks and of the cells.

    Parameters
    ----------
    values
        Unscaled, dense.
    peak_range, cell_range
        Rows of :class:`Ranges` of these peaks (b × 2) and cells (a × 2).
    """
    out = (values - peak_range[:, 0]) / range_width(peak_range)
    out = (out - cell_range[:, :1]) / range_width(cell_range)[:, None]
    return np.clip(out, 0, 1).astype(values.dtype)


def sparse_ranges(matrix: sparse.csr_matrix) -> Ranges:
    """Return the ranges of the min–max scaling of a sparse enhanced matrix; it stays sparse.

    Parameters
    ----------
    matrix
        Non-negative, cells × peaks. The minimum of a peak is above 0 only where every cell has it, so that what is
        not stored stays 0 in the scaled matrix.
    """
    peak = np.column_stack([matrix.min(axis=0).toarray().ravel(), matrix.max(axis=0).toarray().ravel()])
    scaled = sparse.csr_matrix(matrix, copy=True)
    scaled.data = (scaled.data - peak[scaled.indices, 0]) / range_width(peak)[scaled.indices]
    cell = np.column_stack([scaled.min(axis=1).toarray().ravel(), scaled.max(axis=1).toarray().ravel()])
    return Ranges(peak=peak, cell=cell)


def _ranges_by_peaks(
    cell_factors: np.ndarray,
    peak_factors: np.ndarray,
    at_once: int,
    dtype: DTypeLike,
    report: Callable[[int], None] | None,
) -> Ranges:
    """Return what :func:`compute_ranges` does, from one product."""
    n, m = cell_factors.shape[0], peak_factors.shape[0]
    peak, cell, told = np.empty((m, 2), dtype), np.empty((2, n), dtype), 0
    cell[0], cell[1] = np.inf, -np.inf
    turned, room = np.ascontiguousarray(cell_factors.T), np.empty((min(at_once, m), n), dtype)
    few = max(16, _LOOKED_AT // n)
    for start in range(0, m, at_once):
        part = peak_factors[start : start + at_once]
        every = np.matmul(part, turned, out=room[: len(part)])
        for first in range(0, len(part), few):
            values = every[first : first + few]
            own = peak[start + first :][: len(values)]
            own[:, 0], own[:, 1] = values.min(axis=1), values.max(axis=1)
            values -= own[:, :1]
            values /= range_width(own)[:, None]
            np.minimum(cell[0], values.min(axis=0), out=cell[0])
            np.maximum(cell[1], values.max(axis=0), out=cell[1])
        if report is not None:
            done = 2 * n * (start + len(part)) // m
            report(done - told)
            told = done
    return Ranges(peak=peak, cell=np.ascontiguousarray(cell.T))


@checked(cell_factors=Numbers("cells components", empty=False), peak_factors=Numbers("peaks components", empty=False))
def compute_ranges(
    cell_factors: np.ndarray,
    peak_factors: np.ndarray,
    *,
    report: Callable[[int], None] | None = None,
) -> Ranges:
    """Return the ranges of the min–max scaling: some peaks of all cells at a time or, of many cells, two passes.

    Parameters
    ----------
    cell_factors, peak_factors
        Factors of all cells (n_obs × r) and all peaks (n_vars × r).
    report
        Called with the number of cells of every finished block (2 × n_obs in all).

    Returns
    -------
    :class:`Ranges`
    """
    n, m = cell_factors.shape[0], peak_factors.shape[0]
    dtype = np.result_type(cell_factors, peak_factors)
    at_once = settings.block_bytes // max(1, 4 * n * dtype.itemsize)
    if at_once >= _FEWEST_PEAKS:
        at_once = min(int(at_once), _MOST_PEAKS, max(_FEWEST_PEAKS, _VALUES // n))
        return _ranges_by_peaks(cell_factors, peak_factors, at_once, dtype, report)
    rows = max(1, min(n, settings.block_bytes // max(1, 4 * m * dtype.itemsize)))
    buffer = np.empty((rows, m), dtype=dtype)
    transposed = np.ascontiguousarray(peak_factors.T)
    low, high = np.full(m, np.inf, dtype=dtype), np.full(m, -np.inf, dtype=dtype)
    for start in range(0, n, rows):
        part = cell_factors[start : start + rows]
        values = np.matmul(part, transposed, out=buffer[: len(part)])
        np.minimum(low, values.min(axis=0), out=low)
        np.maximum(high, values.max(axis=0), out=high)
        if report is not None:
            report(len(part))
    peak = np.column_stack([low, high])
    width = range_width(peak)
    scaled = np.ascontiguousarray((peak_factors / width[:, None]).T)
    shift = low / width
    cell = np.empty((n, 2), dtype=dtype)
    for start in range(0, n, rows):
        part = cell_factors[start : start + rows]
        values = np.matmul(part, scaled, out=buffer[: len(part)])
        values -= shift
        cell[start : start + rows, 0] = values.min(axis=1)
        cell[start : start + rows, 1] = values.max(axis=1)
        if report is not None:
            report(len(part))
    return Ranges(peak=peak, cell=cell)
