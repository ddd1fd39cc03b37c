r"""Spectral embedding of large data from a sample of the cells and two reads of all.

With :math:`M = D^{-1/2} Y` as in :mod:`sccase_kit.enhance.graph`, the eigenvectors u of a sample's affinity say how
peaks go together, :math:`M_s^\top u`. M times these are vectors for all cells (Nyström; Fowlkes et al. 2004), of which
the Rayleigh–Ritz method makes eigenvectors, and one more product with the affinity brings them nearer to those of all.
"""

from __future__ import annotations

import numpy as np

from ..matrix.gram import gram_pays
from ..matrix.operator import ScaledOperator
from ..matrix.rows import row_slices
from .graph import inverse_roots, spectral_embedding
from .nmf import SMALL
from .survey import SampledCells, free_samples, sample_of, survey_of

EXTENDED = 31  # vectors of a sample that are extended to all cells: with the sum of all rows 32 columns
_ROWS = 20_000


def spectral_components(
    op: ScaledOperator, n_components: int, *, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return leading eigenvectors and eigenvalues of the open entries' affinity; of many cells by way of a sample.

    Parameters
    ----------
    op
        TF-IDF of the data; its row scale is not used on large data.
    n_components
        Number of eigenpairs.
    rng
        Generator.
    """
    if op.shape[0] <= SMALL:
        return spectral_embedding(_unit(op.binarized()), n_components, rng=rng)
    found = survey_of(op)
    rows = 1 / np.sqrt(np.where(found.open_squares > 0, found.open_squares, 1))
    binary = op.binarized().with_scales(np.where(found.open_squares > 0, rows, 0), op.col_scale)
    sample = sample_of(op, rng, wide=True)
    if sample.kept.all():
        return spectral_embedding(binary, n_components, rng=rng)
    few = SampledCells(sample.kept, _unit(sample.op.binarized()))
    vectors = extended_embedding(binary, found.unit_sums, few, n_components, rng=rng)
    free_samples(op, wide=not op.in_memory)
    return vectors


def components_come_first(op: ScaledOperator) -> bool:
    """Return whether the factorisations start from the spectral components, as they do unless cells are few or many."""
    return op.shape[0] <= SMALL and not gram_pays(op)


def _unit(binary: ScaledOperator) -> ScaledOperator:
    norms = np.sqrt(binary.row_sq_norms())
    return binary.with_scales(binary.row_scale / np.where(norms > 0, norms, 1), binary.col_scale)


def extended_embedding(
    op: ScaledOperator, total: np.ndarray, sample: SampledCells, n_components: int, *, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return leading eigenvectors and eigenvalues of the normalised cosine affinity, without the trivial one.

    Parameters
    ----------
    op
        Scaled data with unit rows (TF-IDF of the published kind).
    total
        The sum of its rows, (n_vars,).
    sample
        Some of its cells.
    n_components
        Number of eigenpairs.
    rng
        Generator of the sample's start.

    Returns
    -------
    Vectors (n_obs × n_components) of unit norm and non-negative values (n_components,), by decreasing value.
    """
    few, kept = sample.op, np.flatnonzero(sample.kept)
    width = max(0, min(EXTENDED, *(size - 2 for size in few.shape)))
    if min(n_components, width) < 1:
        return np.zeros((op.shape[0], 0), dtype=op.dtype), np.zeros(0)
    u, _ = spectral_embedding(few, width, rng=rng)
    own = few.matmul(few.rmatmul(np.ones((len(kept), 1))))[:, 0] - (few.row_scale > 0)
    among = (inverse_roots(np.maximum(own.astype(np.float64), 0))[:, None] * u).astype(op.dtype)
    del u
    place = np.full(op.shape[0], -1, dtype=np.int32)
    place[kept] = np.arange(len(kept))
    alive, inverse = op.row_scale > 0, np.zeros(op.shape[0])

    def update(rows: slice, product: np.ndarray) -> np.ndarray:
        inverse[rows] = inverse_roots(product[:, -1].astype(np.float64) - alive[rows])
        block, at = product[:, :-1], place[rows]
        mine = np.flatnonzero(at >= 0)
        block[mine] -= among[at[mine]]  # a cell is no neighbour of itself
        return block * (inverse[rows, None] ** 2).astype(block.dtype)

    right = np.column_stack([few.rmatmul(among), total]).astype(op.dtype)
    vectors, images = op.sweep(right, update, n_left=among.shape[1])  # D⁻¹ Y B, and Mᵀ V for V = D⁻½ Y B
    degree = np.where(inverse > 0, 1 / np.where(inverse > 0, inverse, 1), 0)
    vectors *= degree[:, None].astype(vectors.dtype)
    shift = inverse**2 * alive
    values, turn, images = _ritz(vectors, images, degree, total, shift, n_components)
    out = op.matmul(images)
    for rows in row_slices(len(out), _ROWS):
        out[rows] *= inverse[rows, None].astype(out.dtype)
        out[rows] -= shift[rows, None].astype(out.dtype) * (vectors[rows] @ turn.astype(out.dtype))
    _unit_across(out, degree)
    return out, values


def _ritz(
    vectors: np.ndarray, images: np.ndarray, degree: np.ndarray, total: np.ndarray, shift: np.ndarray, n_components: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return leading eigenvalues of M Mᵀ − S in the span of some vectors V, T that makes eigenvectors V T, and Mᵀ V T.

    Parameters
    ----------
    vectors, images
        V (n_obs × r), of which the part along the trivial eigenvector is taken in place, and Mᵀ V (n_vars × r).
    degree, total
        D^½ 1, the trivial eigenvector, and Mᵀ times it.
    shift
        The diagonal of S.
    n_components
        Most eigenpairs.
    """
    slices = list(row_slices(len(vectors), _ROWS))
    unit = degree / max(float(np.linalg.norm(degree)), 1e-12)
    known = sum(unit[rows] @ vectors[rows].astype(np.float64) for rows in slices)
    images = images.astype(np.float64) - np.outer(total / max(float(np.linalg.norm(degree)), 1e-12), known)
    gram, shifted = (np.zeros((vectors.shape[1],) * 2) for _ in range(2))
    for rows in slices:
        block = vectors[rows].astype(np.float64) - np.outer(unit[rows], known)
        vectors[rows] = block
        gram += block.T @ block
        shifted += block.T @ (shift[rows, None] * block)
    lengths = np.sqrt(np.maximum(np.diagonal(gram), 1e-300))
    sizes, turn = np.linalg.eigh(gram / lengths / lengths[:, None])
    new = sizes > 1e-6 * sizes[-1]  # the rest is rounding
    turn = turn[:, new] / np.sqrt(sizes[new]) / lengths[:, None]
    images = images @ turn
    values, rotation = np.linalg.eigh(images.T @ images - turn.T @ shifted @ turn)
    order = np.argsort(values)[::-1][:n_components]
    return np.maximum(values[order], 0), turn @ rotation[:, order], images @ rotation[:, order]


def _unit_across(vectors: np.ndarray, across: np.ndarray) -> None:
    """Take the part along a vector from others, in place, and make them of unit norm."""
    slices = list(row_slices(len(vectors), _ROWS))
    unit = across / max(float(np.linalg.norm(across)), 1e-12)
    known = sum(unit[rows] @ vectors[rows].astype(np.float64) for rows in slices)
    squares = np.zeros(vectors.shape[1])
    for rows in slices:
        block = vectors[rows] - np.outer(unit[rows], known)
        squares += np.sum(block**2, axis=0)
        vectors[rows] = block
    vectors /= np.sqrt(np.maximum(squares, 1e-300)).astype(vectors.dtype)
