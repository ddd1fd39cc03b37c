"""Do two annotations act together? Correlation and synergy of pairs of peak sets.

chromVAR's ``getAnnotationCorrelation`` and ``getAnnotationSynergy`` (chromVAR 1.5.0); all the sets of all pairs go
through one call of the deviations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from .._arguments import Generator, Matrix, checked
from .._validate import check_int
from .analytic import BackgroundBins
from .chromvar import as_annotations, deviations

_SETS_PER_CALL = 512


@checked(counts=Matrix("cells peaks", stored=True))
def annotation_correlation(
    counts: Any,
    annotations: Any,
    background: np.ndarray | BackgroundBins,
    *,
    names: Sequence[str] | None = None,
    expectation: np.ndarray | None = None,
) -> pd.DataFrame:
    """Correlate the deviations of every two sets, each computed on the peaks that the other does not have.

    Sharing no peak, a correlation tells that the sets vary together, not that they overlap.

    Parameters
    ----------
    counts, annotations, background, expectation
        As in :func:`deviations`; weights of annotations are kept. Meant for tens of sets: the work grows with the
        number of pairs.
    names
        Names of the sets.

    Returns
    -------
    DataFrame of shape (n_sets, n_sets): Pearson correlations over the cells where both are known; 1 on the diagonal,
    NaN where one set contains the other.

    Raises
    ------
    ValueError
        As :func:`deviations`, or if there are fewer than two sets.
    """
    sets, names = _sets(annotations, names, counts.shape[1])
    pairs = list(combinations(range(sets.shape[1]), 2))
    columns = []
    for i, j in pairs:
        columns += [_without(sets, i, j), _without(sets, j, i)]
    dev = _in_calls(columns, lambda part: deviations(counts, part, background, expectation=expectation).deviations)
    out = np.eye(sets.shape[1])
    for t, (i, j) in enumerate(pairs):
        x, y = dev[:, 2 * t], dev[:, 2 * t + 1]
        known = np.isfinite(x) & np.isfinite(y)
        x, y = x[known] - x[known].mean() if known.any() else x[known], y[known]
        scale = np.sqrt((x**2).sum() * ((y - y.mean()) ** 2).sum()) if known.sum() > 1 else 0.0
        out[i, j] = out[j, i] = (x * (y - y.mean())).sum() / scale if scale > 0 else np.nan
    return pd.DataFrame(out, index=names, columns=names)


@checked(counts=Matrix("cells peaks", stored=True), rng=Generator())
def annotation_synergy(
    counts: Any,
    annotations: Any,
    background: np.ndarray | BackgroundBins,
    *,
    names: Sequence[str] | None = None,
    expectation: np.ndarray | None = None,
    n_draws: int = 25,
    rng: int | np.random.Generator | None = 0,
) -> pd.DataFrame:
    """Ask whether peaks with both annotations vary more than peaks with the more variable one alone would.

    For a pair, the variability (standard deviation of z over cells) of the shared peaks is compared with that of
    `n_draws` random subsets, as large, of the more variable set: (value − mean) / standard deviation.

    Parameters
    ----------
    counts, annotations, background, expectation
        As in :func:`deviations`. Meant for tens of sets.
    names
        Names of the sets.
    n_draws
        Random subsets per pair.
    rng
        Seed or generator of the subsets.

    Returns
    -------
    DataFrame of shape (n_sets, n_sets), symmetric, 0 on the diagonal; NaN where no peak is shared.

    Raises
    ------
    ValueError
        As :func:`deviations`, or if there are fewer than two sets.
    """
    sets, names = _sets(annotations, names, counts.shape[1])
    n_draws = check_int(n_draws, name="n_draws", minimum=2)
    rng = np.random.default_rng(rng)

    def spread(part: sparse.csc_matrix) -> np.ndarray:
        return _spread(deviations(counts, part, background, expectation=expectation).z)[None, :]

    own = _in_calls([sets[:, [k]] for k in range(sets.shape[1])], spread)[0]
    order = np.argsort(-np.nan_to_num(own, nan=-1.0), kind="stable")
    rank = np.argsort(order)
    pairs, columns = [], []
    for i, j in combinations(range(sets.shape[1]), 2):
        larger, other = (i, j) if rank[i] < rank[j] else (j, i)
        peaks = _members(sets, larger)
        shared = np.intersect1d(peaks, _members(sets, other))
        if not shared.size:
            continue
        pairs.append((i, j))
        for chosen in [shared, *(rng.choice(peaks, shared.size, replace=False) for _ in range(n_draws))]:
            columns.append(_pick(sets, larger, chosen))
    out = np.full((sets.shape[1],) * 2, np.nan)
    np.fill_diagonal(out, 0)
    if pairs:
        spreads = _in_calls(columns, spread).reshape(len(pairs), n_draws + 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            score = (spreads[:, 0] - spreads[:, 1:].mean(axis=1)) / spreads[:, 1:].std(axis=1, ddof=1)
        for (i, j), value in zip(pairs, score, strict=True):
            out[i, j] = out[j, i] = value
    return pd.DataFrame(out, index=names, columns=names)


def _sets(annotations: Any, names: Sequence[str] | None, n_peaks: int) -> tuple[sparse.csc_matrix, list[str]]:
    sets = as_annotations(annotations, n_peaks)
    names = [str(k) for k in range(sets.shape[1])] if names is None else list(names)
    if len(names) != sets.shape[1]:
        msg = f"names must have one entry per set ({sets.shape[1]}), got {len(names)}"
        raise ValueError(msg)
    if len(names) < 2:
        msg = f"at least 2 sets are needed, got {len(names)}"
        raise ValueError(msg)
    return sets, names


def _members(sets: sparse.csc_matrix, k: int) -> np.ndarray:
    return sets.indices[sets.indptr[k] : sets.indptr[k + 1]]


def _pick(sets: sparse.csc_matrix, k: int, peaks: np.ndarray) -> sparse.csc_matrix:
    """Return column k cut to the given peaks, weights kept."""
    own = slice(sets.indptr[k], sets.indptr[k + 1])
    keep = np.isin(sets.indices[own], peaks)
    data, indices = sets.data[own][keep], sets.indices[own][keep]
    return sparse.csc_matrix((data, indices, [0, len(indices)]), shape=(sets.shape[0], 1))


def _without(sets: sparse.csc_matrix, k: int, other: int) -> sparse.csc_matrix:
    return _pick(sets, k, np.setdiff1d(_members(sets, k), _members(sets, other)))


def _in_calls(columns: list[sparse.csc_matrix], compute: Callable[[sparse.csc_matrix], np.ndarray]) -> np.ndarray:
    """Apply `compute` to stacks of single columns and join the results along the last axis."""
    stacks = (columns[s : s + _SETS_PER_CALL] for s in range(0, len(columns), _SETS_PER_CALL))
    return np.hstack([compute(sparse.hstack(stack, format="csc")) for stack in stacks])


def _spread(z: np.ndarray) -> np.ndarray:
    """Return the standard deviation (ddof 1) of the finite values per column."""
    finite = np.isfinite(z)
    n = finite.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(finite, z, 0).sum(axis=0) / n
        variance = (np.where(finite, z - mean, 0) ** 2).sum(axis=0) / (n - 1)
    return np.where(n > 1, np.sqrt(variance), np.nan)
