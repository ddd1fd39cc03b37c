"""The R package betterChromVAR on numpy and scipy inputs, in a child R."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from .._arguments import checked
from .._labels import encode_labels
from .._validate import check_int, check_number
from ._child import run_tool
from ._inputs import check_read, counts_matrix, vector


@checked()
def better_chromvar(
    counts: Any,
    annotations: Any,
    bias: Any,
    *,
    w: float = 0.1,
    bs: int = 50,
    expectation_groups: Iterable[object] | None = None,
) -> dict[str, Any]:
    """Deviations of peak sets with the R package betterChromVAR: mean and variance of the background without draws.

    Parameters
    ----------
    counts
        Array or sparse matrix of shape (n_cells, n_peaks); every peak needs a count.
    annotations
        Array or sparse matrix of shape (n_peaks, n_sets), weights from 0 to 1.
    bias
        GC content of each peak, shape (n_peaks,).
    w, bs
        Width of the kernel and bins per axis.
    expectation_groups
        Group of each cell: groups then count equally in the expectation (the package's `grouping`).

    Returns
    -------
    dict
        ``deviations`` and ``z`` (n_cells × n_sets), ``fraction_matches`` and ``fraction_background_overlap`` (n_sets)
        and ``variability``, a DataFrame with one row per set: variability, p_value, p_value_adj as the package has
        them; ``session``, R and its packages with their versions.

    Raises
    ------
    RError
        If R fails or the package is missing.
    ValueError
        If shapes do not match, peaks have no counts or weights are not from 0 to 1.

    Notes
    -----
    The package is not the limit of chromVAR's draws, which :func:`~sccase_kit.tl.chromvar` with ``method="analytic"``
    computes: every near peak counts the same as background (in chromVAR every near bin), the variance within a bin is
    taken around the smoothed expectation, and the deviation divides the background by the set's own expectation.

    References
    ----------
    Germain, betterChromVAR (Bioconductor 3.23, 1.1.9); Schep et al., Nature Methods 2017.
    """
    counts = counts_matrix(counts)
    check_read(counts)
    n_cells, n_peaks = counts.shape
    sets = sparse.csc_matrix(annotations, dtype=np.float64)
    if sets.shape[0] != n_peaks or sets.shape[1] == 0:
        msg = f"annotations must have one row per peak ({n_peaks}) and at least one set, got shape {sets.shape}"
        raise ValueError(msg)
    if sets.nnz and not (0 <= sets.data.min() and sets.data.max() <= 1):  # NaN fails too
        msg = f"annotations must be weights from 0 to 1 for betterChromVAR, got {sets.data.min()} to {sets.data.max()}"
        raise ValueError(msg)
    group = None
    if expectation_groups is not None:
        group = (encode_labels(expectation_groups, n_cells, name="expectation_groups")[0] + 1).astype(np.int32)
    result = run_tool(
        "betterchromvar",
        {
            "counts": counts.T,
            "annotations": sets,
            "bias": vector(bias, n_peaks, name="bias", per="peak"),
            "group": group,
            "w": check_number(w, name="w", minimum=0, exclusive=True),
            "bs": check_int(bs, name="bs", minimum=2),
        },
    )
    for name in ("deviations", "z"):
        result[name] = np.asarray(result[name].T, dtype=np.float64, order="C")
    result["variability"] = pd.DataFrame(result["variability"])
    return result
