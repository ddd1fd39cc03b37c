"""Counts as the package holds them: CSR, integers where they are integral, entries given twice added."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse

from .._logging import warn
from .._settings import settings
from ..matrix.access import as_csr, check_structure, native
from ._errors import FormatError

_PART_BYTES = 1 << 18  # stays in the cache from one step to the next
_DENSE_BYTES = 1 << 20  # of a dense matrix at once
_FRACTIONAL = "values are fractional, so these are not raw counts; kept as they are"


def tidy_counts(matrix: Any, *, source: str = "counts", owned: bool = False) -> Any:
    """Return counts as CSR, with an integer dtype where every value is integral; entries given twice are added.

    Warns once when values are fractional; they are kept, in a dense matrix where they came in one (float16 as float32).

    Parameters
    ----------
    matrix
        Counts as a file has them.
    source
        The file, for messages.
    owned
        Whether nobody else holds the matrix, so that its values may be written over.
    """
    if matrix is None:
        msg = f"{source}: there is no X; put the counts there (adata.X = adata.layers[...]) and write the file again"
        raise FormatError(msg)
    try:
        check_structure(matrix, name=source, fresh=True)
    except ValueError as err:
        raise FormatError(str(err)) from None
    if matrix.dtype == np.float16:
        matrix = matrix.astype(np.float32)
    if isinstance(matrix, np.ndarray) and matrix.ndim == 2 and matrix.dtype.kind in "biuf":
        rows = _rows_of(native(matrix))
        if rows is None:
            if all(np.isfinite(part).all() for part in _parts(matrix)):
                warn(f"{source}: {_FRACTIONAL}")
            return matrix
        matrix = rows
    ready = isinstance(matrix, sparse.csr_matrix) and matrix.dtype.isnative and matrix.has_canonical_format
    csr = matrix if ready else as_csr(matrix)
    if csr.dtype.kind in "iu":
        return csr
    if csr.dtype.kind == "b":
        return csr.astype(np.int32)
    values = csr.data
    own = owned or not np.may_share_memory(values, getattr(matrix, "data", values))
    numbers = _as_int32(values, over=own and values.flags.writeable)
    if numbers is not None:
        return _with_values(csr, numbers)
    if not all(np.isfinite(part).all() for part in _parts(values)):
        return csr
    if not _is_integral(values):
        warn(f"{source}: {_FRACTIONAL}")
        return csr
    largest = np.abs(values).max() if values.size else 0
    if largest >= 2.0**63:
        warn(f"{source}: values up to {largest:.3g} are no counts; kept as they are")
        return csr
    return csr.astype(np.int64)


def _rows_of(dense: np.ndarray) -> sparse.csr_matrix | None:
    """Return a dense matrix as CSR; None where a value is no finite integer."""
    n, m = dense.shape
    step = max(1, min(settings.block_bytes, _DENSE_BYTES) // max(1, m * dense.itemsize))
    values, columns, pointers = [], [], np.zeros(n + 1, np.int64)
    for start in range(0, n, step):
        part = np.ascontiguousarray(dense[start : start + step]).ravel()
        held = np.flatnonzero(part != 0)  # four times as fast as of numbers
        values.append(part[held])
        if dense.dtype.kind == "f" and not _is_integral(values[-1]):
            return None
        row, column = np.divmod(held, m)
        columns.append(column.astype(np.int32 if m < 2**31 else np.int64))
        pointers[start + 1 : start + 1 + len(part) // max(1, m)] = np.bincount(row, minlength=len(part) // max(1, m))
    np.cumsum(pointers, out=pointers)
    if not values:
        return sparse.csr_matrix(dense.shape, dtype=dense.dtype)
    parts = np.concatenate(values), np.concatenate(columns)
    index = parts[1].dtype if pointers[-1] < 2**31 else np.int64
    out = sparse.csr_matrix((parts[0], parts[1].astype(index, copy=False), pointers.astype(index)), shape=dense.shape)
    out.has_canonical_format = True
    return out


def _with_values(csr: sparse.csr_matrix, values: np.ndarray) -> sparse.csr_matrix:
    """Return a matrix with the same entries and other values; nothing is copied."""
    out = sparse.csr_matrix((values, csr.indices, csr.indptr), shape=csr.shape, copy=False)
    out.has_canonical_format = True
    return out


def _as_int32(values: np.ndarray, *, over: bool) -> np.ndarray | None:
    """Return float values as int32, in their own memory where that is allowed and they have the same width.

    None where one of them is no integer of this type; the values are then what they were.
    """
    over = over and values.itemsize == np.dtype(np.int32).itemsize and values.flags.c_contiguous
    out = values.view(np.int32) if over else np.empty(values.shape, np.int32)
    start = 0
    for part in _parts(values):
        with np.errstate(invalid="ignore"):  # what the type does not hold comes out different
            whole = part.astype(np.int32)
        if not np.array_equal(whole.astype(part.dtype), part):
            if over:
                for before, after in zip(_parts(out[:start]), _parts(values[:start]), strict=True):
                    after[...] = before.astype(values.dtype)
            return None
        out[start : start + len(part)] = whole
        start += len(part)
    return out


def _parts(values: np.ndarray) -> Iterator[np.ndarray]:
    """Yield pieces along the first axis, so that what is computed of them stays small."""
    step = max(1, min(settings.block_bytes, _PART_BYTES) // max(1, values[:1].nbytes))
    for start in range(0, len(values), step):
        yield values[start : start + step]


def _is_integral(values: np.ndarray) -> bool:
    """Return whether all values are finite integers."""
    return all(np.isfinite(part).all() and np.array_equal(part, np.rint(part)) for part in _parts(values))
