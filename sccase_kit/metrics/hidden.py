r"""Hidden entries of a count matrix, and how probable a method makes them: nothing of size cells × peaks is formed.

Entry ij is open where a count is above 0. A random share of the open entries goes, whole, to the hidden side: what is
left of a count above 1 would tell that the entry is open, since two ends of a fragment are often counted as two. A
method gives each cell shares of the peaks, :math:`P_i` of sum 1. A hidden entry is one of the peaks that training left
closed in its cell, so it is scored by

.. math::

    q_{ij} = P_{ij} / z_i, \qquad z_i = 1 - \sum_{j: \text{training}} P_{ij},

in which the scale of a cell and its own training counts cancel. The gain is the mean of :math:`\log q_{ij} / q^0_{ij}`
with q⁰ that of the peak mean :math:`\pi`. The deviation slope is the regression of what was seen on what was said, both
beyond the peak mean and each entry in units of its expected variance,

.. math::

    \frac{\sum (y - m^0)(m - m^0) / m^0}{\sum (m - m^0)^2 / m^0}, \qquad m = t_i q_{ij}, \; m^0 = t_i q^0_{ij},

over all entries that training left closed, with :math:`t_i` hidden entries in cell i: 1 where deviations have the right
size, above 1 where they are too small. Sums over all peaks come from r × r matrices of the factors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from .._settings import settings

#: Share of the peak mean in every prediction, so that no entry is impossible.
FLOOR = 1e-3
#: Shares of the peak mean that the oracle may be shrunk by.
SHRINKS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class Mask:
    """Which open entries are hidden: a hash of place and seed, so neither blocks nor storage nor order matter.

    Attributes
    ----------
    share
        Share of the entries that are hidden, between 0 and 1.
    seed
        Seed, an integer of at least 0.
    """

    share: float
    seed: int

    def hides(self, rows: slice, block: sparse.csr_matrix) -> np.ndarray:
        """Return whether each stored entry of the rows of a matrix is hidden, boolean array of shape (nnz,)."""
        cells = np.repeat(np.arange(rows.start, rows.stop, dtype=np.uint64), np.diff(block.indptr))
        place = cells * np.uint64(block.shape[1]) + block.indices.astype(np.uint64)
        return _uniform(place, self.seed) < self.share


def _uniform(place: np.ndarray, seed: int) -> np.ndarray:
    """Return numbers in [0, 1) that look random: the finaliser of SplitMix64 (Steele, Lea & Flood 2014)."""
    start = np.random.SeedSequence(seed).generate_state(2, np.uint64)
    z = place * (start[0] | np.uint64(1)) + start[1]
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z = (z ^ (z >> np.uint64(shift))) * np.uint64(factor)
    return (z ^ (z >> np.uint64(31))) * 2.0**-64


def open_entries(block: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return the entries above 0 of a CSR block (itself where all are)."""
    if block.nnz and not block.data.all():
        block = block.copy()
        block.eliminate_zeros()
    return block


def take_entries(block: sparse.csr_matrix, chosen: np.ndarray) -> sparse.csr_matrix:
    """Return the chosen stored entries of a CSR matrix as a CSR matrix of their own."""
    before = np.concatenate([[0], np.cumsum(chosen)])
    indptr = before[block.indptr].astype(block.indptr.dtype)
    return sparse.csr_matrix((block.data[chosen], block.indices[chosen], indptr), shape=block.shape)


def row_sums(block: sparse.csr_matrix, values: np.ndarray) -> np.ndarray:
    """Return the sums over every row of one value per stored entry."""
    rows = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr))
    return np.bincount(rows, weights=values, minlength=block.shape[0])


class ThinShares:
    """Shares P = θ φᵀ of thin factors.

    Parameters
    ----------
    theta, phi
        Arrays of shapes (cells, r) and (peaks, r), non-negative; rows of ``theta @ phi.T`` need not sum to 1.
    mean
        π, the peak mean, shape (peaks,), positive, sum 1.
    """

    def __init__(self, theta: np.ndarray, phi: np.ndarray, mean: np.ndarray) -> None:
        phi, theta = np.asarray(phi, dtype=np.float64), np.asarray(theta, dtype=np.float64)
        totals = theta @ phi.sum(axis=0)
        known = totals > 0
        theta = theta * ((1 - FLOOR) / np.where(known, totals, 1))[:, None]
        rest = np.where(known, FLOOR, 1.0)
        self.theta = np.hstack([theta, rest[:, None]])
        self.phi = np.ascontiguousarray(np.hstack([phi, mean[:, None]]))
        self._gram = (self.phi / mean[:, None]).T @ self.phi

    def at(self, rows: slice, block: sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
        """Return P at the stored entries of some rows, and Σ_j P_ij² / π_j of each row."""
        from ..enhance.mixture_kernels import values_at

        theta = np.ascontiguousarray(self.theta[rows])
        out = np.empty(block.nnz)
        values_at(block.indptr, block.indices, theta, self.phi, out)
        return out, np.einsum("ik,kl,il->i", theta, self._gram, theta)


class MatrixShares:
    """Shares of a matrix of any method, rows scaled to sum 1; read by blocks of rows.

    Parameters
    ----------
    values
        Dense or CSR matrix, (cells × peaks), non-negative.
    mean
        π, shape (peaks,).

    Raises
    ------
    ValueError
        If a value is negative.
    """

    def __init__(self, values: Any, mean: np.ndarray) -> None:
        low = values.data.min(initial=0) if sparse.issparse(values) else np.min(values, initial=0)
        if low < 0:
            msg = f"a method's values must be at least 0 to be shares of a cell's fragments, the lowest is {low:.3g}"
            raise ValueError(msg)
        self.values, self.mean = values, mean

    def at(self, rows: slice, block: sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
        """Return P at the stored entries of some rows, and Σ_j P_ij² / π_j of each row."""
        out, squares = np.empty(block.nnz), np.empty(block.shape[0])
        step = max(1, settings.block_bytes // (32 * len(self.mean)))
        for low in range(0, block.shape[0], step):
            high = min(low + step, block.shape[0])
            part = self.values[rows.start + low : rows.start + high]
            part = part.toarray() if sparse.issparse(part) else np.asarray(part)
            part = part.astype(np.float64)
            totals = part.sum(axis=1, keepdims=True)
            part *= (1 - FLOOR) / np.where(totals > 0, totals, 1)
            part += np.where(totals > 0, FLOOR, 1.0) * self.mean
            first, last = block.indptr[low], block.indptr[high]
            which = np.repeat(np.arange(high - low), np.diff(block.indptr[low : high + 1]))
            out[first:last] = part[which, block.indices[first:last]]
            squares[low:high] = (part**2 / self.mean).sum(axis=1)
        return out, squares


@dataclass(frozen=True)
class CellScores:
    """Sums over the hidden entries of every cell, arrays of shape (cells,) unless said.

    Attributes
    ----------
    n_hidden
        Hidden entries t_i.
    gain
        Σ log q / q⁰, (cells × shrinks) where shrinks were asked for.
    seen, said
        Numerator and denominator of the deviation slope.
    """

    n_hidden: np.ndarray
    gain: np.ndarray
    seen: np.ndarray
    said: np.ndarray

    def mean_gain(self) -> float:
        """Return the gain in nats per hidden entry, at the best shrink."""
        return float(np.max(self.gain.sum(axis=0)) / max(self.n_hidden.sum(), 1))

    def slope(self) -> float:
        """Return the deviation slope; NaN without deviations."""
        said = self.said.sum()
        return float(self.seen.sum() / said) if said > 1e-9 * max(self.n_hidden.sum(), 1) else np.nan


def score_entries(
    shares: ThinShares | MatrixShares,
    blocks: Iterator[tuple[slice, sparse.csr_matrix, np.ndarray]],
    mean: np.ndarray,
    *,
    shrinks: tuple[float, ...] = (0.0,),
) -> CellScores:
    """Score the hidden entries of all cells.

    Parameters
    ----------
    shares
        What a method says.
    blocks
        (rows of `shares`, open entries, whether each is hidden), all rows in order, peaks as in `mean`.
    mean
        π, shape (peaks,).
    shrinks
        Shares of the peak mean to mix in; the gain is returned for each.
    """
    weights = np.asarray(shrinks, dtype=np.float64)
    parts = [_score_block(shares, rows, block, hidden, mean, weights) for rows, block, hidden in blocks]
    n_hidden, gain, seen, said = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return CellScores(n_hidden, gain[:, 0] if len(weights) == 1 else gain, seen, said)


def _score_block(
    shares: ThinShares | MatrixShares,
    rows: slice,
    block: sparse.csr_matrix,
    hidden: np.ndarray,
    mean: np.ndarray,
    weights: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    p, squares = shares.at(rows, block)
    pi = mean[block.indices]
    cell = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr))
    left = np.maximum(1 - row_sums(block, np.where(hidden, 0, p)), 1e-12)
    left_mean = np.maximum(1 - row_sums(block, np.where(hidden, 0, pi)), 1e-12)
    squares = squares - row_sums(block, np.where(hidden, 0, p**2 / pi))
    n_hidden = row_sums(block, hidden.astype(np.float64))
    at, p, pi = cell[hidden], p[hidden], pi[hidden]
    size = block.shape[0]
    gain = np.empty((size, len(weights)))
    for i, weight in enumerate(weights):
        mixed = (1 - weight) * left + weight * left_mean
        ratio = ((1 - weight) * p / pi + weight) * (left_mean / mixed)[at]
        gain[:, i] = np.bincount(at, weights=np.log(ratio), minlength=size)
    seen = np.bincount(at, weights=p / pi * (left_mean / left)[at] - 1, minlength=size)
    said = n_hidden * np.maximum(left_mean / left**2 * squares - 1, 0)
    return n_hidden, gain, seen, said
