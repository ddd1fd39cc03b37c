"""Upper tails of the binomial and the hypergeometric distribution in log space, and p-value corrections."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special

#: Below it the incomplete beta function is not used: scipy's loses digits from about 1e-275 on.
SMALLEST = 1e-200


def _log_series(ratio: Callable[[np.ndarray, int], np.ndarray], n: int) -> np.ndarray:
    """Return log(1 + r_0 + r_0 r_1 + …) for n series; ``ratio(active, j)`` gives r_j of the active ones."""
    total, term = np.ones(n), np.ones(n)
    active = np.arange(n)
    j = 0
    while len(active):
        term[active] *= ratio(active, j)
        total[active] += term[active]
        active = active[term[active] > total[active] * 1e-18]
        j += 1
    return np.log(total)


def binom_log_sf(k: np.ndarray, n: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Return log P(X >= k) of X ~ Bin(n, p), without underflow.

    Parameters
    ----------
    k, n
        Integer arrays of one shape, 0 <= k <= n.
    p
        Success probabilities, same shape, 0 <= p <= 1.
    """
    k, n, p = (a.astype(np.float64) for a in np.broadcast_arrays(k, n, p))
    tail = np.ones(k.shape)
    some = k > 0
    tail[some] = special.betainc(k[some], n[some] - k[some] + 1, p[some])
    result = np.log(tail, where=tail > SMALLEST, out=np.full(k.shape, -np.inf))
    small = (tail <= SMALLEST) & (p > 0)
    if small.any():
        ks, ns, ps = k[small], n[small], p[small]
        log_pmf = special.gammaln(ns + 1) - special.gammaln(ks + 1) - special.gammaln(ns - ks + 1)
        log_pmf += special.xlogy(ks, ps) + special.xlog1py(ns - ks, -ps)
        odds = ps / (1 - ps)
        result[small] = log_pmf + _log_series(lambda a, j: (ns[a] - ks[a] - j) / (ks[a] + 1 + j) * odds[a], len(ks))
    return result


def hypergeom_log_sf(k: np.ndarray, total: np.ndarray | int, marked: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Return log P(X >= k) for X marked ones among `drawn` of `total`, of which `marked` are marked, without underflow.

    The tail on the side of k away from the mean is summed term by term; the other one follows by complement.
    """
    k, total, marked, drawn = (a.astype(np.float64) for a in np.broadcast_arrays(k, total, marked, drawn))
    lowest = np.maximum(0, marked + drawn - total)
    result = np.zeros(k.shape)
    upper = (k > lowest) & (k > marked * drawn / np.maximum(total, 1))
    lower = (k > lowest) & ~upper

    def log_choose(n: np.ndarray, r: np.ndarray) -> np.ndarray:
        return special.gammaln(n + 1) - special.gammaln(r + 1) - special.gammaln(n - r + 1)

    def log_pmf(x, n, m, d):
        return log_choose(m, x) + log_choose(n - m, d - x) - log_choose(n, d)

    if upper.any():
        x, n, m, d = (a[upper] for a in (k, total, marked, drawn))
        with np.errstate(invalid="ignore"):
            start = np.where(x <= np.minimum(m, d), log_pmf(x, n, m, d), -np.inf)
        result[upper] = start + _log_series(
            lambda a, j: (
                np.maximum((m[a] - x[a] - j) * (d[a] - x[a] - j), 0)
                / ((x[a] + 1 + j) * (n[a] - m[a] - d[a] + x[a] + 1 + j))
            ),
            len(x),
        )
    if lower.any():
        x, n, m, d = (a[lower] for a in (k, total, marked, drawn))
        x = x - 1
        below = log_pmf(x, n, m, d) + _log_series(
            lambda a, j: (
                np.maximum((x[a] - j) * (n[a] - m[a] - d[a] + x[a] - j), 0)
                / ((m[a] - x[a] + 1 + j) * (d[a] - x[a] + 1 + j))
            ),
            len(x),
        )
        result[lower] = np.log1p(-np.exp(np.minimum(below, -1e-16)))
    return np.minimum(result, 0.0)
