r"""Enhancement that does not depend on the number of components: a consensus over several of them.

One sketch of the data starts NMFs of several sizes K. Each gives a cell-to-cell similarity
:math:`\tilde H_K \Theta_K^\top`, where :math:`\tilde H_K` has columns and :math:`\Theta_K` rows that sum to 1:
column j holds the weights with which cell j averages all cells, as the paper states for Z. The similarities are
averaged over K with weights ω of sum 1, by how much of the data's structure K explains, and their target side is
smoothed on neighbour graphs P̄ of the cells:

.. math::

    Z = \sum_K \omega_K \tilde H_K \, \Theta_K^\top (\bar P^\top)^t ,
    \qquad XZ = [X \tilde H_K]_K \; [\omega_K \Theta_K]_K^\top (\bar P^\top)^t .

Everything is thin and non-negative; the rank is ΣK. The memberships in the groups of a reference are added to every
K (:mod:`sccase_kit.enhance.reference`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np
from scipy import sparse

from ..matrix.operator import ScaledOperator
from ..matrix.rows import row_slices
from .bank import nmf_bank
from .batch import align_embedding, balanced_factors, spread_over_batches
from .checkpoint import Arrays, Judge, is_graph, shapes_are
from .extension import components_come_first, spectral_components
from .graph import diffuse, mean_kernel, smoothing_kernel
from .nmf import SMALL
from .reference import Reference, reference_memberships, reference_weight
from .survey import free_samples

BANK = (3, 4, 6, 8, 12, 20)
LARGE_BANK = (5, 8, 12, 20)  # large data hold more types
SCALED, WHITENED = 30, 20  # spectral components, scaled by the roots of their eigenvalues and not


class Stage(Protocol):
    """Returns the arrays of a long stage: computed, or from an earlier run if `judge` finds nothing wrong."""

    def __call__(self, name: str, compute: Callable[[], Arrays], *, judge: Judge | None = None) -> Arrays:
        """Return name → array."""


def computed(name: str, compute: Callable[[], Arrays], *, judge: Judge | None = None) -> Arrays:
    """Compute a stage; nothing is kept."""
    return compute()


@dataclass(frozen=True)
class RobustOptions:
    """Options of the consensus.

    Attributes
    ----------
    bank
        Numbers of components K that are averaged.
    n_neighbors
        Neighbours per cell in the graphs, itself included.
    n_steps
        t, smoothing steps on the target side.
    more
        Numbers of components that are factorised as well and only given back, for others.
    """

    bank: tuple[int, ...] = BANK
    n_neighbors: int = 15
    n_steps: int = 2
    more: tuple[int, ...] = ()


def choose_bank(n_components: int | None, shape: tuple[int, int]) -> tuple[int, ...]:
    """Return the numbers of components to average: the default ones, and the user's, as far as the data allow."""
    wanted = set(BANK if shape[0] <= SMALL else LARGE_BANK) | ({n_components} if n_components else set())
    limit = max(1, min(shape) - 1)
    return tuple(sorted({min(k, limit) for k in wanted}))


def resolution_weights(bank: tuple[int, ...], residuals: np.ndarray, rank_one: float) -> np.ndarray:
    """Return the weights of the numbers of components, of sum 1: the fourth power of the structure they explain.

    Structure is the variance explained beyond the best single component, less what each further component explains of
    noise alone (the slope between the two largest K), as a share of the largest. So a K too small to tell the types
    apart counts little, and a larger one than needed as much as that needed.

    Parameters
    ----------
    bank
        The numbers K, ascending.
    residuals
        ‖X̃ − H Wᵀ‖² / ‖X̃‖² of every K.
    rank_one
        Share of ‖X̃‖² that the best single component explains.
    """
    sizes, beyond = np.array(bank, dtype=np.float64), 1 - np.asarray(residuals) - rank_one
    noise = max(0.0, (beyond[-1] - beyond[-2]) / (sizes[-1] - sizes[-2])) if len(bank) > 1 else 0.0
    structure = np.maximum(beyond - noise * (sizes - 1), 0)
    if structure.max() <= 0:
        return np.full(len(bank), 1 / len(bank))
    weights = (structure / structure.max()) ** 4
    return weights / weights.sum()


def _inner(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the inner products of columns that belong together, summed in double precision."""
    out = np.zeros(left.shape[1])
    for rows in row_slices(len(left)):
        out += np.sum(left[rows] * right[rows], axis=0, dtype=np.float64)
    return out


def _divided(values: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """Divide columns by their sums, where these are positive, in place, some rows at a time."""
    for rows in row_slices(len(values)):
        values[rows] /= _positive(sums).astype(values.dtype)
    return values


def _positive(sums: np.ndarray) -> np.ndarray:
    return np.where(sums > 0, sums, 1)


def unit_columns(h: np.ndarray) -> np.ndarray:
    """Return non-negative `h` with columns of sum 1; empty ones stay."""
    return h / _positive(h.sum(axis=0))


def unit_rows(h: np.ndarray) -> np.ndarray:
    """Return non-negative `h` with rows of sum 1; empty ones stay."""
    return h / _positive(h.sum(axis=1, keepdims=True))


def _columns(values: np.ndarray, sizes: tuple[int, ...], chosen: list[int]) -> np.ndarray:
    """Return the columns of some of several factorisations, without a copy where they are neighbours."""
    cuts = np.cumsum([0, *sizes])
    if chosen == list(range(chosen[0], chosen[-1] + 1)):
        return values[:, cuts[chosen[0]] : cuts[chosen[-1] + 1]]
    return np.hstack([values[:, cuts[i] : cuts[i + 1]] for i in chosen])


def _unit_norm(embedding: np.ndarray) -> np.ndarray:
    return embedding / max(np.linalg.norm(embedding), 1e-12)


def cell_graph(
    op: ScaledOperator,
    memberships: np.ndarray,
    options: RobustOptions,
    *,
    components: tuple[np.ndarray, np.ndarray] | None = None,
    codes: np.ndarray | None,
    rng: np.random.Generator,
):
    """Return P̄, the mean kernel of graphs on three views of the cells.

    They are the spectral components; the leading ones of equal weight, among which a shift that all cells share, as
    between batches, is one of many; and these with the leading components of the memberships, both of unit norm.

    Parameters
    ----------
    op
        The data.
    memberships
        Rows of sum 1 of one K or several.
    options
        Options of the consensus.
    components
        The spectral components where they are known.
    codes
        Integer batch codes, shape (n_obs,), over which the views are aligned.
    rng
        Generator.
    """
    vectors, values = _components(op, rng) if components is None else components
    vectors = _of_one_sign(vectors)
    centred = memberships - memberships.mean(axis=0)
    topics = _of_one_sign(centred @ np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, :SCALED])
    del centred
    white = vectors[:, :WHITENED]

    def views() -> Iterator[np.ndarray]:
        yield vectors * np.sqrt(values).astype(vectors.dtype)
        yield white
        yield np.hstack([_unit_norm(white), _unit_norm(topics)])

    def kernels() -> Iterator[sparse.csr_matrix]:
        for view in views():
            aligned = view if codes is None else align_embedding(view, codes, nonnegative=False, rng=rng)
            yield smoothing_kernel(aligned, n_neighbors=options.n_neighbors, codes=codes)

    return mean_kernel(kernels())


def _components(op: ScaledOperator, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return spectral_components(op, min(SCALED, min(op.shape) - 2), rng=rng)


def _of_one_sign(vectors: np.ndarray) -> np.ndarray:
    """Return columns whose cubes have a positive sum: signs are arbitrary, and lists of near cells depend on them."""
    cubes = np.einsum("ij,ij,ij->j", vectors, vectors, vectors, dtype=np.float64)
    return np.asarray(vectors * np.where(cubes < 0, -1, 1).astype(vectors.dtype))


@dataclass(frozen=True)
class RobustFit:
    """Result of :func:`fit_robust`; the arrays are those of an enhancement.

    Attributes
    ----------
    embedding
        Smoothed memberships, (n_obs × ΣK); with a reference those of its groups come first.
    projection
        Mean profiles of the reference's groups and NMF projections W of all sizes, (n_vars × ΣK), columns of unit sum.
    sources, cell_factors
        Z = sources @ cell_factors.T.
    peak_factors
        X @ sources, (n_vars × r).
    objective
        Relative residual ‖X̃ − H Wᵀ‖² / ‖X̃‖² of every K.
    bank, weights
        The numbers K, and how much each counts.
    hs
        H of every K of the bank and of `more`, by K; columns sum to 1.
    kernel
        P̄, the neighbour graph.
    images
        X̃ᵀ H of every K of `hs`, (n_vars × K), H with columns of unit sum.
    groups
        Memberships of the cells in the groups of a reference, (n_obs × groups), rows of sum 1 at most; else None.
    """

    embedding: np.ndarray
    projection: np.ndarray
    sources: np.ndarray
    cell_factors: np.ndarray
    peak_factors: np.ndarray
    objective: np.ndarray
    bank: tuple[int, ...]
    weights: np.ndarray
    hs: dict[int, np.ndarray]
    kernel: sparse.csr_matrix
    images: dict[int, np.ndarray]
    groups: np.ndarray | None = None


def fit_robust(
    op: ScaledOperator,
    options: RobustOptions,
    *,
    reference: Reference | None = None,
    source: np.ndarray | None = None,
    codes: np.ndarray | None = None,
    rng: np.random.Generator,
    stage: Stage = computed,
) -> RobustFit:
    """Fit the consensus.

    Parameters
    ----------
    op
        TF-IDF scaled data, cells × peaks.
    options
        Options of the consensus.
    reference
        Reference counts and how they are used (scCASER).
    source
        Weights of the source cells (depth correction), shape (n_obs,).
    codes
        Integer batch codes, shape (n_obs,).
    rng
        Generator.
    stage
        Called with the name of a long stage and the function that computes its arrays; returns them, perhaps from an
        earlier run.
    """
    sizes = tuple(sorted({*options.bank, *options.more}))
    first = components_come_first(op)
    salt = int(rng.integers(2**62)) if first else 0  # drawn here: the next stage needs them whoever made the first
    components = cache(lambda: _components(op, np.random.default_rng(salt) if first else rng))

    def factorise() -> Arrays:
        found = nmf_bank(op, sizes, near=components()[0] if first else None, rng=rng)
        if op.in_memory:
            free_samples(op)  # to cut it again takes less than its memory is worth
        return {"h": found.h, "w": found.w, "x": found.image, "rank_one": np.array(found.best)}

    (n, m), width = op.shape, sum(sizes)
    kept = shapes_are({"h": (n, width), "w": (m, width), "x": (m, width), "rank_one": ()})
    bank = stage("bank", factorise, judge=kept)
    cuts, chosen = np.cumsum(sizes)[:-1], [sizes.index(k) for k in options.bank]
    every, ws = (np.split(bank[name], cuts, axis=1) for name in "hw")
    shared = np.split(_inner(bank["x"], bank["w"]), cuts)
    hs, ws, shared = ([parts[i] for i in chosen] for parts in (every, ws, shared))
    total = op.sq_norm()
    residuals = [
        (total - 2 * both.sum() + np.sum((h.T @ h).astype(np.float64) * (w.T @ w))) / total
        for h, w, both in zip(hs, ws, shared, strict=True)
    ]
    weights = resolution_weights(options.bank, np.array(residuals), float(bank["rank_one"]) / total)
    if codes is not None:
        hs = [align_embedding(h, codes, rng=rng) for h in hs]
    raw = hs

    def neighbours() -> Arrays:
        few = raw[: max(1, len(raw) // 2)]  # finer ones follow batches more than types
        coarse = np.hstack([unit_rows(unit_columns(h)) for h in few])
        graph = cell_graph(op, coarse, options, components=components(), codes=codes, rng=rng)
        return {"data": graph.data, "indices": graph.indices, "indptr": graph.indptr}

    graph = stage("graph", neighbours, judge=is_graph(n))
    kernel = sparse.csr_matrix((graph["data"], graph["indices"], graph["indptr"]), shape=(n, n))
    hs = [unit_columns(h) for h in raw]
    amounts = weights if n <= SMALL else weights.astype(op.dtype)
    theta = np.hstack([weight * unit_rows(h) for weight, h in zip(amounts, hs, strict=True)])
    sources = np.hstack([unit_columns(h if source is None else h * source[:, None]) for h in hs])
    del ws
    w = _columns(bank.pop("w"), sizes, chosen)
    projection = _divided(w, np.sqrt(op.copies).astype(w.dtype) @ w)
    del w
    groups = None
    if reference is not None:
        groups = reference_memberships(
            op, reference.counts, reference.n_components, kernel=kernel, codes=codes, rng=rng
        )
        share = reference_weight(reference.alpha)
        amplitude = share * np.mean([h.sum(axis=1) for h in hs], axis=0)  # as if they were added to every K
        theta = np.hstack([share * groups, theta]) / (1 + share)
        amplitude = amplitude if source is None else amplitude * source
        sources = np.hstack([groups * amplitude[:, None], sources])
        projection = np.hstack([unit_columns(op.rmatmul(groups)), projection])
    _divided(bank["x"], np.concatenate([h.sum(axis=0) for h in every]))
    smooth = diffuse(kernel, theta, options.n_steps)
    cells, used = smooth, sources
    if codes is not None:
        factor = balanced_factors(sources, smooth, codes)
        used, cells = spread_over_batches(sources, smooth, codes, factor)
    if reference is None and codes is None and source is None:  # X̃ᵀ H is known
        peak_factors = _columns(bank["x"], sizes, chosen)
    else:
        peak_factors = op.rmatmul(used)
    factors = smooth, projection, used, cells, peak_factors
    by_size = dict(zip(sizes, every, strict=True))
    of_all = dict(zip(sizes, np.split(bank["x"], cuts, axis=1), strict=True))
    return RobustFit(*factors, np.array(residuals), options.bank, weights, by_size, kernel, of_all, groups)
