"""Numbers that the paper's claims are made of, on arrays and tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import scipy
from scipy import sparse

from ..metrics import Profiles
from .registry import AT_CEILING, EQUAL

#: From here on a score of 1 at most counts as being at its ceiling.
_CEILING = 0.995


def mean_scores(tables: dict[str, pd.DataFrame], score: str) -> pd.DataFrame:
    """Return the mean of a score over the seeds: data sets × methods."""
    rows = {name: table.groupby("method", sort=False)[score].mean() for name, table in tables.items()}
    return pd.DataFrame(rows).T


def over_second_best(scores: pd.DataFrame, method: str, *, rivals: Callable[[str], bool]) -> pd.Series:
    """Return by how many percent a method exceeds the best of its rivals, for every data set (Fig. S3).

    Parameters
    ----------
    scores
        Data sets × methods.
    method
        Column.
    rivals
        Whether a method is a rival.

    Returns
    -------
    Series by data set, 100 · (s − b) / |b|; without the sets where the method, or every rival, has no score or the
    best is 0.
    """
    best = scores[[name for name in scores.columns if rivals(name)]].max(axis=1)
    own = scores[method] if method in scores else pd.Series(np.nan, index=scores.index)
    gain = 100 * (own - best) / best.abs().where(best != 0)
    return gain.dropna()


def relative_change(after: pd.Series, before: pd.Series) -> pd.Series:
    """Return 100 · (after − before) / |before| where both are known and `before` is not 0."""
    return (100 * (after - before) / before.abs().where(before != 0)).dropna()


def holds_above(changes: pd.Series) -> bool | None:
    """Return whether changes are above 0 on average; None where there are none, or all are 0 (both at the ceiling)."""
    return None if not changes.any() else bool(changes.mean() > 0)


def at_ceiling(ours: pd.Series, other: pd.Series) -> pd.Series:
    """Return where both of two scores are within .005 of 1, so that neither can be better."""
    return (ours >= _CEILING) & (other >= _CEILING)


def wins(ours: pd.Series, other: pd.Series) -> tuple[bool | None, str]:
    """Compare two scores over data sets, leaving out those where both are at the ceiling.

    Returns
    -------
    Whether `ours` is higher in all others, None where there is none; and the kind of tie, if all are at the ceiling.
    """
    room = ~at_ceiling(ours, other)
    if not room.any():
        return None, AT_CEILING
    return bool((ours > other)[room].all()), ""


def exceeds(ours: pd.Series, other: pd.Series) -> tuple[bool | None, str]:
    """Return whether counts are higher in all data sets, None where they are equal in all; and the kind of tie."""
    if (ours == other).all():
        return None, EQUAL
    return bool((ours > other).all()), ""


def named_ceiling(names: pd.Index) -> str:
    """Return the end of a note that names the data sets at the ceiling; nothing where there is none."""
    return f"; at the ceiling, so not judged: {', '.join(map(str, names))}" if len(names) else ""


def paired_wilcoxon(ours: Any, other: Any) -> float:
    """Return the p-value of the one-sided paired Wilcoxon signed-rank test that `ours` is greater.

    Exact for up to 50 pairs without ties. NaN with fewer than two pairs or without any difference. With n pairs no
    p-value is below 1 / 2ⁿ: at least five are needed for p < 0.05.
    """
    difference = np.asarray(ours, dtype=float) - np.asarray(other, dtype=float)
    difference = difference[np.isfinite(difference)]
    if len(difference) < 2 or not difference.any():
        return float("nan")
    return float(scipy.stats.wilcoxon(difference, alternative="greater").pvalue)


def svd_scores(profiles: Profiles, n_components: int = 10) -> np.ndarray:
    """Return the leading singular vectors × values of a matrix that is not centred, (n_obs, n_components).

    This is what the paper, after Cusanovich et al. (2018), calls principal components of the TF-IDF. A thin matrix
    C Pᵀ has the left singular vectors of C T with TᵀT = PᵀP.
    """
    n_components = min(n_components, min(profiles.shape) - 1)
    if profiles.peaks is None and sparse.issparse(profiles.cells):
        from scipy.sparse.linalg import svds

        start = np.full(min(profiles.shape), 1.0)
        u, s, _ = svds(profiles.cells.astype(np.float64), k=n_components, v0=start)
        order = np.argsort(-s)
        return (u * s)[:, order]
    left = np.asarray(profiles.cells, dtype=np.float64)
    if profiles.peaks is not None:
        left = left @ np.asarray(np.linalg.qr(np.asarray(profiles.peaks, dtype=np.float64), mode="r")).T
    u, s, _ = np.linalg.svd(left, full_matrices=False)
    return (u * s)[:, :n_components]


def area_under_roc(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return for every column the probability that a row inside exceeds one outside (ties count half).

    Parameters
    ----------
    values
        Shape (n, m).
    inside
        Boolean, shape (n,).
    """
    ranks = scipy.stats.rankdata(values, axis=0)
    n, m = int(inside.sum()), int((~inside).sum())
    return (ranks[inside].sum(axis=0) - n * (n + 1) / 2) / (n * m)


def neighbor_purity(places: np.ndarray, labels: np.ndarray, *, n_neighbors: int = 15) -> np.ndarray:
    """Return for every cell the share of its nearest neighbours in a map that have its label.

    Parameters
    ----------
    places
        Shape (n, d).
    labels
        Shape (n,).
    n_neighbors
        Neighbours, the cell itself not counted.
    """
    from scipy.spatial import cKDTree

    k = min(n_neighbors, len(places) - 1)
    _, found = cKDTree(places).query(places, k=k + 1)
    # among equal places the cell itself need not come first: it is taken out wherever it is
    own = found == np.arange(len(places))[:, None]
    same = (labels[found] == labels[:, None]) & ~own
    counted = (~own).sum(axis=1)
    return same.sum(axis=1) / counted
