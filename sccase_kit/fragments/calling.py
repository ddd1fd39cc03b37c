"""Which barcodes are cells: those on the deep side of the gap between background and cells."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._arguments import Numbers, Whole, checked

#: Barcodes with fewer fragments are never called.
FLOOR = 200
_EXPLAINED = 0.75  # what splitting a uniform distribution in two explains


@checked(counts=Numbers("barcodes"), floor=Whole(0))
def cell_threshold(counts: npt.ArrayLike, *, floor: int = FLOOR) -> int:
    """Return the number of fragments from which on a barcode is called a cell.

    The logarithms of the counts of at least `floor` are split in two such that the variance inside the two parts is
    smallest (Otsu's threshold, exact on the sorted values). Every barcode counts once. A split that explains no more
    than three quarters of the variance, as it would for a uniform distribution, shows no two modes, of background and
    of cells: then the counts of at least a tenth of `floor` are split, as the background may lie there. Where that has
    no two modes either, as in a file of cells only, all barcodes with at least `floor` fragments are called.

    Parameters
    ----------
    counts
        Fragments of every barcode.
    floor
        Smallest number of fragments of a cell.

    Returns
    -------
    The smallest number of fragments of a cell, at least `floor`.

    References
    ----------
    Otsu, "A threshold selection method from gray-level histograms", IEEE Trans. Syst. Man Cybern. 1979.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> sk.fragments.cell_threshold([220, 230, 250, 260, 9000, 9500, 12000])
    9000
    """
    counts = np.asarray(counts)
    for least in (floor, max(1, floor // 10)):
        split = _split(np.sort(counts[counts >= least]))
        if split is not None:
            return max(int(floor), split)
    return int(floor)


def _split(values: npt.NDArray[np.int64]) -> int | None:
    """Return the first of the sorted values above Otsu's threshold, None if that shows no two modes."""
    if len(values) < 2 or values[0] == values[-1]:
        return None
    x = np.log10(values)
    n = len(x)
    below = np.arange(1, n)
    total = np.cumsum(x)
    left, right = total[:-1] / below, (total[-1] - total[:-1]) / (n - below)
    between = below * (n - below) / n**2 * (right - left) ** 2
    between[values[1:] == values[:-1]] = -1.0  # equal counts stay together
    cut = int(np.argmax(between))
    return int(values[cut + 1]) if between[cut] > _EXPLAINED * x.var() else None


@checked(counts=Numbers("barcodes"), points=Whole(1))
def rank_curve(counts: npt.ArrayLike, *, points: int = 500) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the barcode-rank curve thinned to at most `points` places, evenly spaced on a logarithmic scale.

    Parameters
    ----------
    counts
        Fragments of every barcode.
    points
        Largest number of places.

    Returns
    -------
    rank (int64, from 1) and the fragments of the barcode of that rank (int64).
    """
    ordered = np.sort(np.asarray(counts, dtype=np.int64))[::-1]
    if not len(ordered):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    rank = np.unique(np.rint(np.geomspace(1, len(ordered), points)).astype(np.int64))
    return rank, ordered[rank - 1]
