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

import numpy as np
from scipy import sparse

from .._threads import available_threads
from ..matrix.operator import ScaledOperator
from ..matrix.row_block import slab_cuts
from ..matrix.rows import even_cuts, view_rows

BETA = 0.05
N_PASSES = 2  # more gain less than .02 of what types give once deviations are stretched
_TINY = 1e-20
_ENTRIES_PER_PIECE = 500_000
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

    @property
    def cuts(self) -> np.ndarray:
        """Where the columns of each K start, and their number at the end; int64."""
        return np.concatenate([[0], np.cumsum(self.bank)]).astype(np.int64)

    def parts(self) -> list[slice]:
        """Return the columns of each K."""
        return [slice(int(a), int(b)) for a, b in pairwise(self.cuts)]

    def only(self, chosen: np.ndarray) -> Mixtures:
        """Return the mixtures of some K (boolean array over the bank)."""
        columns = np.repeat(chosen, self.bank)
        bank = tuple(k for k, keep in zip(self.bank, chosen, strict=True) if keep)
        return Mixtures(self.theta[:, columns], self.phi[:, columns], bank)


def open_blocks(op: ScaledOperator) -> Iterator[tuple[slice, sparse.csr_matrix]]:
    """Yield (rows, structure of their open entries) over all cells, in pieces for one thread each."""
    for rows, kept in op.iter_open():
        for start, stop in even_cuts(kept.indptr, _ENTRIES_PER_PIECE):
            yield slice(rows.start + start, rows.start + stop), view_rows(kept, slice(start, stop))


def peak_shares(op: ScaledOperator) -> tuple[np.ndarray, float]:
    """Return π, the share of every peak in all open entries, and their number."""
    counts = np.zeros(op.shape[1])
    for _, block in open_blocks(op):
        counts += np.bincount(block.indices, minlength=op.shape[1])
    return counts / max(counts.sum(), 1), float(counts.sum())


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
    binary = op.binarized().with_scales(np.ones(op.shape[0]), np.ones(op.shape[1]))
    phi = binary.rmatmul(h)
    sums = phi.sum(axis=0, dtype=np.float64).astype(phi.dtype)
    phi /= np.where(sums > 0, sums, 1)
    phi[:, sums <= 0] = mean[:, None]
    theta = [_rows_of_one(one / np.maximum(one.sum(axis=0), _TINY)) for one in hs]
    bank = tuple(one.shape[1] for one in hs)
    return Mixtures(np.hstack(theta).astype(np.float32), phi.astype(np.float32, copy=False), bank)


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
        Steps.
    """
    prior = (beta * n_entries / np.repeat(mixtures.bank, mixtures.bank)).astype(np.float32)
    mean = mean.astype(np.float32)
    for _ in range(n_passes):
        cells, peaks = _soft_counts(op, mixtures)
        around = kernel @ cells
        theta = np.empty_like(cells)
        for part in mixtures.parts():
            theta[:, part] = _rows_of_one(cells[:, part] + alpha * _rows_of_one(around[:, part]))
        phi = peaks + prior * mean[:, None]
        mixtures = Mixtures(theta, phi / phi.sum(axis=0), mixtures.bank)
    return mixtures


def _soft_counts(op: ScaledOperator, mixtures: Mixtures) -> tuple[np.ndarray, np.ndarray]:
    """Return how many open entries of every cell, and of every peak, come from each component."""
    from .mixture_kernels import from_units, soft_counts, to_units

    theta, starts = to_units(mixtures.theta, mixtures.cuts)
    phi, _ = to_units(mixtures.phi, mixtures.cuts)
    cells = np.zeros_like(theta)
    n_threads = available_threads()
    totals = [np.zeros_like(phi) for _ in range(n_threads)]

    def work(item: tuple[int, tuple[slice, sparse.csr_matrix]]) -> None:
        number, (rows, block) = item
        block, cuts = slab_cuts(block, _SLAB_BYTES // (2 * phi.itemsize * phi.shape[1]), fewest=8)
        where = theta[rows], phi, starts, np.float32(_TINY), cells[rows], totals[number % n_threads]
        soft_counts(cuts, block.indices, *where)

    pieces = enumerate(open_blocks(op))
    if n_threads == 1:
        for item in pieces:
            work(item)
    else:
        with ThreadPoolExecutor(n_threads) as pool:
            while batch := list(islice(pieces, n_threads)):
                list(pool.map(work, batch))
    columns = mixtures.cuts
    return from_units(cells * theta, columns), from_units(sum(totals[1:], totals[0]) * phi, columns)
