"""Compiled loops over the open entries of a cells × peaks matrix; imported where they run.

The expectation step holds the components of all mixtures in vectors of sixteen numbers (lanes), one LLVM vector each.
Every mixture has some lanes of its own, 1, 2, 4, 8 or 16 of them, and as many components in each as there are vectors,
zeros behind the last. So one division serves all mixtures, and sums over the lanes of a mixture take four steps:
sums over short runs of numbers are not made into vectors by the compiler itself.
"""

from __future__ import annotations

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from ..matrix.products import add_to_rows
from ..matrix.rows import aligned_zeros

LANES = 16
_STEPS = (1, 2, 4, 8)


class Lanes:
    """Which lane and vector every component of some mixtures has.

    Parameters
    ----------
    bank
        Components of each mixture.

    Attributes
    ----------
    slots
        Where the columns of the mixtures, next to each other, stand among the numbers of a row: int64.
    width
        Numbers of a row, a multiple of sixteen.
    masks
        1 where the sum of a lane gets that of the lane 1, 2, 4 or 8 away: (4, 16), float32.
    """

    def __init__(self, bank: tuple[int, ...]) -> None:
        n_vectors = 1
        while sum(sizes := [_power(-(-k // n_vectors)) for k in bank]) > LANES:
            n_vectors += 1
        self.width = n_vectors * LANES
        self.masks = np.zeros((len(_STEPS), LANES), dtype=np.float32)
        self.slots = np.empty(sum(bank), dtype=np.int64)
        columns = np.split(self.slots, np.cumsum(bank)[:-1])
        low = 0
        for c in sorted(range(len(bank)), key=lambda c: -sizes[c]):  # larger ones first: each starts at its multiple
            at = np.arange(bank[c])
            columns[c][:] = at // sizes[c] * LANES + low + at % sizes[c]
            self.masks[: sizes[c].bit_length() - 1, low : low + sizes[c]] = 1
            low += sizes[c]

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Return the columns, (n, r), in their lanes: (n, width), float32, zeros elsewhere, at a cache line."""
        out = aligned_zeros((len(values), self.width), np.float32)
        _spread(values, self.slots, out)
        return out


def _power(number: int) -> int:
    return 1 << (number - 1).bit_length()


def _vector_at(context, builder, array_type, array, offset):
    data = context.make_array(array_type)(context, builder, array).data
    vector = ir.VectorType(context.get_value_type(array_type.dtype), LANES)
    return builder.bitcast(builder.gep(data, [offset]), vector.as_pointer())


def _splat(builder, vector_type, value):
    first = builder.insert_element(ir.Constant(vector_type, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(first, ir.Constant(vector_type, ir.Undefined), zeros)


@intrinsic
def _expect(typingctx, theta, at_theta, phi, at_phi, cells, at_cells, peaks, masks, n_vectors, tiny, weight):
    """Add responsibilities of an entry, times `weight`, to `cells` and `peaks`, which stand as θ and φ do (flat)."""
    intp = types.intp
    signature = types.void(theta, intp, phi, intp, cells, intp, peaks, masks, intp, types.float32, types.float32)

    def codegen(context, builder, signature, args):
        kinds = signature.args
        zero, one = context.get_constant(intp, 0), context.get_constant(intp, 1)
        floats = ir.VectorType(ir.FloatType(), LANES)

        def at(array, start, number):
            offset = builder.add(start, builder.mul(number, context.get_constant(intp, LANES)))
            return _vector_at(context, builder, kinds[array], args[array], offset)

        def load(array, start, number):
            return builder.load(at(array, start, number), align=4)

        def moved(vector, step):
            lanes = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [lane ^ step for lane in range(LANES)])
            return builder.shuffle_vector(vector, ir.Constant(floats, ir.Undefined), lanes)

        total = cgutils.alloca_once_value(builder, ir.Constant(floats, [0.0] * LANES))
        with cgutils.for_range_slice(builder, zero, args[8], one) as (number, _):
            product = builder.fmul(load(0, args[1], number), load(2, args[3], number), flags=("fast",))
            builder.store(builder.fadd(builder.load(total), product, flags=("fast",)), total)
        value = builder.load(total)
        for i, step in enumerate(_STEPS):
            mask = load(7, context.get_constant(intp, i * LANES), zero)
            other = builder.fmul(moved(value, step), mask, flags=("fast",))
            value = builder.fadd(value, other, flags=("fast",))
        tiny, weight = (_splat(builder, floats, args[number]) for number in (9, 10))
        share = builder.fdiv(weight, builder.fadd(value, tiny))
        with cgutils.for_range_slice(builder, zero, args[8], one) as (number, _):
            for target, start, source, from_ in ((4, 5, 2, 3), (6, 3, 0, 1)):
                part = builder.fmul(load(source, args[from_], number), share, flags=("fast",))
                place = at(target, args[start], number)
                builder.store(builder.fadd(builder.load(place, align=4), part, flags=("fast",)), place, align=4)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic(prefer_literal=True)
def _expect_row(typingctx, theta, at_theta, phi, indices, lo, hi, cells, peaks, masks, tiny, registers):
    """Do what :func:`_expect` does for the entries lo..hi of a row, whose θ and sums stay in registers."""
    if not isinstance(registers, types.IntegerLiteral):
        return None
    intp = types.intp
    signature = types.void(theta, intp, phi, indices, intp, intp, cells, peaks, masks, types.float32, registers)

    def codegen(context, builder, signature, args):
        kinds = signature.args
        numbers = range(kinds[10].literal_value)
        one, width = context.get_constant(intp, 1), context.get_constant(intp, len(numbers) * LANES)
        floats = ir.VectorType(ir.FloatType(), LANES)
        known = {i: context.make_array(kinds[i])(context, builder, args[i]).data for i in (0, 2, 3, 6, 7, 8)}

        def at(array, start, number):
            place = builder.gep(known[array], [builder.add(start, context.get_constant(intp, number * LANES))])
            return builder.bitcast(place, floats.as_pointer())

        def load(array, start, number):
            return builder.load(at(array, start, number), align=4)

        def plus(left, right, total):  # in this order, as a loop over the vectors would
            return builder.fadd(total, builder.fmul(left, right, flags=("contract",)), flags=("contract",))

        thetas = [load(0, args[1], number) for number in numbers]
        sums = [cgutils.alloca_once_value(builder, load(6, args[1], number)) for number in numbers]
        steps = [load(8, context.get_constant(intp, i * LANES), 0) for i in range(len(_STEPS))]
        undefined = ir.Constant(floats, ir.Undefined)
        first = builder.insert_element(undefined, args[9], ir.Constant(ir.IntType(32), 0))
        splat = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        least = builder.shuffle_vector(first, undefined, splat)
        with cgutils.for_range_slice(builder, args[4], args[5], one) as (entry, _):
            index = builder.load(builder.gep(known[3], [entry]))
            at_peak = builder.mul(context.cast(builder, index, kinds[3].dtype, intp), width)
            phis = [load(2, at_peak, number) for number in numbers]
            value = ir.Constant(floats, [0.0] * LANES)
            for left, right in zip(thetas, phis, strict=True):
                value = plus(left, right, value)
            for mask, step in zip(steps, _STEPS, strict=True):
                lanes = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [lane ^ step for lane in range(LANES)])
                value = plus(builder.shuffle_vector(value, undefined, lanes), mask, value)
            share = builder.fdiv(ir.Constant(floats, [1.0] * LANES), builder.fadd(value, least))
            for number in numbers:
                builder.store(plus(phis[number], share, builder.load(sums[number])), sums[number])
                place = at(7, at_peak, number)
                builder.store(plus(thetas[number], share, builder.load(place, align=4)), place, align=4)
        for number in numbers:
            builder.store(builder.load(sums[number]), at(6, args[1], number), align=4)
        return context.get_dummy_value()

    return signature, codegen


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def values_at(indptr: np.ndarray, indices: np.ndarray, left: np.ndarray, right: np.ndarray, out: np.ndarray) -> None:
    """Write ``left @ right.T`` at the stored entries of a CSR structure.

    Parameters
    ----------
    indptr, indices
        The structure, (rows × columns).
    left, right
        Arrays of shapes (rows, r) and (columns, r), one dtype.
    out
        Output, one value per stored entry.
    """
    rank = left.shape[1]
    for i in range(len(indptr) - 1):
        row = left[i]
        for p in range(indptr[i], indptr[i + 1]):
            column = right[indices[p]]
            total = row[0] * column[0]
            for k in range(1, rank):
                total += row[k] * column[k]
            out[p] = total


@numba.njit(cache=True, nogil=True)
def add_to_cells(indptr: np.ndarray, indices: np.ndarray, phi: np.ndarray, out: np.ndarray) -> None:
    """Add the row of every peak to that of each cell in which it is open.

    Parameters
    ----------
    indptr, indices
        Where the cells of every peak start, and the cells (CSC).
    phi
        (peaks × r).
    out
        Output, (cells × width), of the same type: r columns, and further ones up to a multiple of sixteen.
    """
    width = out.shape[1]
    row = np.zeros(width, phi.dtype)
    for j in range(len(phi)):
        for c in range(phi.shape[1]):
            row[c] = phi[j, c]
        add_to_rows(None, indices, indptr[j], indptr[j + 1], out, width, row, 0)


@numba.njit(cache=True, nogil=True)
def _spread(values, slots, out):
    for i in range(len(values)):
        for c in range(len(slots)):
            out[i, slots[c]] = values[i, c]


@numba.njit(cache=True, nogil=True, fastmath=True)
def add_prior(phi: np.ndarray, peaks: np.ndarray, prior: np.ndarray, mean: np.ndarray, sums: np.ndarray) -> None:
    """Make soft counts with their prior of `peaks`, in place: peaks · φ + prior · mean; their columns are summed.

    Parameters
    ----------
    phi, peaks
        (columns, width), in lanes.
    prior
        Pseudo-entries of every component, in lanes.
    mean
        π, (columns,), float32.
    sums
        Output, (width,), float64, added to.
    """
    for j in range(len(phi)):
        for c in range(phi.shape[1]):
            value = peaks[j, c] * phi[j, c] + prior[c] * mean[j]
            peaks[j, c] = value
            sums[c] += value


@numba.njit(cache=True, nogil=True, fastmath=True)
def gathered(lanes: np.ndarray, slots: np.ndarray, factor: np.ndarray, out: np.ndarray) -> None:
    """Write the columns (n, r) of what stands in lanes, multiplied by `factor`, (width,)."""
    for i in range(len(lanes)):
        for c in range(len(slots)):
            out[i, c] = lanes[i, slots[c]] * factor[slots[c]]


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def soft_counts(
    cuts: np.ndarray,
    indices: np.ndarray,
    theta: np.ndarray,
    phi: np.ndarray,
    masks: np.ndarray,
    tiny: float,
    cells: np.ndarray,
    peaks: np.ndarray,
) -> None:
    """Add the expectation step of several mixtures at once: their entries' responsibilities, without θ and φ.

    For the columns K of one mixture, with s = Σ_K θ_ik φ_jk at an open entry: `cells` gets Σ_j φ_jk / s and `peaks`
    Σ_i θ_ik / s. Multiplied by θ and φ they are the soft counts. One slab of peaks is done after the other, so that
    their part of `phi` and `peaks` stays in the cache.

    Parameters
    ----------
    cuts, indices
        Where every row crosses the bounds of slabs, (slabs + 1, rows), and the open entries' columns.
    theta, phi
        Arrays of shapes (rows, width) and (columns, width), in lanes (:class:`Lanes`), float32, C-contiguous.
    masks
        Of :class:`Lanes`.
    tiny
        Added to s.
    cells, peaks
        Outputs of shapes (rows, width) and (columns, width), in lanes, float32, C-contiguous, added to.
    """
    width, least = theta.shape[1], np.float32(tiny)
    for s in range(len(cuts) - 1):
        for i in range(len(theta)):
            cell, lo, hi = i * width, cuts[s, i], cuts[s + 1, i]
            if width == LANES:
                _expect_row(theta, cell, phi, indices, lo, hi, cells, peaks, masks, least, 1)
            elif width == 2 * LANES:
                _expect_row(theta, cell, phi, indices, lo, hi, cells, peaks, masks, least, 2)
            elif width == 3 * LANES:
                _expect_row(theta, cell, phi, indices, lo, hi, cells, peaks, masks, least, 3)
            elif width == 4 * LANES:
                _expect_row(theta, cell, phi, indices, lo, hi, cells, peaks, masks, least, 4)
            elif width == 5 * LANES:
                _expect_row(theta, cell, phi, indices, lo, hi, cells, peaks, masks, least, 5)
            elif width == 6 * LANES:
                _expect_row(theta, cell, phi, indices, lo, hi, cells, peaks, masks, least, 6)
            else:
                for p in range(lo, hi):
                    peak = indices[p] * width
                    _expect(theta, cell, phi, peak, cells, cell, peaks, masks, width // LANES, least, np.float32(1))


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def soft_counts_by_peaks(
    indptr: np.ndarray,
    indices: np.ndarray,
    copies: np.ndarray,
    theta: np.ndarray,
    phi: np.ndarray,
    masks: np.ndarray,
    tiny: float,
    prior: np.ndarray,
    mean: np.ndarray,
    cells: np.ndarray,
    peaks: np.ndarray,
    sums: np.ndarray,
) -> None:
    """Add the expectation step to `cells` and write the profiles' soft counts with their prior, one peak at a time.

    Parameters
    ----------
    indptr, indices
        Where the cells of every peak start, and the cells in which it is open (CSC).
    copies
        How many like peaks each stands for, float32; its profile is their sum.
    theta, phi, masks, tiny, cells
        As in :func:`soft_counts`.
    prior, mean
        As in :func:`add_prior`.
    peaks
        Output, (columns, width), in lanes; may be `phi`.
    sums
        Output, (width,), float64: their sums, added to.
    """
    width = theta.shape[1]
    own, total = np.empty(width, phi.dtype), np.empty(width, phi.dtype)
    for j in range(len(phi)):
        for c in range(width):
            own[c] = phi[j, c]
            total[c] = 0
        for p in range(indptr[j], indptr[j + 1]):
            cell = indices[p] * width
            given = masks, width // LANES, np.float32(tiny), copies[j]
            _expect(theta, cell, own, 0, cells, cell, total, *given)
        for c in range(width):
            value = total[c] * own[c] + prior[c] * mean[j]
            peaks[j, c] = value
            sums[c] += value
