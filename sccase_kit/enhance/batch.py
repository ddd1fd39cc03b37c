r"""Batch correction on thin factors: an aligned embedding and a balanced similarity.

`align_embedding` moves cells of the same kind together across batches (soft clusters that are penalised when one
batch fills them, and a ridge regression on the batches inside every cluster, after Korsunsky et al. 2019);
`balanced_factors` gives every batch the same share of every cell's similarity. The published program's own
reweighting is `published_factors`.
"""

from __future__ import annotations

import numpy as np

ROUNDING = 1e-5  # rows and columns smaller than this share of the largest hold the rounding of float32 alone (1e-6)


def one_hot(codes: np.ndarray, n_batches: int) -> np.ndarray:
    """Return the (n, n_batches) indicator matrix of integer codes."""
    return (codes[:, None] == np.arange(n_batches)[None, :]).astype(np.float64)


def _unit_rows(x: np.ndarray) -> np.ndarray:
    """Return the rows at length 1; a row of rounding alone, such as that of a cell without counts, becomes 0."""
    norms = np.linalg.norm(x, axis=1, keepdims=True)
    sound = norms > ROUNDING * norms.max(initial=0)
    return np.where(sound, x / np.where(sound, norms, 1), 0)


def _soft_clusters(
    cosine: np.ndarray, centres: np.ndarray, batch: np.ndarray, *, sigma: float, theta: float, n_iter: int
) -> tuple[np.ndarray, np.ndarray]:
    """Soft k-means on the sphere with a penalty on clusters that one batch dominates."""
    share = batch.mean(axis=0)
    responsibility = np.full((len(cosine), len(centres)), 1 / len(centres))
    for _ in range(n_iter):
        distance = 2 * (1 - cosine @ centres.T)
        observed = responsibility.T @ batch + 1
        expected = responsibility.sum(axis=0)[:, None] * share[None, :] + 1
        penalty = batch @ ((expected / observed) ** theta).T
        logits = -distance / sigma
        responsibility = np.exp(logits - logits.max(axis=1, keepdims=True)) * penalty
        responsibility /= responsibility.sum(axis=1, keepdims=True)
        centres = _unit_rows(responsibility.T @ cosine)
    return responsibility, centres


def _evidence(offset: np.ndarray, size: np.ndarray, sum_of_squares: np.ndarray) -> np.ndarray:
    """Return how much of every batch's offset to believe, shape (B,): the positive-part James-Stein factor.

    1 - c / |offset|², at least 0, with c the squared length that chance gives a batch of that size.

    Parameters
    ----------
    offset
        Offsets of the batches in a cluster, (B, k).
    size
        Cells of the batches in the cluster, (B,).
    sum_of_squares
        Squared deviations of its cells from the cluster's centre, summed, (k,).
    """
    within = np.maximum(sum_of_squares - size @ offset**2, 0).sum() / max(size.sum() - len(size), 1)
    chance = within * (1 / np.maximum(size, 1e-12) - 1 / max(size.sum(), 1e-12))
    return np.clip(1 - chance / np.maximum((offset**2).sum(axis=1), 1e-300), 0, 1)


def align_embedding(
    h: np.ndarray,
    codes: np.ndarray,
    *,
    rng: np.random.Generator,
    nonnegative: bool = True,
    n_clusters: int | None = None,
    theta: float = 2.0,
    sigma: float = 0.1,
    ridge: float = 1.0,
    n_rounds: int = 10,
) -> np.ndarray:
    """Return the embedding with batch effects removed inside soft clusters.

    Only offsets beyond chance are removed: where batches do not differ, cells stay where they are.

    Parameters
    ----------
    h
        Embedding of shape (n, k).
    codes
        Integer batch codes 0..B−1, shape (n,).
    rng
        Generator for the cluster start.
    nonnegative
        Clip the corrected embedding at 0.
    n_clusters
        Soft clusters; by default a hundredth of the cells, at least 10 and at most 100; fewer below 300 cells.
    theta
        Strength of the batch penalty; 0 ignores the batches while clustering.
    sigma
        Width of the soft assignment in squared chord length.
    ridge
        Ridge of the regression on the batches, in cells.
    n_rounds
        Rounds of clustering and correction.

    References
    ----------
    Korsunsky et al., Nature Methods 16 (2019), Algorithm 1-3.
    """
    from sklearn.cluster import KMeans

    if h.shape[1] == 0:
        return h
    n_batches = int(codes.max()) + 1
    batch = one_hot(codes, n_batches)
    n_clusters = max(2, min(len(h) // 30, max(10, len(h) // 100), 100)) if n_clusters is None else n_clusters
    scale = h.std(axis=0)
    scale[scale <= ROUNDING * scale.max()] = 0
    original = h / np.where(scale > 0, scale, 1)
    corrected = original
    seed = int(rng.integers(2**31))
    directions = _unit_rows(original)
    directions = directions[directions.any(axis=1)]  # a row of zeros is as far from every centre: rounding would decide
    if len(directions) < 2:
        return h
    start = KMeans(min(n_clusters, len(directions)), n_init=1, random_state=seed).fit(directions)
    centres = _unit_rows(start.cluster_centers_)
    for _ in range(n_rounds):
        responsibility, centres = _soft_clusters(
            _unit_rows(corrected), centres, batch, sigma=sigma, theta=theta, n_iter=5
        )
        moved = original.copy()
        for r in responsibility.T:
            size = r @ batch
            centre = (r @ original) / max(r.sum(), 1e-12)
            offset = (batch.T * r) @ (original - centre) / (size + ridge)[:, None]
            offset *= _evidence(offset, size, r @ (original - centre) ** 2)[:, None]
            present = size > 1
            reference = offset[present].mean(axis=0) if present.any() else 0
            moved -= r[:, None] * (batch @ np.where(present[:, None], offset - reference, 0))
        if np.linalg.norm(moved - corrected) <= 1e-4 * np.linalg.norm(corrected):
            corrected = moved
            break
        corrected = moved
    corrected = np.maximum(corrected, 0) if nonnegative else corrected
    return corrected * np.where(scale > 0, scale, 1)


def _masses(a: np.ndarray, h: np.ndarray, batch: np.ndarray, *, exclude_self: bool) -> np.ndarray:
    """Return the mass that cell j receives from every batch, Σ_{i in b} Z_ij: shape (n, B)."""
    mass = h @ (batch.T @ a).T
    if exclude_self:
        mass = mass - batch * np.einsum("ij,ij->i", a, h)[:, None]
    return np.maximum(mass, 0)


def published_factors(a: np.ndarray, h: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return the published reweighting b̄ / (ā + b̄) of every (cell, batch): shape (n, B), from thin Z = A hᵀ."""
    batch = one_hot(codes, int(codes.max()) + 1)
    size = batch.sum(axis=0)
    mass = _masses(a, h, batch, exclude_self=False)
    inside = mass / size
    outside = (mass.sum(axis=1, keepdims=True) - mass) / (len(a) - size)
    total = inside + outside
    return np.where(total > 0, outside / np.where(total > 0, total, 1), 0)


def balanced_factors(a: np.ndarray, h: np.ndarray, codes: np.ndarray, *, max_gain: float = 50.0) -> np.ndarray:
    """Return weights that give every batch the same mean similarity to a cell, without its own: shape (n, B).

    A batch with (almost) no similar cell is not inflated by more than `max_gain`.
    """
    batch = one_hot(codes, int(codes.max()) + 1)
    size = batch.sum(axis=0)[None, :] - batch
    mass = _masses(a, h, batch, exclude_self=True)
    mean = mass / np.maximum(size, 1)
    target = mean.mean(axis=1, keepdims=True)
    gain = target / np.maximum(mean, target / max_gain + np.finfo(float).tiny)
    return gain / batch.sum(axis=0)[None, :] * len(a) / batch.shape[1]


def spread_over_batches(a: np.ndarray, h: np.ndarray, codes: np.ndarray, factor: np.ndarray):
    """Return (A∘1_b, h∘f_b) side by side over the batches: the thin factors of the reweighted Z, rank k·B."""
    n_batches = factor.shape[1]
    batch = one_hot(codes, n_batches)
    sources = np.hstack([a * batch[:, [b]] for b in range(n_batches)])
    targets = np.hstack([h * factor[:, [b]] for b in range(n_batches)])
    return sources, targets
