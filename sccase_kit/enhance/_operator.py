"""The data as the model sees them: two products with diag(row_scale) · counts · diag(col_scale)."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from scipy import sparse

from .._settings import settings

_MIN_NNZ_PER_THREAD = 500_000


def available_threads() -> int:
    """Return the number of threads for sparse products (`settings.n_threads` or the CPUs of this process)."""
    if settings.n_threads is not None:
        return max(1, int(settings.n_threads))
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def view_rows(matrix: sparse.csr_matrix, start: int, stop: int) -> sparse.csr_matrix:
    """Return rows ``start:stop`` of a CSR matrix that share its values and indices (no copy)."""
    lo, hi = matrix.indptr[start], matrix.indptr[stop]
    block = sparse.csr_matrix((stop - start, matrix.shape[1]), dtype=matrix.dtype)
    block.data, block.indices = matrix.data[lo:hi], matrix.indices[lo:hi]
    block.indptr = matrix.indptr[start : stop + 1] - lo
    return block


class ScaledOperator:
    r"""The matrix :math:`\tilde X = D_r C D_c` (cells × peaks) through its products, over any storage.

    :math:`C` holds counts, :math:`D_r` and :math:`D_c` are the diagonal scalings of a TF-IDF. Neither
    :math:`\tilde X` nor any other array of its size is formed: every product streams row blocks.

    Parameters
    ----------
    matrix
        Counts of shape (n_obs, n_vars): ndarray, scipy sparse matrix or array, or a stored matrix
        (backed AnnData, zarr, dask) that is read block by block at each product.
    row_scale
        Array of shape (n_obs,), one factor per cell; `None` for ones.
    col_scale
        Array of shape (n_vars,), one factor per peak; `None` for ones.
    dtype
        Type of the products, float32 or float64.
    binary
        Use 1 for every nonzero count.
    """

    def __init__(
        self,
        matrix: Any,
        row_scale: np.ndarray | None = None,
        col_scale: np.ndarray | None = None,
        *,
        dtype: Any = np.float32,
        binary: bool = False,
    ) -> None:
        self.shape: tuple[int, int] = (int(matrix.shape[0]), int(matrix.shape[1]))
        self.dtype = np.dtype(dtype)
        self.binary = binary
        self.in_memory = isinstance(matrix, np.ndarray) or sparse.issparse(matrix)
        self.row_scale = np.ones(self.shape[0]) if row_scale is None else np.asarray(row_scale, dtype=np.float64)
        self.col_scale = np.ones(self.shape[1]) if col_scale is None else np.asarray(col_scale, dtype=np.float64)
        self._source = matrix
        self._row_blocks: list[tuple[slice, sparse.csr_matrix]] | None = None
        if self.in_memory:
            self._source = self._as_float_csr(matrix)
            self._row_blocks = self._split(self._source)

    def _as_float_csr(self, matrix: Any) -> sparse.csr_matrix:
        csr = sparse.csr_matrix(matrix)
        values = (csr.data != 0).astype(self.dtype) if self.binary else csr.data.astype(self.dtype, copy=False)
        out = sparse.csr_matrix(csr.shape, dtype=self.dtype)
        out.data, out.indices, out.indptr = values, csr.indices, csr.indptr
        return out

    @staticmethod
    def _split(matrix: sparse.csr_matrix) -> list[tuple[slice, sparse.csr_matrix]]:
        n_parts = max(1, min(available_threads(), matrix.nnz // _MIN_NNZ_PER_THREAD))
        targets = np.linspace(0, matrix.nnz, n_parts + 1)[1:-1]
        cuts = np.unique(np.concatenate([[0], np.searchsorted(matrix.indptr, targets), [matrix.shape[0]]]))
        return [(slice(int(a), int(b)), view_rows(matrix, int(a), int(b))) for a, b in itertools.pairwise(cuts)]

    def with_scales(self, row_scale: np.ndarray, col_scale: np.ndarray) -> ScaledOperator:
        """Return an operator on the same stored counts with other diagonal scalings."""
        other = object.__new__(ScaledOperator)
        other.__dict__.update(self.__dict__)
        other.row_scale = np.asarray(row_scale, dtype=np.float64)
        other.col_scale = np.asarray(col_scale, dtype=np.float64)
        return other

    def binarized(self) -> ScaledOperator:
        """Return the operator of the 0/1 matrix with the same scalings."""
        return ScaledOperator(self._source, self.row_scale, self.col_scale, dtype=self.dtype, binary=True)

    def iter_blocks(self) -> Iterator[tuple[slice, sparse.csr_matrix]]:
        """Yield (rows, unscaled CSR block of `dtype`) from the first cell to the last."""
        if self._row_blocks is not None:
            yield from self._row_blocks
            return
        from ..io._blocks import iter_row_blocks

        for rows, block in iter_row_blocks(self._source, block_bytes=settings.block_bytes):
            yield rows, self._as_float_csr(block)

    def _map(self, function: Callable[[slice, sparse.csr_matrix], Any]) -> Iterator[Any]:
        """Apply `function(rows, block)` to every block, in threads when in memory, results in row order."""
        if self._row_blocks is not None and len(self._row_blocks) > 1:
            with ThreadPoolExecutor(len(self._row_blocks)) as pool:
                yield from pool.map(lambda item: function(*item), self._row_blocks)
            return
        for rows, block in self.iter_blocks():
            yield function(rows, block)

    def _scale_columns(self, right: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(right * self.col_scale[:, None], dtype=self.dtype)

    def matmul(self, right: np.ndarray) -> np.ndarray:
        """Return X̃ @ right for `right` of shape (n_vars, k): array of shape (n_obs, k) of `dtype`."""
        scaled = self._scale_columns(right)
        out = np.empty((self.shape[0], right.shape[1]), dtype=self.dtype)

        def product(rows: slice, block: sparse.csr_matrix) -> None:
            out[rows] = (block @ scaled) * self.row_scale[rows, None].astype(self.dtype)

        for _ in self._map(product):
            pass
        return out

    def rmatmul(self, left: np.ndarray) -> np.ndarray:
        """Return X̃ᵀ @ left for `left` of shape (n_obs, k): array of shape (n_vars, k) of `dtype`."""
        scaled = np.ascontiguousarray(left * self.row_scale[:, None], dtype=self.dtype)
        out = np.zeros((self.shape[1], left.shape[1]), dtype=self.dtype)
        for part in self._map(lambda rows, block: block.T @ scaled[rows]):
            out += part
        out *= self.col_scale[:, None].astype(self.dtype)
        return out

    def sweep(
        self, right: np.ndarray, update: Callable[[slice, np.ndarray], np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Compute left = update(rows, X̃ @ right) and X̃ᵀ @ left with one read of the data.

        Parameters
        ----------
        right
            Array of shape (n_vars, k).
        update
            Maps (rows, product of shape (len(rows), k)) to the new left rows of shape (len(rows), k).
            It must not depend on other rows.

        Returns
        -------
        The left array of shape (n_obs, k) and X̃ᵀ @ left of shape (n_vars, k).
        """
        scaled = self._scale_columns(right)
        left = np.empty((self.shape[0], right.shape[1]), dtype=self.dtype)

        def both(rows: slice, block: sparse.csr_matrix) -> np.ndarray:
            scale = self.row_scale[rows, None].astype(self.dtype)
            left[rows] = update(rows, (block @ scaled) * scale)
            return block.T @ (left[rows] * scale)

        out = np.zeros((self.shape[1], right.shape[1]), dtype=self.dtype)
        for part in self._map(both):
            out += part
        out *= self.col_scale[:, None].astype(self.dtype)
        return left, out

    def row_sq_norms(self) -> np.ndarray:
        """Return the squared L2 norm of every row of X̃: float64 array of shape (n_obs,)."""
        weights = self.col_scale**2
        out = np.empty(self.shape[0])

        def norms(rows: slice, block: sparse.csr_matrix) -> None:
            squared = block.copy()
            squared.data = block.data.astype(np.float64) ** 2
            out[rows] = (squared @ weights) * self.row_scale[rows] ** 2

        for _ in self._map(norms):
            pass
        return out

    def sq_norm(self) -> float:
        """Return ‖X̃‖²."""
        return float(self.row_sq_norms().sum())
