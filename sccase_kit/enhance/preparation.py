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
from ..matrix.operator import ScaledOperator
from ..matrix.rows import canonical, even_cuts, row_slices, view_rows
from ..matrix.sums import count_statistics
from .keys import Keys
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
    op.memo["n_open"] = n_open
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
    """Where the peaks of a fit stand among all.

    Attributes
    ----------
    kept
        Positions, ascending; None for all.
    n_peaks
        Number of all peaks.
    """

    kept: np.ndarray | None
    n_peaks: int

    def empty(self, n_columns: int, dtype: DTypeLike) -> np.ndarray:
        """Return an array for all peaks, (n_peaks × n_columns): zeros if some are not of the fit, else to be filled."""
        make = np.empty if self.kept is None else np.zeros
        return make((self.n_peaks, n_columns), dtype=dtype)

    def at(self, rows: slice) -> Any:
        """Return where some peaks of the fit stand, to index an array for all."""
        return rows if self.kept is None else self.kept[rows]

    def divided(self, values: np.ndarray, totals: np.ndarray) -> np.ndarray:
        """Return the rows of the peaks of the fit, (peaks × r), over `totals` (r,), among those of all."""
        out, totals = self.empty(values.shape[1], values.dtype), totals.astype(values.dtype)
        for rows in row_slices(len(values)):
            out[self.at(rows)] = values[rows] / totals
        return out


def without_empty(data: Prepared) -> tuple[Prepared, Places]:
    """Return the counts without peaks that are closed in every cell, and where the others stand.

    Where fewer than a tenth of the peaks is closed, or the counts are not in memory, they stay as they are.
    """
    kept = np.flatnonzero(data.n_cells_open)
    if not data.op.in_memory or len(kept) > 0.9 * len(data.n_cells_open):
        return data, Places(None, len(data.n_cells_open))
    op = data.op.with_columns(kept)
    if "survey" in data.op.memo:
        keys, found = data.op.memo["keys"], data.op.memo["survey"].at_peaks(kept)
        op.memo.update(keys=Keys(keys.cells, keys.peaks[kept]), survey=found, salt=data.op.memo["salt"])
        op.keep_sq_norms(found.squares)
    return replace(data, op=op, n_cells_open=data.n_cells_open[kept]), Places(kept, len(data.n_cells_open))


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
