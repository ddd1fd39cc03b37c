"""Recovery of a known truth: areas under the precision–recall and ROC curves, per cell and per peak."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from .._arguments import Matrix, checked
from .._settings import settings
from .._validate import Scale, check_adata, check_choice
from ..matrix.access import get_matrix
from .evaluation import profiles_of
from .profiles import Profiles

_BYTES_PER_VALUE = 80  # of the sorted copies and cumulative counts below


def curve_areas(scores: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Return (auPRC, auROC) of every row, tied scores counted as one threshold.

    auPRC is the average precision :math:`\sum_k (R_k - R_{k-1}) P_k` over the distinct scores, auROC the probability
    that a positive scores above a negative (ties one half); as in scikit-learn.

    Parameters
    ----------
    scores
        Array of shape (rows, entries); higher means more likely positive.
    truth
        Boolean array of the same shape.

    Returns
    -------
    Two float64 arrays of shape (rows,); NaN for rows where all entries or none are positive.
    """
    rows, entries = scores.shape
    order = np.argsort(-scores, axis=1, kind="stable")
    ranked = np.take_along_axis(scores, order, axis=1)
    positive = np.take_along_axis(truth, order, axis=1)
    hits = np.cumsum(positive, axis=1, dtype=np.int64)
    n_positive = hits[:, -1]
    n_negative = entries - n_positive
    is_end = np.ones((rows, entries), dtype=bool)
    is_end[:, :-1] = ranked[:, 1:] != ranked[:, :-1]
    # one entry per threshold: the last of each run of equal scores
    row, end = np.nonzero(is_end)
    hits_end = hits[row, end]
    first = np.r_[True, row[1:] != row[:-1]]
    hits_before = np.where(first, 0, np.r_[0, hits_end[:-1]])
    end_before = np.where(first, -1, np.r_[0, end[:-1]])
    gained = hits_end - hits_before
    false_gained = end - end_before - gained
    precision = np.bincount(row, gained * hits_end / (end + 1), minlength=rows)
    area = np.bincount(row, false_gained * (hits_before + gained / 2), minlength=rows)
    both = (n_positive > 0) & (n_negative > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(both, precision / n_positive, np.nan), np.where(both, area / n_positive / n_negative, np.nan)


def accuracy_of(profiles: Profiles, truth: Any, *, axis: Literal["cell", "peak"] = "cell") -> pd.DataFrame:
    """Return auPRC and auROC of every cell (over the peaks) or peak (over the cells), by dense blocks.

    Parameters
    ----------
    profiles
        Enhanced values.
    truth
        Matrix of shape (n_obs, n_vars), dense or sparse; values above 0 are positive.
    axis
        What each row of the result is.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    if tuple(truth.shape) != profiles.shape:
        msg = f"truth has shape {tuple(truth.shape)}, the enhanced matrix {profiles.shape}"
        raise ValueError(msg)
    by_cell = axis == "cell"
    n, entries = profiles.shape if by_cell else profiles.shape[::-1]
    pick: Callable[[slice], tuple] = (lambda s: (s, slice(None))) if by_cell else (lambda s: (slice(None), s))
    if sparse.issparse(truth):
        truth = truth.tocsr() if by_cell else truth.tocsc()
    if sparse.issparse(profiles.cells) and not by_cell:
        profiles = Profiles(profiles.cells.tocsc())
    step = max(1, settings.block_bytes // (_BYTES_PER_VALUE * entries))
    precision, roc = np.empty(n), np.empty(n)
    for start in range(0, n, step):
        part = slice(start, min(n, start + step))
        scores = _rows(profiles.block(*pick(part)), by_cell)
        wanted = truth[pick(part)]
        wanted = _rows(wanted.toarray() if sparse.issparse(wanted) else np.asarray(wanted), by_cell)
        precision[part], roc[part] = curve_areas(scores, wanted > 0)
    return pd.DataFrame({"auprc": precision, "auroc": roc})


def _rows(block: np.ndarray, by_cell: bool) -> np.ndarray:  # noqa: FBT001
    return block if by_cell else np.ascontiguousarray(block.T)


@checked()
def accuracy(
    adata: AnnData,
    truth: Any,
    *,
    axis: Literal["cell", "peak"] = "cell",
    key: str | None = "sccase",
    layer: str | None = None,
    scale: Scale | None = None,
) -> pd.DataFrame:
    """Return how well the enhanced values recover a known truth, per cell or per peak.

    Parameters
    ----------
    adata
        Annotated data with the result of :func:`sccase_kit.tl.enhance`.
    truth
        Name of a layer, or a matrix of shape (n_obs, n_vars); values above 0 are open.
    axis
        `"cell"`: for each cell, over the peaks. `"peak"`: for each peak, over the cells.
    key, layer
        Key of the result; with ``key=None``, `adata.X` or a layer is judged.
    scale
        Scaling of the enhanced values. Min–max scaling puts all peaks on one scale, which discards how open a peak is
        and so lowers the cell-wise areas; peak-wise it only reorders cells through the second pass.

    Returns
    -------
    Table with columns `auprc` and `auroc`, indexed by cells or peaks; NaN where the truth has one class.

    Raises
    ------
    KeyError
        If the layer or the result is missing.
    ValueError
        If the shapes differ.
    """
    check_adata(adata)
    check_choice(axis, ["cell", "peak"], name="axis")
    if not isinstance(truth, str):
        truth = Matrix("cells peaks", stored=True, fit=False)(truth, "truth", {})
    matrix = get_matrix(adata, truth) if isinstance(truth, str) else truth
    table = accuracy_of(profiles_of(adata, key=key, layer=layer, scale=scale), matrix, axis=axis)
    table.index = adata.obs_names if axis == "cell" else adata.var_names
    return table
