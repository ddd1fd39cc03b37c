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


def spread_rows(x: np.ndarray, n: int, *, rng: np.random.Generator) -> np.ndarray:
    """Draw rows that lie far apart, to start clusters from: k-means++, whose draws rounding does not turn.

    The next row is drawn with a chance that goes with the squared distance to the nearest of those drawn: it is the row
    with the largest log of it plus Gumbel noise. Drawn from cumulated distances, or as the best of several candidates,
    it would be another where a sum is taken in another order, and other clusters would follow.

    Parameters
    ----------
    x
        Rows of length 1, shape (n_rows, k).
    n
        Rows to draw, at most n_rows.
    rng
        Generator of the draws.

    References
    ----------
    Arthur and Vassilvitskii, k-means++, SODA 2007.
    """
    chosen = [int(rng.integers(len(x)))]
    nearest = np.full(len(x), np.inf)
    for _ in range(1, n):
        nearest = np.minimum(nearest, np.maximum(2 - 2 * (x @ x[chosen[-1]]), np.finfo(np.float64).tiny))
        keys = np.log(nearest) + rng.gumbel(size=len(x))
        keys[chosen] = -np.inf
        chosen.append(int(keys.argmax()))
    return np.array(chosen)


def _soft_clusters(
    cosine: np.ndarray, centres: np.ndarray, batch: np.ndarray, *, sigma: float, theta: float, n_iter: int
) -> tuple[np.ndarray, np.ndarray]:
    """Soft k-means on the sphere with a penalty on clusters that one batch dominates."""
    share = batch.mean(axis=0)
    responsibility = np.full((len(cosine), len(centres)), 1 / len(centres))
    for _ in range(n_iter):
        observed = responsibility.T @ batch + 1
        expected = responsibility.sum(axis=0)[:, None] * share[None, :] + 1
        responsibility = cosine @ centres.T
        responsibility -= responsibility.max(axis=1, keepdims=True)
        responsibility *= 2 / sigma  # the squared chord of unit rows is 2 - 2 cos
        np.exp(responsibility, out=responsibility)
        if theta:
            responsibility *= batch @ ((expected / observed) ** theta).T
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


def _batch_offsets(x: np.ndarray, responsibility: np.ndarray, members: list[np.ndarray], *, ridge: float) -> np.ndarray:
    """Return what to take from every row, shape (n, k): its batch's offsets in the clusters, by how much it is in them.

    A batch's offset in a cluster is its mean there less the cluster's, shrunk by `ridge` cells and by its evidence; the
    mean of the offsets of the batches that are present stays, so that the cluster does not move.
    """
    shares = [responsibility[rows] for rows in members]
    size = np.array([share.sum(axis=0) for share in shares])  # (B, clusters)
    sums = np.array([share.T @ x[rows] for share, rows in zip(shares, members, strict=True)])  # (B, clusters, k)
    total = np.maximum(size.sum(axis=0), 1e-12)[:, None]
    centre = sums.sum(axis=0) / total
    squares = np.maximum(responsibility.T @ x**2 - total * centre**2, 0)
    offset = (sums - size[:, :, None] * centre) / (size + ridge)[:, :, None]
    for c in range(len(centre)):
        offset[:, c] *= _evidence(offset[:, c], size[:, c], squares[c])[:, None]
    present = (size > 1)[:, :, None]
    reference = np.where(present, offset, 0).sum(axis=0) / np.maximum(present.sum(axis=0), 1)
    taken = np.where(present, offset - reference, 0)
    out = np.empty_like(x)
    for rows, share, of_batch in zip(members, shares, taken, strict=True):
        out[rows] = share @ of_batch
    return out


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
    if h.shape[1] == 0:
        return h
    n_batches = int(codes.max()) + 1
    batch = one_hot(codes, n_batches)
    n_clusters = max(2, min(len(h) // 30, max(10, len(h) // 100), 100)) if n_clusters is None else n_clusters
    scale = h.std(axis=0)
    scale[scale <= ROUNDING * scale.max()] = 0
    original = h / np.where(scale > 0, scale, 1)
    corrected = original
    members = [np.flatnonzero(codes == b) for b in range(n_batches)]
    seed = int(rng.integers(2**31))
    directions = _unit_rows(original.astype(np.float64))
    sound = np.flatnonzero(directions.any(axis=1))  # a row of zeros is as far from every centre: rounding would decide
    if len(sound) < 2:
        return h
    seeds = sound[spread_rows(directions[sound], min(n_clusters, len(sound)), rng=np.random.default_rng(seed))]
    _, centres = _soft_clusters(directions, directions[seeds], batch, sigma=sigma, theta=0, n_iter=10)
    for _ in range(n_rounds):
        responsibility, centres = _soft_clusters(
            _unit_rows(corrected), centres, batch, sigma=sigma, theta=theta, n_iter=5
        )
        moved = original - _batch_offsets(original, responsibility, members, ridge=ridge)
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
