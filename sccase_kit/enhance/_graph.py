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
        Rounds of block power iteration after the first; each reads the data once. They run on the positive
        semi-definite part (without −I), whose leading space is that of the affinity; the eigenpairs are then those of
        the affinity in it.
    rng
        Generator of the start.

    Returns
    -------
    Vectors (n_obs × n_components) and non-negative values (n_components,), by decreasing value.
    """
    n, m = op.shape
    size = min(n_components + 11, n, m)
    alive = op.row_scale > 0
    degree = op.matmul(op.rmatmul(np.ones((n, 1))))[:, 0].astype(np.float64) - alive
    inverse = np.where(degree > 1e-6, 1 / np.sqrt(np.maximum(degree, 1e-6)), 0)
    normalised = op.with_scales(op.row_scale * inverse, op.col_scale)
    block = rng.standard_normal((m, size))
    for _ in range(n_iter + 1):
        block = orthonormalise(normalised.sweep(block, lambda _rows, product: product)[1])
    image, back = normalised.sweep(block, lambda _rows, product: product)
    basis, triangle = np.linalg.qr(image.astype(np.float64))
    rotation, scale, turn = np.linalg.svd(triangle)
    known = scale > 100 * np.finfo(op.dtype).eps * scale[0]
    basis = (basis @ rotation)[:, known]
    mapped = back @ (turn[known].T / scale[known])  # its transpose is the basis' image in the peaks
    values, rotation = np.linalg.eigh(mapped.T @ mapped - basis.T @ ((inverse**2 * alive)[:, None] * basis))
    order = np.argsort(values)[::-1][1 : n_components + 1]
    return basis @ rotation[:, order], np.maximum(values[order], 0)


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
    from ..metrics._graph import nearest_neighbors, nearest_of_batches

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
