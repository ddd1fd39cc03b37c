"""Benjamini–Hochberg adjustment that leaves out NaN."""

from __future__ import annotations

import numpy as np


def benjamini_hochberg(pvalues: np.ndarray) -> np.ndarray:
    """Return BH-adjusted p-values, shape (n,), or column by column, shape (n, K).

    NaN stay NaN and do not count as tests (R's ``p.adjust``).
    """
    from scipy import stats

    pvalues = np.asarray(pvalues, dtype=np.float64)
    if pvalues.ndim == 2:
        return np.column_stack([benjamini_hochberg(column) for column in pvalues.T])
    adjusted = np.full(pvalues.shape, np.nan)
    known = ~np.isnan(pvalues)
    if known.any():
        adjusted[known] = stats.false_discovery_control(pvalues[known], method="bh")
    return adjusted
