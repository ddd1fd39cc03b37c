"""Counts as the package holds them: CSR, integers where they are integral, entries given twice added."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .._logging import warn
from .._settings import settings
from ..matrix.access import as_csr, check_structure
from ._errors import FormatError

_FRACTIONAL = "values are fractional, so these are not raw counts; kept as they are"


def tidy_counts(matrix: Any, *, source: str = "counts") -> Any:
    """Return counts as CSR, with an integer dtype where every value is integral; entries given twice are added.

    Warns once when values are fractional; they are kept, in a dense matrix where they came in one (float16 as float32).
    """
    if matrix is None:
        msg = f"{source}: there is no X; put the counts there (adata.X = adata.layers[...]) and write the file again"
        raise FormatError(msg)
    try:
        check_structure(matrix, name=source)
    except ValueError as err:
        raise FormatError(str(err)) from None
    if matrix.dtype == np.float16:
        matrix = matrix.astype(np.float32)
    if isinstance(matrix, np.ndarray) and matrix.dtype.kind == "f" and not _is_integral(matrix):
        if all(np.isfinite(part).all() for part in _parts(matrix)):
            warn(f"{source}: {_FRACTIONAL}")
        return matrix
    csr = as_csr(matrix)
    if csr.dtype.kind in "iu":
        return csr
    if csr.dtype.kind == "b":
        return csr.astype(np.int32)
    values = csr.data
    if not np.isfinite(values).all():
        return csr
    if not _is_integral(values):
        warn(f"{source}: {_FRACTIONAL}")
        return csr
    wide = values.size and np.abs(values).max() > np.iinfo(np.int32).max
    return csr.astype(np.int64 if wide else np.int32)


def _parts(values: np.ndarray) -> Iterator[np.ndarray]:
    """Yield pieces along the first axis, so that what is computed of them stays small."""
    step = max(1, settings.block_bytes // max(1, values[:1].nbytes))
    for start in range(0, len(values), step):
        yield values[start : start + step]


def _is_integral(values: np.ndarray) -> bool:
    """Return whether all values are finite integers."""
    return all(np.isfinite(part).all() and np.array_equal(part, np.rint(part)) for part in _parts(values))
