"""Compiled loops over the open entries of a cells × peaks matrix; imported where they run.

The expectation step holds the components of each mixture in units of eight numbers, zeros behind the last, so that a
unit is one LLVM vector: sums over short runs of numbers are not made into vectors by the compiler itself.
"""

from __future__ import annotations

from itertools import pairwise

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

UNIT = 8


def _unit_at(context, builder, array_type, array, offset):
    data = context.make_array(array_type)(context, builder, array).data
    vector = ir.VectorType(context.get_value_type(array_type.dtype), UNIT)
    return builder.bitcast(builder.gep(data, [offset]), vector.as_pointer()), vector


@intrinsic
def _dot_units(typingctx, left, at_left, right, at_right):
    """Sum of left[at_left + l] · right[at_right + l] over the numbers l of a unit (flat positions)."""
    signature = left.dtype(left, types.intp, right, types.intp)

    def codegen(context, builder, signature, args):
        align = left.dtype.bitwidth // 8
        a, vector = _unit_at(context, builder, signature.args[0], args[0], args[1])
        b, _ = _unit_at(context, builder, signature.args[2], args[2], args[3])
        product = builder.fmul(builder.load(a, align=align), builder.load(b, align=align), flags=("fast",))
        width = UNIT
        while width > 1:  # halves are added onto each other
            width //= 2
            lanes = [ir.Constant(ir.IntType(32), width + i if i < width else 0) for i in range(UNIT)]
            mask = ir.Constant(ir.VectorType(ir.IntType(32), UNIT), lanes)
            moved = builder.shuffle_vector(product, ir.Constant(vector, ir.Undefined), mask)
            product = builder.fadd(product, moved, flags=("fast",))
        return builder.extract_element(product, ir.Constant(ir.IntType(32), 0))

    return signature, codegen


@intrinsic
def _add_units(typingctx, target, at_target, source, at_source, factor):
    """target[at_target + l] += factor · source[at_source + l] for the numbers l of a unit (flat positions)."""
    signature = types.void(target, types.intp, source, types.intp, target.dtype)

    def codegen(context, builder, signature, args):
        align = target.dtype.bitwidth // 8
        to, vector = _unit_at(context, builder, signature.args[0], args[0], args[1])
        of, _ = _unit_at(context, builder, signature.args[2], args[2], args[3])
        zero = ir.Constant(ir.IntType(32), 0)
        one = builder.insert_element(ir.Constant(vector, ir.Undefined), args[4], zero)
        lanes = ir.Constant(ir.VectorType(ir.IntType(32), UNIT), [0] * UNIT)
        splat = builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), lanes)
        part = builder.fmul(builder.load(of, align=align), splat, flags=("fast",))
        builder.store(builder.fadd(builder.load(to, align=align), part, flags=("fast",)), to, align=align)
        return context.get_dummy_value()

    return signature, codegen


def to_units(values: np.ndarray, cuts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the columns of every mixture in units of eight, with zeros behind them, and where each starts.

    Parameters
    ----------
    values
        Array of shape (n, r).
    cuts
        Where the columns of each mixture start, and r at the end.
    """
    starts = np.concatenate([[0], np.cumsum(-(-np.diff(cuts) // UNIT))]) * UNIT
    out = np.zeros((len(values), int(starts[-1])), dtype=values.dtype)
    for c, start in enumerate(starts[:-1]):
        out[:, start : start + cuts[c + 1] - cuts[c]] = values[:, cuts[c] : cuts[c + 1]]
    return out, starts.astype(np.int64)


def from_units(units: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Return the columns, (n, r), of what :func:`to_units` made."""
    out, start = np.empty((len(units), int(cuts[-1])), dtype=units.dtype), 0
    for low, high in pairwise(cuts.tolist()):
        out[:, low:high] = units[:, start : start + high - low]
        start += -(-(high - low) // UNIT) * UNIT
    return out


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


@numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def soft_counts(
    cuts: np.ndarray,
    indices: np.ndarray,
    theta: np.ndarray,
    phi: np.ndarray,
    starts: np.ndarray,
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
        Arrays of shapes (rows, u) and (columns, u), in units (:func:`to_units`), C-contiguous.
    starts
        Where the units of each mixture start, and u at the end.
    tiny
        Added to s.
    cells, peaks
        Outputs of shapes (rows, u) and (columns, u), in units, C-contiguous, added to.
    """
    width = theta.shape[1]
    for s in range(len(cuts) - 1):
        for i in range(len(theta)):
            cell = i * width
            for p in range(cuts[s, i], cuts[s + 1, i]):
                peak = indices[p] * width
                for c in range(len(starts) - 1):
                    total = tiny
                    for u in range(starts[c], starts[c + 1], 8):
                        total += _dot_units(theta, cell + u, phi, peak + u)
                    share = 1 / total
                    for u in range(starts[c], starts[c + 1], 8):
                        _add_units(cells, cell + u, phi, peak + u, share)
                        _add_units(peaks, peak + u, theta, cell + u, share)
