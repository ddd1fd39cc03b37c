r"""The marker statistic: how much more open a peak is in a group, in the counts and in the enhanced profiles.

Counts are taken as open or closed. With :math:`O_{gp}` cells of group g open at peak p, :math:`T_p = \sum_g O_{gp}` and
:math:`w_g = \sum_p O_{gp} / \sum_p T_p` (the group's share of all that is open, so that deep cells count as more), the
group is expected to hold :math:`w_g T_p` of the peak's opens, and

.. math:: z_{gp} = \frac{O_{gp} - w_g T_p}{\sqrt{w_g T_p (1 - w_g)}}.

The p-value is the exact upper tail of the binomial distribution of :math:`T_p` draws with probability :math:`w_g`. The
score is z times the log2 fold change of the enhanced profile of the group over the other cells, where both are above 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from .._adjust import benjamini_hochberg
from .._arguments import Numbers, Whole, checked
from .._validate import check_int

#: Opens that are added to what is observed and expected in the fold change of the counts.
PRIOR_OPENS = 2.0
#: What is added to both sides of the enhanced fold changes, in means of a profile: a smaller prior lets peaks with
#: hardly a read lead (benchmarks/markers.py).
PRIOR_SHARE = 1.0


@dataclass(frozen=True, slots=True)
class OpenTest:
    """Test of one group against all other cells, on open or closed; all arrays have shape (n_peaks,), float64.

    Attributes
    ----------
    z
        Observed less expected opens in standard deviations; 0 where nothing is open.
    log2fc
        log2 of the opens of the group over those expected from the other cells at the depth of the group, with two
        opens added to both.
    pct_in, pct_out
        Share of the cells of the group, and of the other cells, that are open, 0 to 1; not corrected for depth.
    pvalue
        One-sided exact binomial p-value; 1 where nothing is open.
    padj
        Benjamini–Hochberg over the peaks that are open in any cell; 1 elsewhere.
    """

    z: np.ndarray
    log2fc: np.ndarray
    pct_in: np.ndarray
    pct_out: np.ndarray
    pvalue: np.ndarray
    padj: np.ndarray


@checked(opens=Numbers("groups peaks", empty=False), n_cells=Numbers("groups", whole=True), group=Whole(0))
def open_test(opens: np.ndarray, n_cells: np.ndarray, group: int) -> OpenTest:
    """Test for every peak whether more of the cells of a group are open than their depth explains.

    Parameters
    ----------
    opens
        Open cells by group and peak, shape (n_groups, n_peaks), integers.
    n_cells
        Cells of every group, shape (n_groups,).
    group
        0-based group to test.

    Returns
    -------
    :class:`OpenTest`. A group without a single open peak, or with all of them, has z = 0 and p = 1 everywhere.

    Examples
    --------
    >>> import numpy as np
    >>> test = sk.peaks.open_test(np.array([[8, 2], [2, 8]]), np.array([10, 10]), 0)
    >>> test.pvalue.round(4).tolist()
    [0.0547, 0.9893]
    """
    check_int(group, name="group", maximum=len(opens) - 1)
    observed = opens[group].astype(np.float64)
    total = opens.sum(axis=0, dtype=np.float64)
    everything = total.sum()
    share = observed.sum() / everything if everything > 0 else 0.0
    rest = total - observed
    n_rest = float(n_cells.sum() - n_cells[group])
    pct_in, pct_out = observed / max(float(n_cells[group]), 1), rest / max(n_rest, 1)
    if not 0 < share < 1:
        zero, one = np.zeros_like(total), np.ones_like(total)
        return OpenTest(zero, zero.copy(), pct_in, pct_out, one, one.copy())
    spread = np.sqrt(total * share * (1 - share))
    z = (observed - share * total) / np.where(spread > 0, spread, 1)
    log2fc = np.log2((observed + PRIOR_OPENS) / (rest * (share / (1 - share)) + PRIOR_OPENS))
    pvalue = np.ones_like(total)
    some = observed > 0
    # P(X ≥ O) of a binomial variable is the regularised incomplete beta function at (O, T − O + 1).
    pvalue[some] = special.betainc(observed[some], rest[some] + 1, share)
    adjusted = np.ones_like(total)
    tested = total > 0
    adjusted[tested] = benjamini_hochberg(pvalue[tested])
    return OpenTest(z, log2fc, pct_in, pct_out, pvalue, adjusted)


@checked(profiles=Numbers("groups peaks"))
def level_profiles(profiles: np.ndarray) -> np.ndarray:
    """Scale mean enhanced profiles so that all groups have the same sum, and take values below 0 as 0.

    Parameters
    ----------
    profiles
        Shape (n_groups, n_peaks).

    Returns
    -------
    Array of the same shape, float64, with mean 1 in every group; a profile that is 0 everywhere stays 0.
    """
    level = np.maximum(np.asarray(profiles, dtype=np.float64), 0)
    mean = level.mean(axis=1, keepdims=True)
    return level / np.where(mean > 0, mean, 1)


@checked(level=Numbers("groups peaks", empty=False, least=2), n_cells=Numbers("groups"), group=Whole(0))
def enhanced_fold_changes(level: np.ndarray, n_cells: np.ndarray, group: int) -> tuple[np.ndarray, np.ndarray]:
    """Compare the enhanced profile of a group with the other cells, and with the highest other group.

    Parameters
    ----------
    level
        Result of :func:`level_profiles`, at least two groups.
    n_cells
        Cells of every group, shape (n_groups,): the weights of the other groups in their mean.
    group
        0-based group.

    Returns
    -------
    Two arrays of shape (n_peaks,): log2 fold change over the mean of the other cells, and over the highest of the
    other groups. The mean of a profile over the peaks is added to both sides.
    """
    check_int(group, name="group", maximum=len(level) - 1)
    weights = np.asarray(n_cells, dtype=np.float64).copy()
    weights[group] = 0
    rest = weights @ level / weights.sum()
    nearest = np.delete(level, group, axis=0).max(axis=0)
    own = np.log2(level[group] + PRIOR_SHARE)
    return own - np.log2(rest + PRIOR_SHARE), own - np.log2(nearest + PRIOR_SHARE)


@checked(z=Numbers("peaks"), log2fc_enhanced=Numbers("peaks"))
def marker_scores(z: np.ndarray, log2fc_enhanced: np.ndarray) -> np.ndarray:
    """Return z times the enhanced log2 fold change where both are above 0, and 0 elsewhere: those are no markers.

    Parameters
    ----------
    z
        Of :func:`open_test`, shape (n_peaks,).
    log2fc_enhanced
        Over the other cells, of :func:`enhanced_fold_changes`, shape (n_peaks,).

    Returns
    -------
    Array of shape (n_peaks,).

    Examples
    --------
    >>> import numpy as np
    >>> sk.peaks.marker_scores(np.array([2.0, 2.0, -1.0]), np.array([1.5, -1.0, 1.0])).tolist()
    [3.0, 0.0, 0.0]
    """
    return np.where((z > 0) & (log2fc_enhanced > 0), z * log2fc_enhanced, 0.0)


@checked(level=Numbers("groups peaks", empty=False, least=2))
def resembling(level: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find for every group the other one whose enhanced profile is most like its own.

    Parameters
    ----------
    level
        Result of :func:`level_profiles`, at least two groups.

    Returns
    -------
    Position of that group (intp) and the Pearson correlation with it, each of shape (n_groups,), of the profiles as
    log2 fold changes over the mean of the groups. A flat profile has a correlation of 0.
    """
    log = np.log2(level + PRIOR_SHARE) - np.log2(level.mean(axis=0) + PRIOR_SHARE)
    log -= log.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(log, axis=1)
    log /= np.where(norm > 0, norm, 1)[:, None]
    correlation = log @ log.T
    np.fill_diagonal(correlation, -np.inf)
    nearest = correlation.argmax(axis=1)
    return nearest, correlation[np.arange(len(level)), nearest]
