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
from ..matrix.row_block import compilable
from ..matrix.rows import row_slices
from .keys import Keys, drawn, salted

HIDDEN = 0.1  # the less, the nearer is the fit to what is left to the one to everything
MOST_CELLS = 1_200
MOST_ENTRIES = 12_000
FEWEST = 5  # entries of a judged peak
_FLOOR = 0.01  # of the peak mean


@dataclass(frozen=True)
class Sample:
    """Counts of a sample of the cells, and what the order depends on in which their entries are hidden.

    Attributes
    ----------
    counts
        As they are stored, CSR (cells × peaks).
    keys
        Keys of these cells and of the peaks.
    seed
        Seed of the order.
    binary
        Take every nonzero count as 1.
    """

    counts: sparse.csr_matrix
    keys: Keys
    seed: int
    binary: bool = False

    def fold(self, number: int) -> tuple[sparse.csr_matrix, sparse.csr_matrix, np.ndarray]:
        """Return the counts that are left, and those hidden, at the peaks that are judged; and which these are.

        Of more than :data:`MOST_ENTRIES` hidden entries about so many are returned, whatever the order of the cells.
        The counts are float32.

        Parameters
        ----------
        number
            Which tenth is hidden, from 0.
        """
        from .hiding_kernels import GONE, LEFT, hide_entries, keep_hidden, open_columns

        counts, cells, peaks, salt = self.counts, self.keys.cells, self.keys.peaks, salted(self.seed)
        values = compilable(counts.data, np.dtype(np.float32))
        low, state = number * HIDDEN, np.empty(counts.nnz, dtype=np.uint8)
        given = counts.indptr, counts.indices
        n_hidden = hide_entries(*given, values, cells, peaks, salt, low, low + HIDDEN, state)
        if n_hidden > MOST_ENTRIES:
            keep_hidden(*given, cells, peaks, salt, low + HIDDEN * MOST_ENTRIES / n_hidden, state)
        n_open = np.zeros(counts.shape[1], dtype=np.int64)
        open_columns(counts.indices, state, n_open)
        fewest = FEWEST  # less where the peaks that have it hold less than half of the entries
        while fewest > 1 and 2 * n_open[n_open >= fewest].sum() < n_open.sum():
            fewest -= 1
        judged = n_open >= fewest
        column = np.where(judged, np.cumsum(judged) - 1, -1)
        left, hidden = (self._part(values, state, which, column) for which in (LEFT, GONE))
        return left, hidden, judged

    def _part(self, values: np.ndarray, state: np.ndarray, which: int, column: np.ndarray) -> sparse.csr_matrix:
        """Return the entries of one state at the judged peaks, whose columns are given (-1 for others)."""
        from .hiding_kernels import count_entries, take_entries

        counts = self.counts
        indptr = np.zeros(len(counts.indptr), dtype=counts.indptr.dtype)
        given = counts.indptr, counts.indices, state, which, column
        count_entries(*given, indptr)
        indices, data = np.empty(indptr[-1], dtype=counts.indices.dtype), np.ones(indptr[-1], dtype=np.float32)
        take_entries(*given, None if self.binary else values, indices, data)
        return sparse.csr_matrix((data, indices, indptr), shape=(counts.shape[0], int(column.max(initial=-1)) + 1))


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
    counts = op.stored() if op.in_memory and sampled.all() else op.with_rows(sampled).stored()
    return Sample(counts, Keys(keys.cells[sampled], keys.peaks), seed + 1, op.binary)


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
        Of :meth:`Sample.fold`; what is left is read by peaks, so that what belongs to the cells stays in the cache.
    """

    def __init__(self, left: sparse.spmatrix, hidden: sparse.csr_matrix) -> None:
        columns = sparse.csc_matrix(left)
        self._n_cells, self._indptr, self._rows = columns.shape[0], columns.indptr, columns.indices
        seen = np.diff(columns.indptr)
        self.mean = seen / max(1, seen.sum())
        self.row, self._column = np.repeat(np.arange(hidden.shape[0]), np.diff(hidden.indptr)), hidden.indices
        self._mean_outside = 1 - self._image(self.mean[:, None])[:, 0]

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
        from .hiding_kernels import add_values

        relative = np.einsum("ik,ik->i", theta[self.row], phi[self._column], dtype=np.float64)
        relative /= self.mean[self._column]
        inside, at_left, sums = np.zeros(self._n_cells), np.zeros(self._n_cells), np.zeros(0)
        given = self._indptr, self._rows, np.ascontiguousarray(theta, dtype=np.float64), np.ascontiguousarray(phi)
        add_values(*given, self.mean, inside, at_left)
        if squares:
            sums = np.einsum("ik,kl,il->i", theta, self._gram(phi), theta, optimize=True) - at_left
        return Values(relative, inside, sums)

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
