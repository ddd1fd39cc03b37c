"""Open entries that a fit hides from itself, and how probable predictions make them.

A sample of the cells is taken, and a tenth of its open entries is hidden, whole; other tenths are other folds. Peaks of
which too little is left are not judged: what was hidden there and what is left add up to what the data had, so a peak
with little left seems to have more hidden than its mean says, and predictions that differ from the mean for whatever
reason seem to know it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from ..matrix.operator import ScaledOperator
from ..matrix.row_block import as_float
from ..matrix.rows import row_slices
from .keys import Keys, drawn, uniform

HIDDEN = 0.1  # the less, the nearer is the fit to what is left to the one to everything
MOST_CELLS = 1_200
MOST_ENTRIES = 12_000
FEWEST = 5  # entries of a judged peak
_FLOOR = 0.01  # of the peak mean


@dataclass(frozen=True)
class Sample:
    """Counts of a sample of the cells, CSR (cells × peaks), and a number in (0, 1) for every stored entry."""

    counts: sparse.csr_matrix
    order: np.ndarray

    def fold(self, number: int) -> tuple[sparse.csr_matrix, sparse.csr_matrix, np.ndarray]:
        """Return the counts that are left, and those hidden, at the peaks that are judged; and which these are.

        Of more than :data:`MOST_ENTRIES` hidden entries about so many are returned, whatever the order of the cells.

        Parameters
        ----------
        number
            Which tenth is hidden, from 0.
        """
        start = number * HIDDEN
        hide = (self.order >= start) & (self.order < start + HIDDEN)
        share = min(1.0, MOST_ENTRIES / max(1, int(hide.sum())))
        left, hidden = (self._where(chosen) for chosen in (~hide, hide & (self.order < start + share * HIDDEN)))
        n_open = np.bincount(left.indices, minlength=left.shape[1])
        fewest = FEWEST  # less where the peaks that have it hold less than half of the entries
        while fewest > 1 and 2 * n_open[n_open >= fewest].sum() < n_open.sum():
            fewest -= 1
        judged = n_open >= fewest
        return left[:, judged], hidden[:, judged], judged

    def _where(self, chosen: np.ndarray) -> sparse.csr_matrix:
        counts = self.counts
        parts = counts.data * chosen, counts.indices.copy(), counts.indptr.copy()
        part = sparse.csr_matrix(parts, shape=counts.shape)
        part.eliminate_zeros()
        return part


def sample_cells(op: ScaledOperator, keys: Keys, seed: int) -> Sample:
    """Return the counts of at most :data:`MOST_CELLS` cells.

    Parameters
    ----------
    op
        The data.
    keys
        Keys of cells and peaks, which draw the sample and the order of the entries.
    seed
        Seed.
    """
    sampled = drawn(keys.cells, MOST_CELLS, seed)
    counts = as_float(op.with_rows(sampled).stored(), op.dtype, binary=op.binary)
    counts.eliminate_zeros()
    cell = np.repeat(keys.cells[sampled], np.diff(counts.indptr))
    return Sample(counts, uniform(cell ^ (keys.peaks[counts.indices] << np.uint64(1)), seed + 1))


@dataclass(frozen=True)
class Values:
    """What a prediction says, read by :class:`Hidden`.

    Attributes
    ----------
    relative
        P / π at the hidden entries.
    inside
        P summed over the entries that are left of every cell.
    squares
        Σ P² / π over the peaks that are closed in what is left of a cell; empty unless asked for.
    """

    relative: np.ndarray
    inside: np.ndarray
    squares: np.ndarray


class Hidden:
    """Probabilities of hidden entries among the peaks that are closed in what is left, by those of the peak mean.

    Parameters
    ----------
    left, hidden
        Of :meth:`Sample.fold`.
    """

    def __init__(self, left: sparse.csr_matrix, hidden: sparse.csr_matrix) -> None:
        self._left = left
        seen = np.bincount(left.indices, minlength=left.shape[1])
        self.mean = seen / max(1, seen.sum())
        self.row, self._column = np.repeat(np.arange(hidden.shape[0]), np.diff(hidden.indptr)), hidden.indices
        self._mean_outside = 1 - self._inside(self.mean[left.indices])

    def _inside(self, values: np.ndarray) -> np.ndarray:
        rows = np.repeat(np.arange(self._left.shape[0]), np.diff(self._left.indptr))
        return np.bincount(rows, weights=values, minlength=self._left.shape[0])

    def values(
        self, theta: np.ndarray, phi: np.ndarray, *, image: np.ndarray | None = None, squares: bool = False
    ) -> Values:
        """Return what P = θ φᵀ says, rows of θ and columns of φ of sum 1.

        Parameters
        ----------
        theta, phi
            (cells × r) and (peaks × r).
        image
            φ summed over the entries that are left of every cell, (cells × r), where it is known.
        squares
            Compute Σ P² / π as well.
        """
        relative = np.einsum("ik,ik->i", theta[self.row], phi[self._column], dtype=np.float64)
        relative /= self.mean[self._column]
        if image is not None and not squares:
            return Values(relative, np.einsum("ik,ik->i", theta, image, dtype=np.float64), np.zeros(0))
        left = self._at_left(theta, phi)
        sums = np.zeros(0)
        if squares:
            sums = np.einsum("ik,kl,il->i", theta, self._gram(phi), theta, optimize=True)
            sums -= self._inside(left**2 / self.mean[self._left.indices])
        return Values(relative, self._inside(left), sums)

    def _at_left(self, theta: np.ndarray, phi: np.ndarray) -> np.ndarray:
        """Return P at the entries that are left, float64."""
        from .mixture_kernels import values_at

        single = np.result_type(theta, phi) == np.float32
        theta, phi = (np.ascontiguousarray(v, dtype=np.float32 if single else np.float64) for v in (theta, phi))
        left = np.empty(self._left.nnz)
        values_at(self._left.indptr, self._left.indices, theta, phi, left)
        return left

    def _gram(self, phi: np.ndarray) -> np.ndarray:
        """Return Σ_j φ_j φ_jᵀ / π_j, float64."""
        gram, root = np.zeros((phi.shape[1],) * 2), np.sqrt(1 / self.mean).astype(phi.dtype)[:, None]
        for rows in row_slices(len(phi)):
            scaled = phi[rows] * root[rows]
            gram += scaled.T @ scaled
        return gram

    def ratios(self, values: Values, stretch: float = 1.0) -> np.ndarray:
        """Return the ratio at every hidden entry with all deviations from π multiplied by `stretch`, positive."""
        outside = np.maximum(self._mean_outside - stretch * (values.inside - 1 + self._mean_outside), 1e-9)
        return (1 + stretch * (values.relative - 1)) * (self._mean_outside / outside)[self.row]

    def log_ratios(self, values: Values, stretch: float = 1.0) -> np.ndarray:
        """Return the logarithm of the ratios, a ratio being at least a hundredth."""
        return np.log(np.maximum(self.ratios(values, stretch), _FLOOR))

    def deviations(self, values: Values) -> tuple[np.ndarray, np.ndarray]:
        """Return what was seen of every cell's deviations from π, and what was said: their regression is of slope 1.

        Each entry counts in units of its expected variance, as in :mod:`sccase_kit.metrics.hidden`.
        """
        n_cells = self._left.shape[0]
        n_hidden = np.bincount(self.row, minlength=n_cells)
        seen = np.bincount(self.row, weights=self.ratios(values) - 1, minlength=n_cells)
        outside = np.maximum(1 - values.inside, 1e-9)
        said = n_hidden * np.maximum(self._mean_outside / outside**2 * values.squares - 1, 0)
        return seen, said
