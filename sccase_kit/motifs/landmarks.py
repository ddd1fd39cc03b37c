"""Landmarks of scABC: weighted k-medoids of cells on rank correlation, and assignment of cells to landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from scipy import sparse
from scipy.special import expit

from .._arguments import Matrix, Numbers, checked
from .._validate import check_int, check_number
from ..matrix.access import as_csr, check_counts

_BLOCK = 512


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Result of :func:`scabc_landmarks`.

    Attributes
    ----------
    landmarks
        Shape (K, n_peaks), float64: counts summed over the cells of a cluster, zero outside its top peaks.
    clusters
        Shape (n_cells,), 0-based cluster of the k-medoids; clusters are ordered by the position of their medoid.
    medoids
        Shape (K,), positions of the medoid cells.
    weights
        Shape (n_cells,), weight of each cell in the clustering.
    assignments
        Shape (n_cells,), 0-based landmark with the highest rank correlation; −1 for cells whose counts in the peaks
        of the landmarks are all alike.
    """

    landmarks: np.ndarray
    clusters: np.ndarray
    medoids: np.ndarray
    weights: np.ndarray
    assignments: np.ndarray


@checked(counts=Matrix("cells peaks"))
def scabc_landmarks(
    counts: Any, n_clusters: int, *, depth: Any = None, n_top: int = 2000, slope: float = 0.1
) -> Landmarks:
    """Cluster cells by scABC and assign each to the nearest landmark.

    Parameters
    ----------
    counts
        Array or sparse matrix of shape (n_cells, n_peaks).
    n_clusters
        Number of clusters K.
    depth
        Background level of each cell, shape (n_cells,), for :func:`cell_weights`. `None`: cells weigh their mean count.
    n_top
        Peaks kept per landmark; ties with the last one stay. As many as there are peaks, or more, keep all.
    slope
        Slope of the weights.

    Returns
    -------
    :class:`Landmarks`

    Raises
    ------
    ValueError
        If there are fewer cells than clusters, shapes differ, or cells have the same count in every peak.

    Notes
    -----
    Holds the n_cells × n_cells distances (8 bytes each). Zamanighomi et al., Nature Communications 2018; R package
    scABC 0.99.0, ``computeLandmarks`` and ``assign2landmarks``. The k-medoids are deterministic.
    """
    counts = as_csr(counts).astype(np.float64)
    check_counts(counts)
    n_cells, n_peaks = counts.shape
    n_clusters = check_int(n_clusters, name="n_clusters", minimum=2, maximum=max(n_cells, 2))
    n_top = check_int(n_top, name="n_top", minimum=1)
    if depth is None:
        weights = np.asarray(counts.mean(axis=1)).ravel()
    else:
        weights = cell_weights(depth, slope=slope)
        if weights.shape != (n_cells,):
            msg = f"depth must have one value per cell ({n_cells}), got shape {weights.shape}"
            raise ValueError(msg)
    correlation = spearman(counts, counts)
    constant = np.flatnonzero(np.isnan(np.diagonal(correlation)))
    if constant.size:
        msg = (
            f"counts: {constant.size} cell(s) have the same count in every peak, at positions "
            f"{constant[:5].tolist()}; they have no rank correlation, drop them first"
        )
        raise ValueError(msg)
    medoids = weighted_k_medoids(1 - correlation, n_clusters, weights=weights)
    clusters = np.argmax(correlation[:, medoids], axis=1)
    clusters[medoids] = np.arange(n_clusters)
    member = sparse.csr_matrix((np.ones(n_cells), (clusters, np.arange(n_cells))), shape=(n_clusters, n_cells))
    sums = (member @ counts).toarray()
    if n_top < n_peaks:
        last = np.partition(sums, n_peaks - n_top, axis=1)[:, n_peaks - n_top, None]
        sums[sums < last] = 0
    return Landmarks(sums, clusters, medoids, weights, assign_landmarks(counts, sums))


@checked(depth=Numbers("cells"))
def cell_weights(depth: Any, *, slope: float = 0.1) -> np.ndarray:
    r"""Return the weights :math:`1 / (1 + e^{-(h - c) / (c \lambda)})` of cells, c the lower of 8 and the median of h.

    Parameters
    ----------
    depth
        Background level h of each cell, shape (n_cells,).
    slope
        :math:`\lambda`; small values tell shallow from deep cells sharply.

    Returns
    -------
    Array of shape (n_cells,), between 0 and 1.

    Raises
    ------
    ValueError
        If depths are not finite or their median is not positive.
    """
    depth = np.asarray(depth, dtype=np.float64)
    slope = check_number(slope, name="slope", minimum=0, exclusive=True)
    centre = min(8.0, float(np.median(depth))) if depth.size else np.nan
    if not np.isfinite(depth).all() or not centre > 0:
        msg = f"depth must be finite with a positive median, got median {centre}"
        raise ValueError(msg)
    return expit((depth - centre) / (centre * slope))


@checked(counts=Matrix("cells peaks"), landmarks=Numbers("landmarks peaks", fit=False))
def assign_landmarks(counts: Any, landmarks: np.ndarray) -> np.ndarray:
    """Return for each cell the landmark (0-based, the first of equals) with the highest Spearman correlation.

    Parameters
    ----------
    counts
        Array or sparse matrix of shape (n_cells, n_peaks).
    landmarks
        Shape (K, n_peaks); only peaks that are positive in a landmark are compared.

    Returns
    -------
    Array of shape (n_cells,), intp; −1 where no correlation exists, because the cell is constant there.

    Raises
    ------
    ValueError
        If the numbers of peaks differ or no landmark has a positive peak.
    """
    counts, landmarks = as_csr(counts), np.asarray(landmarks, dtype=np.float64)
    if landmarks.ndim != 2 or landmarks.shape[1] != counts.shape[1]:
        msg = f"landmarks must have shape (K, {counts.shape[1]}), got {landmarks.shape}"
        raise ValueError(msg)
    used = np.flatnonzero((landmarks > 0).any(axis=0))
    if not used.size:
        msg = "landmarks have no positive peak"
        raise ValueError(msg)
    correlation = spearman(counts[:, used], landmarks[:, used])
    known = ~np.isnan(correlation).all(axis=1)
    best = np.full(counts.shape[0], -1, dtype=np.intp)
    best[known] = np.nanargmax(correlation[known], axis=1)
    return best


def spearman(a: Any, b: Any) -> np.ndarray:
    """Return Spearman correlations between the rows of two non-negative matrices, NaN for constant rows.

    Parameters
    ----------
    a, b
        Arrays or sparse matrices of shapes (n, p) and (m, p); zeros share their mean rank and stay implicit.

    Returns
    -------
    Array of shape (n, m), float64.
    """
    (left, left_mean, left_norm), (right, right_mean, right_norm) = _ranks(as_csr(a)), _ranks(as_csr(b))
    cross = (left @ right.T).toarray() - a.shape[1] * np.outer(left_mean, right_mean)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.clip(cross / np.outer(left_norm, right_norm), -1, 1)


def _ranks(matrix: sparse.csr_matrix) -> tuple[sparse.csr_matrix, np.ndarray, np.ndarray]:
    """Return ranks less the rank of zero (sparse), their means and the norms of the centred rows."""
    matrix = matrix.astype(np.float64)
    matrix.eliminate_zeros()
    n_columns = matrix.shape[1]
    for start, stop in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True):
        # The z zeros hold the ranks 1..z, on average (z + 1) / 2; the others follow.
        n_zeros = n_columns - (stop - start)
        matrix.data[start:stop] = scipy.stats.rankdata(matrix.data[start:stop]) + (n_zeros - 1) / 2 * (n_zeros > 0)
    mean = np.asarray(matrix.sum(axis=1)).ravel() / n_columns
    squares = np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel() - n_columns * mean**2
    # Ranks are multiples of 1/2: what is below rounding error of the sum of squares is a constant row.
    squares[squares <= 1e-12 * n_columns * mean**2] = 0
    return matrix, mean, np.sqrt(squares)


def weighted_k_medoids(distances: np.ndarray, n_clusters: int, *, weights: np.ndarray) -> np.ndarray:
    """Return medoids of partitioning around medoids (build, then best swaps) with weighted cells.

    Parameters
    ----------
    distances
        Symmetric, shape (n, n).
    n_clusters
        Number of medoids.
    weights
        Non-negative, shape (n,).

    Returns
    -------
    Array of shape (n_clusters,), positions in ascending order.

    Notes
    -----
    Kaufman & Rousseeuw 1990; all swaps of one round are valued in O(n²) as by Schubert & Rousseeuw 2019. As the R
    package WeightedCluster's ``wcKMedoids``, it does not depend on chance.
    """
    n = len(distances)
    medoids = [int(np.argmin(distances @ weights))]
    nearest = distances[:, medoids[0]].copy()
    while len(medoids) < n_clusters:
        gain = np.empty(n)
        for start in range(0, n, _BLOCK):
            gain[start : start + _BLOCK] = np.maximum(nearest - distances[start : start + _BLOCK], 0) @ weights
        gain[medoids] = -1
        medoids.append(int(np.argmax(gain)))
        nearest = np.minimum(nearest, distances[:, medoids[-1]])
    best = np.array(medoids)
    while True:
        change, candidate, slot = _best_swap(distances, best, weights)
        if not change < -1e-12 * max(float(distances[:, best].min(axis=1) @ weights), np.finfo(float).tiny):
            return np.sort(best)
        best[slot] = candidate


def _best_swap(distances: np.ndarray, medoids: np.ndarray, weights: np.ndarray) -> tuple[float, int, int]:
    """Return the largest decrease of the weighted cost (negative), the new medoid and the slot it takes."""
    n = len(distances)
    to_medoids = distances[:, medoids]
    owner = np.argmin(to_medoids, axis=1)
    two = np.partition(to_medoids, 1, axis=1)
    nearest, second = two[:, 0], two[:, 1]
    owned = np.zeros((n, len(medoids)))
    owned[np.arange(n), owner] = weights
    best = (0.0, -1, -1)
    for start in range(0, n, _BLOCK):
        block = distances[start : start + _BLOCK]
        common = np.minimum(block - nearest, 0)
        change = (common @ weights)[:, None] + (np.minimum(block, second) - nearest - common) @ owned
        change[np.isin(np.arange(start, start + len(block)), medoids)] = 0
        where = np.unravel_index(np.argmin(change), change.shape)
        if change[where] < best[0]:
            best = (float(change[where]), start + int(where[0]), int(where[1]))
    return best
