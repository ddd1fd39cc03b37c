r"""Thin factors of the enhanced matrix and what can be had from them block by block.

The enhanced matrix is :math:`E = C P^\top` with cell factors C (n_obs × r) and peak factors P (n_vars × r).
It is computed only for the block that is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .._settings import settings


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
    width, cell_width = range_width(peak_range), range_width(cell_range)
    out = cell_factors @ (peak_factors / width[:, None]).T
    out -= (peak_range[:, 0] / width)[None, :]
    out -= cell_range[:, :1]
    out /= cell_width[:, None]
    return np.clip(out, 0, 1, out=out)


def compute_ranges(
    cell_factors: np.ndarray,
    peak_factors: np.ndarray,
    *,
    report: Callable[[int], None] | None = None,
) -> Ranges:
    """Return the ranges of the min–max scaling by streaming blocks of cells (two passes).

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
