"""NMFs of several numbers of components K at once: one start, and full passes that all of them share."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..matrix.operator import ScaledOperator
from ..matrix.peaks import CountsByPeaks, by_peaks_pays, in_tiles
from ..matrix.rows import aligned_zeros, row_slices
from .nmf import SMALL, leading_svd, nndsvd_bank
from .survey import sample_of

MOMENTUM = 0.85
FEW = 5_000  # cells up to which two more full passes are taken
_COLD = 10  # sweeps from nothing


@dataclass(frozen=True)
class Bank:
    """Factorisations of several numbers of components K, their columns next to each other.

    Attributes
    ----------
    h, w
        H (n_obs × ΣK) and W (n_vars × ΣK).
    image
        X̃ᵀ H, (n_vars × ΣK).
    sizes
        The numbers K.
    best
        σ₁², what the best single component explains of ‖X̃‖².
    """

    h: np.ndarray
    w: np.ndarray
    image: np.ndarray
    sizes: tuple[int, ...]
    best: float

    def parts(self, values: np.ndarray) -> list[np.ndarray]:
        """Return the columns of every K."""
        return np.split(values, np.cumsum(self.sizes)[:-1], axis=1)


def nmf_bank(
    op: ScaledOperator,
    sizes: tuple[int, ...],
    *,
    near: np.ndarray | None = None,
    rng: np.random.Generator,
    n_iter: int | None = None,
) -> Bank:
    """Return the factorisations of several numbers of components: from one start, with shared full passes.

    Those of large data are first made of a sample of the cells, drawn by their keys, and then of all.

    Parameters
    ----------
    op
        The data.
    sizes
        The numbers K.
    near
        Of :func:`~sccase_kit.enhance.nmf.leading_svd`, for the start; not used on large data.
    rng
        Generator of the start and of the sample.
    n_iter
        Full passes; by default 10 on few cells, 8 on more, and 2 on large data, after 8 on a sample of their cells.
    """
    if op.shape[0] > SMALL:
        sample = sample_of(op, rng).op
        found = nmf_bank(sample, sizes, rng=rng)
        best = found.best * op.sq_norm() / sample.sq_norm()
        h = np.zeros((op.shape[0], found.w.shape[1]), dtype=op.dtype)
        return Bank(*_shared_polish(op, h, found.w, sizes, n_iter=n_iter or 2, n_first=_COLD), sizes, best)
    h, w, best = _starts(op, sizes, near=near, rng=rng)
    n_iter = n_iter or (8 if op.shape[0] > FEW else 10)
    return Bank(*_shared_polish(op, h, w, sizes, n_iter=n_iter), sizes, best)


def bank_of_cells(op: ScaledOperator, sizes: tuple[int, ...], *, rng: np.random.Generator, n_iter: int) -> np.ndarray:
    """Return H of :func:`nmf_bank` alone, whose last pass needs no W."""
    h, w, _ = _starts(op, sizes, rng=rng)
    return _shared_polish(op, h, w, sizes, n_iter=n_iter, finish=False)[0]


def _starts(
    op: ScaledOperator, sizes: tuple[int, ...], *, near: np.ndarray | None = None, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return H and W that the passes start from, of equal norms, and σ₁²."""
    svd = leading_svd(op, max(sizes), near=near, rng=rng)
    h, w = nndsvd_bank(*svd, sizes)
    h, w = h.astype(op.dtype, copy=False), w.astype(op.dtype, copy=False)
    _balance(h, w)
    return h, w, float(svd[1][0] ** 2)


def _balance(h: np.ndarray, w: np.ndarray) -> None:
    """Give the columns of H and W equal norms, in place (the product H Wᵀ is unchanged)."""
    squares = [
        sum(np.einsum("ij,ij->j", v[rows], v[rows], dtype=np.float64) for rows in row_slices(len(v))) for v in (h, w)
    ]
    alive = (squares[0] > 0) & (squares[1] > 0)
    ratio = np.where(alive, (squares[1] / np.where(alive, squares[0], 1)) ** 0.25, 1).astype(h.dtype)
    h *= ratio
    for rows in row_slices(len(w)):
        w[rows] /= ratio


def _shared_polish(
    op: ScaledOperator,
    h: np.ndarray,
    w: np.ndarray,
    sizes: tuple[int, ...],
    *,
    n_iter: int,
    n_first: int = 2,
    finish: bool = True,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Full HALS iterations (one at least) of all factorisations at once, each with one read of the data.

    Between the first and the last, both factors go on by :data:`MOMENTUM` of their last step (Ang & Gillis 2019), which
    takes half the iterations to the same residual. The first H takes `n_first` sweeps. Returns H, W and X̃ᵀ H; without
    `finish` H alone is of the last one.
    """
    from .kernels import hals_parts

    cuts = np.cumsum([0, *sizes])
    parts = [slice(a, b) for a, b in pairwise(cuts)]
    if by_peaks_pays(op):
        return _polish_by_peaks(op, h, w, cuts, n_iter=n_iter, n_first=n_first, finish=finish)
    h_from, w_from, back = h, w, w[:0]
    for i in range(n_iter):
        gram, n_sweeps = _grams(w_from, parts), 2 if i else n_first

        def update(rows: slice, product: np.ndarray, h_from=h_from, gram=gram, n_sweeps=n_sweeps) -> np.ndarray:
            new = h_from[rows].copy()
            hals_parts(new, np.ascontiguousarray(product), gram, cuts, n_sweeps)
            return new

        if i == n_iter - 1 and not finish:
            return update(slice(None), op.matmul(w_from)), w, back
        h_new, back = op.sweep(w_from, update)
        w_new = w_from.copy()
        hals_parts(w_new, back, _grams(h_new, parts), cuts, 2)
        h_from, w_from = h_new, w_new
        if 0 < i < n_iter - 2:
            h_from, w_from = _further(h_new, h), _further(w_new, w)
        h, w = h_new, w_new
    return h, w, back


def _polish_by_peaks(
    op: ScaledOperator, h: np.ndarray, w: np.ndarray, cuts: np.ndarray, *, n_iter: int, n_first: int, finish: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same iterations with the data read by peaks: W is changed in place."""
    from .kernels import hals_parts

    parts = [slice(a, b) for a, b in pairwise(cuts)]
    counts, w = CountsByPeaks(op), in_tiles(w)
    start, h_from = aligned_zeros(w.shape, w.dtype), h
    start[:] = w
    passed = counts.image(start, cuts)
    for i in range(n_iter):
        new = h_from.copy()
        hals_parts(new, passed.image, passed.gram, cuts, 2 if i else n_first)
        if i == n_iter - 1:
            break
        further = 0 < i < n_iter - 2
        momentum = MOMENTUM if further else 0.0
        passed = counts.update(new, _grams(new, parts), cuts, start=start, w=w, momentum=momentum)
        h_from, h = _further(new, h) if further else new, new
    if not finish:
        return new, w, w[:0]
    return new, w, counts.finish(new, _grams(new, parts), cuts, start=start, w=w)


def _further(new: np.ndarray, old: np.ndarray) -> np.ndarray:
    out = new - old
    out *= new.dtype.type(MOMENTUM)
    out += new
    return np.maximum(out, 0, out=out)


def _grams(values: np.ndarray, parts: list[slice]) -> np.ndarray:
    """Return the inner products of the columns of each part, the rest 0."""
    out = np.zeros((values.shape[1],) * 2, dtype=values.dtype)
    for part in parts:
        out[part, part] = values[:, part].T @ values[:, part]
    return out
