"""Specific and background peaks of a factor model."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from .._arguments import Made, Numbers, Whole, checked
from .._validate import check_int


@dataclass(frozen=True, slots=True)
class Activation:
    """Activation of components in groups of cells; all arrays have shape (n_groups, n_components).

    Attributes
    ----------
    statistic
        Wilcoxon signed-rank statistic as a share of its largest possible value, 0 to 1.
    pvalue
        One-sided p-value (normal approximation).
    difference
        Mean of the component in the group less the mean of all components in the same cells.
    specificity
        Probability that a cell of the group exceeds a cell outside (area under the ROC curve).
    """

    statistic: np.ndarray
    pvalue: np.ndarray
    difference: np.ndarray
    specificity: np.ndarray


@checked(embedding=Numbers("cells components"), codes=Numbers("cells", whole=True), n_groups=Whole(1))
def component_activation(embedding: np.ndarray, codes: np.ndarray, n_groups: int) -> Activation:
    """Test for every group and component whether cells of the group use it more than they use components on average.

    Parameters
    ----------
    embedding
        Shape (n_cells, n_components). Components have no natural scale: each is centred and divided by its standard
        deviation over the cells first.
    codes
        0-based group of each cell, shape (n_cells,).
    n_groups
        Number of groups, each with at least one cell and not all cells.

    Returns
    -------
    :class:`Activation`
    """
    embedding = np.asarray(embedding, dtype=np.float64)
    spread = embedding.std(axis=0)
    scaled = (embedding - embedding.mean(axis=0)) / np.where(spread > 0, spread, 1)
    paired = scaled - scaled.mean(axis=1, keepdims=True)
    ranks = scipy.stats.rankdata(embedding, axis=0)
    shape = (n_groups, embedding.shape[1])
    statistic, pvalue, difference, specificity = np.zeros(shape), np.ones(shape), np.zeros(shape), np.zeros(shape)
    for g in range(n_groups):
        inside = codes == g
        values, n = paired[inside], int(inside.sum())
        signed = scipy.stats.rankdata(np.abs(values), axis=0)
        signed[values == 0] = 0
        positive = np.where(values > 0, signed, 0).sum(axis=0)
        total, squares = signed.sum(axis=0), (signed**2).sum(axis=0)
        used = squares > 0
        statistic[g, used] = positive[used] / total[used]
        # Under the null each rank is added with probability 1/2; ties are in the ranks' squares.
        z = (positive[used] - total[used] / 2) / np.sqrt(squares[used] / 4)
        pvalue[g, used] = scipy.stats.norm.sf(z)
        difference[g] = values.mean(axis=0)
        outside = len(codes) - n
        specificity[g] = (ranks[inside].sum(axis=0) - n * (n + 1) / 2) / (n * outside)
    return Activation(statistic, pvalue, difference, specificity)


@checked(activation=Made(Activation, "sccase_kit.peaks.component_activation"), n_components=Whole(1))
def choose_components(activation: Activation, n_components: int) -> np.ndarray:
    """Choose the components of each group by specificity (an effect size), equals by difference.

    The Wilcoxon statistic cannot order them: it is 1 as soon as every cell of the group uses a component more than its
    others, whatever the cells of other groups do. On the bm0828 cells of Buenrostro et al. (2018) it does so for up to
    12 components of a type, or for one of little specificity.

    Parameters
    ----------
    activation
        Result of :func:`component_activation`.
    n_components
        Components per group.

    Returns
    -------
    Positions of the components, the most active first; shape (n_groups, n_components).
    """
    order = np.lexsort((-activation.difference, -activation.specificity), axis=1)
    return order[:, :n_components]


@checked(projection=Numbers("peaks components", empty=False), components=Numbers("chosen", whole=True, empty=False))
def rank_peaks(projection: np.ndarray, components: np.ndarray, n_top: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the peaks with the largest coefficients.

    Parameters
    ----------
    projection
        Shape (n_peaks, n_components), non-negative.
    components
        Components to use. With several, each is divided by its largest coefficient and a peak counts with its best.
    n_top
        Peaks wanted; fewer are returned where fewer have a positive coefficient.

    Returns
    -------
    Positions (int64), coefficients (float64) and components of the peaks, the best first.

    Raises
    ------
    TypeError, ValueError
        If `n_top` is not a positive integer.
    """
    part = np.asarray(projection, dtype=np.float64)[:, components]
    largest = part.max(axis=0) if len(components) > 1 else np.ones(1)
    scores = part / np.where(largest > 0, largest, 1)
    best = np.argmax(scores, axis=1)
    score = scores[np.arange(len(part)), best]
    order = np.argsort(-score, kind="stable")[: check_int(n_top, name="n_top", minimum=1)]
    order = order[score[order] > 0]
    return order, part[order, best[order]], np.asarray(components)[best[order]]


@checked(projection=Numbers("peaks components", empty=False))
def background_positions(projection: np.ndarray, n_top: int) -> np.ndarray:
    """Find the peaks whose mean coefficient is closest to the mean of the projection matrix.

    Parameters
    ----------
    projection
        Shape (n_peaks, n_components).
    n_top
        Peaks wanted.

    Returns
    -------
    Positions (int64), the closest first.

    Raises
    ------
    TypeError, ValueError
        If `n_top` is not a positive integer.
    """
    means = np.asarray(projection, dtype=np.float64).mean(axis=1)
    return np.argsort(np.abs(means - means.mean()), kind="stable")[: check_int(n_top, name="n_top", minimum=1)]


def sharing(chosen: Sequence[np.ndarray], names: Sequence[str], *, told: Container[str] = ()) -> list[str]:
    """Return the first groups that have the same components, or nothing.

    Parameters
    ----------
    chosen
        Components of every group, as :func:`choose_components` returns them.
    names
        Names of the groups.
    told
        Groups that are left out.
    """
    groups: dict[tuple[int, ...], list[str]] = {}
    for components, name in zip(chosen, names, strict=True):
        if name not in told:
            groups.setdefault(tuple(sorted(map(int, components))), []).append(name)
    return next((found for found in groups.values() if len(found) > 1), [])
