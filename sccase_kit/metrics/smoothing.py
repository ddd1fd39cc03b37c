"""Whether an enhancement smooths too little (cells of a type stay noisy) or too much (types merge)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .._arguments import Made, checked
from .._labels import encode_labels
from .profiles import CorrelationCoordinates, Profiles, indicator

_TIE = 1e-8  # correlations that differ by less are rounding


@checked(enhanced=Made(Profiles), raw=Made(Profiles))
def smoothing_scores(labels: Any, enhanced: Profiles, raw: Profiles) -> pd.Series:
    r"""Return over-, under- and overall smoothing of an enhanced matrix with known cell types.

    The scCASE paper names three such scores; their formulas stand in its Supplementary Text S1, which this package does
    not have. These are ours, made to behave as the paper says: with too few components types merge (`over`), with many
    components noise comes back (`under`), and `smoothing` is best in between.

    All rest on Pearson correlations over the peaks, the inner products of standardised profiles :math:`u_i`.

    under
        :math:`1 - \overline{M_{cc}}` with :math:`M_{cd}` the mean of :math:`u_i \cdot u_j` over cells i of type c and
        j ≠ i of type d, the mean over types: what still tells cells of one type apart. 0 when they are identical, near
        1 for raw data.
    over
        A cell is right if it correlates best with the mean profile of its own type (itself left out); :math:`a` is the
        share of right cells, the mean over types, and :math:`1 / T` that of T types that are alike. The score is
        :math:`1 - (a^{enhanced} - 1/T) / (a^{raw} - 1/T)` within [0, 1]: the share of what told types apart that was
        lost. Means of types average noise away, so that noise alone hardly counts; raw data have 0, merged types 1.
    smoothing
        Harmonic mean of 1 − over and 1 − under: 1 is a single profile per type and no type lost.
    flattened
        Mean over pairs of types of :math:`\max(0, \rho^{enhanced}_{cd} - \rho^{raw}_{cd})`, divided by the mean of
        :math:`1 - \rho^{raw}_{cd}`, where :math:`\rho_{cd} = M_{cd} / \sqrt{M_{cc} M_{dd}}` is the correlation of the
        types' profiles freed of noise: how far types moved towards each other, though they may still be told apart.

    Types with fewer than two cells are left out, of `flattened` also those without a positive mean correlation.

    Parameters
    ----------
    labels
        Cell type of every cell, shape (n_obs,).
    enhanced, raw
        The enhanced matrix and the raw one (for instance its sparse TF-IDF), same cells.

    Returns
    -------
    Series with `under`, `over`, `smoothing`, `flattened`; the last three are NaN where fewer than two types can be
    compared, `over` and `smoothing` also where the raw data do not tell the types apart better than chance.
    """
    codes, groups = encode_labels(labels, enhanced.shape[0])
    encode_labels(labels, raw.shape[0])
    big = np.bincount(codes, minlength=len(groups)) > 1
    scores = []
    for profiles in (enhanced, raw):
        coordinates = profiles.correlation_coordinates()
        products = coordinates.group_products(codes, len(groups))
        scores.append((_between_cells(coordinates, products, codes), _recognised(products, codes, big)))
    (ours, right), (base, raw_right) = scores
    under = 1 - float(np.diag(ours)[big].mean()) if big.any() else np.nan
    over = smoothing = np.nan
    chance = 1 / max(1, int(big.sum()))
    if big.sum() > 1 and raw_right > chance:
        over = float(np.clip(1 - (right - chance) / (raw_right - chance), 0, 1))
        kept, tight = 1 - over, max(0.0, 1 - under)
        smoothing = 2 * kept * tight / (kept + tight) if kept + tight > 0 else 0.0
    flattened = _flattened(ours, base, big)
    return pd.Series({"under": under, "over": over, "smoothing": smoothing, "flattened": flattened})


def _recognised(products: np.ndarray, codes: np.ndarray, big: np.ndarray) -> float:
    """Return the share of cells that correlate best with the mean of their own type, without themselves.

    Parameters
    ----------
    products
        u_i · Σ_{j in type} u_j, shape (n_obs, n_types).
    codes
        Type of every cell.
    big
        Types that count, shape (n_types,).
    """
    own = np.arange(len(codes)), codes
    squares = np.bincount(codes, weights=products[own], minlength=len(big))  # of the norms of the sums
    dots, norms = products.astype(np.float64), np.tile(squares, (len(codes), 1))
    norms[own] += 1 - 2 * products[own]
    dots[own] -= 1
    correlation = np.where(norms > _TIE, dots / np.sqrt(np.maximum(norms, _TIE)), 0)[:, big]
    best = correlation >= correlation.max(axis=1, keepdims=True) - _TIE
    share = np.zeros(products.shape)
    share[:, big] = best / best.sum(axis=1, keepdims=True)  # ties are shared
    sizes = np.bincount(codes, minlength=len(big))
    right = np.bincount(codes, weights=share[own], minlength=len(big)) / np.maximum(sizes, 1)
    return float(right[big].mean())


def _flattened(ours: np.ndarray, base: np.ndarray, big: np.ndarray) -> float:
    """Return the share of the difference between the profiles of types that was lost."""
    usable = np.flatnonzero(big & (np.diag(base) > 0) & (np.diag(ours) > 0))
    if len(usable) < 2:
        return float("nan")
    upper = np.triu_indices(len(usable), k=1)
    rho, raw_rho = (np.clip(_disattenuated(m[np.ix_(usable, usable)]), -1, 1)[upper] for m in (ours, base))
    room = (1 - raw_rho).mean()
    return float(np.maximum(0, rho - raw_rho).mean() / room) if room > 0 else float("nan")


def _between_cells(coordinates: CorrelationCoordinates, products: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return M, shape (n_groups, n_groups): mean correlation between different cells of two groups."""
    n_groups = products.shape[1]
    sums = indicator(codes, n_groups).T @ products
    sizes = np.bincount(codes, minlength=n_groups).astype(float)
    itself = np.bincount(codes, weights=~coordinates.constant, minlength=n_groups)
    pairs = np.outer(sizes, sizes) - np.diag(sizes)
    return (sums - np.diag(itself)) / np.where(pairs > 0, pairs, 1)


def _disattenuated(means: np.ndarray) -> np.ndarray:
    root = np.sqrt(np.diag(means))
    return means / np.outer(root, root)
