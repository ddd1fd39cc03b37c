"""From counts to the scaled operator: one pass of checks and sums, TF-IDF as diagonal scalings."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .._arguments import Matrix, checked
from .._logging import warn
from .._version import __version__
from ..matrix.gram import MOST_CELLS
from ..matrix.operator import ScaledOperator
from ..matrix.peaks import by_peaks_pays
from ..matrix.rows import canonical, even_cuts, view_rows
from ..matrix.sums import count_statistics
from .keys import Keys, data_keys
from .nmf import SMALL
from .survey import survey

_SMALLEST = 1e-20  # sum of a cell; squares of smaller values leave float32


@dataclass(frozen=True)
class Prepared:
    """The data of one fit.

    Attributes
    ----------
    op
        TF-IDF scaled operator, cells × peaks.
    depth
        Total counts per cell, float64 array of shape (n_obs,).
    n_cells_open
        Cells with the peak open, int64 array of shape (n_vars,).
    nnz
        Number of nonzero counts.
    """

    op: ScaledOperator
    depth: np.ndarray
    n_cells_open: np.ndarray
    nnz: int


def require_differences(n_open: np.ndarray, n_cells: int) -> None:
    """Raise ValueError where every peak is open in all cells or in none: its inverse document frequency is 0."""
    if not ((n_open > 0) & (n_open < n_cells)).any():
        msg = f"each of {len(n_open)} peaks is open in all {n_cells} cells or in none, so nothing tells the cells apart"
        raise ValueError(msg)


@checked(matrix=Matrix("cells peaks", stored=True))
def prepare(matrix: Any, *, dtype: Any = np.float32, binary: bool = False, device: str | None = None) -> Prepared:
    """Check the counts and return them as the published program's TF-IDF (diagonal scalings, nothing formed).

    Each count is multiplied by ln(n / cells with the peak), then each cell is divided by its L2 norm.
    Empty cells and peaks keep scale 0 (with a warning), where the published program returns NaN for everything.

    Parameters
    ----------
    matrix
        Counts, cells × peaks, in any storage.
    dtype
        Floating type of the computations.
    binary
        Count a cell's peak as open or closed only.
    device
        PyTorch device of the products; `None` for those of the CPU without it.

    Returns
    -------
    :class:`Prepared`

    Raises
    ------
    ValueError
        If there is no count at all, no peak differs between cells, or the device cannot be used.
    ImportError
        If `device` is given and PyTorch is not installed.
    """
    return prepared(matrix, dtype=dtype, binary=binary, device=device)


def prepared(
    matrix: Any,
    *,
    dtype: Any = np.float32,
    binary: bool = False,
    device: str | None = None,
    salt: int | None = None,
) -> Prepared:
    """Return what :func:`prepare` does; with a salt, the sample of large data that it draws is read on the way."""
    matrix = canonical(matrix)
    depth, n_open, nnz = count_statistics(matrix)
    if nnz == 0:
        msg = f"counts of shape {tuple(matrix.shape)} have no nonzero value; nothing can be enhanced"
        raise ValueError(msg)
    if depth.max() < _SMALLEST:
        msg = (
            f"the largest sum of a cell is {depth.max():.3g}: values so small are lost in float32, and are no counts; "
        )
        msg += "give raw counts, or multiply them to the size of counts"
        raise ValueError(msg)
    n = matrix.shape[0]
    require_differences(n_open, n)
    if empty_peaks := int((n_open == 0).sum()):
        warn(f"{empty_peaks} of {len(n_open)} peaks are closed in every cell and stay 0; see pp.filter_peaks")
    col_scale = np.where(n_open > 0, np.log(n / np.maximum(n_open, 1)), 0)
    op = ScaledOperator(matrix, None, col_scale, dtype=dtype, binary=binary, device=device)
    op.memo["n_open"], op.memo["nnz"] = n_open, nnz
    if salt is not None and n > SMALL:
        op.memo["survey"] = survey(op, salt=salt)
        op.keep_sq_norms(op.memo["survey"].squares)
    norms = np.sqrt(op.row_sq_norms())
    if empty_cells := int((depth == 0).sum()):
        warn(f"{empty_cells} of {n} cells have no counts; their enhanced values are 0; see pp.filter_cells")
    row_scale = np.where(norms > 0, 1 / np.where(norms > 0, norms, 1), 0)
    return Prepared(op.with_scales(row_scale, col_scale), depth, n_open, nnz)


@dataclass(frozen=True)
class Places:
    """Which columns of a fit stand for the peaks of the data: closed ones have none, and like ones share one.

    Attributes
    ----------
    n_peaks
        Number of all peaks.
    column
        Column of every peak, -1 for none; None where every peak has its own.
    copies
        How many peaks each column stands for, float64; None for one each.
    """

    n_peaks: int
    column: np.ndarray | None = None
    copies: np.ndarray | None = None

    @property
    def together(self) -> bool:
        """Whether a column stands for several peaks."""
        return self.copies is not None and float(self.copies.max(initial=1)) > 1

    def room(self, n_columns: int, dtype: DTypeLike) -> tuple[np.ndarray, np.ndarray]:
        """Return an array for all peaks, (peaks × r), and the first rows of it, one for each column of the fit."""
        out = np.empty((self.n_peaks, n_columns), dtype)
        return out, out if self.copies is None else out[: len(self.copies)]

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Return factors of the TF-IDF, (columns × r), for the peaks: (peaks × r)."""
        return values if self.copies is None else self._spread(values, 1 / np.sqrt(self.copies), None)

    def shared_out(self, values: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Return sums over the peaks of each column, (columns × r), of which every peak has its share: (peaks × r).

        They may stand in the first rows of `out` (:meth:`room`), which is then returned.
        """
        return values if self.copies is None else self._spread(values, 1 / self.copies, out)

    def _spread(self, values: np.ndarray, factor: np.ndarray, out: np.ndarray | None) -> np.ndarray:
        from .kernels import spread_rows

        out = np.empty((self.n_peaks, values.shape[1]), values.dtype) if out is None else out
        spread_rows(values, self.column, factor.astype(out.dtype), out)
        return out


def distinct_peaks(data: Prepared) -> tuple[Prepared, Places]:
    """Return the counts without peaks that are closed in every cell and, of few cells, with like peaks together.

    Peaks open in one and the same cell with the same count become one column whose scale is multiplied by √(their
    number): products with the data, and factorisations of it, are the same. Where less than a tenth of the peaks would
    go, or the counts are not in memory, they stay as they are.
    """
    n_open, op = data.n_cells_open, data.op
    first = _first_of_like(op, n_open) if by_peaks_pays(op) and op.shape[0] <= MOST_CELLS else np.arange(len(n_open))
    kept = np.flatnonzero((n_open > 0) & (first == np.arange(len(n_open))))
    if not op.in_memory or len(kept) > 0.9 * len(n_open):
        return data, Places(len(n_open))
    column = np.where(n_open > 0, np.searchsorted(kept, first), -1)
    copies = np.bincount(column[column >= 0], minlength=len(kept)).astype(np.float64)
    together, keys = op.with_columns(kept, copies), data_keys(op)
    together.memo["keys"] = Keys(keys.cells, keys.peaks[kept])  # what they draw is the same, together or not
    if "survey" in op.memo:
        found = op.memo["survey"].at_peaks(kept)
        together.memo.update(survey=found, salt=op.memo["salt"])
        together.keep_sq_norms(found.squares)
    return replace(data, op=together, n_cells_open=n_open[kept]), Places(len(n_open), column, copies)


def _first_of_like(op: ScaledOperator, n_open: np.ndarray) -> np.ndarray:
    """Return for every peak the first one that is open in the same single cell with the same count, else itself."""
    counts = op.stored()
    alone = np.flatnonzero((n_open[counts.indices] == 1) & (counts.data != 0))
    cell = np.searchsorted(counts.indptr, alone, side="right") - 1
    value = np.ones(len(alone)) if op.binary else counts.data[alone]
    peak = counts.indices[alone]
    order = np.lexsort((peak, value, cell))
    cell, value, peak = cell[order], value[order], peak[order]
    starts = np.ones(len(peak), dtype=bool)
    starts[1:] = (cell[1:] != cell[:-1]) | (value[1:] != value[:-1])
    first = np.arange(len(n_open))
    first[peak] = peak[starts][np.cumsum(starts) - 1]
    return first


def fingerprint(data: Prepared, *more: np.ndarray | None) -> dict[str, Any]:
    """Return what tells these counts, and other arrays of a run, from others: shape, nonzeros and checksums.

    Reads the counts once; blocks and storage do not change it.
    """
    arrays = [data.depth, *(np.zeros(0) if array is None else array for array in more)]
    sums = [_checksum(array) for array in arrays]
    places = values = 0
    for rows, block in data.op.iter_blocks():
        for start, stop in even_cuts(block.indptr):
            entries = canonical(view_rows(block, slice(start, stop)))
            cells = np.repeat(np.arange(rows.start + start, rows.start + stop), np.diff(entries.indptr))
            places = _checksum(entries.indices + data.op.shape[1] * cells, places)
            values = _checksum(entries.data, values)
    return {"shape": list(data.op.shape), "nnz": data.nnz, "checksums": [*sums, places, values], "version": __version__}


def _checksum(array: np.ndarray, start: int = 0) -> int:
    return zlib.crc32(np.ascontiguousarray(array).data, start)
