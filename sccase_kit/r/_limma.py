"""The R package limma on numpy inputs, in a child R."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._arguments import checked
from ._edger import run_on_contrasts


@checked()
def limma(counts: Any, design: Any, contrasts: Any) -> dict[str, np.ndarray]:
    """Test contrasts of pseudo-bulk counts with the R package limma (moderated t tests on voom's weights).

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
        ``logfc`` (log2), ``se`` (its standard error), ``statistic`` (moderated t), ``pvalue`` and ``padj``
        (Benjamini–Hochberg), each of shape (n_contrasts, n_peaks), and ``logcpm`` (n_peaks), float64; ``session``: R
        and its packages with their versions.

    Raises
    ------
    RError
        If R fails or limma or edgeR (for its normalisation) is not installed.
    ValueError
        If shapes do not match, or counts are not whole and non-negative.

    References
    ----------
    Law, Chen, Shi and Smyth, Genome Biology 2014, 15:R29.
    """
    return run_on_contrasts("limma", counts, design, contrasts, ["logfc", "se", "statistic", "pvalue", "padj"])
