r"""Deviations of the accessibility of peak sets (chromVAR), from counts in blocks or from thin factors.

For a set s with weights :math:`m_p` (0/1 for plain sets) and cell i with :math:`n_i` reads, the raw deviation is
:math:`d_i = (Y_i - n_i \sum_p m_p E_p) / (n_i \sum_p m_p E_p)` with :math:`Y_i = \sum_p m_p X_{ip}`. The same with
every peak replaced by its b-th background peak gives :math:`d_{ib}`; then

.. math::

    \mathrm{dev}_i = d_i - \bar d_{i\cdot}, \qquad z_i = \mathrm{dev}_i / \mathrm{sd}_b(d_{ib}) .
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from .._arguments import Matrix, Numbers, checked
from .._settings import settings
from .._threads import available_threads
from .._validate import check_number
from .analytic import BackgroundBins, deviations_over_bins, deviations_over_bins_of_factors, expected_overlap
from .background import check_peak_counts
from .blocks import Totals, row_blocks, totals
from .drawn import DrawnSets

_SETS_PER_TASK = 8


@dataclass(frozen=True, slots=True)
class Deviations:
    """Result of :func:`deviations`.

    Attributes
    ----------
    deviations
        Bias-corrected deviations, shape (n_cells, n_sets): the relative excess of reads over what the cell's depth
        predicts, less that of the background peaks. NaN where fewer than `min_expected` reads are expected.
    z
        Deviations over the standard deviation of the backgrounds, same shape; ±inf or NaN where that is 0.
    fraction_matches
        Share of the peaks that are in the set, shape (n_sets,).
    fraction_background_overlap
        Share of the background peaks that are in the set themselves, shape (n_sets,); NaN for empty sets.
    """

    deviations: np.ndarray
    z: np.ndarray
    fraction_matches: np.ndarray
    fraction_background_overlap: np.ndarray


@checked(counts=Matrix("cells peaks", stored=True))
def deviations(
    counts: Any,
    annotations: Any,
    background: np.ndarray | BackgroundBins,
    *,
    expectation: np.ndarray | None = None,
    min_expected: float = 1.0,
    report: Callable[[int], None] | None = None,
) -> Deviations:
    """Compute chromVAR deviations and z-scores of peak sets.

    Cells are read in blocks (one pass for the sums, one for the deviations), sets run in threads; no cells × peaks or
    background-sized copy of the counts is made.

    Parameters
    ----------
    counts
        Cells × peaks, in memory, backed or dask; non-negative.
    annotations
        Peaks × sets, sparse or dense: 0/1, boolean or non-negative weights (as g-chromVAR for variants).
    background
        Background peaks of every peak, integers of shape (n_peaks, n_iterations), see
        :func:`sample_background_peaks`; or :func:`background_bins`: the limit of many draws in closed form, the same
        whenever it runs and many times faster.
    expectation
        Expected fraction of a cell's reads per peak, shape (n_peaks,); by default all reads of the peak over all
        reads, see :func:`expectations`.
    min_expected
        Fewer expected reads of a cell in a set give NaN. 1 is chromVAR's rule for counts.
    report
        Called with the number of cells of every finished block.

    Returns
    -------
    :class:`Deviations`

    Raises
    ------
    ValueError
        If shapes do not match, values are negative or not finite, there are fewer than two cells, or a peak has no
        reads.

    References
    ----------
    Schep et al., Nature Methods 2017 (chromVAR 1.5.0); Ulirsch et al., Nature Genetics 2019 (g-chromVAR).
    """
    n_cells, n_peaks = counts.shape
    sets = as_annotations(annotations, n_peaks)
    background = check_background(background, n_peaks)
    sums = totals(counts)
    expectation = _expectation(expectation, sums, n_cells)
    min_expected = check_number(min_expected, name="min_expected", minimum=0)
    fractions = _fractions(sets, background)  # before the results take their memory
    if isinstance(background, BackgroundBins):
        found = deviations_over_bins(
            counts,
            sets,
            background,
            sums,
            expectation,
            min_expected=min_expected,
            threads=available_threads(),
            report=report,
        )
        return Deviations(*found, *fractions)
    drawn = DrawnSets(sets, background, expectation, min_expected)
    deviation, z = np.empty((n_cells, sets.shape[1])), np.empty((n_cells, sets.shape[1]))
    with ThreadPoolExecutor(available_threads()) as pool:
        for rows, block in row_blocks(counts, n_rows=drawn.n_rows):
            out, out_z = (np.empty((sets.shape[1], block.shape[0])) for _ in range(2))
            work = drawn.work(block, sums.per_cell[rows])

            def run(first: int, work=work, out=out, out_z=out_z) -> None:
                work(first, min(first + _SETS_PER_TASK, sets.shape[1]), out, out_z)

            list(pool.map(run, range(0, sets.shape[1], _SETS_PER_TASK)))
            deviation[rows], z[rows] = out.T, out_z.T
            if report is not None:
                report(block.shape[0])
    return Deviations(deviation, z, *fractions)


@checked(cell_factors=Numbers("cells components"), peak_factors=Numbers("peaks components"))
def deviations_of_factors(
    cell_factors: np.ndarray,
    peak_factors: np.ndarray,
    annotations: Any,
    *,
    background: np.ndarray | BackgroundBins,
    expectation: np.ndarray | None = None,
    min_expected: float = 0.0,
    report: Callable[[int], None] | None = None,
) -> Deviations:
    """Compute the deviations of the matrix ``cell_factors @ peak_factors.T`` without forming it.

    Sums over peak sets pass through the factors, so every background costs one small product per block of cells.

    Parameters
    ----------
    cell_factors
        Shape (n_cells, r).
    peak_factors
        Shape (n_peaks, r).
    annotations, background, expectation, report
        As in :func:`deviations`.
    min_expected
        As in :func:`deviations`; 0 by default, because the values of an enhanced matrix are not numbers of reads.

    Returns
    -------
    :class:`Deviations`

    Raises
    ------
    ValueError
        As :func:`deviations`.
    """
    cells = np.asarray(cell_factors, dtype=np.float64)
    peaks = np.asarray(peak_factors, dtype=np.float64)
    sets = as_annotations(annotations, len(peaks))
    background = check_background(background, len(peaks))
    sums = factor_totals(cells, peaks)
    expectation = _expectation(expectation, sums, len(cells))
    min_expected = check_number(min_expected, name="min_expected", minimum=0)
    if isinstance(background, BackgroundBins):
        found = deviations_over_bins_of_factors(
            cells, peaks, sets, background, sums, expectation, min_expected=min_expected, report=report
        )
        return Deviations(*found, *_fractions(sets, background))
    by_set = sets.T.tocsr()
    share = by_set @ expectation
    loadings = (by_set @ peaks).T.copy()
    drawn = [((by_set @ peaks[column]).T.copy(), by_set @ expectation[column]) for column in background.T]
    deviation, z = np.empty((len(cells), sets.shape[1])), np.empty((len(cells), sets.shape[1]))
    rows_per_block = max(1, min(len(cells), settings.block_bytes // (64 * max(1, sets.shape[1]))))

    def run(start: int) -> int:
        rows = slice(start, min(start + rows_per_block, len(cells)))
        depth = sums.per_cell[rows, None]
        deviation[rows], z[rows] = _block_of_factors(cells[rows], depth, loadings, share, drawn)
        few = (depth * share < min_expected) | ~(depth * share > 0)
        deviation[rows][few] = np.nan
        z[rows][few] = np.nan
        return rows.stop - rows.start

    with ThreadPoolExecutor(_n_threads()) as pool:
        for n in pool.map(run, range(0, len(cells), rows_per_block)):
            if report is not None:
                report(n)
    return Deviations(deviation, z, *_fractions(sets, background))


def _block_of_factors(cells, depth, loadings, share, drawn) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(divide="ignore", invalid="ignore"):
        observed = cells @ loadings / (depth * share) - 1
        first, share_of_first = drawn[0]
        shift = cells @ first / (depth * share_of_first) - 1
        total, square = np.zeros_like(shift), np.zeros_like(shift)
        for loading, expected in drawn[1:]:
            value = cells @ loading / (depth * expected) - 1
            value -= shift
            total += value
            value *= value
            square += value
        centre = total / len(drawn)
        variance = np.maximum(square - total * centre, 0) / (len(drawn) - 1)
        deviation = observed - (shift + centre)
        return deviation, deviation / np.sqrt(variance)


def factor_totals(cells: np.ndarray, peaks: np.ndarray) -> Totals:
    """Return the sums over cells and peaks of ``cells @ peaks.T``."""
    return Totals(cells @ peaks.sum(axis=0), peaks @ cells.sum(axis=0))


def as_annotations(annotations: Any, n_peaks: int) -> sparse.csc_matrix:
    """Return peaks × sets as CSC of float64 weights without stored zeros.

    Raises
    ------
    ValueError
        If there is not one row per peak, no set, or weights are negative or not finite.
    """
    annotations = Matrix("peaks sets")(annotations, "annotations", {})
    sets = sparse.csc_matrix(annotations, dtype=np.float64)
    tidy = sets.has_canonical_format and (sets.data != 0).all()
    if not tidy and (sets is annotations or np.shares_memory(sets.data, getattr(annotations, "data", np.empty(0)))):
        sets = sets.copy()
    if sets.shape[0] != n_peaks:
        msg = f"annotations must have one row per peak ({n_peaks}), got shape {sets.shape}"
        raise ValueError(msg)
    if sets.shape[1] == 0:
        msg = f"annotations must have at least one set, got shape {sets.shape}"
        raise ValueError(msg)
    if not (np.isfinite(sets.data).all() and (sets.data >= 0).all()):
        msg = "annotations must be 0/1 or finite weights >= 0"
        raise ValueError(msg)
    if not tidy:
        sets.sum_duplicates()
        sets.eliminate_zeros()
    return sets


def check_background(background: Any, n_peaks: int) -> Any:
    """Return background peaks as int32 of shape (n_peaks, B ≥ 2), or bins as they are, or raise ValueError."""
    if isinstance(background, BackgroundBins):
        if len(background.member) != n_peaks:
            msg = f"the background bins belong to {len(background.member)} peaks, but there are {n_peaks}"
            raise ValueError(msg)
        return background
    array = Numbers("peaks iterations")(background, "background", {})
    if array.ndim != 2 or array.shape[0] != n_peaks or array.shape[1] < 2 or array.dtype.kind not in "iu":
        msg = f"background must be integers of shape ({n_peaks}, n_iterations >= 2), got {array.dtype} {array.shape}"
        raise ValueError(msg)
    if array.size and (array.min() < 0 or array.max() >= n_peaks):
        msg = f"background must hold peak positions from 0 to {n_peaks - 1}, found {array.min()} to {array.max()}"
        raise ValueError(msg)
    return array.astype(np.int32, copy=False)


def _expectation(expectation: np.ndarray | None, sums: Totals, n_cells: int) -> np.ndarray:
    if n_cells < 2:
        msg = f"counts must have at least 2 cells, got {n_cells}"
        raise ValueError(msg)
    check_peak_counts(sums.per_peak)
    if expectation is None:
        return sums.per_peak / sums.per_peak.sum()
    expectation = Numbers("peaks")(expectation, "expectation", {}).astype(np.float64)
    if expectation.shape != sums.per_peak.shape:
        msg = f"expectation must have one value per peak ({len(sums.per_peak)}), got {len(expectation)}"
        raise ValueError(msg)
    if not (np.isfinite(expectation).all() and (expectation >= 0).all()):
        msg = "expectation must be finite and >= 0"
        raise ValueError(msg)
    return expectation


def _fractions(sets: sparse.csc_matrix, background: np.ndarray | BackgroundBins) -> tuple[np.ndarray, np.ndarray]:
    n_peaks, n_sets = sets.shape
    if isinstance(background, BackgroundBins):
        return np.diff(sets.indptr) / n_peaks, expected_overlap(sets, background)
    overlap = np.full(n_sets, np.nan)
    member = np.zeros(n_peaks, dtype=bool)
    for k in range(n_sets):
        peaks = sets.indices[sets.indptr[k] : sets.indptr[k + 1]]
        if len(peaks):
            member[peaks] = True
            overlap[k] = member[background[peaks]].mean()
            member[peaks] = False
    return np.diff(sets.indptr) / n_peaks, overlap


def _n_threads() -> int:
    return available_threads()
