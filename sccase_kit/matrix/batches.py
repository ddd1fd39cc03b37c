"""Peaks that are closed in every cell of one batch, as where samples were counted in peaks of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from .._logging import warn
from .sums import row_pieces

#: Expected open cells from which on none at all is neither chance nor what batches or their mixture of types make: at
#: 15, no such peak was found in the donors of bone marrow (2,000 and 14,000 cells), at 10 one in a thousand.
LEAST_EXPECTED = 15.0
#: Share of such peaks of a batch that is worth a warning.
LARGEST_SHARE = 0.01


def open_by_batch(matrix: Any, codes: npt.NDArray[np.int64], n_batches: int) -> npt.NDArray[np.int64]:
    """Return the open cells of every batch and peak, shape (n_batches, n_peaks), with one read of any storage.

    Parameters
    ----------
    matrix
        Counts, cells × peaks.
    codes
        Batch of every cell, 0 … `n_batches` − 1.
    n_batches
        Number of batches.
    """
    found = np.zeros((n_batches, matrix.shape[1]), dtype=np.int64)
    for rows, raw in row_pieces(matrix):
        csr = sparse.csr_matrix(raw)
        of_entry = np.repeat(codes[rows], np.diff(csr.indptr))
        nonzero = csr.data != 0
        for batch in np.unique(codes[rows]):
            found[batch] += np.bincount(csr.indices[(of_entry == batch) & nonzero], minlength=found.shape[1])
    return found


def closed_peaks(n_open: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return which peaks are closed in a batch although they would be open by the other batches.

    Parameters
    ----------
    n_open
        Open cells, batches × peaks.

    Returns
    -------
    closed, told
        bool, batches × peaks. A peak can be told where the other batches, scaled to this one's number of open entries,
        let at least `LEAST_EXPECTED` open cells be expected; it is closed if there is none.
    """
    depth = n_open.sum(axis=1, dtype=np.float64)[:, None]
    others, rest = n_open.sum(axis=0) - n_open, depth.sum() - depth
    expected = others * np.divide(depth, rest, out=np.zeros_like(depth), where=rest > 0)
    told = expected >= LEAST_EXPECTED
    return told & (n_open == 0), told


def warn_of_closed_peaks(
    matrix: Any, codes: npt.NDArray[np.int64], names: Sequence[object], *, name: str = "batch_key"
) -> None:
    """Warn where many peaks are closed in all cells of one batch: no correction of batches mends that.

    Parameters
    ----------
    matrix
        Counts, cells × peaks, of any storage.
    codes
        Batch of every cell.
    names
        The batches.
    name
        What to call the argument in the message.
    """
    closed, told = closed_peaks(open_by_batch(matrix, codes, len(names)))
    shares = closed.sum(axis=1) / np.maximum(told.sum(axis=1), 1)
    worst = int(np.argmax(shares))
    if shares[worst] <= LARGEST_SHARE:
        return
    several = int((shares > LARGEST_SHARE).sum())
    more = f" ({several} of {len(names)} batches have such peaks)" if several > 1 else ""
    warn(
        f"{name}: {int(closed[worst].sum()):,} of {int(told[worst].sum()):,} peaks that are open in the other batches "
        f"are closed in every cell of {str(names[worst])!r}{more}. Were the samples counted in peaks of their own? "
        "Then these zeros are not measured, and types split by sample: merge the peaks (sccase_kit.pp.merge_peaks) and "
        "count all samples in them (sccase_kit.read_fragments), or keep the peaks that all samples share"
    )
