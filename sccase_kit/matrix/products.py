"""Compiled products of CSR counts with narrow dense matrices; imported where they run.

The dense side is held row by row, with columns up to a multiple of 16, so that a vector register takes 16 numbers of
it (float32), which are one line of the cache. Up to four registers hold the sums of a row: a stored count is read and
turned into a number once for 64 columns. They are LLVM vectors, through an intrinsic: a plain loop over 16 numbers is
three times slower. Rows are cut at slabs of columns, so that the part of the dense side in use fits the cache; the
stored counts of a row further down are asked for meanwhile, since the processor does not foresee short runs. Counts are
read in the type they are stored in. Compiled once per pair of types, then cached on disk.
"""

from __future__ import annotations

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from .rows import aligned_zeros

WIDTH = 16
_AHEAD = 4  # rows between the one that is worked on and the one whose stored counts are asked for
_LINE, _N_LINES = 64, 6  # bytes of a cache line, and how many are asked for: the processor goes on by itself


def _pointer(context, builder, array_type, array):
    return context.make_array(array_type)(context, builder, array).data


def _vector_at(builder, data, offset, vector):
    return builder.bitcast(builder.gep(data, [offset]), vector.as_pointer())


def _splat(builder, value, vector):
    one = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    lanes = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), lanes)


class _Row:
    """What both intrinsics share: the stored counts lo..hi of a row and the rows of the dense side they point at."""

    def __init__(self, context, builder, signature, args) -> None:
        values_type, indices_type, dense_type = signature.args[0], signature.args[1], signature.args[4]
        self.context, self.builder, self.dtype = context, builder, dense_type.dtype
        self.values_type, self.indices_type = values_type, indices_type
        self.values = None if values_type is types.none else _pointer(context, builder, values_type, args[0])
        self.indices = _pointer(context, builder, indices_type, args[1])
        self.dense = _pointer(context, builder, dense_type, args[4])
        self.base, self.stride = args[5], args[6]
        self.own = _pointer(context, builder, signature.args[7], args[7])
        self.at = args[8]
        self.registers = range(signature.args[9].literal_value)
        element = context.get_value_type(self.dtype)
        self.vector, self.align = ir.VectorType(element, WIDTH), self.dtype.bitwidth // 8

    def _plus(self, offset, register):
        return self.builder.add(offset, self.context.get_constant(types.intp, register * WIDTH))

    def own_vectors(self):
        """Return pointers to the row's own numbers."""
        return [_vector_at(self.builder, self.own, self._plus(self.at, r), self.vector) for r in self.registers]

    def dense_vectors(self, j):
        """Return pointers to the row of the dense side that stored count j points at."""
        index = self.builder.load(self.builder.gep(self.indices, [j]))
        index = self.context.cast(self.builder, index, self.indices_type.dtype, types.intp)
        offset = self.builder.add(self.base, self.builder.mul(index, self.stride))
        return [_vector_at(self.builder, self.dense, self._plus(offset, r), self.vector) for r in self.registers]

    def count(self, j):
        """Return stored count j in every number of a vector, or None for ones."""
        if self.values is None:
            return None
        value = self.builder.load(self.builder.gep(self.values, [j]))
        value = self.context.cast(self.builder, value, self.values_type.dtype, self.dtype)
        return _splat(self.builder, value, self.vector)

    def load(self, pointer):
        """Return the vector at a pointer."""
        return self.builder.load(pointer, align=self.align)

    def times(self, count, vector):
        """Return count · vector."""
        return vector if count is None else self.builder.fmul(vector, count, flags=("fast",))

    def add(self, left, right):
        """Return left + right."""
        return self.builder.fadd(left, right, flags=("fast",))


@intrinsic(prefer_literal=True)
def _row_times_dense(typingctx, values, indices, lo, hi, dense, base, stride, out, at, registers):
    """out[at + l] += Σ_{lo ≤ j < hi} values[j] · dense[base + stride · indices[j] + l], l < 16 registers (flat)."""
    if not isinstance(registers, types.IntegerLiteral):
        return None
    intp = types.intp
    signature = types.void(values, indices, intp, intp, dense, intp, intp, out, intp, registers)

    def codegen(context, builder, signature, args):
        row = _Row(context, builder, signature, args)
        targets = row.own_vectors()
        totals = [cgutils.alloca_once_value(builder, row.load(target)) for target in targets]
        with cgutils.for_range_slice(builder, args[2], args[3], context.get_constant(types.intp, 1)) as (j, _):
            count = row.count(j)
            for total, source in zip(totals, row.dense_vectors(j), strict=True):
                builder.store(row.add(builder.load(total), row.times(count, row.load(source))), total)
        for total, target in zip(totals, targets, strict=True):
            builder.store(builder.load(total), target, align=row.align)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic(prefer_literal=True)
def _add_row_to_dense(typingctx, values, indices, lo, hi, dense, base, stride, left, at, registers):
    """dense[base + stride · indices[j] + l] += values[j] · left[at + l] for lo ≤ j < hi, l < 16 registers (flat)."""
    if not isinstance(registers, types.IntegerLiteral):
        return None
    intp = types.intp
    signature = types.void(values, indices, intp, intp, dense, intp, intp, left, intp, registers)

    def codegen(context, builder, signature, args):
        row = _Row(context, builder, signature, args)
        sources = [row.load(source) for source in row.own_vectors()]
        with cgutils.for_range_slice(builder, args[2], args[3], context.get_constant(types.intp, 1)) as (j, _):
            count = row.count(j)
            for source, target in zip(sources, row.dense_vectors(j), strict=True):
                builder.store(row.add(row.load(target), row.times(count, source)), target, align=row.align)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def _ask_for(typingctx, array, at):
    """Have the first cache lines of array[at:] (flat) read into the cache."""

    def codegen(context, builder, signature, args):
        data = _pointer(context, builder, signature.args[0], args[0])
        number, step = ir.IntType(32), _LINE * 8 // signature.args[0].dtype.bitwidth
        known = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, number, number, number])
        prefetch = builder.module.declare_intrinsic("llvm.prefetch", [cgutils.voidptr_t], known)
        for line in range(_N_LINES):
            place = builder.gep(data, [builder.add(args[1], context.get_constant(types.intp, line * step))])
            place = builder.bitcast(place, cgutils.voidptr_t)
            builder.call(prefetch, [place, number(0), number(3), number(1)])  # to be read, and kept, as data
        return context.get_dummy_value()

    return types.void(array, types.intp), codegen


@numba.njit(cache=True, nogil=True)
def _cut_rows(indptr, indices, slab, n_columns, cuts):
    for i in range(len(indptr) - 1):
        j, last = indptr[i], -1
        for s in range(len(cuts) - 1):
            cuts[s, i] = j
            bound = min((s + 1) * slab, n_columns)
            while j < indptr[i + 1] and indices[j] < bound:
                if indices[j] < last:
                    return False
                last = indices[j]
                j += 1
        if j < indptr[i + 1]:
            return False
        cuts[len(cuts) - 1, i] = j
    return True


@numba.njit(cache=True, nogil=True)
def sum_of_rows(values, indices, start, stop, dense, width, out, at):
    """out[at + l] += Σ values[j] · dense[indices[j], l], start ≤ j < stop, l < width, a multiple of 16 (flat)."""
    for base in range(0, width, 64):
        left = (width - base) // 16
        if left >= 4:
            _row_times_dense(values, indices, start, stop, dense, base, width, out, at + base, 4)
        elif left == 3:
            _row_times_dense(values, indices, start, stop, dense, base, width, out, at + base, 3)
        elif left == 2:
            _row_times_dense(values, indices, start, stop, dense, base, width, out, at + base, 2)
        else:
            _row_times_dense(values, indices, start, stop, dense, base, width, out, at + base, 1)


@numba.njit(cache=True, nogil=True)
def add_to_rows(values, indices, start, stop, dense, width, own, at):
    """dense[indices[j], l] += values[j] · own[at + l], start ≤ j < stop, l < width, a multiple of 16 (flat)."""
    for base in range(0, width, 64):
        left = (width - base) // 16
        if left >= 4:
            _add_row_to_dense(values, indices, start, stop, dense, base, width, own, at + base, 4)
        elif left == 3:
            _add_row_to_dense(values, indices, start, stop, dense, base, width, own, at + base, 3)
        elif left == 2:
            _add_row_to_dense(values, indices, start, stop, dense, base, width, own, at + base, 2)
        else:
            _add_row_to_dense(values, indices, start, stop, dense, base, width, own, at + base, 1)


@numba.njit(cache=True, nogil=True)
def _gather(cuts, indices, values, dense, out, tile):
    n, width = out.shape
    for low in range(0, n, tile):
        high = min(low + tile, n)
        for s in range(len(cuts) - 1):
            for base in range(0, width, 64):
                left = (width - base) // 16
                for i in range(low, high):
                    start, stop, at = cuts[s, i], cuts[s + 1, i], i * width + base
                    ahead = cuts[s, min(i + _AHEAD, high - 1)]
                    _ask_for(indices, ahead)
                    if values is not None:
                        _ask_for(values, ahead)
                    if left >= 4:
                        _row_times_dense(values, indices, start, stop, dense, base, width, out, at, 4)
                    elif left == 3:
                        _row_times_dense(values, indices, start, stop, dense, base, width, out, at, 3)
                    elif left == 2:
                        _row_times_dense(values, indices, start, stop, dense, base, width, out, at, 2)
                    else:
                        _row_times_dense(values, indices, start, stop, dense, base, width, out, at, 1)


@numba.njit(cache=True, nogil=True)
def _scatter(cuts, indices, values, own, dense, tile):
    n, width = own.shape
    for low in range(0, n, tile):
        high = min(low + tile, n)
        for s in range(len(cuts) - 1):
            for base in range(0, width, 64):
                left = (width - base) // 16
                for i in range(low, high):
                    start, stop, at = cuts[s, i], cuts[s + 1, i], i * width + base
                    ahead = cuts[s, min(i + _AHEAD, high - 1)]
                    _ask_for(indices, ahead)
                    if values is not None:
                        _ask_for(values, ahead)
                    if left >= 4:
                        _add_row_to_dense(values, indices, start, stop, dense, base, width, own, at, 4)
                    elif left == 3:
                        _add_row_to_dense(values, indices, start, stop, dense, base, width, own, at, 3)
                    elif left == 2:
                        _add_row_to_dense(values, indices, start, stop, dense, base, width, own, at, 2)
                    else:
                        _add_row_to_dense(values, indices, start, stop, dense, base, width, own, at, 1)


def to_rows(dense: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return (n, k) as a C-contiguous array of `dtype`, with zeros up to a multiple of 16 columns, at a cache line."""
    rows = aligned_zeros((len(dense), -(-dense.shape[1] // WIDTH) * WIDTH), dtype)
    rows[:, : dense.shape[1]] = dense
    return rows


def cut_rows(indptr: np.ndarray, indices: np.ndarray, n_columns: int, slab: int) -> np.ndarray:
    """Return where every row crosses the multiples of `slab`: positions of shape (slabs + 1, n_rows), int64.

    Raises
    ------
    ValueError
        If the indices of a row are not sorted, or not below `n_columns`.
    """
    cuts = np.empty((max(1, -(-n_columns // slab)) + 1, len(indptr) - 1), dtype=np.int64)
    if not _cut_rows(indptr, indices, slab, n_columns, cuts):
        msg = f"the column indices of every row must be sorted and below {n_columns}"
        raise ValueError(msg)
    return cuts


def gather(
    cuts: np.ndarray, indices: np.ndarray, values: np.ndarray | None, dense: np.ndarray, *, tile: int
) -> np.ndarray:
    """Return C @ dense.

    Parameters
    ----------
    cuts
        Of :func:`cut_rows`, for the rows of C.
    indices, values
        Column and count of every stored value of C; `values` None for ones.
    dense
        Of :func:`to_rows`, (n_columns, w).
    tile
        Rows that are done together, for one slab after the other.

    Returns
    -------
    Array (n_rows, w).
    """
    out = aligned_zeros((cuts.shape[1], dense.shape[1]), dense.dtype)
    _gather(cuts, indices, values, dense, out, tile)
    return out


def add_gathered(
    cuts: np.ndarray, indices: np.ndarray, values: np.ndarray | None, dense: np.ndarray, out: np.ndarray, *, tile: int
) -> None:
    """Add C @ dense to `out`, (n_rows, w), C-contiguous; see :func:`gather`."""
    _gather(cuts, indices, values, dense, out, tile)


def scatter(
    cuts: np.ndarray, indices: np.ndarray, values: np.ndarray | None, left: np.ndarray, dense: np.ndarray, *, tile: int
) -> None:
    """Add Cᵀ @ left to `dense` (n_columns, w); `left` is (n_rows, w), C-contiguous. See :func:`gather`."""
    _scatter(cuts, indices, values, left, dense, tile)
