"""Benjamini–Hochberg adjustment that leaves out NaN."""

from __future__ import annotations

import numpy as np


def benjamini_hochberg(pvalues: np.ndarray) -> np.ndarray:
    """Return BH-adjusted p-values; NaN stay NaN and do not count as tests (R's ``p.adjust``)."""
    from scipy import stats

    pvalues = np.asarray(pvalues, dtype=np.float64)
    adjusted = np.full(pvalues.shape, np.nan)
    known = ~np.isnan(pvalues)
    if known.any():
        adjusted[known] = stats.false_discovery_control(pvalues[known], method="bh")
    return adjusted
