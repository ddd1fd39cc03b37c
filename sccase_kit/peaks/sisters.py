r"""Whether two groups differ in counts that had no part in making them, by how much, and at which peaks.

At peak p and in stratum s, a group A that is compared with B is expected to hold its share :math:`w_{sp}` of the opens
:math:`T_{sp}` of both, w being A's share of the counts of the cells at risk (:mod:`sccase_kit.peaks.halves`). With the
excess :math:`d_p = \sum_s (O_{Asp} - w_{sp} T_{sp})`, its variance :math:`v_p = \sum_s w (1 - w) T (1 - T / n)` for n
cells at risk, and the log ratio :math:`l_p` of the two profiles as the other half says it,

.. math:: z = \frac{\sum_p l_p d_p}{\sqrt{\sum_p l_p^2 v_p}}

is a standard normal variable where the groups are one. Groups that have nothing to do with the counts are put where
any difference between cells leads, so a second z must be large as well: by how much more often than by chance cells of
A are told to be of A, among the cells of both (the z of a table of two by two). The smaller of the two counts. The
halves take turns, and the mean of their z is taken: its spread is at most 1.

The **difference** is the part of the profiles that lies along this direction, as a root mean square of relative
differences: with the information :math:`i_p = \sum_s w (1 - w) T`, the square of
:math:`\sum l d / \sqrt{\sum l^2 i \sum i}`, less what chance gives. It does not grow with the number of cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from scipy import special

from .._adjust import benjamini_hochberg
from .halves import HalfSums

#: Added to profiles of mean 1 before their ratio is taken.
_PRIOR = 0.1
#: Opens added to both sides of a fold change.
_PRIOR_OPENS = 2.0


@dataclass(frozen=True, slots=True)
class PairTest:
    """How far two groups are apart.

    Attributes
    ----------
    z
        Standard normal where the groups are one; large where held-out counts differ as the others say, and cells are
        put into their own group.
    difference
        Root mean square of the relative differences of their profiles, 0.1 for 10 %; below 0 where there is less than
        by chance.
    said
        The same of the learned profiles.
    """

    z: float
    difference: float
    said: float


@dataclass(frozen=True, slots=True)
class PeakContrast:
    """Peaks of a group against another in held-out counts; all arrays have shape (n_peaks,).

    Attributes
    ----------
    opens, expected
        Opens of the group in the held-out halves, and those expected if the two were one.
    variance
        Of the opens, for sums of peaks.
    rates
        Opens at equal depth of the group and of the other, shape (2, n_peaks): their ratio is the fold change.
    pvalue, padj
        Two-sided, twice the smaller exact binomial tail; Benjamini–Hochberg over the peaks with an open.
    """

    opens: np.ndarray
    expected: np.ndarray
    variance: np.ndarray
    rates: np.ndarray
    pvalue: np.ndarray
    padj: np.ndarray

    @property
    def log2fc(self) -> np.ndarray:
        """log2 of the ratio of the rates, two opens added to both sides."""
        return np.log2(self.rates[0] + _PRIOR_OPENS) - np.log2(self.rates[1] + _PRIOR_OPENS)


@dataclass(frozen=True, slots=True)
class _Excess:
    """Of one half: opens, expected, variance and information by peak, and opens at equal depth of both sides."""

    opens: np.ndarray
    expected: np.ndarray
    variance: np.ndarray
    information: np.ndarray
    rates: np.ndarray


def _excess(half: HalfSums, own: Sequence[int], other: Sequence[int]) -> _Excess:
    a, b = list(own), list(other)
    opens_a, opens_b = (half.opens[rows].sum(axis=0, dtype=np.float64) for rows in (a, b))
    risk_a, risk_b = (half.risk[rows].sum(axis=0, dtype=np.float64) for rows in (a, b))
    cells = half.cells[a].sum(axis=0, dtype=np.float64) + half.cells[b].sum(axis=0, dtype=np.float64)
    risk = risk_a + risk_b
    share = risk_a / np.where(risk > 0, risk, 1)
    total = opens_a + opens_b
    closed = 1 - np.minimum(total / np.where(cells > 0, cells, 1), 1)
    information = share * (1 - share) * total
    # Opens of either side times the share of the other: what both would hold with the same counts at risk.
    rates = np.array([(opens_a * (1 - share)).sum(axis=0), (opens_b * share).sum(axis=0)])
    return _Excess(
        opens_a.sum(axis=0),
        (share * total).sum(axis=0),
        (information * closed).sum(axis=0),
        information.sum(axis=0),
        rates,
    )


def _direction(half: HalfSums, own: Sequence[int], other: Sequence[int]) -> np.ndarray:
    """Return the log ratio of the learned profiles of two groups, each of mean 1."""
    logs = []
    for rows in (own, other):
        profile = half.level[list(rows)].sum(axis=0)
        logs.append(np.log(profile / max(float(profile.mean()), 1e-300) + _PRIOR))
    return logs[0] - logs[1]


def pair_test(halves: Sequence[HalfSums], own: Sequence[int], other: Sequence[int]) -> PairTest:
    """Test whether two groups, or two sets of groups, differ.

    Parameters
    ----------
    halves
        Held-out sums, one per half that was held out.
    own, other
        0-based groups of the two sides.

    Returns
    -------
    :class:`PairTest`, means over the halves; a side without a held-out open has z = 0 and a difference of 0.
    """
    found, agreement = [], float(np.mean([_agreement(half, own, other) for half in halves]))
    for half in halves:
        excess, direction = _excess(half, own, other), _direction(half, own, other)
        along = float(direction @ (excess.opens - excess.expected))
        noise = float(direction**2 @ excess.variance)
        scale, total = float(direction**2 @ excess.information), float(excess.information.sum())
        if not (noise > 0 and scale > 0):
            found.append((0.0, 0.0, 0.0))
            continue
        squared = (along * abs(along) - noise) / (scale * total)
        found.append((along / np.sqrt(noise), np.sign(squared) * np.sqrt(abs(squared)), np.sqrt(scale / total)))
    z, difference, said = np.mean(found, axis=0)
    return PairTest(min(float(z), agreement), float(difference), float(said))


def _agreement(half: HalfSums, own: Sequence[int], other: Sequence[int]) -> float:
    """Return z of how often cells of two groups are put into their own; 0 where all are of one or put into one."""
    a, b = list(own), list(other)
    table = np.array([[half.told[np.ix_(row, column)].sum() for column in (a, b)] for row in (a, b)], dtype=np.float64)
    n, rows, columns = table.sum(), table.sum(axis=1), table.sum(axis=0)
    if n < 2 or not (rows.all() and columns.all()):
        return 0.0
    expected = rows[0] * columns[0] / n
    return float((table[0, 0] - expected) / np.sqrt(expected * rows[1] * columns[1] / (n * (n - 1))))


def peak_contrast(halves: Sequence[HalfSums], own: Sequence[int], other: Sequence[int]) -> PeakContrast:
    """Compare two groups, or two sets of groups, peak by peak.

    Parameters
    ----------
    halves
        Held-out sums, one per half that was held out.
    own, other
        0-based groups of the two sides.

    Returns
    -------
    :class:`PeakContrast`
    """
    parts = [_excess(half, own, other) for half in halves]
    opens, expected, variance, rates = (
        np.sum([getattr(part, name) for part in parts], axis=0) for name in ("opens", "expected", "variance", "rates")
    )
    total = np.sum([half.opens[[*own, *other]].sum(axis=(0, 1), dtype=np.float64) for half in halves], axis=0)
    share = np.clip(expected / np.where(total > 0, total, 1), 1e-12, 1 - 1e-12)
    # P(X ≥ O) and P(X ≤ O) of a binomial variable as regularised incomplete beta functions.
    upper = np.where(opens > 0, special.betainc(np.maximum(opens, 1), total - opens + 1, share), 1.0)
    lower = np.where(opens < total, special.betainc(np.maximum(total - opens, 1), opens + 1, 1 - share), 1.0)
    pvalue = np.minimum(2 * np.minimum(upper, lower), 1)
    tested = total > 0
    padj = np.ones_like(pvalue)
    if tested.any():
        padj[tested] = benjamini_hochberg(pvalue[tested])
    return PeakContrast(opens, expected, variance, rates, pvalue, padj)


def told_apart(test: PairTest, *, n_pairs: int, alpha: float, min_difference: float) -> bool:
    """Return whether two groups are told apart: the p-value of z times the number of pairs, and the difference.

    Parameters
    ----------
    test
        Of :func:`pair_test`.
    n_pairs
        Pairs that are tested.
    alpha
        Largest adjusted p-value.
    min_difference
        Least difference.

    Examples
    --------
    >>> from sccase_kit.peaks.sisters import PairTest, told_apart
    >>> told_apart(PairTest(5.0, 0.1, 0.1), n_pairs=10, alpha=0.01, min_difference=0.04)
    True
    """
    return bool(scipy.stats.norm.sf(test.z) * n_pairs <= alpha and test.difference >= min_difference)


def merged_groups(
    halves: Sequence[HalfSums], n_groups: int, *, alpha: float, min_difference: float
) -> tuple[list[list[int]], dict[tuple[int, int], PairTest]]:
    """Merge groups until every pair that is left is told apart.

    Of the pairs that are not, the one with the smallest difference is merged, and its sums are those of both.

    Parameters
    ----------
    halves
        Held-out sums, one per half that was held out.
    n_groups
        Number of groups.
    alpha, min_difference
        See :func:`told_apart`; the p-values are adjusted for all pairs of the `n_groups`.

    Returns
    -------
    The groups that were merged, each a list of the 0-based groups in it, by their first; and the test of every pair of
    them, by their positions in this list.
    """
    n_pairs = n_groups * (n_groups - 1) // 2
    families: dict[int, list[int]] = {g: [g] for g in range(n_groups)}
    tests = {(a, b): pair_test(halves, [a], [b]) for a in range(n_groups) for b in range(a + 1, n_groups)}
    while True:
        alike = {
            pair: (max(test.difference, 0.0), test.said)
            for pair, test in tests.items()
            if not told_apart(test, n_pairs=n_pairs, alpha=alpha, min_difference=min_difference)
        }
        if not alike:
            break
        first, second = min(alike, key=lambda pair: (alike[pair], pair))
        families[first] = sorted(families[first] + families.pop(second))
        tests = {pair: test for pair, test in tests.items() if not {first, second} & set(pair)}
        for k in families:
            if k != first:
                a, b = min(k, first), max(k, first)
                tests[a, b] = pair_test(halves, families[a], families[b])
    order = {k: position for position, k in enumerate(families)}
    return list(families.values()), {(order[a], order[b]): test for (a, b), test in tests.items()}
