r"""Spectral embedding without the n × n affinity, and smoothing kernels on neighbour graphs.

The affinity is the cosine of the cells' TF-IDF profiles, :math:`Y Y^\top - I` with unit rows Y; its normalised form
:math:`D^{-1/2} (Y Y^\top - I) D^{-1/2}` acts on a block of vectors through two products with the data.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy import sparse

from ..matrix.operator import ScaledOperator
from ..neighbors.nearest import nearest_neighbors, nearest_of_batches
from .keys import data_keys, normal
from .nmf import SMALL


def spectral_embedding(
    op: ScaledOperator, n_components: int, *, n_blocks: int | None = None, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return leading eigenvectors and eigenvalues of the normalised cosine affinity, without the trivial one.

    Block Lanczos with full orthogonalisation and Rayleigh–Ritz. The affinity is M Mᵀ − S with M = D^-½ Y and S = D⁻¹,
    so one read of the data takes a block from its image Mᵀ V in the peaks to the next block and its image.

    Parameters
    ----------
    op
        Scaled data with unit rows (TF-IDF of the published kind).
    n_components
        Number of eigenpairs.
    n_blocks
        Blocks of the Krylov space, a little more than half of `n_components` wide; each reads the data once. By default
        10, which finds the leading 20 of 50 components exactly and most of the others; 6 on large data.
    rng
        Generator of the start.

    Returns
    -------
    Vectors (n_obs × n_components) and non-negative values (n_components,), by decreasing value.
    """
    n, m = op.shape
    n_blocks, width, dtype = krylov_size(n, n_components, n_blocks)
    alive = op.row_scale > 0
    degree = np.maximum(op.matmul(op.rmatmul(np.ones((n, 1))))[:, 0].astype(np.float64) - alive, 0)
    inverse = np.where(degree > 1e-6, 1 / np.sqrt(np.maximum(degree, 1e-6)), 0)
    normalised = op.with_scales(op.row_scale * inverse, op.col_scale)
    shift = (inverse**2 * alive)[:, None]
    krylov = _Krylov(n, m, 1 + n_blocks * width, dtype)
    trivial = np.sqrt(degree)[:, None]
    krylov.add(trivial, normalised.rmatmul(trivial))
    block = normal(data_keys(op).cells, min(width, n, m), rng)
    image = normalised.rmatmul(block)
    for i in range(n_blocks):
        block, image = krylov.add(block, image)
        if block.shape[1] == 0 or i == n_blocks - 1:
            break
        block, image = normalised.sweep(image, partial(_affinity_rows, block, shift))
    basis, images = krylov.vectors[:, 1:], krylov.images[:, 1:]
    values, rotation = np.linalg.eigh(images.T @ images - basis.T @ (shift * basis))
    order = np.argsort(values)[::-1][:n_components]
    return basis @ rotation[:, order], np.maximum(values[order], 0)


def _affinity_rows(last: np.ndarray, shift: np.ndarray, rows: slice, product: np.ndarray) -> np.ndarray:
    return product - shift[rows] * last[rows]


def krylov_size(n_cells: int, n_components: int, n_blocks: int | None = None) -> tuple[int, int, np.dtype]:
    """Return blocks, width and type of what :func:`spectral_embedding` keeps: fewer, in float32, on large data."""
    small = n_cells <= SMALL
    dtype = np.dtype(np.float64 if small else np.float32)
    return n_blocks or (10 if small else 6), n_components // 2 + 7, dtype


class _Krylov:
    """An orthonormal basis that grows by blocks, and what its vectors become under a linear map."""

    def __init__(self, n: int, m: int, size: int, dtype: np.dtype) -> None:
        self._vectors, self._images = np.empty((n, size), dtype=dtype), np.empty((m, size), dtype=dtype)
        self._used = 0

    @property
    def vectors(self) -> np.ndarray:
        return self._vectors[:, : self._used]

    @property
    def images(self) -> np.ndarray:
        return self._images[:, : self._used]

    def add(self, block: np.ndarray, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Add what is new in a block; return it, orthonormal, and its image."""
        block, image = block.astype(np.float64), image.astype(np.float64)
        for _ in range(2):
            largest = np.max(np.sum(block**2, axis=0), initial=0)
            known = self.vectors.T @ block
            block -= self.vectors @ known
            image -= self.images @ known
            values, turn = np.linalg.eigh(block.T @ block)
            new = values > 1e-10 * largest  # the rest is rounding
            new[: max(0, len(new) - self._vectors.shape[1] + self._used)] = False
            turn = turn[:, new] / np.sqrt(values[new])
            block, image = block @ turn, image @ turn
        where = slice(self._used, self._used + block.shape[1])
        self._vectors[:, where], self._images[:, where] = block, image
        self._used = where.stop
        return block, image


def smoothing_kernel(
    embedding: np.ndarray, *, n_neighbors: int = 15, codes: np.ndarray | None = None, rng: np.random.Generator
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
    rng
        Used by the approximate search of large data.
    """
    n = len(embedding)
    if codes is None:
        indices, distances = nearest_neighbors(embedding, min(n_neighbors, n), rng=rng)
    else:
        indices, distances = nearest_of_batches(embedding, codes, min(n_neighbors, n), rng=rng)
    k = indices.shape[1]
    sigma = distances[:, min(5, k - 1)][:, None]
    weights = np.exp(-((distances / np.where(sigma > 0, sigma, 1)) ** 2))
    graph = sparse.csr_matrix((weights.ravel(), indices.ravel(), np.arange(0, n * k + 1, k)), shape=(n, n))
    graph = graph + graph.T
    sums = np.asarray(graph.sum(axis=1)).ravel()
    return sparse.csr_matrix(sparse.diags(1 / np.maximum(sums, 1e-12)) @ graph)


def mean_kernel(kernels: list[sparse.csr_matrix]) -> sparse.csr_matrix:
    """Return the mean of row-stochastic kernels (row-stochastic again)."""
    total = kernels[0]
    for kernel in kernels[1:]:
        total = total + kernel
    return sparse.csr_matrix(total / len(kernels))


def diffuse(kernel: sparse.csr_matrix, values: np.ndarray, n_steps: int) -> np.ndarray:
    """Return kernelⁿ @ values."""
    for _ in range(n_steps):
        values = kernel @ values
    return values
