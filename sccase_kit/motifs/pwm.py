r"""Weight matrices of motifs and the score at which a site counts as a match (motifmatchr's rules).

With counts :math:`c` of a column of total :math:`N`, pseudocount 0.8 and even prior the weights are
:math:`w_b = \log_2\frac{(c_b + 0.2) / (N + 0.8)}{1/4}`. For other background frequencies :math:`f_b` they become
:math:`w_b + \log_2 \frac14 - \log_2 f_b`, the log odds against that background. motifmatchr 1.1.1 subtracts that
correction instead of adding it.
"""

from __future__ import annotations

import numpy as np

from .._arguments import Number, Numbers, checked

_PSEUDOCOUNT = 0.8
_PRECISION = 2000.0


@checked(counts=Numbers("bases width", empty=False), background=Numbers("bases"))
def log_odds(counts: np.ndarray, background: np.ndarray, *, compat: bool = False) -> np.ndarray:
    """Return the weights of a motif, shape (4, width), float64.

    Parameters
    ----------
    counts
        Base counts, shape (4, width), rows A, C, G, T.
    background
        Frequencies of A, C, G, T.
    compat
        Correct for the background with motifmatchr's sign.

    Returns
    -------
    Array of shape (4, width), float64.
    """
    counts = np.asarray(counts, dtype=np.float64)
    probability = (counts + _PSEUDOCOUNT * 0.25) / (counts.sum(axis=0) + _PSEUDOCOUNT)
    weights = np.log2(probability / 0.25)
    correction = (np.log2(0.25) - np.log2(background))[:, None]
    return weights - correction if compat else weights + correction


@checked(
    weights=Numbers("bases width", empty=False), background=Numbers("bases"), p_cutoff=Number(minimum=0, maximum=1)
)
def score_threshold(weights: np.ndarray, background: np.ndarray, p_cutoff: float) -> float:
    """Return the lowest score that a match must reach, so that random sites reach it with probability ≤ `p_cutoff`.

    The distribution of the score under independent bases is computed on weights rounded to 1/2000, as in MOODS
    (Korhonen et al., Bioinformatics 2009; its ``threshold_from_p``).

    Parameters
    ----------
    weights
        Shape (4, width).
    background
        Frequencies of A, C, G, T.
    p_cutoff
        Probability, between 0 and 1.

    Returns
    -------
    The lowest score of a match, in the units of `weights`.
    """
    from .match_kernels import score_tail

    scaled = weights * _PRECISION
    rounded = np.trunc(scaled + np.where(scaled >= 0, 0.5, -0.5)).astype(np.int64)
    lowest = int(rounded.min())
    width = weights.shape[1]
    cut = score_tail(np.ascontiguousarray((rounded - lowest).T), np.asarray(background, dtype=np.float64), p_cutoff)
    if cut == -2:
        best = weights.max(axis=0)
        below = np.where(weights < best, weights, -np.inf).max(axis=0)
        return float(best.sum() - (best - below).min() / 2)
    if cut == -1:
        return float(weights.min(axis=0).sum() - 1)
    return (cut + width * lowest + 1) / _PRECISION
