r"""From a weighted mean of TF-IDF profiles to expected counts: the IDF undone, rows of sum 1, and depth.

The enhanced matrix is :math:`E = C P^\top` with :math:`P = D_{idf} \Phi`. So :math:`C \Phi^\top` is a weighted mean of
the cells' counts, each divided by a number of its cell, and with rows scaled to sum 1 it is the share of each peak in
the counts of a cell, the accessibility:

.. math::

    A_{ij} = \frac{c_i \cdot \phi_j}{c_i \cdot v}, \qquad v = \sum_j \phi_j ,

and the expected counts are depth × A. A peak that is open in every cell has an IDF of 0, which cannot be undone: all
cells get its share of all counts, :math:`\phi_j = \pi_j v`. Everything stays thin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..matrix.operator import ScaledOperator
from ..matrix.rows import canonical, row_slices
from ..matrix.sums import count_statistics

#: Sum of a row of ``scale="accessibility"``.
PER_CELL = 10_000.0


@dataclass(frozen=True)
class PeakScaling:
    """What turns peak factors of a TF-IDF into those of counts.

    Attributes
    ----------
    idf
        Inverse document frequency of every peak, float64 array of shape (n_vars,).
    share
        Share of the peak in all counts where the IDF is 0, else 0; float64 array of shape (n_vars,).
    """

    idf: np.ndarray
    share: np.ndarray


def count_factors(peak_factors: np.ndarray, scaling: PeakScaling, sums: np.ndarray) -> np.ndarray:
    """Return φ, the peak factors with the IDF undone, array of shape (peaks, r), float64.

    Parameters
    ----------
    peak_factors
        Factors of the wanted peaks, (peaks × r).
    scaling
        Their :class:`PeakScaling`.
    sums
        v of :func:`factor_sums`, shape (r,).
    """
    flat = scaling.idf <= 0
    phi = peak_factors / np.where(flat, 1, scaling.idf)[:, None]
    phi[flat] = scaling.share[flat, None] * sums
    return phi


def factor_sums(peak_factors: np.ndarray, scaling: PeakScaling) -> np.ndarray:
    """Return v = Σ_j φ_j over all fitted peaks, shape (r,), float64.

    Parameters
    ----------
    peak_factors
        Factors of all peaks, (n_vars × r).
    scaling
        Their :class:`PeakScaling`.
    """
    known = scaling.idf > 0
    sums = np.zeros(peak_factors.shape[1])
    for rows in row_slices(len(known)):  # no copy of all of them
        sums += (1 / scaling.idf[rows][known[rows]]) @ peak_factors[rows][known[rows]].astype(np.float64)
    rest = 1 - float(scaling.share[~known].sum())
    return sums / rest if rest > 0 else sums


def shares(cell_factors: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """Return the cell factors scaled so that the rows of A sum to 1, (cells × r), float64; empty rows stay 0."""
    totals = cell_factors.astype(np.float64) @ sums
    return cell_factors / np.where(totals > 0, totals, 1)[:, None]


def accessibility(matrix: np.ndarray, scaling: PeakScaling) -> np.ndarray:
    """Return A of a dense enhanced matrix (cells × all fitted peaks), float64: the same without factors."""
    flat = scaling.idf <= 0
    values = matrix.astype(np.float64) / np.where(flat, 1, scaling.idf)
    values[:, flat] = 0
    totals = values.sum(axis=1, keepdims=True)
    values *= (1 - scaling.share[flat].sum()) / np.where(totals > 0, totals, 1)
    values[:, flat] = np.where(totals > 0, scaling.share[flat], 0)
    return values


def measure_counts(matrix: Any) -> tuple[ScaledOperator, np.ndarray, PeakScaling]:
    """Return the TF-IDF of counts (as :func:`sccase_kit.enhance.prepare`), depth of cells, and scaling of peaks.

    Parameters
    ----------
    matrix
        Counts, cells × peaks, in any storage; read three times.
    """
    matrix = canonical(matrix)
    depth, n_open, _ = count_statistics(matrix)
    idf = np.where(n_open > 0, np.log(len(depth) / np.maximum(n_open, 1)), 0)
    op = ScaledOperator(matrix, None, idf)
    op.memo["n_open"] = n_open
    norms = np.sqrt(op.row_sq_norms())
    op = op.with_scales(np.where(norms > 0, 1 / np.where(norms > 0, norms, 1), 0), idf)
    return op, depth, measured_peaks(op, n_open)


def measured_peaks(op: ScaledOperator, n_open: np.ndarray) -> PeakScaling:
    """Return the scaling of the columns of a TF-IDF; shares of all counts only where they are needed.

    Of a column that stands for several peaks it makes what is summed over them.

    Parameters
    ----------
    op
        TF-IDF whose column scale is the IDF, times the root of the number of peaks.
    n_open
        Cells with the peak open, (n_vars,).
    """
    n, m = op.shape
    flat = (op.col_scale <= 0) & (n_open > 0)
    share = np.zeros(m)
    if flat.any():
        totals = op.with_scales(np.ones(n), op.copies).rmatmul(np.ones((n, 1)))[:, 0].astype(np.float64)
        share[flat] = totals[flat] / totals.sum()
    return PeakScaling(op.col_scale / op.copies, share)
