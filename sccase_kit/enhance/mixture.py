r"""Expected accessibility: mixtures of peak profiles, fitted to the open entries with priors.

The d_i open entries of cell i are d_i draws from the peaks with probabilities

.. math::

    P_i = \sum_K \omega_K \, \Theta_{K,i} \Phi_K^\top + \omega_0 \pi ,

with one pair of memberships Θ_K (cells × K, rows of sum 1) and profiles Φ_K (peaks × K, columns of sum 1) per number of
components K, and π the share of each peak in all open entries. Every pair starts from the consensus
(:mod:`sccase_kit.enhance.robust`) and takes a few steps of expectation–maximisation for the largest posterior:

* the memberships of a cell get α pseudo-entries, shared out as the soft counts of its neighbours are, so a cell with
  few entries leans on them and a deep one on itself;
* the profiles get β · N / K pseudo-entries (N: all open entries), shared out as π.

Everything is thin. An entry is open where a count is above 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from .._threads import available_threads, in_threads
from ..matrix.operator import ScaledOperator
from ..matrix.peaks import by_peaks_pays
from ..matrix.row_block import open_rows, slab_cuts
from ..matrix.rows import aligned_zeros, even_cuts, row_slices, view_rows
from ..matrix.sums import open_cells
from .graph import smoothed

if TYPE_CHECKING:
    from .mixture_kernels import Lanes

BETA = 0.05
N_PASSES = 2  # more gain less than .02 of what types give once deviations are stretched
_TINY = 1e-20
_ENTRIES_PER_PIECE = 500_000
_ROWS = 50_000  # cells of which copies are made at once
_FEW_CELLS = 1_500  # whose memberships and soft counts fit the second-level cache
_SLAB_BYTES = 2**19  # of the profiles and their sums that are in use together, for the second-level cache


@dataclass(frozen=True)
class Mixtures:
    """Memberships and profiles of several K next to each other.

    Attributes
    ----------
    theta
        (cells × ΣK), float32; the rows of each K sum to 1.
    phi
        (peaks × ΣK), float32; columns sum to 1.
    bank
        The numbers K, in the order of the columns.
    """

    theta: np.ndarray
    phi: np.ndarray
    bank: tuple[int, ...]

    def parts(self) -> list[slice]:
        """Return the columns of each K."""
        return column_parts(self.bank)

    @classmethod
    def none(cls, shape: tuple[int, int]) -> Mixtures:
        """Return the mixtures of no K."""
        theta, phi = (np.zeros((n, 0), dtype=np.float32) for n in shape)
        return cls(theta, phi, ())


def column_parts(bank: tuple[int, ...]) -> list[slice]:
    """Return the columns of each K where those of several stand next to each other."""
    return [slice(int(a), int(b)) for a, b in pairwise(np.cumsum([0, *bank]))]


def open_blocks(op: ScaledOperator) -> Iterator[tuple[slice, sparse.csr_matrix]]:
    """Yield (rows, structure of their open entries) over all cells, in pieces for one thread each."""
    for rows, kept in op.iter_open():
        yield from open_pieces(rows, kept)


def open_pieces(rows: slice, kept: sparse.csr_matrix) -> Iterator[tuple[slice, sparse.csr_matrix]]:
    """Yield (rows, structure) of pieces of some rows that fit the cache."""
    for start, stop in even_cuts(kept.indptr, _ENTRIES_PER_PIECE):
        yield slice(rows.start + start, rows.start + stop), view_rows(kept, slice(start, stop))


def peak_shares(op: ScaledOperator) -> tuple[np.ndarray, float]:
    """Return π, the share of every column in all open entries, and their number."""
    counts = open_cells(op) * op.copies
    return counts / max(counts.sum(), 1), float(counts.sum())


def open_operator(op: ScaledOperator) -> ScaledOperator:
    """Return the operator of the open entries, 1 each, summed over like peaks."""
    return op.binarized().with_scales(np.ones(op.shape[0]), op.copies)


def start(op: ScaledOperator, hs: list[np.ndarray], mean: np.ndarray) -> Mixtures:
    """Return the start: memberships of the factorisations, and the open entries averaged by their columns.

    Parameters
    ----------
    op
        The data.
    hs
        H of every factorisation, (cells × K), non-negative.
    mean
        π, which stands in for empty components.
    """
    h = np.hstack([one / np.maximum(one.sum(axis=0), _TINY) for one in hs])
    phi = open_operator(op).rmatmul(h)
    sums = phi.sum(axis=0, dtype=np.float64).astype(phi.dtype)
    phi /= np.where(sums > 0, sums, 1)
    phi[:, sums <= 0] = mean[:, None]
    return Mixtures(memberships(hs), phi.astype(np.float32, copy=False), tuple(one.shape[1] for one in hs))


def memberships(hs: list[np.ndarray]) -> np.ndarray:
    """Return the memberships of factorisations, (cells × ΣK), float32; rows of each sum to 1."""
    out = np.empty((len(hs[0]), sum(one.shape[1] for one in hs)), dtype=np.float32)
    for one, part in zip(hs, column_parts(tuple(one.shape[1] for one in hs)), strict=True):
        sums = np.maximum(one.sum(axis=0), _TINY)
        for rows in row_slices(len(one), _ROWS):
            out[rows, part] = _rows_of_one(one[rows] / sums)
    return out


def _rows_of_one(values: np.ndarray) -> np.ndarray:
    sums = values.sum(axis=1, keepdims=True)
    return np.where(sums > 0, values / np.where(sums > 0, sums, 1), 1 / values.shape[1])


def climb(
    op: ScaledOperator,
    mixtures: Mixtures,
    kernel: sparse.csr_matrix,
    *,
    alpha: float,
    beta: float = BETA,
    mean: np.ndarray,
    n_entries: float,
    n_passes: int = N_PASSES,
) -> Mixtures:
    """Return the mixtures after some steps; each reads the data once.

    Parameters
    ----------
    op
        The data, of which the open entries are used.
    mixtures
        Where to start.
    kernel
        Row-stochastic neighbour graph of the cells, sparse (cells × cells).
    alpha
        Pseudo-entries of a cell's memberships, shared out as its neighbours' soft counts are.
    beta
        Pseudo-entries of a profile, as a share of N / K.
    mean, n_entries
        π and N of :func:`peak_shares`.
    n_passes
        Steps, one at least.
    """
    found = climb_each(
        op, mixtures, kernel, alphas=(alpha,), beta=beta, mean=mean, n_entries=n_entries, n_passes=n_passes
    )
    return next(found)


def climb_each(
    op: ScaledOperator,
    mixtures: Mixtures,
    kernel: sparse.csr_matrix,
    *,
    alphas: tuple[float, ...],
    beta: float = BETA,
    mean: np.ndarray,
    n_entries: float,
    n_passes: int = N_PASSES,
) -> Iterator[Mixtures]:
    """Yield the mixtures for several α, whose first step is one: its soft counts do not depend on α.

    The parameters are those of :func:`climb`.
    """
    from .mixture_kernels import Lanes, add_prior, gathered

    lanes, parts = Lanes(mixtures.bank), mixtures.parts()
    prior = np.repeat(beta * n_entries / np.array(mixtures.bank), mixtures.bank)
    prior = lanes.spread(prior[None])[0]
    mean = mean.astype(np.float32)
    by_peaks = _OpenByPeaks(op) if by_peaks_pays(op) and op.shape[0] <= _FEW_CELLS else None

    def step(theta: np.ndarray, phi: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the cells' soft counts, and profiles (in lanes) with the factors that make their columns sum to 1."""
        if by_peaks is not None:
            cells, peaks, sums = by_peaks.step(theta, phi, lanes, prior, mean)
        else:
            (cells, peaks), sums = _soft_counts(op, theta, phi, lanes), np.zeros(lanes.width)
            add_prior(phi, peaks, prior, mean, sums)
        return cells, peaks, (1 / np.where(sums > 0, sums, 1)).astype(np.float32)

    def posterior(cells: np.ndarray, alpha: float) -> np.ndarray:
        theta, around = np.empty_like(cells), smoothed(kernel, cells)
        for part in parts:
            for rows in row_slices(len(cells), _ROWS):
                theta[rows, part] = _rows_of_one(cells[rows, part] + alpha * _rows_of_one(around[rows, part]))
        return theta

    bank, theta, phi = mixtures.bank, mixtures.theta, lanes.spread(mixtures.phi)
    del mixtures  # their profiles are not needed any more
    first_cells, first_peaks, first_factors = step(theta, phi)
    if n_passes > 1:
        first_peaks *= first_factors
        first_factors = np.ones_like(first_factors)
    for alpha in alphas:
        cells, peaks, factors = first_cells, first_peaks, first_factors
        if n_passes > 1 and alpha != alphas[-1]:
            peaks = first_peaks.copy()  # a step may write the new profiles in place of the last
        theta = posterior(cells, alpha)
        for number in range(1, n_passes):
            if number > 1:
                peaks *= factors
            cells, peaks, factors = step(theta, peaks)
            theta = posterior(cells, alpha)
        if n_passes > 1 or alpha == alphas[0]:  # the profiles of the first step are the same for all
            phi = np.empty((len(peaks), len(lanes.slots)), dtype=np.float32)
            gathered(peaks, lanes.slots, factors, phi)
        yield Mixtures(theta, phi, bank)


def _soft_counts(op: ScaledOperator, theta: np.ndarray, phi: np.ndarray, lanes: Lanes) -> tuple[np.ndarray, np.ndarray]:
    """Return how many open entries of every cell come from each component; of every peak in lanes, without φ.

    Parameters
    ----------
    op
        The data.
    theta
        Memberships, (cells × ΣK).
    phi
        Profiles in lanes.
    lanes
        The lanes.
    """
    from .mixture_kernels import gathered, soft_counts

    cells = np.empty((op.shape[0], len(lanes.slots)), dtype=np.float32)
    n_threads, ones = available_threads(), np.ones(lanes.width, dtype=np.float32)
    totals = [aligned_zeros(phi.shape, phi.dtype) for _ in range(n_threads)]

    def add(slot: int, rows: slice, block: sparse.csr_matrix) -> None:
        block, cuts = slab_cuts(block, _SLAB_BYTES // (2 * phi.itemsize * phi.shape[1]), fewest=8)
        own = lanes.spread(theta[rows])
        found = aligned_zeros(own.shape, own.dtype)
        soft_counts(cuts, block.indices, own, phi, lanes.masks, _TINY, found, totals[slot])
        found *= own
        gathered(found, lanes.slots, ones, cells[rows])

    if not op.in_memory:

        def work(slot: int, rows: slice, block: sparse.csr_matrix) -> None:
            for piece, kept in open_pieces(rows, open_rows(block)):
                add(slot, piece, kept)

        op.each_stored(work, values=False)
        return cells, _summed(totals)
    pieces = enumerate(open_blocks(op))
    if n_threads == 1:
        for number, item in pieces:
            add(number % n_threads, *item)
    else:
        with ThreadPoolExecutor(n_threads) as pool:
            while batch := list(islice(pieces, n_threads)):
                list(pool.map(lambda one: add(one[0] % n_threads, *one[1]), batch))
    return cells, _summed(totals)


class _OpenByPeaks:
    """The open entries of few cells by peaks, of which a step reads and writes the profiles once."""

    def __init__(self, op: ScaledOperator) -> None:
        columns = op.columns()
        if not columns.data.all():
            columns = columns.copy()
            columns.eliminate_zeros()
        self._indptr, self._indices, self._copies = columns.indptr, columns.indices, op.copies.astype(np.float32)
        n_parts = max(1, min(available_threads(), columns.nnz // _ENTRIES_PER_PIECE))
        self._parts = [slice(a, b) for a, b in even_cuts(columns.indptr, -(-columns.nnz // n_parts) + 1)]

    def step(
        self, theta: np.ndarray, phi: np.ndarray, lanes: Lanes, prior: np.ndarray, mean: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return soft counts of the cells, and of the profiles with their prior, and the latter's sums, in lanes.

        The soft counts of the profiles take the place of `phi`.
        """
        from .mixture_kernels import gathered, soft_counts_by_peaks

        own, peaks = lanes.spread(theta), phi
        found = [aligned_zeros(own.shape, own.dtype) for _ in self._parts]
        sums = [np.zeros(lanes.width) for _ in self._parts]

        def work(number: int) -> None:
            part = self._parts[number]
            indptr = self._indptr[part.start : part.stop + 1]
            given = indptr, self._indices, self._copies[part], own, phi[part], lanes.masks, _TINY, prior, mean[part]
            soft_counts_by_peaks(*given, found[number], peaks[part], sums[number])

        in_threads(work, range(len(self._parts)))
        cells = np.empty((len(theta), len(lanes.slots)), dtype=np.float32)
        gathered(_summed(found) * own, lanes.slots, np.ones(lanes.width, dtype=np.float32), cells)
        return cells, peaks, sum(sums[1:], sums[0])


def _summed(totals: list[np.ndarray]) -> np.ndarray:
    for other in totals[1:]:
        totals[0] += other
    return totals[0]
