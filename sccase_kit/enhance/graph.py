r"""Spectral embedding without the n × n affinity, and smoothing kernels on neighbour graphs.

The affinity is the cosine of the cells' TF-IDF profiles, :math:`Y Y^\top - I` with unit rows Y; its normalised form
:math:`D^{-1/2} (Y Y^\top - I) D^{-1/2}` acts on a block of vectors through two products with the data.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np
from scipy import sparse
from scipy.linalg import eigh

from .._threads import available_threads, in_threads
from ..matrix.gram import gram, gram_pays
from ..matrix.operator import ScaledOperator
from ..matrix.rows import even_cuts, view_rows
from ..neighbors.nearest import GRAPHS_EXACT_BELOW, nearest_neighbors, nearest_of_batches
from .keys import data_keys, normal
from .lanczos import Krylov, leading_eigenpairs
from .nmf import SMALL

_PER_PIECE = 500_000  # entries of a kernel that a thread multiplies at once


def spectral_embedding(
    op: ScaledOperator, n_components: int, *, n_blocks: int | None = None, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return leading eigenvectors and eigenvalues of the normalised cosine affinity, without the trivial one.

    The affinity is M Mᵀ − S with M = D^-½ Y and S = D⁻¹. For few cells (:func:`~sccase_kit.matrix.gram.gram_pays`) it
    is formed, n × n, and its eigenvectors are exact. Else block Lanczos with full orthogonalisation and Rayleigh–Ritz,
    two products with the data for each block; on large data one read takes a block from its image Mᵀ V in the peaks to
    the next block and its image, which are kept for it.

    Parameters
    ----------
    op
        Scaled data with unit rows (TF-IDF of the published kind).
    n_components
        Number of eigenpairs.
    n_blocks
        Blocks of the Krylov space, half of `n_components` wide and a little more. By default 12 (6, wider ones, on
        large data): eigenvectors that stand out from the bulk of the eigenvalues, as those of types do, are
        exact; those inside the bulk are mixed with their neighbours in it.
    rng
        Generator of the start.

    Returns
    -------
    Vectors (n_obs × n_components) and non-negative values (n_components,), by decreasing value.
    """
    n, m = op.shape
    if n_components < 1:  # two cells, or two peaks, have the trivial one alone
        return np.zeros((n, 0)), np.zeros(0)
    alive = op.row_scale > 0
    if n_blocks is None and gram_pays(op):
        affinity = gram(op)
        degree = np.maximum(affinity.sum(axis=1) - alive, 0)
        inverse = inverse_roots(degree)
        affinity *= inverse[:, None] * inverse
        affinity[np.diag_indices(n)] -= inverse**2 * alive
        return _without_trivial(affinity, np.sqrt(degree), n_components)
    n_blocks, width = krylov_size(n, n_components, n_blocks)
    degree = np.maximum(op.matmul(op.rmatmul(np.ones((n, 1))))[:, 0].astype(np.float64) - alive, 0)
    inverse = inverse_roots(degree)
    normalised = op.with_scales(op.row_scale * inverse, op.col_scale)
    shift = (inverse**2 * alive)[:, None]
    trivial = np.sqrt(degree)[:, None]
    block = normal(data_keys(op).cells, min(width, n, m), rng)
    if n <= SMALL:
        shift = shift.astype(op.dtype)
        vectors, values = leading_eigenpairs(
            lambda v: normalised.matmul(normalised.rmatmul(v)) - shift * v,
            block,
            n_components,
            n_blocks=n_blocks,
            across=trivial,
            dtype=op.dtype,
        )
        return vectors, np.maximum(values, 0)
    krylov = Krylov(n, m, 1 + n_blocks * width, np.dtype(np.float32))
    krylov.add(trivial, normalised.rmatmul(trivial))
    image = normalised.rmatmul(block)
    for i in range(n_blocks):
        block, image = krylov.add(block, image)  # type: ignore[assignment]
        if block.shape[1] == 0 or i == n_blocks - 1:
            break
        block, image = normalised.sweep(image, partial(_affinity_rows, block, shift))
    basis, images = krylov.vectors[:, 1:], krylov.images[:, 1:]
    values, rotation = np.linalg.eigh(images.T @ images - basis.T @ (shift * basis))
    order = np.argsort(values)[::-1][:n_components]
    return basis @ rotation[:, order], np.maximum(values[order], 0)


def inverse_roots(degree: np.ndarray) -> np.ndarray:
    """Return degree^-½, 0 for cells without neighbours."""
    return np.where(degree > 1e-6, 1 / np.sqrt(np.maximum(degree, 1e-6)), 0)


def _without_trivial(affinity: np.ndarray, trivial: np.ndarray, n_components: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the leading eigenpairs of the affinity, which is changed, across its trivial eigenvector."""
    unit = trivial / max(np.linalg.norm(trivial), 1e-12)
    affinity -= 4 * np.outer(unit, unit)  # its eigenvalue 1 becomes the smallest
    n = len(affinity)
    values, vectors = eigh(affinity, subset_by_index=[max(0, n - n_components), n - 1], overwrite_a=True)
    return vectors[:, ::-1], np.maximum(values[::-1], 0)


def _affinity_rows(last: np.ndarray, shift: np.ndarray, rows: slice, product: np.ndarray) -> np.ndarray:
    return product - shift[rows] * last[rows]


def krylov_size(n_cells: int, n_components: int, n_blocks: int | None = None) -> tuple[int, int]:
    """Return blocks and width of the space of :func:`spectral_embedding`: fewer and wider ones on large data.

    Up to 16 columns a product takes the same time, and more blocks bring more than wider ones.
    """
    if n_cells <= SMALL:
        return n_blocks or 12, max(8, n_components // 2 + 1)
    return n_blocks or 6, n_components // 2 + 7


def smoothing_kernel(
    embedding: np.ndarray, *, n_neighbors: int = 15, codes: np.ndarray | None = None
) -> sparse.csr_matrix:
    """Return the row-stochastic kernel exp(−(d/σ_i)²) on the symmetrised neighbour graph, CSR (n × n).

    σ_i is the distance to the sixth entry of a cell's neighbour list (itself first).

    Parameters
    ----------
    embedding
        Array of shape (n_obs, d).
    n_neighbors
        Neighbours per cell, itself included.
    codes
        Integer batch codes, shape (n_obs,): neighbours are then taken from every batch in proportion to its cells.
    """
    n = len(embedding)
    if codes is None:
        k = min(n_neighbors, n)
        indices, distances = nearest_neighbors(embedding, k, exact_below=GRAPHS_EXACT_BELOW)
    else:
        indices, distances = nearest_of_batches(embedding, codes, min(n_neighbors, n))
    k = indices.shape[1]
    sigma = distances[:, min(5, k - 1)][:, None]
    weights = np.exp(-((distances / np.where(sigma > 0, sigma, 1)) ** 2))
    del distances
    graph = sparse.csr_matrix((weights.ravel(), indices.ravel(), np.arange(0, n * k + 1, k)), shape=(n, n))
    del weights, indices
    graph = graph + graph.T
    sums = np.asarray(graph.sum(axis=1)).ravel()
    if n > SMALL:
        graph.data *= np.repeat(1 / np.maximum(sums, 1e-12), np.diff(graph.indptr))
        return graph
    return sparse.csr_matrix(sparse.diags(1 / np.maximum(sums, 1e-12)) @ graph)


def mean_kernel(kernels: Iterable[sparse.csr_matrix]) -> sparse.csr_matrix:
    """Return the mean of row-stochastic kernels (row-stochastic again)."""
    following = iter(kernels)
    total, number = next(following), 1
    for kernel in following:
        total, number = total + kernel, number + 1
        del kernel  # before the next one is made
    if total.shape[0] > SMALL:
        total.data *= 1 / number
        return total
    return sparse.csr_matrix(total / number)


def diffuse(kernel: sparse.csr_matrix, values: np.ndarray, n_steps: int) -> np.ndarray:
    """Return kernelⁿ @ values."""
    for _ in range(n_steps):
        values = smoothed(kernel, values)
    return values


def smoothed(kernel: sparse.csr_matrix, values: np.ndarray) -> np.ndarray:
    """Return kernel @ values, in threads."""
    if kernel.shape[0] <= SMALL or available_threads() == 1:
        return kernel @ values
    out = np.empty(values.shape, dtype=np.result_type(kernel, values))

    def work(cut: tuple[int, int]) -> None:
        out[slice(*cut)] = view_rows(kernel, slice(*cut)) @ values

    in_threads(work, even_cuts(kernel.indptr, _PER_PIECE))
    return out
