"""How well batches are mixed: kBET and the batch silhouette."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy

from .._arguments import Generator, Number, Numbers, Whole, checked
from .._labels import encode_labels
from ..neighbors.nearest import nearest_neighbors

FEWEST = 10  # cells of a type inside which mixing is judged by kBET, and of its neighbourhoods


@checked(
    embedding=Numbers("cells dimensions"), n_neighbors=Whole(1), alpha=Number(minimum=0, maximum=1), rng=Generator()
)
def kbet(
    embedding: np.ndarray,
    batches: Any,
    *,
    labels: Any | None = None,
    n_neighbors: int = 50,
    alpha: float = 0.05,
    rng: int | np.random.Generator | None = 0,
) -> float:
    """Return kBET's acceptance rate: the share of cells whose neighbourhood has the overall batch composition.

    For each cell the batches among its nearest neighbours (itself included) are compared with the batches of all
    cells by Pearson's chi-squared test; a cell is accepted when p ≥ `alpha` (Büttner et al., Nature Methods 16, 2019).
    1 is perfectly mixed, 0 separated. Where the batches hold the types in different shares, perfect mixing inside every
    type is rejected too, and noise that mixes the types raises the rate: give `labels` to compare methods then.

    Parameters
    ----------
    embedding
        Array of shape (n_obs, d).
    batches
        Batch of every cell, shape (n_obs,).
    labels
        Cell type of every cell, shape (n_obs,): the mean of the rates inside every type, with neighbours and shares of
        batches of its own cells. Neighbourhoods take a quarter of the mean batch, at least 10 and at most
        `n_neighbors`; types with fewer than 10 cells or one batch are left out (Luecken et al., Nature Methods 19,
        2022).
    n_neighbors
        Size of the neighbourhoods, at most n_obs.
    alpha
        Significance level.
    rng
        Nothing is drawn any more.

    Returns
    -------
    Share of accepted cells, between 0 and 1.

    Raises
    ------
    ValueError
        If there is one batch only or, with `labels`, no type that can be judged.
    """
    x = np.asarray(embedding)
    codes, _ = encode_labels(batches, len(x), name="batches", min_groups=2)
    if labels is None:
        return _acceptance(x, codes, min(n_neighbors, len(x)), alpha=alpha)
    groups, types = encode_labels(labels, len(x), name="labels")
    rates = []
    for chosen in (groups == group for group in range(len(types))):
        n_batches = len(np.unique(codes[chosen]))
        if chosen.sum() >= FEWEST and n_batches > 1:
            k = min(n_neighbors, max(FEWEST, int(chosen.sum() / n_batches / 4)))
            rates.append(_acceptance(x[chosen], codes[chosen], k, alpha=alpha))
    if not rates:
        msg = f"no label has {FEWEST} cells or more of two batches; batch mixing inside labels cannot be judged"
        raise ValueError(msg)
    return float(np.mean(rates))


def _acceptance(embedding: np.ndarray, codes: np.ndarray, n_neighbors: int, *, alpha: float) -> float:
    indices, _ = nearest_neighbors(embedding, n_neighbors)
    sizes = np.bincount(codes)
    present = np.flatnonzero(sizes)
    observed = np.stack([(codes[indices] == b).sum(axis=1) for b in present], axis=1)
    expected = n_neighbors * sizes[present] / len(codes)
    statistic = ((observed - expected) ** 2 / expected).sum(axis=1)
    return float((scipy.stats.chi2.sf(statistic, df=len(present) - 1) >= alpha).mean())


@checked(embedding=Numbers("cells dimensions"))
def batch_asw(embedding: np.ndarray, labels: Any, batches: Any) -> float:
    """Return the batch mixing score by silhouettes: 1 is perfectly mixed, 0 separated.

    Within each label, one minus the absolute silhouette of the batches is averaged over the cells, then the labels are
    averaged; labels present in one batch only are left out (Luecken et al., Nature Methods 19, 2022; Euclidean
    distance).

    Parameters
    ----------
    embedding
        Array of shape (n_obs, d).
    labels, batches
        Cell type and batch of every cell, shape (n_obs,).

    Returns
    -------
    Score between 0 and 1.

    Raises
    ------
    ValueError
        If no label is present in two batches.
    """
    from sklearn.metrics import silhouette_samples

    x = np.asarray(embedding, dtype=np.float64)
    codes, groups = encode_labels(labels, len(x))
    batch, _ = encode_labels(batches, len(x), name="batches", min_groups=2)
    scores = []
    for group in range(len(groups)):
        chosen = codes == group
        n_batches = len(np.unique(batch[chosen]))
        if 1 < n_batches < chosen.sum():
            scores.append((1 - np.abs(silhouette_samples(x[chosen], batch[chosen]))).mean())
    if not scores:
        msg = "no label has cells of two batches; batch mixing cannot be judged"
        raise ValueError(msg)
    return float(np.mean(scores))


def neighbours_of_other_batches(
    embedding: np.ndarray, batches: Any, labels: Any, *, n_neighbors: int = 15, rng: int = 0
) -> tuple[float, float] | None:
    """Return how often neighbours inside a group are of another batch, and how often they would be by chance.

    Parameters
    ----------
    embedding
        Array of shape (n_obs, d).
    batches, labels
        Batch and group of every cell, shape (n_obs,). Neighbours are searched inside the group of the cell; groups of
        one batch or fewer than 10 cells are left out.
    n_neighbors
        Neighbours of a cell, itself left out; at most a quarter of the group.
    rng
        Nothing is drawn any more.

    Returns
    -------
    Two shares, means over the cells, or None where no group can be judged.
    """
    x = np.asarray(embedding)
    codes, _ = encode_labels(batches, len(x), name="batches")
    groups, names = encode_labels(labels, len(x), name="labels")
    observed, expected, n_cells = 0.0, 0.0, 0
    for chosen in (np.flatnonzero(groups == group) for group in range(len(names))):
        own = codes[chosen]
        sizes = np.bincount(own)
        if len(chosen) < FEWEST or (sizes > 0).sum() < 2:
            continue
        k = min(n_neighbors, max(2, len(chosen) // 4))
        indices, _ = nearest_neighbors(x[chosen], k + 1)
        observed += float((own[indices[:, 1:]] != own[:, None]).mean(axis=1).sum())
        expected += float((1 - (sizes[own] - 1) / (len(chosen) - 1)).sum())
        n_cells += len(chosen)
    return None if n_cells == 0 else (observed / n_cells, expected / n_cells)
