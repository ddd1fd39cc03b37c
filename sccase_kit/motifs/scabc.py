"""Cluster-specific peaks: the penalised Poisson regression of scABC on cluster sums."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import ndtr

from .._adjust import benjamini_hochberg
from .._arguments import Matrix, Numbers, checked
from .._labels import encode_labels
from .._validate import check_int, check_number
from ..matrix.access import check_counts, check_structure
from .blocks import row_blocks

_NORMAL_975 = 1.959963984540054
_SINGULAR = np.finfo(np.float64).eps
_MIN_SIGMA = 1e-3
_MAX_STEP = 3.0


@dataclass(frozen=True, slots=True)
class ScabcResult:
    """Result of :func:`scabc_pvalues`.

    Attributes
    ----------
    pvalues
        Shape (n_peaks, K): largest one-sided p-value of the cluster against every other cluster; NaN without counts.
    padj
        Shape (n_peaks, K): Benjamini–Hochberg within each cluster.
    beta
        Shape (K + 1, n_peaks): penalised log rates, the first row is the intercept.
    beta_mle
        Shape (K, n_peaks): unpenalised log rates; NaN columns are left out of the prior.
    sigma
        Shape (K,): standard deviation of the prior of each cluster.
    groups
        Clusters in the order of the columns.
    n_cells
        Shape (K,): cells with positive depth in each cluster.
    """

    pvalues: np.ndarray
    padj: np.ndarray
    beta: np.ndarray
    beta_mle: np.ndarray
    sigma: np.ndarray
    groups: list[object]
    n_cells: np.ndarray


@checked(counts=Matrix("cells peaks", stored=True), depth=Numbers("cells", fit=False))
def scabc_pvalues(
    counts: Any,
    depth: Any,
    labels: Iterable[object],
    *,
    compat: bool = False,
    sigma: Any = None,
    max_iter: int = 1000,
    tol_mle: float = 1e-3,
    tol_map: float = 1e-5,
) -> ScabcResult:
    r"""Test every peak for being more open in one cluster than in each of the others.

    Counts of peak j in cell i of cluster k are Poisson with mean :math:`h_i \exp(\beta_{0j} + \beta_{kj})` and prior
    :math:`\beta_{kj} \sim N(0, \sigma_k^2)`; only the sums over clusters matter.

    Parameters
    ----------
    counts
        Cells × peaks, non-negative, shape (n_cells, n_peaks): in memory, backed or dask; read in blocks of cells.
    depth
        Background level :math:`h_i` of each cell, shape (n_cells,); cells with ``depth <= 0`` are left out.
    labels
        Cluster of each cell, any hashable.
    compat
        Follow the R package step by step: Newton from zero with its stopping rules, and its rule that a peak without
        reads in some cluster is left out of the prior as singular. Fails where R fails. By default the maximum
        likelihood is the closed form, the penalised fit starts at the pooled rate and limits its steps; peaks without
        counts get NaN. The two differ by the error that R's stopping rule leaves (about 1e-6).
    sigma
        Standard deviations of the prior, a number or shape (K,), instead of the estimate from the data.
    max_iter
        Most Newton steps (as in R, one less is done).
    tol_mle, tol_map
        Sum of absolute steps at which a peak counts as converged. `tol_mle` only serves ``compat=True``; otherwise
        `tol_map` is an upper bound and 1e-10 is aimed at.

    Returns
    -------
    :class:`ScabcResult`

    Raises
    ------
    ValueError
        If shapes do not match, fewer than two clusters keep cells, no peak allows to estimate `sigma`; with
        ``compat=True`` also for peaks on which the R package stops.

    Notes
    -----
    Zamanighomi et al., Nature Communications 2018; R package scABC 0.99.0, ``getClusterSpecificPvalue``.
    """
    sums, depths, groups, n_cells = _cluster_sums(counts, depth, labels)
    return scabc_from_sums(
        sums,
        depths,
        groups=groups,
        n_cells=n_cells,
        compat=compat,
        sigma=sigma,
        max_iter=max_iter,
        tol_mle=tol_mle,
        tol_map=tol_map,
    )


def scabc_from_sums(
    sums: Any,
    depths: Any,
    *,
    groups: list[object] | None = None,
    n_cells: Any = None,
    compat: bool = False,
    sigma: Any = None,
    max_iter: int = 1000,
    tol_mle: float = 1e-3,
    tol_map: float = 1e-5,
) -> ScabcResult:
    """Test peaks as :func:`scabc_pvalues` does, from the sums over clusters, which are all that matters.

    Parameters
    ----------
    sums
        Counts, or enhanced signal, summed over the cells of each cluster, shape (K, n_peaks), non-negative.
    depths
        Depths summed over the cells of each cluster, shape (K,), positive.
    groups
        Names of the clusters; by default 0, 1, ...
    n_cells
        Cells of each cluster, shape (K,), only passed on; by default 1 each.
    compat, sigma, max_iter, tol_mle, tol_map
        As in :func:`scabc_pvalues`.

    Returns
    -------
    :class:`ScabcResult`

    Raises
    ------
    ValueError
        As :func:`scabc_pvalues`.
    """
    max_iter = check_int(max_iter, name="max_iter", minimum=2)
    tol_mle = check_number(tol_mle, name="tol_mle", minimum=0, exclusive=True)
    tol_map = check_number(tol_map, name="tol_map", minimum=0, exclusive=True)
    sums, depths = np.asarray(sums, dtype=np.float64), np.asarray(depths, dtype=np.float64)
    if sums.ndim != 2 or len(sums) < 2 or depths.shape != (len(sums),):
        msg = f"sums must have shape (K, n_peaks) and depths (K,), K at least 2; got {sums.shape} and {depths.shape}"
        raise ValueError(msg)
    check_counts(sums, name="sums")
    if not (np.isfinite(depths) & (depths > 0)).all():
        msg = f"depths must be positive and finite, got {depths.tolist()}"
        raise ValueError(msg)
    groups = list(range(len(sums))) if groups is None else groups
    n_cells = np.ones(len(sums), dtype=np.intp) if n_cells is None else np.asarray(n_cells)
    empty = ~sums.any(axis=0)
    # The intercept takes up any common factor of the depths; a mean near 1 keeps the exponentials in range.
    shift = 0.0 if compat else float(np.log(depths.sum() / n_cells.sum()))
    scaled = depths / np.exp(shift)
    mle = _mle_newton(sums, depths, max_iter - 1, tol_mle) if compat else _mle_exact(sums, scaled)
    sigma = _prior(mle, groups) if sigma is None else _given_sigma(sigma, len(groups))
    if not compat:
        sigma = np.maximum(sigma, _MIN_SIGMA)
    elif empty.any():
        msg = (
            f"counts: {int(empty.sum())} peak(s) without counts, at positions {np.flatnonzero(empty)[:5].tolist()}; "
            "the R package stops on them. Drop them or use compat=False"
        )
        raise ValueError(msg)
    beta = np.full((len(groups) + 1, sums.shape[1]), np.nan)
    pvalues = np.full((sums.shape[1], len(groups)), np.nan)
    kept = ~empty
    penalty = (1 / sigma**2)[:, None]
    beta[:, kept] = _map_newton(sums[:, kept], scaled, penalty, max_iter - 1, tol_map, compat=compat)
    pvalues[kept] = _pvalues(beta[:, kept], scaled, penalty)
    beta[0] -= shift
    return ScabcResult(pvalues, benjamini_hochberg(pvalues), beta, mle - shift, sigma, groups, n_cells)


def _cluster_sums(counts: Any, depth: Any, labels: Iterable[object]):
    """Return counts (K × peaks) and depths (K) summed over clusters, the clusters and their numbers of cells.

    The counts are read in blocks of cells, from any storage.
    """
    counts = counts if hasattr(counts, "shape") else np.asarray(counts)
    check_structure(counts)
    n_cells, n_peaks = counts.shape
    depth = np.asarray(depth, dtype=np.float64)
    if depth.shape != (n_cells,):
        msg = f"depth must have one value per cell ({n_cells}), got shape {depth.shape}"
        raise ValueError(msg)
    if not np.isfinite(depth).all():
        msg = f"depth has {int((~np.isfinite(depth)).sum())} NaN or infinite value(s); drop those cells first"
        raise ValueError(msg)
    codes, groups = encode_labels(labels, n_cells, min_groups=2)
    used = depth > 0
    numbers = np.bincount(codes[used], minlength=len(groups))
    if (numbers == 0).any():
        lost = [group for group, n in zip(groups, numbers, strict=True) if n == 0]
        msg = f"labels: no cell with depth > 0 in cluster(s) {lost}; drop those cells"
        raise ValueError(msg)
    sums = np.zeros((len(groups), n_peaks))
    for rows, block in row_blocks(counts):
        check_counts(block)
        cells = np.flatnonzero(used[rows])
        member = sparse.csr_matrix(
            (np.ones(len(cells)), (codes[rows][cells], cells)), shape=(len(groups), block.shape[0])
        )
        sums += (member @ block.astype(np.float64)).toarray()
    return sums, np.bincount(codes[used], weights=depth[used], minlength=len(groups)), groups, numbers


def _mle_exact(sums: np.ndarray, depths: np.ndarray) -> np.ndarray:
    """Return log rates; columns with a cluster without counts are NaN."""
    beta = np.full(sums.shape, np.nan)
    full = (sums > 0).all(axis=0)
    beta[:, full] = np.log(sums[:, full] / depths[:, None])
    return beta


def _mle_newton(sums: np.ndarray, depths: np.ndarray, n_steps: int, tol: float) -> np.ndarray:
    """Return log rates as R's Newton iteration leaves them; columns of singular information matrices are NaN."""
    beta = np.zeros(sums.shape)
    active = np.arange(sums.shape[1])
    for _ in range(n_steps):
        with np.errstate(over="ignore", invalid="ignore"):
            mean = depths[:, None] * np.exp(beta[:, active])
            singular = ~(mean.min(axis=0) > np.maximum(_SINGULAR * mean.max(axis=0), 0))
            singular |= ~np.isfinite(mean).all(axis=0)
        beta[:, active[singular]] = np.nan
        active, mean = active[~singular], mean[:, ~singular]
        step = (sums[:, active] - mean) / mean
        beta[:, active] += step
        active = active[np.abs(step).sum(axis=0) > tol]
        if not active.size:
            break
    return beta


def _prior(mle: np.ndarray, groups: list[object]) -> np.ndarray:
    """Return the standard deviations whose 95 % range matches the spread of the centred log rates."""
    usable = np.isfinite(mle).all(axis=0)
    if not usable.any():
        msg = (
            f"no peak has counts in every one of the {len(groups)} clusters, so the prior cannot be estimated; "
            "merge or drop clusters with few reads, or pass sigma="
        )
        raise ValueError(msg)
    centred = mle[:, usable] - mle[:, usable].mean(axis=0)
    return np.quantile(np.abs(centred), 0.95, axis=1) / _NORMAL_975


def _given_sigma(sigma: Any, n_groups: int) -> np.ndarray:
    values = np.asarray(sigma, dtype=np.float64)
    if values.shape not in ((), (n_groups,)) or not (np.isfinite(values) & (values > 0)).all():
        msg = f"sigma must be a positive number or one per cluster ({n_groups}), got {sigma!r}"
        raise ValueError(msg)
    return np.broadcast_to(values, (n_groups,)).copy()


def _map_newton(
    sums: np.ndarray, depths: np.ndarray, penalty: np.ndarray, n_steps: int, tol: float, *, compat: bool
) -> np.ndarray:
    """Return penalised coefficients (K + 1 × peaks) by Newton steps on the arrow-shaped normal equations."""
    beta = np.zeros((len(sums) + 1, sums.shape[1]))
    if not compat:
        beta[0] = np.log(sums.sum(axis=0) / depths.sum())
        tol = min(tol, 1e-10)
    active = np.arange(sums.shape[1])
    for _ in range(n_steps):
        if not active.size:
            break
        old = beta[:, active]
        eta = old[0] + old[1:]
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            mean = depths[:, None] * np.exp(eta)
            shrink = penalty / (mean + penalty)
            schur = (mean * shrink).sum(axis=0)
            response = mean * eta + sums[:, active] - mean
            first = (response * shrink).sum(axis=0) / schur
            new = np.vstack([first, (response - mean * first) / (mean + penalty)])
        if not np.isfinite(new).all():
            bad = active[~np.isfinite(new).all(axis=0)]
            msg = (
                f"counts: the fit of {len(bad)} peak(s) overflows, at positions {bad[:5].tolist()} (of the peaks with "
                "counts); depth is too small for these counts. Use compat=False or rescale depth"
            )
            raise ValueError(msg)
        step = new - old
        if not compat:
            step *= np.minimum(1, _MAX_STEP / np.maximum(np.abs(step[0] + step[1:]).max(axis=0), _SINGULAR))
        beta[:, active] = old + step if not compat else new
        active = active[np.abs(step).sum(axis=0) > tol]
    return beta


def _pvalues(beta: np.ndarray, depths: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    """Return for each cluster the largest upper-tail p-value of its contrasts, shape (peaks, K)."""
    effect = beta[1:]
    mean = depths[:, None] * np.exp(beta[0] + effect)
    total = mean + penalty
    shrink = penalty / total
    schur = (mean * shrink).sum(axis=0)
    quadratic = mean * shrink**2
    rest = quadratic.sum(axis=0)
    largest = np.zeros((len(effect), beta.shape[1]))
    for i in range(len(effect)):
        for j in range(i):
            # Sandwich variance of the contrast: sum over clusters of mean × (row of the inverse)².
            slope = (shrink[j] - shrink[i]) / schur
            variance = mean[i] * (1 / total[i] - slope * shrink[i]) ** 2
            variance += mean[j] * (1 / total[j] + slope * shrink[j]) ** 2
            variance += slope**2 * np.maximum(rest - quadratic[i] - quadratic[j], 0)
            z = (effect[i] - effect[j]) / np.sqrt(variance)
            np.maximum(largest[i], ndtr(-z), out=largest[i])
            np.maximum(largest[j], ndtr(z), out=largest[j])
    return largest.T
