r"""Deviations over all background peaks at once: expected value and variance in closed form, no draws.

chromVAR replaces every peak p of a set by a peak drawn from its background distribution: a bin k of like accessibility
and GC content with probability :math:`K_{b(p)k}`, then a peak of that bin at random. Draws of different peaks are
independent, so moments over the draws are sums over the peaks of the set of moments over bins, and these need only sums
of the counts within bins. With :math:`n_i` the reads of cell i, :math:`E_q` the expected share of peak q and the
residual :math:`x_{iq} = X_{iq} - n_i E_q`, let a bar with index k be the mean over the peaks of bin k. For the source
bin j

.. math::

    \mu_{ij} = \sum_k K_{jk} \bar x_{ik}, \quad
    v_{ij} = \sum_k K_{jk} \overline{x^2}_{ik} - \mu_{ij}^2, \quad
    c_{ij} = \sum_k K_{jk} \overline{xE}_{ik} - \mu_{ij} \eta_j, \quad
    \eta_j = \sum_k K_{jk} \bar E_k, \quad
    \omega_j = \sum_k K_{jk} \overline{E^2}_k - \eta_j^2 .

A set with weights :math:`m_p` has :math:`M_j = \sum_{p \in j} m_p` and :math:`Q_j = \sum_{p \in j} m_p^2`. Its
background excess is the ratio :math:`R / (n_i S)` of :math:`R` (mean :math:`\sum_j M_j \mu_{ij}`) and :math:`S` (mean
:math:`\bar S = \sum_j M_j \eta_j`). With :math:`\rho = \bar R / \bar S` the delta method of second order gives

.. math::

    \mathrm{E} = \frac{1}{n_i}\Bigl(\rho + \frac{\rho \sum_j Q_j \omega_j - \sum_j Q_j c_{ij}}{\bar S^2}\Bigr), \qquad
    \mathrm{Var} = \frac{\sum_j Q_j (v_{ij} - 2 \rho c_{ij} + \rho^2 \omega_j)}{n_i^2 \bar S^2} .

For a matrix given by factors, :math:`X = U V^\top`, the residual is :math:`u_i \cdot v'_q` with
:math:`v'_q = v_q - E_q \sum_p v_p`, and the variance a quadratic form in :math:`u_i` with one matrix per set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from .._arguments import Numbers, checked
from .._settings import settings
from .._validate import check_int, check_number
from .background import bin_kernel, check_bias, check_peak_counts, count_grid, peak_grid
from .blocks import Totals, row_blocks

_MIN_PROBABILITY = 1e-18


@dataclass(frozen=True, slots=True)
class BackgroundBins:
    """The background distribution of every peak, by bins: see :func:`background_bins`.

    Attributes
    ----------
    member
        Bin of every peak, shape (n_peaks,).
    size
        Peaks per bin, shape (n_bins,); no bin is empty.
    transition
        Probability of the bin of the background peak (columns) by bin of the peak (rows), CSR (n_bins, n_bins);
        probabilities below 1e-18 are left out, which is less than the rounding of their sum.
    """

    member: np.ndarray
    size: np.ndarray
    transition: sparse.csr_matrix

    def sums(self, values: Any) -> np.ndarray:
        """Return the sums within the bins of values per peak, dense or sparse, (n_peaks, m) → dense (n_bins, m)."""
        n = len(self.member)
        pool = sparse.csr_matrix((np.ones(n), (self.member, np.arange(n))), shape=(len(self.size), n))
        found = pool @ values
        return found.toarray() if sparse.issparse(found) else found

    def means(self, values: Any) -> np.ndarray:
        """Return the means within the bins of values per peak, as :meth:`sums`."""
        found = self.sums(values)
        return found / (self.size if found.ndim == 1 else self.size[:, None])


@checked(peak_counts=Numbers("peaks"), bias=Numbers("peaks", fit=False))
def background_bins(
    peak_counts: np.ndarray, bias: np.ndarray | None, *, w: float = 0.1, bs: int = 50
) -> BackgroundBins:
    """Return the distribution that :func:`sample_background_peaks` draws from, without drawing.

    Given to :func:`deviations` in place of drawn background peaks, it gives the exact limit of many draws,
    deterministic and many times faster.

    Parameters
    ----------
    peak_counts
        Reads per peak over all cells, shape (n_peaks,), all positive.
    bias
        GC content per peak, shape (n_peaks,), see :func:`gc_content`; `None` matches peaks by their reads alone.
    w
        Width of the Gaussian kernel in whitened units.
    bs
        Bins per axis.

    Returns
    -------
    :class:`BackgroundBins`

    Raises
    ------
    ValueError
        As :func:`sample_background_peaks`.
    """
    counts = np.asarray(peak_counts, dtype=np.float64).ravel()
    w = check_number(w, name="w", minimum=0, exclusive=True)
    bs = check_int(bs, name="bs", minimum=2)
    check_peak_counts(counts)
    grid = count_grid(counts, bs) if bias is None else peak_grid(counts, check_bias(np.ravel(bias), len(counts)), bs)
    rows = []
    for k in range(len(grid.size)):
        weights = bin_kernel(grid, k, w)
        weights /= weights.sum()
        weights[weights < _MIN_PROBABILITY] = 0
        rows.append(sparse.csr_matrix(weights))
    return BackgroundBins(grid.member, grid.size, sparse.vstack(rows, format="csr"))


@dataclass(frozen=True, slots=True)
class _Sets:
    """What of the sets the moments need: by bin M (bins × sets), Q, and per set the expected shares."""

    first: np.ndarray
    second: np.ndarray
    share: np.ndarray  # of the set itself
    mean_share: np.ndarray  # of its background
    var_share: np.ndarray


def _summarise(sets: sparse.csc_matrix, bins: BackgroundBins, expectation: np.ndarray) -> tuple[_Sets, np.ndarray]:
    """Return the sums over the sets, and η by bin."""
    first = bins.sums(sets)
    second = first if (sets.data == 1).all() else bins.sums(sets.multiply(sets).tocsc())
    eta = bins.transition @ bins.means(expectation)
    omega = np.maximum(bins.transition @ bins.means(expectation**2) - eta**2, 0)
    return _Sets(first, second, sets.T @ expectation, first.T @ eta, second.T @ omega), eta


def _finish(observed, mean, cov, var, depth, of, min_expected) -> tuple[np.ndarray, np.ndarray]:
    """Return (deviations, z) of a block; `observed` and `mean` are residuals summed over sets, cells × sets."""
    with np.errstate(divide="ignore", invalid="ignore"):
        rho = mean / of.mean_share
        var -= 2 * rho * cov
        var += rho * rho * of.var_share
        np.maximum(var, 0, out=var)
        cov -= rho * of.var_share
        cov /= of.mean_share**2
        rho -= cov  # the mean of the ratio, of second order
        observed /= of.share
        observed -= rho
        observed /= depth
        np.sqrt(var, out=var)
        var /= depth * of.mean_share
        expected = depth * of.share
        few = (expected < min_expected) | ~(expected > 0)
        z = np.divide(observed, var, out=var)
    observed[few] = np.nan
    z[few] = np.nan
    return observed, z


def deviations_over_bins(
    counts: Any,
    sets: sparse.csc_matrix,
    bins: BackgroundBins,
    sums: Totals,
    expectation: np.ndarray,
    *,
    min_expected: float,
    threads: int,
    report: Callable[[int], None] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return deviations and z, each (n_cells, n_sets), of counts in blocks; arguments are checked already."""
    from .analytic_kernels import sum_blocks

    of, eta = _summarise(sets, bins, expectation)
    shares, squares = bins.sums(expectation), bins.sums(expectation**2)
    by_peak = sets.tocsr()
    narrow = np.uint16 if sets.shape[1] <= np.iinfo(np.uint16).max else np.int32
    weights = by_peak.data[:0] if (by_peak.data == 1).all() else by_peak.data
    columns = (by_peak.indptr.astype(np.int64), by_peak.indices.astype(narrow), weights)
    del by_peak
    member = bins.member.astype(np.int32)
    onward = bins.transition @ sparse.diags_array(1 / bins.size)
    n_sets, n_bins = sets.shape[1], len(bins.size)
    out, out_z = np.empty((counts.shape[0], n_sets)), np.empty((counts.shape[0], n_sets))
    n_rows = max(1, min(counts.shape[0], settings.block_bytes // (8 * (n_sets + n_bins))))
    with ThreadPoolExecutor(threads) as pool:
        for rows, block in row_blocks(counts, n_rows=n_rows):
            depth = sums.per_cell[rows]
            stored = (block.indptr.astype(np.int64), block.indices, block.data.astype(np.float64))
            observed = np.zeros((len(depth), n_sets))
            moments = np.zeros((3, len(depth), n_bins))

            def run(part: slice, stored=stored, observed=observed, moments=moments) -> None:
                sum_blocks(stored, part.start, part.stop, columns, member, expectation, observed, moments)

            list(pool.map(run, _parts(len(depth), threads)))
            n = depth[:, None]
            observed -= n * of.share
            moments[1] += n * (n * squares - 2 * moments[2])
            moments[2] -= n * squares
            moments[0] -= n * shares
            mu, v, c = (onward @ m.T for m in moments)  # bins × cells
            v -= mu * mu
            c -= mu * eta[:, None]
            means = (mu.T @ of.first, c.T @ of.second, v.T @ of.second)
            out[rows], out_z[rows] = _finish(observed, *means, n, of, min_expected)
            if report is not None:
                report(len(depth))
    return out, out_z


def deviations_over_bins_of_factors(
    cells: np.ndarray,
    peaks: np.ndarray,
    sets: sparse.csc_matrix,
    bins: BackgroundBins,
    sums: Totals,
    expectation: np.ndarray,
    *,
    min_expected: float,
    report: Callable[[int], None] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return deviations and z of ``cells @ peaks.T``, never formed; one quadratic form per set."""
    of, eta = _summarise(sets, bins, expectation)
    residual = peaks - np.outer(expectation, peaks.sum(axis=0))
    rank = residual.shape[1]
    rows_of, columns_of = np.triu_indices(rank)
    twice = np.where(rows_of == columns_of, 1.0, 2.0)
    square = np.stack([_outer(residual[np.flatnonzero(bins.member == k)]) for k in range(len(bins.size))])
    means = bins.transition @ bins.means(residual)
    spread = bins.transition @ (square[:, rows_of, columns_of] / bins.size[:, None])
    spread -= means[:, rows_of] * means[:, columns_of]
    form = (spread * twice).T @ of.second
    mixed = bins.transition @ bins.means(residual * expectation[:, None]) - means * eta[:, None]
    mean_loading, cov_loading, own = means.T @ of.first, mixed.T @ of.second, (sets.T @ residual).T
    n_sets = sets.shape[1]
    out, out_z = np.empty((len(cells), n_sets)), np.empty((len(cells), n_sets))
    n_rows = max(1, min(len(cells), settings.block_bytes // (8 * (n_sets + len(twice)))))
    for start in range(0, len(cells), n_rows):
        rows = slice(start, min(start + n_rows, len(cells)))
        u = cells[rows]
        var = (u[:, rows_of] * u[:, columns_of]) @ form
        n = sums.per_cell[rows, None]
        out[rows], out_z[rows] = _finish(u @ own, u @ mean_loading, u @ cov_loading, var, n, of, min_expected)
        if report is not None:
            report(rows.stop - rows.start)
    return out, out_z


def _outer(values: np.ndarray) -> np.ndarray:
    return values.T @ values


def _parts(n: int, parts: int) -> Iterator[slice]:
    step = max(1, -(-n // max(1, parts)))
    for start in range(0, n, step):
        yield slice(start, min(start + step, n))


def expected_overlap(sets: sparse.csc_matrix, bins: BackgroundBins) -> np.ndarray:
    """Return the expected share of background peaks that are in the set themselves; NaN for empty sets."""
    inside = bins.sums(sets.astype(bool).astype(np.float64))
    number = inside.sum(axis=0)
    with np.errstate(invalid="ignore"):
        return (inside * (bins.transition @ (inside / bins.size[:, None]))).sum(axis=0) / number
