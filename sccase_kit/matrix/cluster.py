"""Row blocks of a dask array worked on by the workers of a dask cluster; only thin arrays travel."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .access import as_csr
from .row_block import COMPILED_NNZ, RowBlock, as_float, row_block


def active_client() -> Any | None:
    """Return the current `dask.distributed` client, or None where there is none."""
    distributed = sys.modules.get("distributed")  # whoever has a client has imported it
    if distributed is None:
        return None
    try:
        return distributed.get_client()
    except ValueError:
        return None


def cluster_of(matrix: Any) -> ClusterBlocks | None:
    """Return the blocks of a dask array if a client is active, else None."""
    client = active_client() if hasattr(matrix, "dask") else None
    return None if client is None else ClusterBlocks(matrix, client)


class ClusterBlocks:
    """The row blocks of a dask array on a cluster.

    A block is loaded by the worker that needs it, once per product; `matrix.persist()` keeps blocks in the memory of
    the workers. What travels is the dense side (peaks × k) to every worker, and the rows (cells × k) of a block.

    Parameters
    ----------
    matrix
        Dask array of shape (n_obs, n_vars) with ndarray or CSR blocks.
    client
        The client of the cluster; `sccase_kit` must be installed on its workers.
    """

    def __init__(self, matrix: Any, client: Any) -> None:
        if len(matrix.chunks[1]) > 1:
            matrix = matrix.rechunk({1: -1})
        self.shape = matrix.shape
        self._client = client
        self._parts = list(matrix.to_delayed()[:, 0])
        bounds = np.concatenate([[0], np.cumsum(matrix.chunks[0])]).tolist()
        self.rows = [slice(a, b) for a, b in itertools.pairwise(bounds)]

    def map(self, function: Callable[..., Any], *common: np.ndarray, **options: Any) -> Iterator[tuple[slice, Any]]:
        """Yield (rows, function(block, *common, **options)) in row order; the work is done on the workers."""
        from dask import delayed

        shared = [self._client.scatter(value, broadcast=True, hash=False) for value in common]
        tasks = [delayed(function, pure=False)(part, *shared, **options) for part in self._parts]
        futures = self._client.compute(tasks)
        for i, rows in enumerate(self.rows):
            result = futures[i].result()
            futures[i] = None  # lets the worker forget it
            yield rows, result

    def times(self, right: np.ndarray, *, binary: bool) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield (rows, C[rows] @ right), with the type of `right`."""
        yield from self.map(_times, right, binary=binary, n_obs=self.shape[0])

    def transposed_times(self, left: np.ndarray, *, binary: bool) -> np.ndarray:
        """Return Cᵀ @ left, (n_vars, k), with the type of `left`; the parts of blocks are added on the workers."""
        from dask import delayed

        pieces = self._client.scatter([np.ascontiguousarray(left[rows]) for rows in self.rows], hash=False)
        product, add = delayed(_transposed_times, pure=False), delayed(_add, pure=False)
        sums = [
            product(part, piece, binary=binary, n_obs=self.shape[0])
            for part, piece in zip(self._parts, pieces, strict=True)
        ]
        while len(sums) > 1:
            pairs = [add(a, b) for a, b in zip(sums[::2], sums[1::2], strict=False)]
            sums = pairs + sums[2 * len(pairs) :]
        return self._client.compute(sums[0]).result()

    def row_sq_norms(self, weights: np.ndarray, *, binary: bool) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield (rows, Σ_j weights_j C_ij²), float64."""
        yield from self.map(_sq_norms, weights, binary=binary)


def _prepared(block: Any, *, n_obs: int, dtype: np.dtype, binary: bool) -> RowBlock:
    csr = as_csr(block)
    compiled = csr.nnz * n_obs >= COMPILED_NNZ * csr.shape[0]
    return row_block(csr, dtype=dtype, binary=binary, compiled=compiled)


def _times(block: Any, right: np.ndarray, *, binary: bool, n_obs: int) -> np.ndarray:
    rows = _prepared(block, n_obs=n_obs, dtype=right.dtype, binary=binary)
    return rows.unpack(rows.times(rows.pack(right, right.dtype)), right.shape[1])


def _transposed_times(block: Any, left: np.ndarray, *, binary: bool, n_obs: int) -> np.ndarray:
    rows = _prepared(block, n_obs=n_obs, dtype=left.dtype, binary=binary)
    total = rows.zeros(rows.shape[1], left.shape[1], left.dtype)
    rows.add_transposed(rows.pack(left, left.dtype), total)
    return rows.unpack(total, left.shape[1])


def _sq_norms(block: Any, weights: np.ndarray, *, binary: bool) -> np.ndarray:
    squared = as_float(as_csr(block), np.dtype(np.float64), binary=binary)
    squared.data = squared.data**2
    return squared @ weights


def _add(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a + b
