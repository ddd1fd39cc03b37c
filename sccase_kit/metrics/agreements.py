"""Agreement of a clustering with known labels, and the imbalance of labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .._arguments import Labels, checked
from .._labels import encode_labels


@checked(labels=Labels("cells"), clusters=Labels("cells", fit=False))
def agreement(labels: Any, clusters: Any) -> pd.Series:
    """Return ARI, AMI and FMI of `clusters` against `labels`.

    Parameters
    ----------
    labels, clusters
        Group of every cell, shape (n_obs,), any hashable.

    Returns
    -------
    Series with `ari` (adjusted Rand index), `ami` (adjusted mutual information) and `fmi` (Fowlkes–Mallows index),
    computed by scikit-learn.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> float(sk.metrics.agreement(['a', 'a', 'b'], [1, 1, 2])['ari'])
    1.0
    """
    from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score, fowlkes_mallows_score

    truth, _ = encode_labels(labels, len(labels))
    found, _ = encode_labels(clusters, len(labels), name="clusters")
    return pd.Series(
        {
            "ari": adjusted_rand_score(truth, found),
            "ami": adjusted_mutual_info_score(truth, found),
            "fmi": fowlkes_mallows_score(truth, found),
        }
    )


@checked(labels=Labels("cells"))
def imbalance_degree(labels: Any) -> float:
    r"""Return the imbalance degree of group sizes (Eq. 15 of the scCASE paper).

    .. math:: I = 1 + \frac{1}{\log C} \sum_{c=1}^{C} \frac{n_c}{N} \log \frac{n_c}{N}

    0 for groups of equal size, 1 for a single group.

    Parameters
    ----------
    labels
        Group of every cell, shape (n_obs,).

    Returns
    -------
    Degree between 0 and 1.
    """
    codes, groups = encode_labels(labels, len(labels), min_groups=1)
    if len(groups) == 1:
        return 1.0
    share = np.bincount(codes) / len(codes)
    return float(max(0.0, 1 + (share * np.log(share)).sum() / np.log(len(groups))))
