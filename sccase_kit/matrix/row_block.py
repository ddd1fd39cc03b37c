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


class Turned:
    """Rows of counts in memory by columns, made once many products with them were asked for.

    Sums of a column's own counts are read from them in half of the time of adding to the sums of all columns. Cells
    are numbered in 16 bits where they can be, and counts held in 8.

    Parameters
    ----------
    counts
        CSR rows, with sorted indices.
    """

    def __init__(self, counts: sparse.csr_matrix) -> None:
        self._counts = counts
        self._asked = 0
        self._lock = threading.Lock()
        self._made: tuple[np.ndarray, np.ndarray, np.ndarray, int] | None = None

    def get(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, int] | None:
        """Return cuts, row numbers, counts and tile for :func:`~sccase_kit.matrix.products.gather`, or None so far."""
        with self._lock:
            self._asked += 1
            if self._made is None and self._asked > _FEW_PRODUCTS:
                self._made = self._make()
        return self._made

    def _make(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
        counts = self._counts
        if counts.dtype.kind in "iub" and counts.nnz and counts.data.max() < 256:
            counts = sparse.csr_matrix((counts.data.astype(np.uint8), counts.indices, counts.indptr), counts.shape)
        turned, cuts = slab_cuts(sparse.csr_matrix(counts.T), 2 * _SLAB)
        small = counts.shape[0] <= np.iinfo(np.uint16).max
        indices = turned.indices.astype(np.uint16) if small else turned.indices
        return cuts, indices, turned.data, _tile(turned, _NNZ_PER_TILE // 10)


def _tile(counts: sparse.csr_matrix, n_stored: int) -> int:
    """Return how many rows hold so many stored counts: those that are done together."""
    return int(max(1, n_stored * counts.shape[0] // max(1, counts.nnz)))


class PanelBlock:
    """Rows of counts multiplied by :mod:`sccase_kit.matrix.products`; the counts keep their type and memory.

    Parameters
    ----------
    counts, dtype, binary
        As of :class:`ScipyBlock`.
    turned
        The same rows by columns, of counts in memory.
    """

    def __init__(
        self, counts: sparse.csr_matrix, *, dtype: np.dtype, binary: bool, turned: Turned | None = None
    ) -> None:
        self._turned = turned
        if binary and counts.nnz and not counts.data.all():
            counts = counts.copy()
            counts.eliminate_zeros()
            self._turned = None
        self.shape = counts.shape
        counts, self._cuts = slab_cuts(counts, _SLAB)
        self._tile = _tile(counts, _NNZ_PER_TILE)
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

        turned = None if self._turned is None else self._turned.get()
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

    n, m = counts.shape
    n_slabs = np.clip(counts.nnz // max(1, n) // fewest, 1, max(1, m // n_columns))
    slab = -(-m // int(n_slabs))
    try:
        return counts, cut_rows(counts.indptr, counts.indices, m, slab)
    except ValueError:
        counts = counts.sorted_indices()
        return counts, cut_rows(counts.indptr, counts.indices, m, slab)


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


def row_block(counts: Any, *, dtype: np.dtype, binary: bool, compiled: bool, turned: Turned | None = None) -> RowBlock:
    """Return the rows ready for products."""
    counts = sparse.csr_matrix(counts)
    if compiled:
        return PanelBlock(counts, dtype=dtype, binary=binary, turned=turned)
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
