"""ASTER's estimators of the number of cell types (Chen et al., Bioinformatics 39, btac842, 2023), on arrays.

Written from the paper and from the behaviour of the published program (PyPI ``epiaster`` 0.0.7): two TF-IDF
weightings of the binary data, principal components of each, k-means on both, and Louvain and Leiden on one
neighbour graph. Here each embedding is computed once, from matrix products alone, silhouettes are exact in linear
time, and the partitions tried in the search for one number of clusters serve all the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..matrix.krylov import leading_components
from ..matrix.operator import ScaledOperator
from ..neighbors.communities import METHODS, CommunitySearch
from ..neighbors.nearest import neighbor_graph
from .silhouettes import silhouette

_PRECISION = 0.01  # of the resolution; finer steps only chase the chance of one seed


@dataclass(frozen=True)
class AsterEstimate:
    """Number of cell types by three estimators.

    Attributes
    ----------
    n_types
        The smallest integer not below the mean of the estimates that exist.
    knee
        Knee of the k-means inertia; None where the curve has none.
    davies_bouldin
        Number with the lowest Davies–Bouldin score.
    silhouette
        Number with the largest sum of the silhouettes of Louvain and Leiden, among the numbers that both reached;
        None where there is none.
    curves
        Columns `inertia`, `davies_bouldin`, `silhouette_louvain`, `silhouette_leiden`; index `k`.
    """

    n_types: int
    knee: int | None
    davies_bouldin: int
    silhouette: int | None
    curves: pd.DataFrame


def find_knee(x: ArrayLike, y: ArrayLike, *, sensitivity: float = 1.0) -> float | None:
    """Return the knee of a convex decreasing curve by Kneedle (Satopää et al., 2011), or None.

    Both axes are scaled to [0, 1] and the curve is turned upside down. The difference curve is how far it lies above
    the diagonal. The first local maximum is the knee from which the difference falls by more than `sensitivity` mean
    steps of x before it rises again.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if len(x) < 3 or y.max() == y.min():
        return None
    unit = (x - x.min()) / (x.max() - x.min())
    difference = (y.max() - y) / (y.max() - y.min()) - unit
    drop = sensitivity * np.diff(unit).mean()
    peak = None
    for i in range(len(x)):
        rises = i > 0 and difference[i] > difference[i - 1]
        before = i == 0 or difference[i] >= difference[i - 1]
        after = i == len(x) - 1 or difference[i] >= difference[i + 1]
        if peak is not None and not rises and difference[i] < difference[peak] - drop:
            return float(x[peak])
        if rises:
            peak = None
        if before and after:
            peak = i
    return None


def embeddings(
    op: ScaledOperator, n_open: np.ndarray, *, min_fraction: float, n_components: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the two embeddings and the cells they hold.

    Parameters
    ----------
    op
        Unscaled operator of the 0/1 data.
    n_open
        Cells with the peak open, shape (n_vars,).
    min_fraction
        Peaks open in fewer than this fraction of the cells are left out.
    n_components
        Principal components.
    rng
        Generator.

    Returns
    -------
    Embedding of ln(n / n_open) with cells of unit L2 norm (for the knee), embedding of counts / depth ×
    ln(1 + n / n_open) (for the other two), both (cells kept, d), and the boolean array of the cells kept: those with
    an open peak.
    """
    n = op.shape[0]
    used = n_open >= max(1, np.ceil(min_fraction * n))
    depth = op.matmul(used[:, None].astype(op.dtype)).ravel().astype(np.float64)
    keep = depth > 0
    share = np.maximum(n_open, 1) / keep.sum()
    plain = op.with_scales(np.ones(n), np.where(used, -np.log(np.minimum(share, 1)), 0))
    norms = np.sqrt(plain.row_sq_norms())
    unit = plain.with_scales(_inverse(norms), plain.col_scale)
    frequency = op.with_scales(_inverse(depth), np.where(used, np.log1p(1 / share), 0))
    first = leading_components(unit, n_components, keep=keep, rng=rng)
    second = leading_components(frequency, n_components, keep=keep, start=first, rng=rng)
    return first, second, keep


def _inverse(values: np.ndarray) -> np.ndarray:
    return np.where(values > 0, 1 / np.where(values > 0, values, 1), 0)


def estimate(
    knee_embedding: np.ndarray,
    embedding: np.ndarray,
    k_values: Sequence[int],
    *,
    n_neighbors: int = 15,
    n_draws_before: int = 0,
    seed: int = 0,
    report: Callable[[int], None] | None = None,
) -> AsterEstimate:
    """Return ASTER's estimate from the embeddings of :func:`embeddings`.

    Parameters
    ----------
    knee_embedding, embedding
        Arrays of shape (n_obs, d).
    k_values
        Numbers of types to consider, increasing, from 2.
    n_neighbors
        Neighbours per cell, itself included.
    n_draws_before
        Uniform numbers drawn before the k-means starts.
    seed
        Seed of the k-means starts and of the graph.
    report
        Called with 1 after each number.
    """
    graph = neighbor_graph(embedding, n_neighbors, rng=np.random.default_rng(seed))
    search = CommunitySearch(graph, seed=seed)
    knee_starts, starts = np.random.RandomState(seed), np.random.RandomState(seed)
    for stream in (knee_starts, starts):
        stream.random_sample(n_draws_before)
    partitions: dict[str, dict[float, np.ndarray]] = {method: {} for method in METHODS}
    scored: dict[tuple[str, float], float] = {}
    rows = []
    for k in k_values:
        rows.append(
            {
                "inertia": _kmeans(knee_embedding, k, knee_starts).inertia_,
                "davies_bouldin": _davies_bouldin(embedding, _kmeans(embedding, k, starts).labels_),
            }
        )
        for method in METHODS:
            found = search.search(k, method, precision=_PRECISION, n_retries=0, cached=partitions[method])
            token = (method, found.resolution)
            if found.reached and token not in scored:
                scored[token] = silhouette(found.labels, embedding)
            rows[-1][f"silhouette_{method}"] = scored.get(token, np.nan) if found.reached else np.nan
        if report is not None:
            report(1)
    curves = pd.DataFrame(rows, index=pd.Index(list(k_values), name="k"))
    knee = find_knee(curves.index, curves["inertia"])
    lowest = int(curves["davies_bouldin"].idxmin())
    total = curves["silhouette_louvain"] + curves["silhouette_leiden"]
    best = int(total.idxmax()) if total.notna().any() else None
    votes = [v for v in (knee, lowest, best) if v is not None]
    n_types = int(np.ceil(np.mean(votes)))
    return AsterEstimate(n_types, None if knee is None else int(knee), lowest, best, curves)


def _kmeans(embedding: np.ndarray, k: int, starts: np.random.RandomState) -> Any:
    from sklearn.cluster import KMeans

    return KMeans(int(k), n_init=1, random_state=starts).fit(embedding)


def _davies_bouldin(embedding: np.ndarray, labels: np.ndarray) -> float:
    from sklearn.metrics import davies_bouldin_score

    n_found = len(np.unique(labels))
    return davies_bouldin_score(embedding, labels) if 1 < n_found < len(labels) else np.inf
