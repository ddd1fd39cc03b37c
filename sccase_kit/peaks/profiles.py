"""Mean enhanced accessibility of groups of cells, from the thin factors, and how it differs between them."""

from __future__ import annotations

import numpy as np

from .._arguments import Numbers, Whole, checked


@checked(
    cell_factors=Numbers("cells components"),
    peak_factors=Numbers("peaks components"),
    codes=Numbers("cells", whole=True),
    n_groups=Whole(1),
)
def group_profiles(
    cell_factors: np.ndarray, peak_factors: np.ndarray, *, codes: np.ndarray, n_groups: int
) -> np.ndarray:
    """Compute the mean enhanced profile of every group.

    Parameters
    ----------
    cell_factors, peak_factors
        Factors of shapes (n_cells, r) and (n_peaks, r); enhanced = cell_factors @ peak_factors.T.
    codes
        0-based group of each cell, shape (n_cells,).
    n_groups
        Number of groups, each with at least one cell.

    Returns
    -------
    Profiles of shape (n_groups, n_peaks), float64.
    """
    members = codes[None, :] == np.arange(n_groups)[:, None]
    means = members.astype(np.float64) @ cell_factors / members.sum(axis=1, keepdims=True)
    return means @ np.asarray(peak_factors, dtype=np.float64).T


@checked(profiles=Numbers("groups peaks", least=2))
def contrasts(profiles: np.ndarray) -> np.ndarray:
    """Compute by how much each group exceeds the largest of the others, in shares of the peak's mean over the groups.

    Parameters
    ----------
    profiles
        Non-negative, (n_groups × n_peaks), at least two groups.

    Returns
    -------
    Array of the shape of `profiles`; negative in every group but the largest, 0 where the largest two are equal.

    Examples
    --------
    >>> import numpy as np
    >>> sk.peaks.contrasts(np.array([[4.0], [1.0], [1.0]])).ravel().tolist()
    [1.5, -1.5, -1.5]
    """
    ordered = np.sort(profiles, axis=0)
    others = np.where(profiles == ordered[-1], ordered[-2], ordered[-1])
    mean = profiles.mean(axis=0)
    return (profiles - others) / np.where(mean > 0, mean, 1)


@checked(profiles=Numbers("groups peaks", empty=False))
def variation(profiles: np.ndarray) -> np.ndarray:
    """Compute the coefficient of variation of each peak over the groups.

    Parameters
    ----------
    profiles
        Non-negative, (n_groups × n_peaks).

    Returns
    -------
    Array of shape (n_peaks,); 0 where a peak is nowhere open.
    """
    mean = profiles.mean(axis=0)
    return profiles.std(axis=0) / np.where(mean > 0, mean, 1)
