"""Row blocks of a dask array worked on by the workers of a dask cluster; only thin arrays travel."""

from __future__ import annotations

import itertools
import sys
import uuid
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse

from .._logging import logger
from .._settings import settings
from .access import as_csr
from .row_block import COMPILED_NNZ, RowBlock, as_float, row_block

_KEPT_SHARE = 0.25  # of the workers' memory that blocks may fill
_TRIES = 4
_IN_USE: weakref.WeakValueDictionary[tuple[str, str], ClusterBlocks] = weakref.WeakValueDictionary()


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
    """Return the blocks of a dask array if a client is active, else None; for the same array the same blocks."""
    client = active_client() if hasattr(matrix, "dask") else None
    if client is None:
        return None
    key = client.id, matrix.name
    blocks = _IN_USE.get(key)
    if blocks is None:
        blocks = _IN_USE[key] = ClusterBlocks(matrix, client)
    return blocks


class ClusterBlocks:
    """The row blocks of a dask array on a cluster.

    Blocks that fit a part of the workers' memory are loaded once and stay there; others are loaded by the worker that
    needs them, once per product. What travels is the dense side (peaks × k) to every worker, and the rows (cells × k)
    of a block. A product that lost a worker is computed again; the cluster loads the blocks of that worker anew.
    A product of some tasks takes some 30 ms however small the blocks are, so counts that are no larger than one block
    of `settings.block_bytes` come here once (`here`), and are worked on here.

    Parameters
    ----------
    matrix
        Dask array of shape (n_obs, n_vars) with ndarray or CSR blocks.
    client
        The client of the cluster; `sccase_kit` must be installed on its workers.
    """

    def __init__(self, matrix: Any, client: Any) -> None:
        from dask import delayed

        if len(matrix.chunks[1]) > 1:
            matrix = matrix.rechunk({1: -1})
        self.shape = matrix.shape
        self._client = client
        bounds = np.concatenate([[0], np.cumsum(matrix.chunks[0])]).tolist()
        self.rows = [slice(a, b) for a, b in itertools.pairwise(bounds)]
        self._parts = [delayed(as_csr, pure=False)(part) for part in matrix.to_delayed()[:, 0]]
        size = sum(size for _, size in self.map(_stored_bytes))
        #: All counts, if they are small.
        self.here: sparse.csr_matrix | None = None
        if size <= settings.block_bytes:
            self.here = sparse.vstack([block for _, block in self.stored()], format="csr")
        elif size <= _KEPT_SHARE * _memory_of(client):
            self._parts = list(client.persist(self._parts))

    def stored(self) -> Iterator[tuple[slice, sparse.csr_matrix]]:
        """Yield (rows, block) in row order, one after the other, from where they are loaded."""
        for rows, part in zip(self.rows, self._parts, strict=True):
            yield rows, self._computed(partial(list, (part,)))[0]

    def map(self, function: Callable[..., Any], *common: np.ndarray, **options: Any) -> Iterator[tuple[slice, Any]]:
        """Yield (rows, function(block, *common, **options)) in row order; the work is done on the workers."""
        from dask import delayed

        def tasks() -> list[Any]:
            shared = [_sent(value) for value in common]
            call = delayed(function, pure=False)
            return [call(part, *shared, **options) for part in self._parts]

        yield from zip(self.rows, self._computed(tasks), strict=True)

    def _computed(self, tasks: Callable[[], list[Any]]) -> list[Any]:
        """Return the results of tasks; those that were lost with a worker are made and computed again."""
        from dask import config
        from distributed import CancelledError, KilledWorker
        from distributed.comm import CommClosedError

        lost = 0
        while True:
            try:
                with config.set({"distributed.admin.large-graph-warning-threshold": "1 TiB"}):  # arrays are in it once
                    futures = self._client.compute(tasks())
                return self._client.gather(futures)
            except (CancelledError, KilledWorker, CommClosedError) as err:
                lost += 1
                if lost == _TRIES:
                    raise
                logger.warning("a worker of the dask cluster was lost (%s); its work is done again", type(err).__name__)

    def times(self, right: np.ndarray, *, binary: bool) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield (rows, C[rows] @ right), with the type of `right`."""
        yield from self.map(_times, right, binary=binary, n_obs=self.shape[0])

    def transposed_times(self, left: np.ndarray, *, binary: bool) -> np.ndarray:
        """Return Cᵀ @ left, (n_vars, k), with the type of `left`; the parts of blocks are added on the workers."""
        from dask import delayed

        product, add = delayed(_transposed_times, pure=False), delayed(_add, pure=False)

        def tasks() -> list[Any]:
            pieces = [_sent(np.ascontiguousarray(left[rows])) for rows in self.rows]
            sums = [
                product(part, piece, binary=binary, n_obs=self.shape[0])
                for part, piece in zip(self._parts, pieces, strict=True)
            ]
            while len(sums) > 1:
                pairs = [add(a, b) for a, b in zip(sums[::2], sums[1::2], strict=False)]
                sums = pairs + sums[2 * len(pairs) :]
            return sums

        return self._computed(tasks)[0]

    def row_sq_norms(self, weights: np.ndarray, *, binary: bool) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield (rows, Σ_j weights_j C_ij²), float64."""
        yield from self.map(_sq_norms, weights, binary=binary)


def _sent(value: np.ndarray) -> Any:
    """Return an array as a task of its own, which goes to a worker with the others.

    The cluster can repeat it where a worker is lost; `Client.scatter` waits forever for one that ends meanwhile
    (distributed 2026.8.0).
    """
    from dask import delayed

    return delayed(value, name=f"shared-{uuid.uuid4().hex}", traverse=False)


def _memory_of(client: Any) -> float:
    """Return the memory of all workers in bytes: their limits, else shares of this machine's."""
    from distributed.system import MEMORY_LIMIT

    limits = list(client.run(_memory_limit).values())
    return sum(limit or MEMORY_LIMIT / len(limits) for limit in limits)


def _memory_limit(dask_worker: Any) -> int | None:
    return dask_worker.memory_manager.memory_limit


def _stored_bytes(block: Any) -> int:
    return block.data.nbytes + block.indices.nbytes + block.indptr.nbytes


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
