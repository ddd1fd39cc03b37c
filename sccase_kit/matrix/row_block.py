"""Some rows of the counts and their two products: by scipy, or compiled where the data are large enough."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from scipy import sparse

from .rows import aligned_zeros

COMPILED_NNZ = 300_000  # stored counts from which on compiling (a second, once per machine) pays
MOST_TURNED = 20_000  # cells up to which a copy of the counts by columns pays (2 to 14 % less time)
_SLAB = 2048  # columns whose 64 numbers each fit the second-level cache
_NNZ_PER_CUT = 32  # stored counts of a row between two cuts, on average, at least
_NNZ_PER_TILE = 3_000_000
_FEW_PRODUCTS = 3  # with the transpose, for which counts are not turned


class ScipyBlock:
    """Rows of counts multiplied by scipy.

    Parameters
    ----------
    counts
        CSR rows.
    dtype
        Type of the products.
    binary
        Use 1 for every nonzero count.
    """

    def __init__(self, counts: sparse.csr_matrix, *, dtype: np.dtype, binary: bool) -> None:
        self.shape = counts.shape
        self.counts = as_float(counts, dtype, binary=binary)

    @staticmethod
    def pack(dense: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Return a dense array in the form the products take."""
        return np.ascontiguousarray(dense, dtype=dtype)

    @staticmethod
    def unpack(packed: np.ndarray, n_columns: int) -> np.ndarray:
        """Return the columns of a packed array."""
        return packed[:, :n_columns]

    @staticmethod
    def zeros(n_rows: int, n_columns: int, dtype: np.dtype) -> np.ndarray:
        """Return packed zeros."""
        return np.zeros((n_rows, n_columns), dtype=dtype)

    def times(self, packed: np.ndarray) -> np.ndarray:
        """Return C @ dense, packed."""
        return self.counts @ packed

    def add_transposed(self, left: np.ndarray, total: np.ndarray) -> None:
        """Add Cᵀ @ left to `total`; both packed."""
        total += self.counts.T @ left


class SharedRows:
    """What the operators of the same counts in memory need of some rows, made once.

    Parameters
    ----------
    counts
        CSR rows.
    turn
        Whether they are also held by columns once many products with the transpose were asked for: sums of a column's
        own counts are read from them in half of the time of adding to the sums of all columns.
    """

    def __init__(self, counts: sparse.csr_matrix, *, turn: bool = False) -> None:
        self._counts, self._turn = counts, turn
        self._asked = 0
        self._lock = threading.Lock()
        self._all_open: bool | None = None
        self._cut: tuple[sparse.csr_matrix, np.ndarray] | None = None
        self._turned: tuple[np.ndarray, np.ndarray, np.ndarray, int] | None = None

    def all_open(self) -> bool:
        """Return whether no stored count is 0."""
        with self._lock:
            if self._all_open is None:
                self._all_open = bool(self._counts.data.all())
        return self._all_open

    def cut(self) -> tuple[sparse.csr_matrix, np.ndarray]:
        """Return the rows, sorted, and their cuts for :func:`~sccase_kit.matrix.products.gather`."""
        with self._lock:
            if self._cut is None:
                self._cut = slab_cuts(self._counts, _SLAB)
        return self._cut

    def turned(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, int] | None:
        """Return cuts, row numbers, counts and tile for :func:`~sccase_kit.matrix.products.gather`, or None so far."""
        with self._lock:
            self._asked += 1
            if self._turned is None and self._turn and self._asked > _FEW_PRODUCTS:
                self._turned = self._by_columns()
        return self._turned

    def _by_columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
        """Number rows in 16 bits where they can be, and hold counts in 8."""
        from .products import cut_rows
        from .sum_kernels import add_open, turn_rows

        counts, (n, m) = self._counts, self._counts.shape
        values = compilable(counts.data, np.dtype(np.float64))
        small = values.dtype.kind in "iu" and counts.nnz > 0 and counts.data.max() < 256
        indptr = np.zeros(m + 1, dtype=np.int64)
        add_open(counts.indices, indptr[1:])
        np.cumsum(indptr, out=indptr)
        rows = np.empty(counts.nnz, dtype=np.uint16 if n <= np.iinfo(np.uint16).max else np.int32)
        turned = np.empty(counts.nnz, dtype=np.uint8 if small else values.dtype)
        turn_rows(counts.indptr, counts.indices, values, indptr[:-1].copy(), rows, turned)
        cuts = cut_rows(indptr, rows, n, _slab(m, n, counts.nnz, 2 * _SLAB))
        return cuts, rows, turned, _tile(m, counts.nnz, _NNZ_PER_TILE // 10)


def _tile(n_rows: int, nnz: int, n_stored: int) -> int:
    """Return how many rows hold so many stored counts: those that are done together."""
    return int(max(1, n_stored * n_rows // max(1, nnz)))


class PanelBlock:
    """Rows of counts multiplied by :mod:`sccase_kit.matrix.products`; the counts keep their type and memory.

    Parameters
    ----------
    counts, dtype, binary
        As of :class:`ScipyBlock`.
    shared
        What other operators of the rows know of them, of counts in memory.
    """

    def __init__(
        self, counts: sparse.csr_matrix, *, dtype: np.dtype, binary: bool, shared: SharedRows | None = None
    ) -> None:
        shared = SharedRows(counts) if shared is None else shared
        if binary and not shared.all_open():
            shared = SharedRows(open_rows(counts))
        self._shared, self.shape = shared, counts.shape
        counts, self._cuts = shared.cut()
        self._tile = _tile(len(counts.indptr) - 1, counts.nnz, _NNZ_PER_TILE)
        self._indices = counts.indices
        self._values = None if binary else compilable(counts.data, dtype)

    @staticmethod
    def pack(dense: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Return a dense array in the form the products take."""
        from .products import to_rows

        return to_rows(dense, dtype)

    @staticmethod
    def unpack(packed: np.ndarray, n_columns: int) -> np.ndarray:
        """Return the columns of a packed array."""
        return packed[:, :n_columns]

    @staticmethod
    def zeros(n_rows: int, n_columns: int, dtype: np.dtype) -> np.ndarray:
        """Return packed zeros."""
        from .products import WIDTH

        return aligned_zeros((n_rows, -(-n_columns // WIDTH) * WIDTH), dtype)

    def times(self, packed: np.ndarray) -> np.ndarray:
        """Return C @ dense, packed."""
        from .products import gather

        return gather(self._cuts, self._indices, self._values, packed, tile=self._tile)

    def add_transposed(self, left: np.ndarray, total: np.ndarray) -> None:
        """Add Cᵀ @ left to `total`; both packed."""
        from .products import add_gathered, scatter

        turned = self._shared.turned()
        if turned is not None:
            cuts, indices, values, tile = turned
            known = None if self._values is None else compilable(values, left.dtype)
            add_gathered(cuts, indices, known, left, total, tile=tile)
            return
        scatter(self._cuts, self._indices, self._values, left, total, tile=self._tile)


def slab_cuts(
    counts: sparse.csr_matrix, n_columns: int, *, fewest: int = _NNZ_PER_CUT
) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Return the rows, sorted, and where each crosses from one slab of columns to the next, (slabs + 1, rows).

    Parameters
    ----------
    counts
        CSR rows.
    n_columns
        Columns of a slab, about.
    fewest
        Stored values of a row between two cuts, on average, at least: slabs are wider where there would be fewer.
    """
    from .products import cut_rows

    (n, m), nnz = counts.shape, counts.nnz
    slab = _slab(n, m, nnz, n_columns, fewest)
    try:
        return counts, cut_rows(counts.indptr, counts.indices, m, slab)
    except ValueError:
        counts = counts.sorted_indices()
        return counts, cut_rows(counts.indptr, counts.indices, m, slab)


def _slab(n_rows: int, n_columns: int, nnz: int, wanted: int, fewest: int = _NNZ_PER_CUT) -> int:
    """Return how many columns a slab has, `wanted` or more; see :func:`slab_cuts`."""
    n_slabs = np.clip(nnz // max(1, n_rows) // fewest, 1, max(1, n_columns // wanted))
    return -(-n_columns // int(n_slabs))


def as_float(counts: sparse.csr_matrix, dtype: np.dtype, *, binary: bool) -> sparse.csr_matrix:
    """Return the rows with values of `dtype` (ones and zeros if `binary`); the structure is shared."""
    values = (counts.data != 0).astype(dtype) if binary else counts.data.astype(dtype, copy=False)
    out = sparse.csr_matrix(counts.shape, dtype=dtype)
    out.data, out.indices, out.indptr = values, counts.indices, counts.indptr
    return out


def open_rows(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return the rows without stored zeros: the same where there are none."""
    if counts.nnz and not counts.data.all():
        counts = counts.copy()
        counts.eliminate_zeros()
    return counts


def compilable(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return stored values in a type that the compiled products take."""
    if values.dtype == bool:
        return values.view(np.uint8)
    known = values.dtype.isnative and (values.dtype.kind in "iu" or values.dtype in (np.float32, np.float64))
    return values if known else values.astype(dtype)


RowBlock = ScipyBlock | PanelBlock


def row_block(
    counts: Any, *, dtype: np.dtype, binary: bool, compiled: bool, shared: SharedRows | None = None
) -> RowBlock:
    """Return the rows ready for products."""
    counts = sparse.csr_matrix(counts)
    if compiled:
        return PanelBlock(counts, dtype=dtype, binary=binary, shared=shared)
    return ScipyBlock(counts, dtype=dtype, binary=binary)


class Packed:
    """A dense right-hand side in the form the blocks take, packed once."""

    def __init__(self, dense: np.ndarray, dtype: np.dtype) -> None:
        self._dense, self._dtype = dense, dtype
        self._lock = threading.Lock()
        self._forms: dict[type, np.ndarray] = {}

    def of(self, block: Any) -> np.ndarray:
        """Return the form that `block` takes."""
        with self._lock:
            if type(block) not in self._forms:
                self._forms[type(block)] = block.pack(self._dense, self._dtype)
        return self._forms[type(block)]


class Totals:
    """Sums of X̃ᵀ @ left, one for every thread and form, so that no thread waits for another."""

    def __init__(self, n_rows: int, n_columns: int, dtype: np.dtype) -> None:
        self._shape, self._dtype = (n_rows, n_columns), dtype
        self._sums: dict[tuple[int, type[Any]], np.ndarray] = {}

    def of(self, slot: int, block: Any) -> np.ndarray:
        """Return the sum that the thread of `slot` adds to, in the form of `block`."""
        key = (slot, type(block))
        if key not in self._sums:
            self._sums[key] = block.zeros(*self._shape, self._dtype)
        return self._sums[key]

    def sum(self, scale: np.ndarray) -> np.ndarray:
        """Return the sum over threads, of shape (n_rows, n_columns), with rows multiplied by `scale`."""
        parts = sorted(self._sums.items(), key=lambda item: (item[0][0], item[0][1].__name__))
        unpacked = [kind.unpack(packed, self._shape[1]) for (_, kind), packed in parts]
        total = unpacked[0] if unpacked else np.zeros(self._shape, dtype=self._dtype)
        for part in unpacked[1:]:
            total += part
        return total * scale[:, None].astype(self._dtype)
