"""Monte-Carlo p-values of set scores against matched null sets of loci."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

_CHUNK = 8192


def batches(max_iterations: int) -> Iterator[int]:
    """Yield 100, 200, 400, …, while the sum stays below `max_iterations`, and then what is left."""
    done, size = 0, 100
    while done + size < max_iterations:
        yield size
        done, size = done + size, 2 * size
    yield max_iterations - done


def set_scores(locus_scores: np.ndarray) -> np.ndarray:
    """Return the sum over loci (rows); sums that are not finite count as 0."""
    total = np.zeros(locus_scores.shape[1])
    for row in locus_scores:
        total += row
    return np.where(np.isfinite(total), total, 0.0)


def null_pvalues(
    observed: np.ndarray,
    tables: list[np.ndarray],
    *,
    min_observations: int,
    max_iterations: int,
    rng: np.random.Generator,
    report: Callable[[int], None] | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return p-values, null sets that score as high, and null sets tested, per condition.

    Parameters
    ----------
    observed
        Set score of every condition.
    tables
        For every locus the scores (null sets × conditions) it may be replaced by; loci may share an array.
    min_observations
        A condition is done after the batch in which so many null sets reached its score.
    max_iterations
        Largest number of null sets.
    rng
        Generator. The draws are shared by the conditions.
    report
        Called with the number of null sets of every finished batch.

    Notes
    -----
    p = (b + 1) / (a + 1) with b of a null sets at least as high (Phipson & Smyth 2010), up to a relative 1e-12, because
    a binary matrix gives exact ties.
    """
    from .kernels import count_reached

    pools = list({id(t): t for t in tables}.values())
    offsets = dict(zip([id(t) for t in pools], np.cumsum([0, *(len(t) for t in pools)])[:-1], strict=True))
    stacked = np.vstack(pools)
    sizes = np.array([len(t) for t in tables])
    first = np.array([offsets[id(t)] for t in tables])
    threshold = observed - 1e-12 * np.abs(observed)
    reached, tested = np.zeros(len(observed), np.int64), np.zeros(len(observed), np.int64)
    active = np.flatnonzero(observed > 0)
    for size in batches(max_iterations):
        if not len(active):
            break
        table = np.ascontiguousarray(stacked[:, active])
        counts = np.zeros(len(active), np.int64)
        for low in range(0, size, _CHUNK):
            n = min(_CHUNK, size - low)
            rows = np.column_stack([rng.integers(0, s, n) for s in sizes]) + first
            count_reached(table, rows, threshold[active], counts)
        reached[active] += counts
        tested[active] += size
        active = active[reached[active] < min_observations]
        if report:
            report(size)
    return np.where(tested > 0, (reached + 1) / (tested + 1), 1.0), reached, tested
