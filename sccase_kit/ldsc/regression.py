r"""Stratified LD score regression with a block jackknife, as ``ldsc.py`` 1.0.1.

:math:`E[\chi^2_j] = N_j \sum_c \tau_c \ell_{jc} + a`. References: Bulik-Sullivan et al., Nat. Genet. 47 (2015) 291;
Finucane et al., Nat. Genet. 47 (2015) 1228.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np


@dataclass(frozen=True)
class Jackknife:
    """A weighted least squares estimate with its block jackknife.

    Attributes
    ----------
    estimate
        Coefficients, shape (p,).
    deleted
        Estimates without one block, shape (blocks, p).
    bounds
        Borders of the blocks of rows, shape (blocks + 1,).
    """

    estimate: np.ndarray
    deleted: np.ndarray
    bounds: np.ndarray

    @property
    def covariance(self) -> np.ndarray:
        """Covariance of the estimate from the pseudo-values."""
        return pseudo_covariance(self.estimate, self.deleted)


def pseudo_covariance(estimate: np.ndarray, deleted: np.ndarray) -> np.ndarray:
    """Return the jackknife covariance (p × p) of an estimate, given the estimates without each block."""
    n = len(deleted)
    pseudo = n * estimate - (n - 1) * deleted
    return np.atleast_2d(np.cov(pseudo.T, ddof=1)) / n


def block_bounds(n_rows: int, n_blocks: int) -> np.ndarray:
    """Return the borders of contiguous blocks of (almost) equal size."""
    return np.floor(np.linspace(0, n_rows, n_blocks + 1)).astype(np.int64)


def jackknife(x: np.ndarray, y: np.ndarray, weights: np.ndarray, bounds: np.ndarray) -> Jackknife:
    """Return weighted least squares of y on x with delete-one-block estimates, from cross products of the blocks.

    Parameters
    ----------
    x
        Regressors, shape (rows, p).
    y
        Response, shape (rows,).
    weights
        Weights of the squared residuals, shape (rows,).
    bounds
        From :func:`block_bounds`.
    """
    root = np.sqrt(weights)
    root = root / root.sum()
    xw, yw = x * root[:, None], y * root
    xtx = np.stack([xw[a:b].T @ xw[a:b] for a, b in pairwise(bounds)])
    xty = np.stack([xw[a:b].T @ yw[a:b] for a, b in pairwise(bounds)])
    total, right = xtx.sum(axis=0), xty.sum(axis=0)
    deleted = np.linalg.solve(total - xtx, (right - xty)[..., None])[..., 0]
    return Jackknife(np.linalg.solve(total, right), deleted, bounds)


def heritability_weights(
    ld: np.ndarray, weight_ld: np.ndarray, n: np.ndarray, m: float, h2: float, intercept: float = 1.0
) -> np.ndarray:
    """Return regression weights: over-counting 1/l_w, and heteroskedasticity 1 / (2 (a + h² N l / M)²)."""
    h2 = min(max(h2, 0.0), 1.0)
    ld, weight_ld = np.maximum(ld, 1.0), np.maximum(weight_ld, 1.0)
    return 1 / (2 * (intercept + h2 * n / m * ld) ** 2) / weight_ld


@dataclass(frozen=True)
class Regression:
    """A fitted LD score regression.

    Attributes
    ----------
    coefficients, covariance
        τ per annotation, shape (c,), and its jackknife covariance (c × c).
    deleted
        τ without each block, shape (blocks, c).
    intercept, intercept_se
        The free intercept.
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    deleted: np.ndarray
    intercept: float
    intercept_se: float


def regress(
    chi2: np.ndarray,
    ld: np.ndarray,
    weight_ld: np.ndarray,
    n: np.ndarray,
    m: np.ndarray,
    *,
    n_blocks: int = 200,
    two_step: float | None = None,
) -> Regression:
    """Regress χ² on LD scores.

    Parameters
    ----------
    chi2
        χ² statistics, sorted by position, shape (snps,).
    ld
        LD scores, shape (snps, c).
    weight_ld
        LD scores over the regression SNPs, shape (snps,).
    n
        Sample sizes, shape (snps,).
    m
        Number of SNPs per annotation, shape (c,).
    n_blocks
        Blocks of the jackknife.
    two_step
        With a single annotation: the intercept is estimated from SNPs with χ² below this, by iteratively reweighted
        least squares, and then held. Otherwise one weighted regression with the initial weights, as the original does
        for several annotations.
    """
    total, m_total, mean_n = ld.sum(axis=1), float(m.sum()), float(n.mean())
    h2 = m_total * (chi2.mean() - 1) / np.mean(total * n)
    start = heritability_weights(total, weight_ld, n, m_total, h2)
    x = n[:, None] * ld / mean_n
    bounds = block_bounds(len(chi2), n_blocks)
    if two_step is None:
        fit = jackknife(np.column_stack([x, np.ones(len(x))]), chi2, start, bounds)
        estimate, deleted = fit.estimate, fit.deleted
    else:
        estimate, deleted = _two_step(chi2, x, weight_ld, n, m_total, mean_n, start, n_blocks, two_step)
    covariance = pseudo_covariance(estimate, deleted)
    return Regression(
        estimate[:-1] / mean_n,
        covariance[:-1, :-1] / mean_n**2,
        deleted[:, :-1] / mean_n,
        float(estimate[-1]),
        float(np.sqrt(covariance[-1, -1])),
    )


def _reweight(x, y, weights, update, n_updates: int = 2):
    """Return the weights after `n_updates` rounds of weighted least squares and `update(coefficients)`."""
    for _ in range(n_updates):
        root = np.sqrt(weights)
        root = root / root.sum()
        weights = update(np.linalg.lstsq(x * root[:, None], y * root, rcond=None)[0])
    return weights


def _two_step(chi2, x, weight_ld, n, m, mean_n, start, n_blocks: int, threshold: float):
    """Estimate the intercept from the SNPs with χ² < threshold, then the slope from all of them."""
    low = chi2 < threshold
    if low.sum() < n_blocks:
        msg = f"only {int(low.sum())} SNPs have χ² below {threshold}: too few for {n_blocks} jackknife blocks"
        raise ValueError(msg)
    one = np.column_stack([x[low], np.ones(int(low.sum()))])

    def first(b: np.ndarray) -> np.ndarray:
        return heritability_weights(x[low, 0], weight_ld[low], n[low], m, m * b[0] / mean_n, b[1])

    weights = _reweight(one, chi2[low], start[low], first)
    step1 = jackknife(one, chi2[low], weights, block_bounds(len(one), n_blocks))
    intercept = step1.estimate[1]
    y = chi2 - intercept

    def second(b: np.ndarray) -> np.ndarray:
        return heritability_weights(x[:, 0], weight_ld, n, m, m * b[0] / mean_n, intercept)

    places = np.flatnonzero(low)
    bounds = np.concatenate([[0], places[step1.bounds[1:-1]], [len(chi2)]])
    step2 = jackknife(x, y, _reweight(x, y, start, second), bounds)
    slope = np.sum(start * x[:, 0]) / np.sum(start * x[:, 0] ** 2)
    deleted = np.column_stack([step2.deleted[:, 0] - slope * (step1.deleted[:, 1] - intercept), step1.deleted[:, 1]])
    return np.array([step2.estimate[0], intercept]), deleted
