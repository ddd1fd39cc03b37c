r"""Random walk with restart on a neighbour graph: how near every cell is to a set of seed cells.

With A the symmetric weights, D their sums and γ the probability of a restart, the walk's stationary distribution for
seeds e is :math:`p = \gamma (I - (1 - \gamma) A D^{-1})^{-1} e`. Written as
:math:`D^{1/2} (I - (1-\gamma) D^{-1/2} A D^{-1/2})^{-1} D^{-1/2} e`, the matrix is symmetric with eigenvalues between γ
and 2 − γ, so that Chebyshev's iteration with these known bounds needs some 40 products where power iteration needs 225.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .._rng import check_rng
from .._validate import check_int, check_number

_COLUMNS = 64
_NULL_TOLERANCE = 1e-5
_TIE = 1e-3  # random walks that visit as often but for this share count as ties


def random_walk(
    graph: sparse.csr_matrix,
    seeds: np.ndarray,
    *,
    restart: float = 0.05,
    tol: float = 1e-6,
    report: Callable[[int], None] | None = None,
) -> np.ndarray:
    """Return the stationary distributions of random walks with restart.

    Parameters
    ----------
    graph
        Symmetric weights ≥ 0, sparse (n, n); the diagonal counts as well. A cell without neighbours keeps its share.
    seeds
        Where walks restart: shape (n, m), ≥ 0; a column is scaled to sum 1.
    restart
        Probability of a restart at every step, in (0, 1]: 0.05 as SCAVENGE.
    tol
        Relative error of the result.
    report
        Called with the number of finished columns.

    Returns
    -------
    Array of shape (n, m), float64 (float32 for seeds of float32); columns sum to 1.

    Raises
    ------
    ValueError
        If shapes do not fit, a weight is negative, or a column of seeds is empty.
    """
    restart = check_number(restart, name="restart", minimum=0, maximum=1, exclusive=True) if restart != 1 else 1.0
    tol = check_number(tol, name="tol", minimum=0, exclusive=True)
    n = graph.shape[0]
    if graph.shape != (n, n) or seeds.ndim != 2 or len(seeds) != n:
        msg = f"graph must be (n, n) and seeds (n, m), got {graph.shape} and {seeds.shape}"
        raise ValueError(msg)
    if graph.nnz and graph.data.min() < 0:
        msg = f"graph must have weights >= 0, found {graph.data.min():.3g}"
        raise ValueError(msg)
    total = np.asarray(seeds.sum(axis=0), dtype=np.float64)
    if seeds.size and (seeds.min() < 0 or not (total > 0).all()):
        msg = f"seeds must be >= 0 with at least one in every column; column {int(np.argmin(total))} has none"
        raise ValueError(msg)
    degree = np.asarray(graph.sum(axis=1), dtype=np.float64).ravel()
    lonely = degree <= 0
    root = np.sqrt(np.where(lonely, 1.0, degree))
    scale = sparse.diags_array(1 / root)
    walk = ((1 - restart) * (scale @ graph @ scale + sparse.diags_array(lonely.astype(float)))).tocsr()
    out = np.empty(seeds.shape, dtype=np.float32 if seeds.dtype == np.float32 else np.float64)
    walk, root = walk.astype(out.dtype), root.astype(out.dtype)
    for start in range(0, seeds.shape[1], _COLUMNS):
        part = slice(start, min(start + _COLUMNS, seeds.shape[1]))
        right = (restart * (seeds[:, part] / total[part])).astype(out.dtype) / root[:, None]
        found = _chebyshev(walk, right, 1 - restart, tol) * root[:, None]
        np.maximum(found, 0, out=found)
        out[:, part] = found / found.sum(axis=0)
        if report is not None:
            report(part.stop - part.start)
    return out


def _chebyshev(walk: sparse.csr_matrix, right: np.ndarray, reach: float, tol: float) -> np.ndarray:
    """Solve (I − walk) x = right, the eigenvalues of `walk` lying in ±reach, reach < 1."""
    x = right.copy()
    if reach <= 0:
        return x
    previous, omega = np.zeros_like(x), 1.0  # a Python float keeps float32
    rate = reach / (1 + float(np.sqrt(1 - reach * reach)))
    for step in range(int(np.ceil(np.log(2 / tol) / -np.log(rate))) + 1):
        omega = 1 / (1 - reach * reach * omega / (2 if step == 0 else 4))
        following = omega * (walk @ x + right - previous) + previous
        previous, x = x, following
    return x


def matched_seeds(
    seeds: np.ndarray, degree: np.ndarray, n_draws: int, *, n_bins: int = 10, rng: int | np.random.Generator | None = 0
) -> np.ndarray:
    """Draw random seed cells, as many and of like degree in the graph as the given ones.

    Parameters
    ----------
    seeds
        Boolean, shape (n,).
    degree
        Sum of the weights of every cell, shape (n,).
    n_draws
        Number of sets.
    n_bins
        Cells are sorted into this many bins of degree, by quantiles; a bin gives as many seeds as it had.
    rng
        Seed or generator.

    Returns
    -------
    Boolean array of shape (n, n_draws).
    """
    seeds = np.asarray(seeds, dtype=bool)
    rng = check_rng(rng)
    n_draws, n_bins = check_int(n_draws, name="n_draws", minimum=1), check_int(n_bins, name="n_bins", minimum=1)
    inner = np.unique(np.quantile(degree, np.linspace(0, 1, n_bins + 1)[1:-1]))
    member = np.searchsorted(inner, degree, side="right")
    out = np.zeros((len(seeds), n_draws), dtype=bool)
    for k in np.unique(member[seeds]):
        cells = np.flatnonzero(member == k)
        wanted = int(seeds[cells].sum())
        for draw in range(n_draws):
            out[rng.choice(cells, wanted, replace=False), draw] = True
    return out


@dataclass(frozen=True, slots=True)
class WalkEnrichment:
    """How much more the walk from some seeds visits cells than the walks from random ones do.

    Attributes
    ----------
    fold
        Visits over the mean of the random walks, shape (n,): 1 is what random seeds give.
    p_value
        Share of the random walks that visit the cell as often, shape (n,): (1 + how many) / (1 + how many walks).
    group_fold, group_p_value
        The same of all the visits in a group, shape (n_groups,).
    """

    fold: np.ndarray
    p_value: np.ndarray
    group_fold: np.ndarray
    group_p_value: np.ndarray


def walk_enrichment(
    graph: sparse.csr_matrix,
    seeds: np.ndarray,
    *,
    codes: np.ndarray,
    n_permutations: int = 1000,
    restart: float = 0.05,
    rng: int | np.random.Generator | None = 0,
    report: Callable[[int], None] | None = None,
) -> WalkEnrichment:
    """Compare the walk from seed cells with those from random seeds of the same number and like degrees.

    Parameters
    ----------
    graph, restart
        As in :func:`random_walk`.
    seeds
        Boolean, shape (n,), with at least one seed.
    codes
        Group of every cell, 0 to n_groups − 1.
    n_permutations
        Random sets of seeds.
    rng
        Seed or generator of them.
    report
        Called with the number of finished walks.

    Returns
    -------
    :class:`WalkEnrichment`
    """
    seeds = np.asarray(seeds, dtype=bool)
    rng = check_rng(rng)
    n_permutations = check_int(n_permutations, name="n_permutations", minimum=1)
    score = random_walk(graph, seeds[:, None].astype(np.float64), restart=restart)[:, 0]
    n, n_groups = len(seeds), int(codes.max()) + 1
    pool = sparse.csr_matrix((np.ones(n), (codes, np.arange(n))), shape=(n_groups, n))
    mass = pool @ score
    degree = np.asarray(graph.sum(axis=1), dtype=np.float64).ravel()
    total, as_often = np.zeros(n), np.zeros(n)
    group_total, group_as_often = np.zeros(n_groups), np.zeros(n_groups)
    for start in range(0, n_permutations, _COLUMNS):
        n_draws = min(_COLUMNS, n_permutations - start)
        drawn = matched_seeds(seeds, degree, n_draws, rng=rng).astype(np.float32)
        null = random_walk(graph, drawn, restart=restart, tol=_NULL_TOLERANCE)
        total += null.sum(axis=1, dtype=np.float64)
        as_often += (null >= (1 - _TIE) * score[:, None]).sum(axis=1)
        visits = pool @ null.astype(np.float64)
        group_total += visits.sum(axis=1)
        group_as_often += (visits >= (1 - _TIE) * mass[:, None]).sum(axis=1)
        if report is not None:
            report(n_draws)
    with np.errstate(invalid="ignore", divide="ignore"):
        fold, group_fold = score * n_permutations / total, mass * n_permutations / group_total
    p, group_p = ((1 + often) / (1 + n_permutations) for often in (as_often, group_as_often))
    return WalkEnrichment(fold, p, group_fold, group_p)
