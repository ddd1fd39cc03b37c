"""Whether an enhancement smooths too little (cells of a type stay noisy) or too much (types merge)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .._labels import encode_labels
from .profiles import CorrelationCoordinates, Profiles, indicator


def smoothing_scores(labels: Any, enhanced: Profiles, raw: Profiles) -> pd.Series:
    r"""Return under-, over- and overall smoothing of an enhanced matrix with known cell types.

    All three rest on Pearson correlations over the peaks between different cells: with standardised profiles
    :math:`u_i`, let :math:`M_{cd}` be the mean of :math:`u_i \cdot u_j` over cells i of type c and j ≠ i of type d.
    The noise of different cells is independent, so :math:`M_{cd}` holds signal alone and
    :math:`\rho_{cd} = M_{cd} / \sqrt{M_{cc} M_{dd}}` is the correlation of the types' profiles freed of noise.

    under
        :math:`1 - \overline{M_{cc}}` of the enhanced matrix, the mean over types: what still tells cells of one type
        apart. 0 when they are identical; near 1 for raw data.
    over
        Mean over pairs of types of :math:`\max(0, \rho^{enhanced}_{cd} - \rho^{raw}_{cd})`, divided by the mean of
        :math:`1 - \rho^{raw}_{cd}`: the share of the difference between types that was lost. 0 when types are kept
        as different as the raw data say they are, 1 when all types are alike.
    smoothing
        :math:`(\overline{M_{cc}}^{enhanced} - \overline{M_{cc}}^{raw}) / (1 - \overline{M_{cc}}^{raw})`: the share of
        the raw dissimilarity within types that was removed. 0 leaves the data as they are, 1 is a single profile per
        type. Good smoothing has `smoothing` high with `over` near 0.

    Types with fewer than two cells, or without a positive mean correlation in the raw data, are left out.

    Parameters
    ----------
    labels
        Cell type of every cell, shape (n_obs,).
    enhanced, raw
        The enhanced matrix and the raw one (for instance its sparse TF-IDF), same cells.

    Returns
    -------
    Series with `under`, `over`, `smoothing`; `over` is NaN where fewer than two types can be compared.
    """
    codes, groups = encode_labels(labels, enhanced.shape[0])
    encode_labels(labels, raw.shape[0])
    big = np.bincount(codes) > 1
    ours = _between_cells(enhanced.correlation_coordinates(), codes, len(groups))
    base = _between_cells(raw.correlation_coordinates(), codes, len(groups))
    within, raw_within = np.diag(ours)[big].mean(), np.diag(base)[big].mean()
    usable = np.flatnonzero(big & (np.diag(base) > 0) & (np.diag(ours) > 0))
    over = np.nan
    if len(usable) > 1:
        upper = np.triu_indices(len(usable), k=1)
        rho, raw_rho = (np.clip(_disattenuated(m[np.ix_(usable, usable)]), -1, 1)[upper] for m in (ours, base))
        room = (1 - raw_rho).mean()
        over = float(np.maximum(0, rho - raw_rho).mean() / room) if room > 0 else np.nan
    room = 1 - raw_within
    return pd.Series(
        {
            "under": float(1 - within),
            "over": over,
            "smoothing": float((within - raw_within) / room) if room > 0 else np.nan,
        }
    )


def _between_cells(coordinates: CorrelationCoordinates, codes: np.ndarray, n_groups: int) -> np.ndarray:
    """Return M, shape (n_groups, n_groups): mean correlation between different cells of two groups."""
    member = indicator(codes, n_groups)
    sums = member.T @ coordinates.group_products(codes, n_groups)
    sizes = np.bincount(codes, minlength=n_groups).astype(float)
    itself = np.bincount(codes, weights=~coordinates.constant, minlength=n_groups)
    pairs = np.outer(sizes, sizes) - np.diag(sizes)
    return (sums - np.diag(itself)) / np.where(pairs > 0, pairs, 1)


def _disattenuated(means: np.ndarray) -> np.ndarray:
    root = np.sqrt(np.diag(means))
    return means / np.outer(root, root)
