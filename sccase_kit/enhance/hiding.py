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
        columns = left.tocsc()  # few cells, many peaks: what belongs to the cells stays in the cache
        self._n_cells, self._indptr, self._rows = left.shape[0], columns.indptr, columns.indices
        seen = np.diff(columns.indptr)
        self.mean = seen / max(1, seen.sum())
        self.row, self._column = np.repeat(np.arange(hidden.shape[0]), np.diff(hidden.indptr)), hidden.indices
        self._mean_outside = 1 - self._inside(self._of_entries(self.mean))

    def _inside(self, values: np.ndarray) -> np.ndarray:
        return np.bincount(self._rows, weights=values, minlength=self._n_cells)

    def _of_entries(self, values: np.ndarray) -> np.ndarray:
        return np.repeat(values, np.diff(self._indptr))

    def _image(self, phi: np.ndarray) -> np.ndarray:
        """Return φ, (peaks × r), summed over the entries that are left of every cell, (cells × r)."""
        from .mixture_kernels import LANES, add_to_cells

        out = np.zeros((self._n_cells, -(-phi.shape[1] // LANES) * LANES), phi.dtype)
        add_to_cells(self._indptr, self._rows, phi, out)
        return out[:, : phi.shape[1]]

    def ratios_of_parts(self, thetas: np.ndarray, phi: np.ndarray, sizes: tuple[int, ...]) -> np.ndarray:
        """Return the ratios of several predictions at once, (memberships, parts, hidden entries).

        Parameters
        ----------
        thetas
            Several memberships in the same profiles, (memberships, cells, r).
        phi
            (peaks × r).
        sizes
            Columns of every part, which is a prediction of its own; they sum to r.
        """
        starts, image = np.cumsum([0, *sizes[:-1]]), self._image(phi)
        relative, there = phi[self._column] / self.mean[self._column, None].astype(phi.dtype), np.float64
        out = np.empty((len(thetas), len(sizes), len(self.row)))
        for theta, ratios in zip(thetas, out, strict=True):
            inside = np.add.reduceat(theta * image, starts, axis=1, dtype=there)
            found = np.add.reduceat(theta[self.row] * relative, starts, axis=1, dtype=there)
            outside = np.maximum(1 - inside, 1e-9)
            ratios[:] = (found * (self._mean_outside[:, None] / outside)[self.row]).T
        return out

    def values(self, theta: np.ndarray, phi: np.ndarray, *, squares: bool = False) -> Values:
        """Return what P = θ φᵀ says, rows of θ and columns of φ of sum 1.

        Parameters
        ----------
        theta, phi
            (cells × r) and (peaks × r).
        squares
            Compute Σ P² / π as well.
        """
        relative = np.einsum("ik,ik->i", theta[self.row], phi[self._column], dtype=np.float64)
        relative /= self.mean[self._column]
        left = self._at_left(theta, phi)
        inside, sums = self._inside(left), np.zeros(0)
        if squares:
            sums = np.einsum("ik,kl,il->i", theta, self._gram(phi), theta, optimize=True)
            left **= 2
            left *= self._of_entries(1 / self.mean)
            sums -= self._inside(left)
        return Values(relative, inside, sums)

    def _at_left(self, theta: np.ndarray, phi: np.ndarray) -> np.ndarray:
        """Return P at the entries that are left, by peaks, float64."""
        from .mixture_kernels import values_at

        single = np.result_type(theta, phi) == np.float32
        theta, phi = (np.ascontiguousarray(v, dtype=np.float32 if single else np.float64) for v in (theta, phi))
        left = np.empty(len(self._rows))
        values_at(self._indptr, self._rows, phi, theta, left)
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
        n_hidden = np.bincount(self.row, minlength=self._n_cells)
        seen = np.bincount(self.row, weights=self.ratios(values) - 1, minlength=self._n_cells)
        outside = np.maximum(1 - values.inside, 1e-9)
        said = n_hidden * np.maximum(self._mean_outside / outside**2 * values.squares - 1, 0)
        return seen, said
