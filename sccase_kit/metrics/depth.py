"""Dependence of components on sequencing depth."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from .._arguments import Numbers, checked
from .._validate import check_choice


@checked(embedding=Numbers("cells dimensions"), depth=Numbers("cells", fit=False))
def depth_correlation(
    embedding: np.ndarray, depth: np.ndarray, *, method: Literal["pearson", "spearman"] = "pearson"
) -> pd.Series:
    """Return the correlation of every component with log sequencing depth.

    Parameters
    ----------
    embedding
        Array of shape (n_obs, d).
    depth
        Total counts of every cell, shape (n_obs,), above 0.
    method
        Pearson with ln(depth), or Spearman.

    Returns
    -------
    Series of d correlations, index from 1; 0 for a constant component.

    Raises
    ------
    ValueError
        If a depth is not positive or the numbers of cells differ.
    """
    check_choice(method, ["pearson", "spearman"], name="method")
    x, depth = np.asarray(embedding, dtype=np.float64), np.asarray(depth, dtype=np.float64).ravel()
    if len(x) != len(depth):
        msg = f"depth has {len(depth)} values, embedding has {len(x)} cells"
        raise ValueError(msg)
    if not (depth > 0).all():
        msg = f"depth must be positive; {int((~(depth > 0)).sum())} cells have none: filter empty cells first"
        raise ValueError(msg)
    y = np.log(depth)
    if method == "spearman":
        from scipy.stats import rankdata

        x, y = rankdata(x, axis=0), rankdata(y)
    x, y = x - x.mean(axis=0), y - y.mean()
    norms = np.linalg.norm(x, axis=0) * np.linalg.norm(y)
    values = np.where(norms > 0, (x.T @ y) / np.where(norms > 0, norms, 1), 0.0)
    return pd.Series(values, index=pd.RangeIndex(1, len(values) + 1, name="component"), name="correlation")
