"""NMFs of several numbers of components K at once: one start, and full passes that all of them share."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ..matrix.operator import ScaledOperator
from ..matrix.peaks import CountsByPeaks, by_peaks_pays
from .nmf import balance, compressed_nmf, effort, leading_svd, nndsvd, sketch

MOMENTUM = 0.5
FEW = 5_000  # cells up to which more full passes are taken; they raise silhouettes by less than .01


def nmf_bank(
    op: ScaledOperator, bank: tuple[int, ...], *, rng: np.random.Generator, n_iter: int | None = None
) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray], float]:
    """Return H (n_obs × K), W (n_vars × K) and X̃ᵀH (n_vars × K) for every K, and σ₁², the best of one component.

    They come from one sketch and shared full passes.

    Parameters
    ----------
    op
        The data.
    bank
        The numbers K.
    rng
        Generator of the sketch.
    n_iter
        Full passes; by default 16 on few cells, 10 on more, 2 on large data.
    """
    small = effort(op) >= 20
    if small:
        svd = leading_svd(op, max(bank), rng=rng)
        starts = [nndsvd(*svd, k) for k in bank]
    else:  # full passes are expensive: get close on the sketch, although its local optima are a little worse
        view = sketch(op, max(bank) + 40, n_power=1, keyed=True, rng=rng)
        svd = view.svd()
        starts = [compressed_nmf(view, *nndsvd(*svd, k)) for k in bank]
    hs, ws = zip(*starts, strict=True)
    if n_iter is None:
        n_iter = 2 if not small else 10 if op.shape[0] > FEW else 16
    return *_shared_polish(op, list(hs), list(ws), n_iter=n_iter), float(svd[1][0] ** 2)


def _shared_polish(
    op: ScaledOperator, hs: list[np.ndarray], ws: list[np.ndarray], *, n_iter: int
) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    """Full HALS iterations (one at least) of all factorisations at once, each with one read of the data.

    Between the first and the last, both factors go on by :data:`MOMENTUM` of their last step (Ang & Gillis 2019), which
    takes half the iterations to the same residual.
    """
    from .kernels import hals_parts

    cuts = np.cumsum([0, *(w.shape[1] for w in ws)])
    parts = [slice(a, b) for a, b in pairwise(cuts)]
    h, w = balance(np.hstack(hs).astype(op.dtype), np.hstack(ws).astype(op.dtype))
    hs.clear()
    ws.clear()
    if by_peaks_pays(op):
        h, w, back = _polish_by_peaks(op, h, w, cuts, n_iter=n_iter)
        return [h[:, p] for p in parts], [w[:, p] for p in parts], [back[:, p] for p in parts]
    h_from, w_from = h, w
    for i in range(n_iter):
        gram = _grams(w_from, parts)

        def update(rows: slice, product: np.ndarray, h_from=h_from, gram=gram) -> np.ndarray:
            new = h_from[rows].copy()
            hals_parts(new, np.ascontiguousarray(product), gram, cuts, 2)
            return new

        h_new, back = op.sweep(w_from, update)
        w_new = w_from.copy()
        hals_parts(w_new, back, _grams(h_new, parts), cuts, 2)
        h_from, w_from = h_new, w_new
        if 0 < i < n_iter - 2:
            h_from, w_from = _further(h_new, h), _further(w_new, w)
        h, w = h_new, w_new
    return [h[:, p] for p in parts], [w[:, p] for p in parts], [back[:, p] for p in parts]


def _polish_by_peaks(
    op: ScaledOperator, h: np.ndarray, w: np.ndarray, cuts: np.ndarray, *, n_iter: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same iterations with the data read by peaks: W is changed in place."""
    from .kernels import hals_parts

    parts = [slice(a, b) for a, b in pairwise(cuts)]
    counts, w = CountsByPeaks(op), np.ascontiguousarray(w)
    start, h_from = w.copy(), h
    passed = counts.image(start, cuts)
    for i in range(n_iter):
        new = h_from.copy()
        hals_parts(new, passed.image, passed.gram, cuts, 2)
        gram = _grams(new, parts)
        if i == n_iter - 1:
            break
        further = 0 < i < n_iter - 2
        passed = counts.update(new, gram, cuts, start=start, w=w, momentum=MOMENTUM if further else 0.0)
        h_from, h = _further(new, h) if further else new, new
    return new, w, counts.finish(new, gram, cuts, start=start, w=w)


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
