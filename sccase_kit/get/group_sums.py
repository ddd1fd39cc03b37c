"""Sums of the enhanced data over groups of cells, in units that groups share."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from anndata import AnnData

from .._logging import warn
from .thin import enhanced, factors

_ROWS = 512  # of a dense result at once
UNITS = {"cpm": "counts per million of the group in all peaks", "cell": "counts per cell of the group"}


def group_enhanced(adata: AnnData, labels: pd.Series, key: str) -> npt.NDArray[np.float64]:
    """Return the expected counts of every group and peak; of a fit without depth and IDF, the signal."""
    codes, n_groups = labels.cat.codes.to_numpy(), len(labels.cat.categories)
    try:
        cells, peaks = factors(adata, key=key, scale="counts")
    except KeyError:  # a dense result
        return _dense_sums(adata, codes, n_groups, key)
    except ValueError as err:
        warn(f"the enhanced tracks show the signal, not expected counts: {err}")
        cells, peaks = factors(adata, key=key)
    sums = np.zeros((n_groups, cells.shape[1]))
    np.add.at(sums, codes, cells.astype(np.float64))
    return np.maximum(sums @ peaks.T.astype(np.float64), 0)


def _dense_sums(adata: AnnData, codes: npt.NDArray[Any], n_groups: int, key: str) -> npt.NDArray[np.float64]:
    sums = np.zeros((n_groups, adata.n_vars))
    for start in range(0, adata.n_obs, _ROWS):
        rows = slice(start, min(start + _ROWS, adata.n_obs))
        np.add.at(sums, codes[rows], enhanced(adata, key, obs_names=rows))
    return sums


def scaled(sums: npt.NDArray[np.float64], n_cells: npt.NDArray[np.float64], scaling: str) -> npt.NDArray[np.float64]:
    """Return sums of groups as counts per million of the group ("cpm") or per cell ("cell")."""
    if scaling == "cell":
        return sums / n_cells[:, None]
    return 1e6 * sums / np.maximum(sums.sum(axis=1, keepdims=True), np.finfo(float).tiny)
