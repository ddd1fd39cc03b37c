"""Depths of cells, open peaks of cells and mean counts of peaks: what a simulation takes from real counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy
from anndata import AnnData

from .._validate import check_adata
from ..matrix.access import get_matrix
from ..matrix.sums import count_statistics

_JITTER = 0.05  # of the log of a drawn depth


@dataclass(frozen=True)
class CountStatistics:
    """What a simulation takes from real counts; neither cells nor peaks are kept.

    Attributes
    ----------
    peak_means
        Mean counts of every peak, (n_peaks,), positive.
    depths
        Total counts of every cell, (n_cells,), positive.
    n_open
        Open peaks of every cell, (n_cells,), at most its depth.
    """

    peak_means: np.ndarray
    depths: np.ndarray
    n_open: np.ndarray

    def __post_init__(self) -> None:
        """Check the arrays."""
        for name in ("peak_means", "depths", "n_open"):
            values = np.asarray(getattr(self, name), dtype=np.float64)
            if values.ndim != 1 or len(values) == 0 or not np.isfinite(values).all() or (values <= 0).any():
                msg = f"{name} must be a one-dimensional array of positive numbers, got shape {values.shape}"
                raise ValueError(msg)
            object.__setattr__(self, name, values)
        if len(self.depths) != len(self.n_open):
            msg = f"depths and n_open must have one value per cell, got {len(self.depths)} and {len(self.n_open)}"
            raise ValueError(msg)
        if (self.n_open > self.depths).any():
            msg = f"n_open exceeds depths in {int((self.n_open > self.depths).sum())} cells; an open peak has a count"
            raise ValueError(msg)

    @classmethod
    def of(cls, adata: AnnData, *, layer: str | None = None) -> Self:
        """Return the statistics of counts; empty cells and peaks are left out.

        Parameters
        ----------
        adata
            Counts, cells × peaks.
        layer
            Layer with the counts; `None` for `X`.

        Raises
        ------
        ValueError
            If there is no count, or the values are no counts.
        """
        check_adata(adata)
        matrix = get_matrix(adata, layer)
        depth, n_cells_open, nnz = count_statistics(matrix)
        if nnz == 0:
            msg = "adata has no counts, so there are no statistics of them"
            raise ValueError(msg)
        means, opened = _means_and_open(matrix)
        return cls(means[n_cells_open > 0], depth[depth > 0], opened[depth > 0])

    @classmethod
    def typical(cls) -> Self:
        """Return those of a deep set of bone marrow cells (BM0828, 92,229 peaks), as log-normal distributions.

        Depth: median 2,950, standard deviation of the log .83; peak means: .030 and .78; of the counts of a cell of
        median depth 87 % are in different peaks, fewer in deep cells.
        """
        depths = np.exp(scipy.stats.norm.ppf((np.arange(1000) + 0.5) / 1000, loc=7.99, scale=0.83))
        shares = np.minimum(0.873 * (depths / 2950) ** -0.07, 0.99)
        means = np.exp(scipy.stats.norm.ppf((np.arange(92_229) + 0.5) / 92_229, loc=-3.49, scale=0.78))
        return cls(means, depths, depths * shares)

    def draw_cells(self, n: int, *, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw depths and open peaks of cells, (n,) each, in ascending order of depth.

        A real cell is drawn for each and both numbers are multiplied by the same log-normal factor (5 %).
        """
        cells = rng.integers(len(self.depths), size=n)
        factor = np.exp(_JITTER * rng.standard_normal(n))
        order = np.argsort(self.depths[cells] * factor, kind="stable")
        return (self.depths[cells] * factor)[order], (self.n_open[cells] * factor)[order]

    def draw_peaks(self, n: int, *, rng: np.random.Generator) -> np.ndarray:
        """Return mean counts of peaks, (n,), ascending: the real ones, or drawn from them for another number."""
        if n == len(self.peak_means):
            return np.sort(self.peak_means)
        return np.sort(rng.choice(self.peak_means, size=n, replace=n > len(self.peak_means)))


def _means_and_open(matrix: object) -> tuple[np.ndarray, np.ndarray]:
    """Return mean counts of the peaks and open peaks of the cells, in one pass of row blocks."""
    from ..matrix.operator import ScaledOperator

    op = ScaledOperator(matrix, dtype=np.float64)
    n, m = op.shape
    sums, opened = np.zeros(m), np.zeros(n)
    for rows, block in op.iter_blocks():
        sums += np.asarray(block.sum(axis=0)).ravel()
        opened[rows] = np.asarray((block > 0).sum(axis=1)).ravel()
    return sums / n, opened
