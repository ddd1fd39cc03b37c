"""R's vectors inside sparse matrices are 32-bit: check before anything is copied."""

from __future__ import annotations

from typing import Any

INT32_MAX = 2**31 - 1
EXACT_DOUBLE = 2**53


def check_int32(value: int, *, name: str, what: str) -> None:
    """Raise OverflowError if a count does not fit R's 32-bit integers."""
    if value > INT32_MAX:
        msg = f"{name} has {value:,} {what}, R's sparse matrices hold at most {INT32_MAX:,}; pass fewer cells or peaks"
        raise OverflowError(msg)


def check_r_size(matrix: Any, *, name: str) -> None:
    """Raise OverflowError if a scipy sparse matrix has more rows, columns or entries than R can index."""
    rows, cols = matrix.shape
    check_int32(rows, name=name, what="rows")
    check_int32(cols, name=name, what="columns")
    check_int32(matrix.nnz, name=name, what="stored entries")
