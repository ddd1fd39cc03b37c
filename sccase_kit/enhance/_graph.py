r"""Spectral embedding without the n × n affinity, and smoothing kernels on neighbour graphs.

The affinity is the cosine of the cells' TF-IDF profiles, :math:`Y Y^\top - I` with unit rows Y; its normalised form
:math:`D^{-1/2} (Y Y^\top - I) D^{-1/2}` acts on a block of vectors through two products with the data.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from ._nmf import orthonormalise
from ._operator import ScaledOperator


def spectral_embedding(
    op: ScaledOperator, n_components: int, *, n_iter: int = 4, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return leading eigenvectors and eigenvalues of the normalised cosine affinity, without the trivial one.

    Parameters
    ----------
    op
        Scaled data with unit rows (TF-IDF of the published kind).
    n_components
        Number of eigenpairs.
    n_iter
        Rounds of block power iteration; each reads the data twice. They run on the positive semi-definite part (without
        −I), whose leading space is that of the affinity; the eigenpairs are then those of the affinity in it.
    rng
        Generator of the start.

    Returns
    -------
    Vectors (n_obs × n_components) and non-negative values (n_components,), by decreasing value.
    """
    n = op.shape[0]
    size = min(n_components + 11, n, op.shape[1])
    alive = op.row_scale > 0
    degree = op.matmul(op.rmatmul(np.ones((n, 1))))[:, 0].astype(np.float64) - alive
    inverse = np.where(degree > 1e-6, 1 / np.sqrt(np.maximum(degree, 1e-6)), 0)[:, None]

    def product(block: np.ndarray) -> np.ndarray:
        return inverse * op.matmul(op.rmatmul(inverse * block))

    basis = orthonormalise(product(rng.standard_normal((n, size))))
    for _ in range(n_iter):
        basis = orthonormalise(product(basis))
    image = product(basis) - inverse**2 * alive[:, None] * basis
    values, rotation = np.linalg.eigh((basis.T @ image + image.T @ basis) / 2)
    order = np.argsort(values)[::-1][1 : n_components + 1]
    return basis @ rotation[:, order], np.maximum(values[order], 0)


def smoothing_kernel(embedding: np.ndarray, *, n_neighbors: int = 15, rng: np.random.Generator) -> sparse.csr_matrix:
    """Return the row-stochastic kernel exp(−(d/σ_i)²) on the symmetrised neighbour graph, CSR (n × n).

    σ_i is the distance to the sixth entry of a cell's neighbour list (itself first).

    Parameters
    ----------
    embedding
        Array of shape (n_obs, d).
    n_neighbors
        Neighbours per cell, itself included.
    rng
        Used by the approximate search of large data.
    """
    from ..metrics._graph import nearest_neighbors

    n = len(embedding)
    indices, distances = nearest_neighbors(embedding, min(n_neighbors, n), rng=rng)
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
