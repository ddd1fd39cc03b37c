"""Counts and numbers per cell or peak, checked before an engine takes them to R."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from ..matrix.access import as_csr, check_counts
from ._limits import check_int32


def counts_matrix(counts: Any) -> sparse.csr_matrix:
    """Return counts as canonical CSR; its transpose is the peaks × cells dgCMatrix on the same arrays."""
    matrix = as_csr(counts)
    check_counts(matrix)
    if min(matrix.shape) == 0:
        msg = f"counts must have cells and peaks, got shape {matrix.shape}"
        raise ValueError(msg)
    check_int32(matrix.nnz, name="counts", what="stored entries")
    return matrix


def check_read(counts: sparse.csr_matrix) -> None:
    """Raise ValueError naming the peaks without any count, on which chromVAR stops."""
    empty = np.flatnonzero(np.asarray(counts.sum(axis=0)).ravel() <= 0)
    if empty.size:
        msg = (
            f"counts: {empty.size} peak(s) without any count, at positions {empty[:5].tolist()}; chromVAR needs one "
            "in every peak, filter them first (sccase_kit.pp.filter_peaks)"
        )
        raise ValueError(msg)


def vector(values: Any, length: int, *, name: str, per: str) -> np.ndarray:
    """Return finite numbers of the given length, or raise ValueError."""
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.shape != (length,):
        msg = f"{name} must have one value per {per} ({length}), got shape {numbers.shape}"
        raise ValueError(msg)
    if not np.isfinite(numbers).all():
        msg = f"{name} has {int((~np.isfinite(numbers)).sum())} NaN or infinite value(s); drop those {per}s first"
        raise ValueError(msg)
    return numbers
