"""Counts of few cells by peaks: passes of factorisations in which every peak's factors are read and written once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .._threads import available_threads, in_threads
from .columns import TILE, column_values
from .operator import ScaledOperator
from .row_block import COMPILED_NNZ
from .rows import aligned_zeros

MOST_CELLS = 4_000  # so that factors of the cells stay in the second-level cache
_MIN_NNZ_PER_THREAD = 500_000


@dataclass(frozen=True)
class Passed:
    """What a pass over the peaks sums.

    Attributes
    ----------
    image
        X̃ times the next start, (cells × r).
    gram
        Inner products of the columns of the next start, within each factorisation, (r × r); the rest 0.
    """

    image: np.ndarray
    gram: np.ndarray


class CountsByPeaks:
    """The counts of an operator in memory, by peaks (CSC).

    Parameters
    ----------
    op
        The data, for which :func:`by_peaks_pays`.
    """

    def __init__(self, op: ScaledOperator) -> None:
        columns = op.columns()
        self._indptr, self._indices = columns.indptr, columns.indices
        self._values = column_values(columns, op.dtype, binary=op.binary)
        self._rows, self._scale = op.row_scale[:, None].astype(op.dtype), op.col_scale.astype(op.dtype)
        n_parts = max(1, min(available_threads(), columns.nnz // _MIN_NNZ_PER_THREAD))
        cost = columns.indptr + np.arange(len(columns.indptr))  # entries and peaks
        cuts = np.searchsorted(cost, np.linspace(0, cost[-1], n_parts + 1)[1:-1])
        cuts = cuts // TILE * TILE
        bounds = [0, *cuts.tolist(), len(columns.indptr) - 1]
        self._parts = [slice(a, b) for a, b in pairwise(bounds) if b > a]

    def image(self, w: np.ndarray, cuts: np.ndarray) -> Passed:
        """Return X̃ W and Wᵀ W.

        Parameters
        ----------
        w
            (peaks × r), C-contiguous, of the operator's type, in tiles (:func:`in_tiles`).
        cuts
            Where the columns of each factorisation start, and r at the end.
        """
        nothing = np.zeros((len(self._rows), w.shape[1]), dtype=w.dtype)
        gram = np.zeros((w.shape[1],) * 2, dtype=w.dtype)
        return self._passed(*self._each(nothing, gram, cuts, w, w, 0, 0.0, None))

    def update(
        self,
        h: np.ndarray,
        gram: np.ndarray,
        cuts: np.ndarray,
        *,
        start: np.ndarray,
        w: np.ndarray,
        momentum: float,
        n_sweeps: int = 2,
    ) -> Passed:
        """Update W and the start of its next sweeps in place, and return what comes of that start.

        Parameters
        ----------
        h, gram
            H, (cells × r), and the inner products of its columns.
        cuts
            Where the columns of each factorisation start, and r at the end.
        start, w
            Where the sweeps start, and the last W, (peaks × r), in tiles.
        momentum
            The next start is the new W and so much of its step from the last.
        n_sweeps
            Coordinate sweeps.
        """
        return self._passed(*self._each(h, gram, cuts, start, w, n_sweeps, momentum, None))

    def finish(
        self, h: np.ndarray, gram: np.ndarray, cuts: np.ndarray, *, start: np.ndarray, w: np.ndarray, n_sweeps: int = 2
    ) -> np.ndarray:
        """Update W for the last time and return X̃ᵀ H, (peaks × r); neither is in tiles any more.

        The parameters are those of `update`.
        """
        back = np.empty_like(w)
        self._each(h, gram, cuts, start, w, n_sweeps, 0.0, back)
        return back

    def _each(
        self,
        h: np.ndarray,
        gram: np.ndarray,
        cuts: np.ndarray,
        start: np.ndarray,
        w: np.ndarray,
        n_sweeps: int,
        momentum: float,
        back: np.ndarray | None,
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Pass over the peaks in threads; return the images and inner products that each summed (not with `back`)."""
        from .peak_kernels import peak_pass
        from .products import to_rows

        left = to_rows(h * self._rows, w.dtype)
        images = [aligned_zeros(left.shape, left.dtype) if back is None else left[:0] for _ in self._parts]
        grams = [np.zeros(gram.shape) for _ in self._parts]

        def work(number: int) -> None:
            part = self._parts[number]
            own = w[:0] if back is None else back[part]
            indptr = self._indptr[part.start : part.stop + 1]
            arrays = indptr, self._indices, self._values, self._scale[part], left, gram, cuts, start[part], w[part]
            room = (aligned_zeros(shape, w.dtype) for shape in ((w.shape[1], TILE), (TILE,), (TILE, left.shape[1])))
            peak_pass(*arrays, n_sweeps, w.dtype.type(momentum), images[number], grams[number], own, *room)

        in_threads(work, range(len(self._parts)))
        return images, grams

    def _passed(self, images: list[np.ndarray], grams: list[np.ndarray]) -> Passed:
        image, lower = sum(images[1:], images[0]), sum(grams[1:], grams[0])
        gram = (lower + np.tril(lower, -1).T).astype(image.dtype)
        return Passed(image[:, : len(gram)] * self._rows, gram)


def in_tiles(values: np.ndarray) -> np.ndarray:
    """Return factors of the peaks, (peaks × r), C-contiguous, as the passes take them; they are changed in place."""
    from .peak_kernels import turn_tiles

    values = np.ascontiguousarray(values)
    turn_tiles(values)
    return values


def by_peaks_pays(op: ScaledOperator) -> bool:
    """Return whether passes by peaks cost less than by cells: few cells, more peaks, in memory, enough to compile."""
    n, m = op.shape
    if not op.in_memory or op.device is not None or n > min(m, MOST_CELLS):
        return False
    return op.stored().nnz >= COMPILED_NNZ
