"""Expected fraction of a cell's reads per peak (chromVAR's ``computeExpectations``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from scipy import sparse

from .._arguments import Matrix, checked
from .._labels import encode_labels
from .blocks import row_blocks, totals


@checked(counts=Matrix("cells peaks", stored=True))
def expectations(
    counts: Any,
    *,
    norm: bool = False,
    groups: Iterable[object] | None = None,
    compat: bool = False,
) -> np.ndarray:
    r"""Return the expected fraction of reads per peak.

    By default :math:`E_p = r_p / T`: reads of the peak over all reads. With `norm` every cell counts alike:
    :math:`E_p = \sum_i X_{ip} / n_i`, averaged over cells unless `compat`. With `groups` the same within each group,
    averaged over the groups.

    Parameters
    ----------
    counts
        Cells × peaks, in memory, backed or dask.
    norm
        Weigh cells equally instead of by depth.
    groups
        Group of each cell; groups count equally.
    compat
        With `norm`, return the sum over cells as chromVAR 1.5.0 does instead of its documented average. Deviations
        then lie near −1, because the expectation is n_cells times too large.

    Returns
    -------
    Array of shape (n_peaks,), float64.

    Raises
    ------
    ValueError
        If counts are negative or not finite, or (with `norm`) a cell has no reads.

    References
    ----------
    Schep et al., Nature Methods 2017; chromVAR 1.5.0.
    """
    n_cells = counts.shape[0]
    per_cell = totals(counts).per_cell
    if norm and not (per_cell > 0).all():
        empty = np.flatnonzero(per_cell <= 0)
        msg = f"{empty.size} cell(s) without reads, at positions {empty[:5].tolist()}; norm=True cannot use them"
        raise ValueError(msg)
    codes, n_groups = np.zeros(n_cells, dtype=np.intp), 1
    if groups is not None:
        codes, names = encode_labels(groups, n_cells, name="groups")
        n_groups = len(names)
    weights = 1 / per_cell if norm else np.ones(n_cells)
    sums = np.zeros((n_groups, counts.shape[1]))
    for rows, block in row_blocks(counts):
        size = rows.stop - rows.start
        pool = sparse.csr_matrix((weights[rows], (codes[rows], np.arange(size))), shape=(n_groups, size))
        sums += (pool @ block.astype(np.float64)).toarray()
    if not norm:
        reads = np.bincount(codes, weights=per_cell, minlength=n_groups)
        if not (reads > 0).all():
            msg = "groups without any reads have no expectation; drop their cells first"
            raise ValueError(msg)
        sums /= reads[:, None]
    elif not compat:
        sums /= np.bincount(codes, minlength=n_groups)[:, None]
    return sums.mean(axis=0)
