r"""What one half of the counts says of groups that the other half has told: a look that the groups have not seen.

Clusters are made from the counts, so the same counts always differ between them, also where one type was split by
chance. Here every open entry falls into one of two halves. From one half alone, cells are put into the group whose
centre is nearest; the other half, which had no part in that, is summed by these groups.

An entry that one half holds is missing in the other, so that at a peak only the cells at risk count: those whose first
half is closed there. They are compared at equal depth, in strata.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

#: Added to the diagonal of the covariance within the groups, in its mean.
_RIDGE = 1e-3


@dataclass(frozen=True, eq=False, slots=True)
class HalfSums:
    """Sums of the held-out half over groups; the first three arrays have shape (n_groups, n_strata, n_peaks), float32.

    Attributes
    ----------
    opens
        Cells that are open at the peak in the held-out half.
    risk
        Counts of the held-out half of the cells at risk there.
    cells
        Number of cells at risk.
    level
        What the other half says: accessibility of the groups, shape (n_groups, n_peaks), non-negative.
    told
        Cells by their own group and the one that the other half told, shape (n_groups, n_groups).
    """

    opens: np.ndarray
    risk: np.ndarray
    cells: np.ndarray
    level: np.ndarray
    told: np.ndarray


def assigned_groups(embedding: np.ndarray, codes: np.ndarray, n_groups: int, *, folds: np.ndarray) -> np.ndarray:
    """Put every cell into the group that its place tells, by the groups of cells of other folds.

    Linear discriminant analysis with the groups' shares as priors.

    Parameters
    ----------
    embedding
        Shape (n_cells, n_components).
    codes
        0-based group of each cell, shape (n_cells,).
    n_groups
        Number of groups.
    folds
        0-based fold of each cell, at least two.

    Returns
    -------
    0-based group of each cell, shape (n_cells,), int64.

    Raises
    ------
    ValueError
        If all cells are of one fold.

    Examples
    --------
    >>> import numpy as np
    >>> from sccase_kit.peaks.halves import assigned_groups
    >>> place = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2]])
    >>> folds = np.array([0, 1, 0, 1, 0, 1])
    >>> assigned_groups(place, np.array([0, 0, 0, 1, 1, 1]), 2, folds=folds).tolist()
    [0, 0, 0, 1, 1, 1]
    """
    if len(np.unique(folds)) < 2:
        msg = "folds: all cells are of one fold; at least two are needed"
        raise ValueError(msg)
    place = np.asarray(embedding, dtype=np.float64)
    spread = place.std(axis=0)
    place = (place - place.mean(axis=0)) / np.where(spread > 0, spread, 1)
    out = np.empty(len(place), dtype=np.int64)
    for fold in np.unique(folds):
        other, here = folds != fold, folds == fold
        size = np.bincount(codes[other], minlength=n_groups).astype(np.float64)
        places = (codes[other], np.arange(int(other.sum())))
        member = sparse.csr_matrix((np.ones(int(other.sum())), places), shape=(n_groups, int(other.sum())))
        centre = (member @ place[other]) / np.maximum(size, 1)[:, None]
        within = place[other] - centre[codes[other]]
        covariance = within.T @ within / other.sum()
        covariance += (_RIDGE * np.trace(covariance) / len(covariance) + 1e-12) * np.eye(len(covariance))
        weights = np.linalg.solve(covariance, centre.T)
        offset = np.full(n_groups, -np.inf)
        some = size > 0
        offset[some] = np.log(size[some] / size.sum()) - 0.5 * np.einsum("gk,kg->g", centre, weights)[some]
        out[here] = (place[here] @ weights + offset).argmax(axis=1)
    return out


def depth_strata(depth: np.ndarray, batch: np.ndarray, n_levels: int = 4) -> np.ndarray:
    """Divide the cells of every batch into parts of equal size by depth.

    Parameters
    ----------
    depth
        Counts of each cell, shape (n_cells,).
    batch
        0-based batch of each cell; zeros where there are none.
    n_levels
        Parts per batch.

    Returns
    -------
    0-based stratum of each cell, int64.

    Examples
    --------
    >>> import numpy as np
    >>> from sccase_kit.peaks.halves import depth_strata
    >>> depth_strata(np.array([5, 1, 9, 2]), np.zeros(4, dtype=int), 2).tolist()
    [1, 0, 1, 0]
    """
    out = np.zeros(len(depth), dtype=np.int64)
    for value in np.unique(batch):
        own = np.flatnonzero(batch == value)
        cuts = np.quantile(depth[own], np.arange(1, n_levels) / n_levels)
        out[own] = value * n_levels + np.searchsorted(cuts, depth[own], side="left")
    return out


def half_sums(
    kept: sparse.csr_matrix,
    hidden: sparse.csr_matrix,
    *,
    codes: np.ndarray,
    told: np.ndarray,
    n_groups: int,
    strata: np.ndarray,
    level: np.ndarray,
) -> HalfSums:
    """Sum the held-out half over groups and strata.

    Parameters
    ----------
    kept, hidden
        The two halves, (n_cells, n_peaks), no entry in both; every stored value is taken as open.
    codes
        0-based group of each cell.
    told
        0-based group of each cell that `kept` tells; the sums are over these.
    n_groups
        Number of groups.
    strata
        0-based stratum of each cell.
    level
        Accessibility of the groups by `kept`, shape (n_groups, n_peaks).

    Returns
    -------
    :class:`HalfSums`
    """
    n_strata = int(strata.max(initial=0)) + 1
    shape = (n_groups, n_strata, kept.shape[1])
    n_cells = kept.shape[0]
    depth = np.diff(hidden.indptr).astype(np.float64)
    at = told * n_strata + strata

    def summed(matrix: sparse.csr_matrix, values: np.ndarray) -> np.ndarray:
        place = (at, np.arange(n_cells))
        member = sparse.csr_matrix((values, place), shape=(n_groups * n_strata, n_cells))
        pattern = sparse.csr_matrix((np.ones(matrix.nnz), matrix.indices, matrix.indptr), shape=matrix.shape)
        return (member @ pattern).toarray().astype(np.float32).reshape(shape)

    each = np.ones(n_cells)
    whole = np.bincount(at, weights=depth, minlength=n_groups * n_strata).reshape(shape[:2])
    number = np.bincount(at, minlength=n_groups * n_strata).reshape(shape[:2])
    risk = np.maximum(whole[:, :, None] - summed(kept, depth), 0).astype(np.float32)
    cells = np.maximum(number[:, :, None] - summed(kept, each), 0).astype(np.float32)
    both = np.bincount(codes * n_groups + told, minlength=n_groups**2).reshape(n_groups, n_groups)
    return HalfSums(summed(hidden, each), risk, cells, np.asarray(level, dtype=np.float64), both)
