r"""Non-negative matrix factorisation starts: X̃ ≈ H Wᵀ with H (n_obs × k) and W (n_vars × k).

The fast start reads the data a handful of times: a randomised range finder, NNDSVD on its small SVD, HALS on
the compressed matrix, and a few full HALS sweeps that read the data once each.

References: Boutsidis & Gallopoulos 2008 (NNDSVD); Cichocki & Phan 2009 (HALS); Erichson et al. 2018 (randomised
HALS); Halko, Martinsson & Tropp 2011 (range finder).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.linalg import eigh

from ..matrix.gram import gram, gram_pays
from ..matrix.operator import ScaledOperator
from ..matrix.rows import aligned_zeros, row_slices
from .keys import data_keys, normal
from .lanczos import leading_eigenpairs
from .published import published_nmf

_TINY = 1e-12


@dataclass(frozen=True)
class Sketch:
    """A low-rank view of the data: X̃ ≈ basis · compressedᵀ.

    Attributes
    ----------
    basis
        Orthonormal columns, shape (n_obs, l).
    compressed
        X̃ᵀ basis, shape (n_vars, l).
    """

    basis: np.ndarray
    compressed: np.ndarray

    def svd(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return U (n_obs × l), s (l,), V (n_vars × l) of the sketch, signs fixed by V's sums."""
        gram = self.compressed.astype(np.float64).T @ self.compressed
        values, rotation = np.linalg.eigh(gram)
        order = np.argsort(values)[::-1]
        s = np.sqrt(np.maximum(values[order], 0))
        rotation = rotation[:, order]
        u = self.basis @ rotation
        v = (self.compressed @ rotation) / np.maximum(s, _TINY * max(s[0], _TINY))
        signs = np.where(v.sum(axis=0) < 0, -1.0, 1.0)
        return u * signs, s, v * signs


def orthonormalise(matrix: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis of the columns of a tall matrix (QR, the matrix's dtype)."""
    return np.linalg.qr(matrix)[0]


def sketch(op: ScaledOperator, rank: int, *, n_power: int = 1, rng: np.random.Generator) -> Sketch:
    """Return a randomised sketch of X̃ with `rank` columns from n_power + 1 reads of the data, two products each."""
    rank = min(rank, *op.shape)
    probe = rng.standard_normal((op.shape[1], rank)).astype(op.dtype)
    for _ in range(n_power):
        probe = orthonormalise(op.sweep(probe, lambda _rows, product: product)[1])
    image, back = op.sweep(probe, lambda _rows, product: product)
    basis, triangle = np.linalg.qr(image.astype(np.float64))
    rotation, size, turn = np.linalg.svd(triangle)
    known = size > 100 * np.finfo(op.dtype).eps * size[0]  # X̃ᵀ is 0 on the rest of the basis
    compressed = np.zeros(back.shape)
    compressed[:, known] = back @ (turn[known].T / size[known])
    return Sketch((basis @ rotation).astype(op.dtype), compressed.astype(op.dtype))


_WIDTH, _BLOCKS = 16, 7  # of the Krylov space of a start
_BLOCKS_FROM_KNOWN = 3  # where it begins with vectors that are near


def leading_svd(
    op: ScaledOperator, rank: int, *, near: np.ndarray | None = None, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return U (n_obs × rank), s, V (n_vars × rank) of the leading singular triplets, signs fixed by V's sums.

    From the inner products of the cells, and exact, for few cells (:func:`~sccase_kit.matrix.gram.gram_pays`); else by
    block Lanczos, where triplets that stand out from the bulk are exact.

    Parameters
    ----------
    op
        The data.
    rank
        Number of triplets.
    near
        Vectors near to the left singular ones but the first, (n_obs × any), to begin with; `None` for random ones.
    rng
        Generator of those.
    """
    rank, n = min(rank, *op.shape), op.shape[0]
    if gram_pays(op):
        values, u = eigh(gram(op), subset_by_index=[n - rank, n - 1], overwrite_a=True)
        values, u = values[::-1], u[:, ::-1]
    else:
        block, n_blocks = _beginning(op, rank, near, rng)
        apply = partial(_squared, op)
        u, values = leading_eigenpairs(apply, block, rank, n_blocks=n_blocks, dtype=op.dtype)
        missing = rank - len(values)  # where all that is not 0 was found
        u, values = np.pad(u, ((0, 0), (0, missing))), np.pad(values, (0, missing))
    s = np.sqrt(np.maximum(values, 0))
    v = op.rmatmul(u) / np.maximum(s, _TINY * max(s[0], _TINY)).astype(op.dtype)
    signs = np.where(v.sum(axis=0) < 0, -1, 1).astype(op.dtype)
    return u * signs, s, v * signs


def _squared(op: ScaledOperator, vectors: np.ndarray) -> np.ndarray:
    return op.matmul(op.rmatmul(vectors))


def _beginning(
    op: ScaledOperator, rank: int, near: np.ndarray | None, rng: np.random.Generator
) -> tuple[np.ndarray, int]:
    """Return the first block of a start's Krylov space, with random columns up to full registers, and its blocks."""
    known, n_blocks = np.zeros((op.shape[0], 0)), _BLOCKS
    if near is not None:
        known, n_blocks = np.column_stack([np.full(len(near), len(near) ** -0.5), near]), _BLOCKS_FROM_KNOWN
    width = max(known.shape[1] + 1, -(-2 * rank // n_blocks))
    width = -(-width // _WIDTH) * _WIDTH
    block = np.hstack([known, normal(data_keys(op).cells, width - known.shape[1], rng)])
    return block[:, : min(width, *op.shape)], n_blocks


def nndsvd(u: np.ndarray, s: np.ndarray, v: np.ndarray, n_components: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the NNDSVDa start (zeros filled with a small mean) from the leading singular triplets.

    Peaks that are closed in every cell, whose rows of `v` are 0, stay 0: whether a storage let them be left out must
    not change the start.
    """
    h = np.empty((u.shape[0], n_components), dtype=u.dtype)
    w = np.empty((v.shape[0], n_components), dtype=v.dtype)
    h[:, 0], w[:, 0] = np.sqrt(s[0]) * np.abs(u[:, 0]), np.sqrt(s[0]) * np.abs(v[:, 0])
    for j in range(1, n_components):
        best = (0.0, u[:, j], v[:, j])
        for sign in (1, -1):
            left, right = np.maximum(sign * u[:, j], 0), np.maximum(sign * v[:, j], 0)
            size = float(np.linalg.norm(left) * np.linalg.norm(right))
            if size > best[0]:
                best = (size, left, right)
        size, left, right = best
        scale = np.sqrt(s[j] * size)
        h[:, j] = scale * left / max(np.linalg.norm(left), _TINY)
        w[:, j] = scale * right / max(np.linalg.norm(right), _TINY)
    h[h < _TINY] = 1e-2 * h.mean()
    alive = np.any(v != 0, axis=1)
    w[alive[:, None] & (w < _TINY)] = 1e-2 * w[alive].mean()
    w[~alive] = 0
    return h, w


def nndsvd_bank(u: np.ndarray, s: np.ndarray, v: np.ndarray, sizes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return the starts of :func:`nndsvd` for several numbers of components, their columns next to each other."""
    from .kernels import start_rows

    norms = [np.sqrt(_squares(array)) for array in (u, v)]  # of the positive and negative parts of the columns
    sizes_of = norms[0] * norms[1]
    side = np.where(sizes_of[1] > sizes_of[0], 1, 0)
    columns = np.arange(len(side))
    signs, size = np.array([1.0, -1.0])[side], sizes_of[side, columns]
    cuts, out = np.cumsum([0, *sizes]), []
    for array, norm, zeros in zip((u, v), norms, (False, True), strict=True):
        factor = np.sqrt(s * size) / np.maximum(norm[side, columns], _TINY)
        factor[0] = np.sqrt(s[0])  # of both sides of the first
        sums, n_alive = _chosen_sums(array, signs, factor, zeros=zeros)
        fills = np.array([1e-2 * sums[:k].sum() / max(1, n_alive * k) for k in sizes])
        starts = aligned_zeros((len(array), cuts[-1]), array.dtype)
        scale, small = (signs * factor).astype(array.dtype), array.dtype.type(_TINY)
        given = scale, fills.astype(array.dtype), cuts, small, int(zeros)
        start_rows(np.ascontiguousarray(array), *given, starts)
        out.append(starts)
    return out[0], out[1]


def _squares(array: np.ndarray) -> np.ndarray:
    """Return the sums of squares of the positive and of the negative parts of the columns, (2 × columns)."""
    out = np.zeros((2, array.shape[1]))
    for rows in row_slices(len(array)):
        for part, sums in zip((np.maximum, np.minimum), out, strict=True):
            values = part(array[rows], 0)
            sums += np.einsum("ij,ij->j", values, values, dtype=np.float64)
    return out


def _chosen_sums(array: np.ndarray, signs: np.ndarray, factor: np.ndarray, *, zeros: bool) -> tuple[np.ndarray, int]:
    """Return the sums of the chosen sides of some singular vectors times factors, and how many rows are not 0."""
    sums, n_alive = np.zeros(len(signs)), 0
    for rows in row_slices(len(array)):
        values = np.maximum(array[rows] * signs.astype(array.dtype), 0)
        values[:, 0] = np.abs(array[rows, 0])
        sums += values.sum(axis=0, dtype=np.float64)
        n_alive += int(np.any(array[rows] != 0, axis=1).sum()) if zeros else len(values)
    return sums * factor, n_alive


def hals(factor: np.ndarray, product: np.ndarray, gram: np.ndarray, *, n_sweeps: int = 1) -> np.ndarray:
    """Return `factor` ≥ 0 after exact coordinate sweeps on ‖X − factor · otherᵀ‖².

    Parameters
    ----------
    factor
        Current factor of shape (rows, k).
    product
        X @ other, shape (rows, k).
    gram
        otherᵀ other (plus any ridge on its diagonal), symmetric, shape (k, k).
    n_sweeps
        Sweeps over the k columns; none raises the objective.

    Returns
    -------
    Array (rows, k), float32 if `product` is, else float64.
    """
    from .kernels import hals_rows

    dtype = np.float32 if product.dtype == np.float32 else np.float64
    factor = np.array(factor, dtype=dtype, order="C")
    hals_rows(factor, np.ascontiguousarray(product, dtype=dtype), np.ascontiguousarray(gram, dtype=dtype), n_sweeps)
    return factor


def balance(h: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the factors with columns of equal norm in H and W (the product H Wᵀ is unchanged)."""
    a, b = np.linalg.norm(h, axis=0), np.linalg.norm(w, axis=0)
    alive = (a > 0) & (b > 0)
    ratio = np.where(alive, np.sqrt(np.where(alive, b, 1) / np.where(alive, a, 1)), 1)
    return h * ratio, w / ratio


def compressed_nmf(view: Sketch, h: np.ndarray, w: np.ndarray, *, n_iter: int = 50) -> tuple[np.ndarray, np.ndarray]:
    """Run HALS on the sketch, without touching the data: O((n_obs + n_vars) · l · k) per iteration."""
    dtype = view.basis.dtype
    for _ in range(n_iter):
        h, w = balance(h, w)
        h = hals(h, view.basis @ (view.compressed.T @ w.astype(dtype)), w.T @ w)
        w = hals(w, view.compressed @ (view.basis.T @ h.astype(dtype)), h.T @ h)
    return h, w


def _half_step(h: np.ndarray, gram: np.ndarray, rows: slice, product: np.ndarray) -> np.ndarray:
    return hals(h[rows], product, gram, n_sweeps=2)


def polish(op: ScaledOperator, h: np.ndarray, w: np.ndarray, *, n_iter: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Run full HALS iterations, each with one read of the data."""
    for _ in range(n_iter):
        h, w = balance(h, w)
        gram = w.T @ w
        h, product = op.sweep(w, partial(_half_step, h, gram))
        w = hals(w, product, h.T @ h, n_sweeps=2)
    return h.astype(np.float64), w.astype(np.float64)


SMALL = 20_000  # cells up to which full passes are cheap


def effort(op: ScaledOperator) -> int:
    """Return how many full passes the start may take: they cost little on small data and decide its quality."""
    return 20 if op.shape[0] <= SMALL else 3


def sketch_width(n_components: int) -> int:
    """Return the columns of the sketch that a start of so many components is made from."""
    return max(3 * n_components, n_components + 50)


def fast_start(
    op: ScaledOperator,
    n_components: int,
    *,
    rng: np.random.Generator,
    view: Sketch | None = None,
    n_polish: int | None = None,
    report: Callable[[str], None] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return a NMF start (H, W) from a sketch of the data.

    Parameters
    ----------
    op
        The data.
    n_components
        Number of components k.
    rng
        Generator for the range finder.
    view
        A sketch to share between several starts.
    n_polish
        Full iterations after the compressed ones; by default 20 on small data, 3 on large (see :func:`effort`).
    report
        Called with the name of every stage.
    """
    say = report or (lambda _stage: None)
    if view is None:
        say("sketch")
        view = sketch(op, sketch_width(n_components), n_power=1 if effort(op) < 20 else 2, rng=rng)
    say("start")
    h, w = compressed_nmf(view, *nndsvd(*view.svd(), n_components))
    say("polish")
    return polish(op, h, w, n_iter=effort(op) if n_polish is None else n_polish)


def sklearn_start(op: ScaledOperator, n_components: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the published program's start: scikit-learn's NMF of the sparse TF-IDF, random_state 100.

    The scaled sparse matrix is formed in memory for it, as in the program.
    """
    w, h = published_nmf(op.to_csr().T.tocsr(), n_components)
    return h.T.astype(np.float64), w.astype(np.float64)
