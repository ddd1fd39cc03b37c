"""Leading principal components of an operator: exact for few cells, by a block Krylov method for many."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.linalg.blas import ssyrk
from scipy.sparse.linalg import LinearOperator, eigsh

from .operator import ScaledOperator

EXACT_BELOW = 3_000
_OVERSAMPLE = 10
_DENSE_COLUMNS = 4096
_DENSE_ADVANTAGE = 150  # multiply-adds of the dense kernel in the time of one of the sparse product


def leading_components(
    op: ScaledOperator,
    n_components: int,
    *,
    keep: np.ndarray | None = None,
    start: np.ndarray | None = None,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return principal component scores, exact up to :data:`EXACT_BELOW` cells, else by :func:`krylov_pca`.

    Which of the two depends on the number of cells alone, not on the storage. The parameters are those of
    :func:`krylov_pca`.
    """
    if op.shape[0] <= EXACT_BELOW:
        return exact_pca(op, n_components, keep=keep)
    return krylov_pca(op, n_components, keep=keep, tol=0.03, start=start, rng=rng)


def exact_pca(op: ScaledOperator, n_components: int, *, keep: np.ndarray | None = None) -> np.ndarray:
    """Return principal component scores (peaks centred) of the cells kept by the Lanczos method.

    It runs on the inner products of the cells where that array is smaller than the data, else on the data, which are
    held in memory as CSR.
    """
    keep = np.ones(op.shape[0], dtype=bool) if keep is None else keep
    blocks = [block for _, block in op.iter_blocks()]
    rows = blocks[0] if len(blocks) == 1 else sparse.vstack(blocks, format="csr")
    if not keep.all():
        rows = rows[keep]
    n, m = rows.shape
    values = rows.data * np.repeat(op.row_scale[keep], np.diff(rows.indptr)) * op.col_scale[rows.indices]
    scaled = sparse.csr_matrix((values, rows.indices, rows.indptr), shape=rows.shape)
    mean = np.asarray(scaled.mean(axis=0)).ravel()
    n_components = max(1, min(n_components, n - 1, m))
    start = np.random.default_rng(0).standard_normal(n)
    if n**2 < 2 * scaled.nnz or n_components > n // 4:
        gram = _inner_products(scaled)
        means = gram.mean(axis=0)
        gram += means.mean() - means - means[:, None]
    else:

        def squared(left: np.ndarray) -> np.ndarray:
            left = left.ravel()
            image = scaled.T @ left - mean * left.sum()
            return scaled @ image - mean @ image

        gram = LinearOperator((n, n), matvec=squared, dtype=np.float64)
    if n_components > n // 4:
        values, vectors = np.linalg.eigh(gram)
    else:
        values, vectors = eigsh(gram, n_components, v0=start, tol=1e-7)
    order = np.argsort(values)[::-1][:n_components]
    return vectors[:, order] * np.sqrt(np.maximum(values[order], 0))


def _inner_products(rows: sparse.csr_matrix) -> np.ndarray:
    """Return rows @ rowsᵀ as an array, by dense blocks in float32 or by the sparse product, whichever costs less."""
    n, m = rows.shape
    per_column = np.bincount(rows.indices, minlength=m).astype(np.float64)
    if n**2 * m > _DENSE_ADVANTAGE * (per_column**2).sum():
        return (rows @ rows.T).toarray()
    columns = rows.T.tocsr().astype(np.float32)
    gram = np.zeros((n, n), dtype=np.float32, order="F")
    for start in range(0, m, _DENSE_COLUMNS):
        block = columns[start : start + _DENSE_COLUMNS].toarray()
        gram = ssyrk(1.0, block.T, beta=1.0, c=gram, overwrite_c=1)
    upper = np.triu(gram).astype(np.float64)
    return upper + np.triu(upper, 1).T


def krylov_pca(
    op: ScaledOperator,
    n_components: int,
    *,
    keep: np.ndarray | None = None,
    tol: float = 1e-3,
    max_blocks: int = 8,
    start: np.ndarray | None = None,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return principal component scores (peaks centred over the cells kept), from products with the data alone.

    The basis grows by one block of ``n_components + 10`` directions per two reads of the data until the leading
    singular values change by less than `tol` (Musco & Musco, NeurIPS 2015).

    Parameters
    ----------
    op
        Cells × peaks.
    n_components
        Number of components.
    keep
        Boolean array of shape (n_obs,): cells that take part; the others must be zero rows (empty cells).
    tol
        Relative change of the singular values at which the growth of the basis stops.
    max_blocks
        Largest number of blocks.
    start
        Scores of a similar matrix, shape (cells kept, ≤ n_components), to start from.
    rng
        Generator of the starting directions.

    Returns
    -------
    Array of shape (cells kept, n_components), float64.
    """
    n, m = op.shape
    keep = np.ones(n, dtype=bool) if keep is None else keep
    n_components = max(1, min(n_components, int(keep.sum()) - 1, m))
    weights = keep[:, None].astype(op.dtype)
    mean = op.rmatmul(weights) / op.dtype.type(keep.sum())

    def squared(left: np.ndarray) -> np.ndarray:
        """Multiply by the centred matrix times its transpose."""
        left = left.astype(op.dtype)
        image = op.rmatmul(left) - mean * (weights.T @ left)
        return (op.matmul(image) - weights * (mean.T @ image)).astype(np.float64)

    n_kept = int(keep.sum())
    width = min(n_components + _OVERSAMPLE, n_kept)
    block = rng.standard_normal((n, width)) * weights
    if start is not None:
        block[keep, : min(start.shape[1], width)] = start[:, :width]
    else:
        block = squared(block)
    basis = np.linalg.qr(block)[0]
    gram = np.empty((0, 0))
    values = np.zeros(n_components)
    for n_blocks in range(1, max_blocks + 1):
        new = squared(basis[:, -width:])
        corner = basis.T @ new
        known = len(corner) - width
        gram = np.block([[gram, corner[:known]], [corner[:known].T, corner[known:]]])
        ritz, vectors = np.linalg.eigh((gram + gram.T) / 2)
        last, values = values, np.sqrt(np.maximum(ritz[::-1][:n_components], 0))
        full = basis.shape[1] + width > n_kept
        if full or n_blocks == max_blocks or np.abs(values - last).max() <= tol * values[-1]:
            break
        for _ in range(2):  # twice is enough for orthogonality to rounding
            new = np.linalg.qr(new - basis @ (basis.T @ new))[0]
        basis = np.hstack([basis, new])
    return (basis @ (vectors[:, ::-1][:, :n_components] * values))[keep]
