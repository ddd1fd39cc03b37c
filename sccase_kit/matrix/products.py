"""Compiled products of CSR counts with narrow dense matrices; imported where they run.

The dense side is held in panels of 16 columns, so that each stored count reads one cache line of it (float32), and the
sums of a row stay in vector registers: LLVM vectors, through an intrinsic, since a plain loop over 16 numbers is three
times slower. Rows are cut at slabs of columns, so that the part of a panel in use fits the cache. Counts are read in
the type they are stored in. Compiled once per pair of types, then cached on disk.
"""

from __future__ import annotations

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

WIDTH = 16


def _pointer(context, builder, array_type, array):
    return context.make_array(array_type)(context, builder, array).data


def _vector_at(builder, data, offset, vector):
    return builder.bitcast(builder.gep(data, [offset]), vector.as_pointer())


def _splat(builder, value, vector):
    one = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    lanes = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), lanes)


class _Row:
    """What both intrinsics share: the stored counts lo..hi of a row and the panel rows they point at."""

    def __init__(self, context, builder, signature, args) -> None:
        values_type, indices_type, dense_type = signature.args[0], signature.args[1], signature.args[4]
        self.context, self.builder, self.dtype = context, builder, dense_type.dtype
        self.values_type, self.indices_type = values_type, indices_type
        self.values = None if values_type is types.none else _pointer(context, builder, values_type, args[0])
        self.indices = _pointer(context, builder, indices_type, args[1])
        self.dense = _pointer(context, builder, dense_type, args[4])
        self.base = args[5]
        element = context.get_value_type(self.dtype)
        self.vector, self.align = ir.VectorType(element, WIDTH), self.dtype.bitwidth // 8

    def panel_row(self, j):
        index = self.builder.load(self.builder.gep(self.indices, [j]))
        index = self.context.cast(self.builder, index, self.indices_type.dtype, types.intp)
        offset = self.builder.add(self.base, self.builder.mul(index, self.context.get_constant(types.intp, WIDTH)))
        return _vector_at(self.builder, self.dense, offset, self.vector)

    def times_count(self, j, vector):
        if self.values is None:
            return vector
        value = self.builder.load(self.builder.gep(self.values, [j]))
        value = self.context.cast(self.builder, value, self.values_type.dtype, self.dtype)
        return self.builder.fmul(vector, _splat(self.builder, value, self.vector), flags=("fast",))


@intrinsic
def _row_times_panel(typingctx, values, indices, lo, hi, dense, base, out, at):
    """out[at : at + 16] = Σ_{lo ≤ j < hi} values[j] · dense[base + 16 · indices[j] : + 16] (flat positions)."""
    signature = types.void(values, indices, types.intp, types.intp, dense, types.intp, out, types.intp)

    def codegen(context, builder, signature, args):
        row = _Row(context, builder, signature, args)
        target = _vector_at(builder, _pointer(context, builder, signature.args[6], args[6]), args[7], row.vector)
        total = cgutils.alloca_once_value(builder, builder.load(target, align=row.align))
        with cgutils.for_range_slice(builder, args[2], args[3], context.get_constant(types.intp, 1)) as (j, _):
            part = row.times_count(j, builder.load(row.panel_row(j), align=row.align))
            builder.store(builder.fadd(builder.load(total), part, flags=("fast",)), total)
        builder.store(builder.load(total), target, align=row.align)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def _add_row_to_panel(typingctx, values, indices, lo, hi, dense, base, left, at):
    """dense[base + 16 · indices[j] : + 16] += values[j] · left[at : at + 16] for lo ≤ j < hi (flat positions)."""
    signature = types.void(values, indices, types.intp, types.intp, dense, types.intp, left, types.intp)

    def codegen(context, builder, signature, args):
        row = _Row(context, builder, signature, args)
        source = _vector_at(builder, _pointer(context, builder, signature.args[6], args[6]), args[7], row.vector)
        source = builder.load(source, align=row.align)
        with cgutils.for_range_slice(builder, args[2], args[3], context.get_constant(types.intp, 1)) as (j, _):
            target = row.panel_row(j)
            new = builder.fadd(builder.load(target, align=row.align), row.times_count(j, source), flags=("fast",))
            builder.store(new, target, align=row.align)
        return context.get_dummy_value()

    return signature, codegen


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
def _gather(cuts, indices, values, panels, out, tile):
    n_panels, n_vars, width = panels.shape
    n = out.shape[1]
    for low in range(0, n, tile):
        for s in range(len(cuts) - 1):
            for p in range(n_panels):
                for i in range(low, min(low + tile, n)):
                    start, stop = cuts[s, i], cuts[s + 1, i]
                    base, at = p * n_vars * width, (p * n + i) * width
                    _row_times_panel(values, indices, start, stop, panels, base, out, at)


@numba.njit(cache=True, nogil=True)
def _scatter(cuts, indices, values, left, panels, tile):
    n_panels, n_vars, width = panels.shape
    n = left.shape[1]
    for low in range(0, n, tile):
        for s in range(len(cuts) - 1):
            for p in range(n_panels):
                for i in range(low, min(low + tile, n)):
                    start, stop = cuts[s, i], cuts[s + 1, i]
                    base, at = p * n_vars * width, (p * n + i) * width
                    _add_row_to_panel(values, indices, start, stop, panels, base, left, at)


def to_panels(dense: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return the columns of (n, k) as panels (⌈k/16⌉, n, 16) of `dtype`, zeros behind the last column."""
    panels = np.zeros((-(-dense.shape[1] // WIDTH), len(dense), WIDTH), dtype=dtype)
    for p, panel in enumerate(panels):
        part = dense[:, p * WIDTH : (p + 1) * WIDTH]
        panel[:, : part.shape[1]] = part
    return panels


def from_panels(panels: np.ndarray, n_columns: int) -> np.ndarray:
    """Return panels (⌈k/16⌉, n, 16) as the columns (n, k)."""
    out = np.empty((panels.shape[1], n_columns), dtype=panels.dtype)
    for p, panel in enumerate(panels):
        part = out[:, p * WIDTH : (p + 1) * WIDTH]
        part[:] = panel[:, : part.shape[1]]
    return out


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
    cuts: np.ndarray, indices: np.ndarray, values: np.ndarray | None, panels: np.ndarray, *, tile: int
) -> np.ndarray:
    """Return C @ dense as panels.

    Parameters
    ----------
    cuts
        Of :func:`cut_rows`, for the rows of C.
    indices, values
        Column and count of every stored value of C; `values` None for ones.
    panels
        The dense side, (p, n_columns, 16).
    tile
        Rows that are done together, for one slab after the other.

    Returns
    -------
    Array (p, n_rows, 16).
    """
    out = np.zeros((panels.shape[0], cuts.shape[1], WIDTH), dtype=panels.dtype)
    _gather(cuts, indices, values, panels, out, tile)
    return out


def scatter(
    cuts: np.ndarray, indices: np.ndarray, values: np.ndarray | None, left: np.ndarray, panels: np.ndarray, *, tile: int
) -> None:
    """Add Cᵀ @ left to `panels` (p, n_columns, 16); `left` holds panels (p, n_rows, 16). See :func:`gather`."""
    _scatter(cuts, indices, values, left, panels, tile)
