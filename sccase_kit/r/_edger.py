"""The R package edgeR on numpy inputs, in a child R."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._arguments import checked
from ..matrix.access import check_counts
from ._child import run_tool


@checked()
def edger(counts: Any, design: Any, contrasts: Any) -> dict[str, np.ndarray]:
    """Test contrasts of pseudo-bulk counts with the R package edgeR (quasi-likelihood F tests).

    Parameters
    ----------
    counts
        Integers, array of shape (n_samples, n_peaks).
    design
        Design matrix, shape (n_samples, n_coefficients), of full rank with samples to spare.
    contrasts
        One row per contrast, shape (n_contrasts, n_coefficients).

    Returns
    -------
    dict
        ``logfc`` (log2), ``statistic`` (F), ``pvalue`` and ``padj`` (Benjamini–Hochberg), each of shape (n_contrasts,
        n_peaks), and ``logcpm`` (n_peaks), float64; ``session``: R and its packages with their
        versions.

    Raises
    ------
    RError
        If R fails or edgeR is not installed.
    ValueError
        If shapes do not match, or counts are not whole and non-negative.

    References
    ----------
    Chen, Lun and Smyth, F1000Research 2016, 5:1438.
    """
    return run_on_contrasts("edger", counts, design, contrasts, ["logfc", "statistic", "pvalue", "padj"])


def run_on_contrasts(tool: str, counts: Any, design: Any, contrasts: Any, fields: list[str]) -> dict[str, np.ndarray]:
    """Check the inputs, run a tool of ``r_scripts`` on them, return `fields` by contrast and the field logcpm."""
    counts = np.asarray(counts, dtype=np.float64)
    design, contrasts = (np.atleast_2d(np.asarray(part, dtype=np.float64)) for part in (design, contrasts))
    check_counts(counts, integer=True)
    if counts.ndim != 2 or len(design) != len(counts) or contrasts.shape[1] != design.shape[1]:
        msg = f"shapes do not match: counts {counts.shape}, design {design.shape}, contrasts {contrasts.shape}"
        raise ValueError(msg)
    result = run_tool(tool, {"counts": counts.T, "design": design, "contrasts": contrasts.T})
    n_contrasts, n_peaks = len(contrasts), counts.shape[1]
    out = {"logcpm": np.asarray(result["logcpm"], dtype=np.float64).reshape(n_peaks), "session": result["session"]}
    for name in fields:
        out[name] = np.asarray(result[name], dtype=np.float64).reshape(n_peaks, n_contrasts).T
    return out
