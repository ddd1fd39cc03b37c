"""Variability of deviations over the cells (chromVAR's ``computeVariability``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import scipy

from .._adjust import benjamini_hochberg
from .._arguments import Generator, Labels, Numbers, Whole, checked
from .._validate import check_int

_BOOTSTRAP_BYTES = 64 * 2**20
_MIN_SAMPLES = 32


@checked(z=Numbers("cells sets"), names=Labels("sets", fit=False), n_bootstrap=Whole(0), rng=Generator())
def variability(
    z: np.ndarray,
    *,
    names: Sequence[str] | None = None,
    n_bootstrap: int = 1000,
    rng: int | np.random.Generator | None = 0,
) -> pd.DataFrame:
    r"""Return how much each set varies between cells.

    The variability is the standard deviation of z over the cells; under the null z has variance 1, and
    :math:`(N - 1) v^2 \sim \chi^2_{N-1}`.

    Parameters
    ----------
    z
        Shape (n_cells, n_sets). NaN and infinite values are left out of the standard deviation; N is the number of
        all cells, as in chromVAR.
    names
        Names of the sets, the index of the result.
    n_bootstrap
        Bootstrap samples of the cells for the 95 % interval; 0 leaves the interval out.
    rng
        Seed or generator of the bootstrap.

    Returns
    -------
    DataFrame with one row per set and columns `variability`, `bootstrap_lower_bound`, `bootstrap_upper_bound` (with
    ``n_bootstrap > 0``), `p_value` and `p_value_adj` (Benjamini–Hochberg). NaN with fewer than two finite values.

    Raises
    ------
    ValueError
        If `z` is not a matrix of at least two cells, or names do not fit.

    References
    ----------
    Schep et al., Nature Methods 2017; chromVAR 1.5.0.
    """
    z = np.asarray(z, dtype=np.float64)
    if z.ndim != 2 or len(z) < 2:
        msg = f"z must have shape (n_cells >= 2, n_sets), got {z.shape}"
        raise ValueError(msg)
    if names is not None and len(names) != z.shape[1]:
        msg = f"names must have one entry per set ({z.shape[1]}), got {len(names)}"
        raise ValueError(msg)
    n_bootstrap = check_int(n_bootstrap, name="n_bootstrap", minimum=0)
    spread, count = np.empty(z.shape[1]), np.empty(z.shape[1], dtype=np.int64)
    for part in _columns(z):
        _, _, count[part], spread[part] = _centre(z[:, part])
    table = pd.DataFrame({"variability": spread}, index=pd.Index(names) if names is not None else None)
    if n_bootstrap:
        bounds = _bootstrap(z, n_bootstrap, np.random.default_rng(rng))
        bounds[:, count < 2] = np.nan
        table["bootstrap_lower_bound"], table["bootstrap_upper_bound"] = bounds
    n = len(z)
    table["p_value"] = scipy.stats.chi2.sf((n - 1) * spread**2, n - 1)
    table["p_value_adj"] = benjamini_hochberg(table["p_value"].to_numpy())
    return table


def _columns(z: np.ndarray) -> Iterator[slice]:
    """Yield blocks of sets whose copies stay small compared with `z`."""
    step = max(1, _BOOTSTRAP_BYTES // (8 * len(z)))
    for start in range(0, z.shape[1], step):
        yield slice(start, min(start + step, z.shape[1]))


def _centre(z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return z less its mean (0 where it is not finite), where it is finite, how often, and its standard deviation."""
    finite = np.isfinite(z)
    count = finite.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(finite, z, 0).sum(axis=0) / count
        centred = np.where(finite, z - mean, 0.0)
        spread = np.sqrt((centred**2).sum(axis=0) / (count - 1))
    spread[count < 2] = np.nan
    return centred, finite, count, spread


def _bootstrap(z: np.ndarray, n_bootstrap: int, rng: np.random.Generator) -> np.ndarray:
    """Return the 2.5 and 97.5 % quantiles of the standard deviation over resampled cells, shape (2, n_sets).

    All sets share the resampled cells; a sample enters as the number of times each cell was drawn.
    """
    n, n_sets = z.shape
    spreads = np.empty((n_bootstrap, n_sets))
    step = max(_MIN_SAMPLES, _BOOTSTRAP_BYTES // (8 * n))
    for start in range(0, n_bootstrap, step):
        rows = slice(start, min(start + step, n_bootstrap))
        times = np.stack([np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(rows.stop - rows.start)])
        times = times.astype(np.float64)
        for part in _columns(z):
            centred, finite, _, _ = _centre(z[:, part])
            count = float(n) if finite.all() else times @ finite.astype(np.float64)
            with np.errstate(invalid="ignore", divide="ignore"):
                variance = (times @ centred**2 - (times @ centred) ** 2 / count) / (count - 1)
            variance[np.broadcast_to(np.less(count, 2), variance.shape)] = np.nan
            spreads[rows, part] = np.sqrt(np.maximum(variance, 0))
    bounds = np.full((2, n_sets), np.nan)
    known = ~np.isnan(spreads).all(axis=0)
    if known.any():
        bounds[:, known] = np.nanquantile(spreads[:, known], [0.025, 0.975], axis=0)
    return bounds
