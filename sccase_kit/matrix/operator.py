"""The data as the model sees them: two products with diag(row_scale) · counts · diag(col_scale)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy import sparse

from .._settings import settings
from .._threads import available_threads, in_threads
from .blocks import bytes_per_thread, each_in_turn, iter_row_blocks, n_stored, read_ahead
from .cluster import ClusterBlocks, cluster_of
from .columns import sorted_columns, transposed_times
from .row_block import (
    COMPILED_NNZ,
    MOST_TURNED,
    Packed,
    RowBlock,
    SharedRows,
    Totals,
    as_float,
    compilable,
    open_rows,
    row_block,
)
from .rows import even_cuts, view_rows
from .torch_block import NNZ_PER_BLOCK, TorchBlock, check_device

_MIN_NNZ_PER_THREAD = 500_000
_COLUMNS_KEPT = 1_500  # cells up to which several steps go by peaks
Block = RowBlock | TorchBlock


def _shared_name(rows: slice) -> str:
    return f"rows {rows.start} {rows.stop}"


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
    device
        PyTorch device that does the products, such as `"cuda"`; counts in memory are copied to it once. `None` for
        scipy and compiled kernels.
    memo
        That of an operator of the same counts.

    Raises
    ------
    ImportError, ValueError
        If `device` needs PyTorch and it is not installed, or the device cannot be used.
    """

    def __init__(
        self,
        matrix: Any,
        row_scale: np.ndarray | None = None,
        col_scale: np.ndarray | None = None,
        *,
        dtype: Any = np.float32,
        binary: bool = False,
        device: str | None = None,
        memo: dict[str, Any] | None = None,
    ) -> None:
        self.shape: tuple[int, int] = (int(matrix.shape[0]), int(matrix.shape[1]))
        self.dtype = np.dtype(dtype)
        self.binary = binary
        self.device = None if device is None else check_device(device)
        self.row_scale = np.ones(self.shape[0]) if row_scale is None else np.asarray(row_scale, dtype=np.float64)
        self.col_scale = np.ones(self.shape[1]) if col_scale is None else np.asarray(col_scale, dtype=np.float64)
        #: What others computed of the stored counts, shared with operators that scale them otherwise.
        self.memo: dict[str, Any] = {} if memo is None else memo
        self._row_blocks: list[tuple[slice, Block]] | None = None
        self._unscaled_sq_norms: np.ndarray | None = None
        self._cluster = cluster_of(matrix)
        if self._cluster is not None and self._cluster.here is not None:
            matrix, self._cluster = self._cluster.here, None
        self.in_memory = isinstance(matrix, np.ndarray) or sparse.issparse(matrix)
        self._source = matrix
        if self._cluster is not None and self.device is not None:
            msg = f"device={device!r} belongs to this process, and a dask cluster works on the blocks of this array; "
            msg += "close the dask client, or leave device out"
            raise ValueError(msg)
        if self.in_memory:
            self._keep_blocks(sparse.csr_matrix(matrix))

    def _keep_blocks(self, csr: sparse.csr_matrix) -> None:
        compiled = csr.nnz >= COMPILED_NNZ
        as_stored = compiled or self.device is not None
        turn = as_stored and self.shape[0] <= MOST_TURNED
        self._source = csr if as_stored else as_float(csr, self.dtype, binary=self.binary)
        self._row_blocks = []
        for rows in self._split(csr.indptr):
            part = view_rows(self._source, rows)
            shared = self.memo.setdefault(_shared_name(rows), SharedRows(part, turn=turn)) if as_stored else None
            self._row_blocks.append((rows, self._block(part, shared, compiled=compiled)))

    def _block(self, csr: sparse.csr_matrix, shared: SharedRows | None = None, *, compiled: bool) -> Block:
        if self.device is not None:
            return TorchBlock(csr, dtype=self.dtype, binary=self.binary, device=self.device)
        return row_block(csr, dtype=self.dtype, binary=self.binary, compiled=compiled, shared=shared)

    def _split(self, indptr: np.ndarray) -> list[slice]:
        """Cut rows into one part per thread, with about the same number of stored values; for a device, few parts."""
        if self.device is not None:
            return [slice(a, b) for a, b in even_cuts(indptr, NNZ_PER_BLOCK)]
        nnz = int(indptr[-1])
        n_parts = max(1, min(available_threads(), nnz // _MIN_NNZ_PER_THREAD))
        targets = np.linspace(0, nnz, n_parts + 1)[1:-1]
        cuts = np.unique(np.concatenate([[0], np.searchsorted(indptr, targets), [len(indptr) - 1]]))
        return [slice(int(a), int(b)) for a, b in itertools.pairwise(cuts)]

    def with_scales(self, row_scale: np.ndarray, col_scale: np.ndarray) -> ScaledOperator:
        """Return an operator on the same stored counts with other diagonal scalings."""
        other = object.__new__(ScaledOperator)
        other.__dict__.update(self.__dict__)
        other.row_scale = np.asarray(row_scale, dtype=np.float64)
        other.col_scale = np.asarray(col_scale, dtype=np.float64)
        if not np.array_equal(other.col_scale, self.col_scale):
            other._unscaled_sq_norms = None
        return other

    def with_columns(self, kept: np.ndarray, times: np.ndarray) -> ScaledOperator:
        """Return the operator of some columns of counts in memory (positions, ascending).

        Each stands for so many times as many peaks as before, and is scaled by the root of that.
        """
        scales = self.row_scale, self.col_scale[kept] * np.sqrt(times)
        other = ScaledOperator(self._source[:, kept], *scales, dtype=self.dtype, binary=self.binary, device=self.device)
        other.memo["copies"] = self.copies[kept] * times
        if "n_open" in self.memo:
            other.memo["n_open"] = self.memo["n_open"][kept]
        return other

    @property
    def copies(self) -> np.ndarray:
        """How many peaks each column stands for, float64 array of shape (n_vars,)."""
        return self.memo["copies"] if "copies" in self.memo else np.ones(self.shape[1])

    def with_rows(self, kept: np.ndarray) -> ScaledOperator:
        """Return the operator of some cells (boolean mask), whose counts are read once and held in memory."""
        parts = [sparse.csr_matrix(block[np.flatnonzero(kept[rows])]) for rows, block in self.iter_stored()]
        counts = parts[0] if len(parts) == 1 else sparse.vstack(parts, format="csr")
        del parts
        return self.with_counts(counts, kept)

    def with_counts(self, counts: sparse.csr_matrix, kept: np.ndarray) -> ScaledOperator:
        """Return the operator of some cells (boolean mask) whose counts are given, in memory."""
        scales = self.row_scale[kept], self.col_scale
        return ScaledOperator(counts, *scales, dtype=self.dtype, binary=self.binary, device=self.device)

    def binarized(self) -> ScaledOperator:
        """Return the operator of the 0/1 matrix with the same scalings."""
        scales = self.row_scale, self.col_scale
        return ScaledOperator(self._source, *scales, dtype=self.dtype, binary=True, device=self.device, memo=self.memo)

    def stored(self) -> sparse.csr_matrix:
        """Return counts in memory as they are stored (as floats where they are few)."""
        return self._source

    def columns(self) -> sparse.csc_matrix:
        """Return counts in memory by peaks, as they are stored, sorted; of few cells made once for all scalings."""
        if "columns" in self.memo:
            return self.memo["columns"]
        columns = sorted_columns(self._source)
        if self.shape[0] <= _COLUMNS_KEPT:
            self.memo["columns"] = columns
        return columns

    def iter_blocks(self) -> Iterator[tuple[slice, sparse.csr_matrix]]:
        """Yield (rows, unscaled CSR block of `dtype`) from the first cell to the last."""
        for rows, block in self.iter_stored():
            yield rows, as_float(block, self.dtype, binary=self.binary)

    def iter_open(self) -> Iterator[tuple[slice, sparse.csr_matrix]]:
        """Yield (rows, CSR structure of the open entries) from the first cell to the last; values mean nothing."""
        for rows, block in self.iter_stored():
            yield rows, block if self._all_open(rows) else open_rows(block)

    def _all_open(self, rows: slice) -> bool:
        """Return whether rows in memory are known to have no stored zeros."""
        shared = self.memo.get(_shared_name(rows)) if self._row_blocks is not None else None
        return shared is not None and shared.all_open()

    def to_csr(self) -> sparse.csr_matrix:
        """Return X̃ itself in memory, CSR of float32: for the published program, on small data."""
        parts = (sparse.diags(self.row_scale[r]) @ b @ sparse.diags(self.col_scale) for r, b in self.iter_blocks())
        return sparse.vstack(list(parts), format="csr").astype(np.float32)

    def iter_stored(self) -> Iterator[tuple[slice, sparse.csr_matrix]]:
        """Yield (rows, CSR block as it is stored) from the first cell to the last."""
        if self._row_blocks is not None:
            yield from ((rows, view_rows(self._source, rows)) for rows, _ in self._row_blocks)
            return
        if self._cluster is not None:
            yield from read_ahead(self._cluster.stored())
            return
        yield from read_ahead(iter_row_blocks(self._source, block_bytes=settings.block_bytes))

    def each_stored(self, work: Callable[[int, slice, sparse.csr_matrix], None], *, values: bool = True) -> None:
        """Call `work(slot, rows, block)` for all rows as they are stored, in threads.

        Slots are the numbers from 0 to :func:`available_threads` − 1; the calls of one come one after the other.
        Without `values` those that are not zero may be any others.
        """
        n_threads = available_threads()
        if self._row_blocks is not None or self._cluster is not None:
            each_in_turn(self.iter_stored(), lambda slot, item: work(slot, *item), n_threads)
            return
        values = values or n_stored(self._source) != self.memo.get("nnz")  # stored zeros are told by their values
        blocks = iter_row_blocks(self._source, block_bytes=bytes_per_thread(n_threads), values=values)
        each_in_turn(blocks, lambda slot, item: work(slot, *item), n_threads)

    def _each_block(self, work: Callable[[int, slice, Block], None]) -> None:
        """Call `work(slot, rows, block)` for all rows, in threads; those at work at once have different slots."""
        if self._row_blocks is not None:
            in_threads(lambda item: work(item[0], *item[1]), list(enumerate(self._row_blocks)))
            return

        def prepared(slot: int, rows: slice, counts: sparse.csr_matrix) -> None:
            compiled = counts.nnz * self.shape[0] >= COMPILED_NNZ * counts.shape[0]
            work(slot, rows, self._block(counts, compiled=compiled))

        self.each_stored(prepared, values=not self.binary)

    def matmul(self, right: np.ndarray) -> np.ndarray:
        """Return X̃ @ right for `right` of shape (n_vars, k): array of shape (n_obs, k) of `dtype`."""
        out = np.empty((self.shape[0], right.shape[1]), dtype=self.dtype)
        if self._cluster is not None:
            for rows, product in self._cluster.times(self._scaled_right(right), binary=self.binary):
                out[rows] = product * self.row_scale[rows, None].astype(self.dtype)
            return out
        packed = Packed(self._scaled_right(right), self.dtype)

        def multiply(_slot: int, rows: slice, block: Block) -> None:
            out[rows] = block.unpack(block.times(packed.of(block)), right.shape[1])
            out[rows] *= self.row_scale[rows, None].astype(self.dtype)

        self._each_block(multiply)
        return out

    def rmatmul(self, left: np.ndarray) -> np.ndarray:
        """Return X̃ᵀ @ left for `left` of shape (n_obs, k): array of shape (n_vars, k) of `dtype`."""
        if self._cluster is not None:
            scaled = (left * self.row_scale[:, None]).astype(self.dtype)
            total = self._cluster.transposed_times(scaled, binary=self.binary)
            return total * self.col_scale[:, None].astype(self.dtype)
        few = self._row_blocks is not None and self.device is None and self.shape[0] <= _COLUMNS_KEPT
        if few and self._source.nnz >= COMPILED_NNZ:
            scaled = left * self.row_scale[:, None]
            return transposed_times(self.columns(), scaled, self.col_scale, dtype=self.dtype, binary=self.binary)
        totals = Totals(self.shape[1], left.shape[1], self.dtype)

        def multiply(slot: int, rows: slice, block: Block) -> None:
            scaled = left[rows] * self.row_scale[rows, None]
            block.add_transposed(block.pack(scaled, self.dtype), totals.of(slot, block))

        self._each_block(multiply)
        return totals.sum(self.col_scale)

    def sweep(
        self, right: np.ndarray, update: Callable[[slice, np.ndarray], np.ndarray], *, n_left: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Compute left = update(rows, X̃ @ right) and X̃ᵀ @ left with one read of the data.

        Parameters
        ----------
        right
            Array of shape (n_vars, k).
        update
            Maps (rows, product of shape (len(rows), k)) to the new left rows of shape (len(rows), n_left).
            It must not depend on other rows.
        n_left
            Columns of the left array; k by default.

        Returns
        -------
        The left array of shape (n_obs, n_left) and X̃ᵀ @ left of shape (n_vars, n_left).
        """
        n_left = right.shape[1] if n_left is None else n_left
        if self._cluster is not None:
            return self._sweep_on_cluster(self._cluster, right, update, n_left)
        packed = Packed(self._scaled_right(right), self.dtype)
        total = Totals(self.shape[1], n_left, self.dtype)
        left = np.empty((self.shape[0], n_left), dtype=self.dtype)

        def both(slot: int, rows: slice, block: Block) -> None:
            scale = self.row_scale[rows, None].astype(self.dtype)
            left[rows] = update(rows, block.unpack(block.times(packed.of(block)), right.shape[1]) * scale)
            block.add_transposed(block.pack(left[rows] * scale, self.dtype), total.of(slot, block))

        self._each_block(both)
        return left, total.sum(self.col_scale)

    def _scaled_right(self, right: np.ndarray) -> np.ndarray:
        return right.astype(self.dtype, copy=False) * self.col_scale[:, None].astype(self.dtype)

    def _sweep_on_cluster(
        self, cluster: ClusterBlocks, right: np.ndarray, update: Callable[[slice, np.ndarray], np.ndarray], n_left: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """The sweep with the updates, which may write to arrays of this process, done here."""
        left = np.empty((self.shape[0], n_left), dtype=self.dtype)
        for rows, product in cluster.times(self._scaled_right(right), binary=self.binary):
            left[rows] = update(rows, product * self.row_scale[rows, None].astype(self.dtype))
        return left, self.rmatmul(left)

    def row_sq_norms(self) -> np.ndarray:
        """Return the squared L2 norm of every row of X̃: float64 array of shape (n_obs,)."""
        if self._unscaled_sq_norms is None:
            self._unscaled_sq_norms = self._compute_sq_norms()
        return self._unscaled_sq_norms * self.row_scale**2

    def keep_sq_norms(self, squares: np.ndarray) -> None:
        """Take the squared norms of the rows without the row scale, which were computed elsewhere."""
        self._unscaled_sq_norms = squares

    def _compute_sq_norms(self) -> np.ndarray:
        weights = self.col_scale**2
        out = np.empty(self.shape[0])
        if self._cluster is not None:
            for rows, values in self._cluster.row_sq_norms(weights, binary=self.binary):
                out[rows] = values
            return out

        def norms(_slot: int, rows: slice, block: sparse.csr_matrix) -> None:
            all_open = self.binary and self._all_open(rows)
            for start, stop in even_cuts(block.indptr):
                piece, where = view_rows(block, slice(start, stop)), slice(rows.start + start, rows.start + stop)
                if piece.nnz >= COMPILED_NNZ:
                    from .sum_kernels import squared_rows

                    ones = self.binary and (all_open or piece.data.all())
                    values = None if ones else self._stored_values(piece)
                    squared_rows(piece.indptr, piece.indices, values, weights, out[where])
                    continue
                squared = as_float(piece, np.dtype(np.float64), binary=self.binary)
                squared.data = squared.data**2
                out[where] = squared @ weights

        self.each_stored(norms)
        return out

    def _stored_values(self, block: sparse.csr_matrix) -> np.ndarray:
        return (block.data != 0).view(np.uint8) if self.binary else compilable(block.data, np.dtype(np.float64))

    def sq_norm(self) -> float:
        """Return ‖X̃‖²."""
        return float(self.row_sq_norms().sum())
