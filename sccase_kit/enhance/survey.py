"""What a fit of large data needs to know of the counts beyond their sums, from one read of them.

Keys of cells and peaks, norms, sums of unit rows and the counts of a sample take a read each where they are asked for
one after the other. Each depends on the row alone once the number of cells with each peak is known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock

import numpy as np
from scipy import sparse

from .._threads import available_threads
from ..matrix.operator import ScaledOperator
from ..matrix.row_block import compilable
from ..matrix.sums import open_cells
from .keys import Keys, data_keys, drawn, mixed, salted, uniform

SAMPLED = 20_000  # cells of large data that are factorised first; 10,000 gave an adjusted Rand index .01 to .03 lower
ENTRIES = 50_000_000  # open entries of the cells whose spectral components those of all are made from
_SPARE = 1.1  # times as many rows are kept while reading, of which the first by their numbers are the sample
_FEW = 500  # and so many more


@dataclass(frozen=True)
class Survey:
    """What :func:`survey` found.

    Attributes
    ----------
    squares
        Σ_j c_j² x_ij² of every cell, c the column scale: (n_obs,), float64.
    open_squares
        Σ_j c_j² over the open peaks of every cell.
    unit_sums
        The sum of the rows of the open entries, times c, of unit norm: (n_vars,).
    col_scale
        c.
    """

    squares: np.ndarray
    open_squares: np.ndarray
    unit_sums: np.ndarray
    col_scale: np.ndarray

    def at_peaks(self, kept: np.ndarray) -> Survey:
        """Return what it is without peaks that are closed in every cell: with those at the positions `kept` alone."""
        return replace(self, unit_sums=self.unit_sums[kept], col_scale=self.col_scale[kept])


@dataclass(frozen=True)
class SampledCells:
    """Some of the cells of large data, whose counts are in memory.

    Attributes
    ----------
    kept
        Mask of the cells, (n_obs,).
    op
        Operator of their counts, scaled as those of all are.
    """

    kept: np.ndarray
    op: ScaledOperator


def survey(op: ScaledOperator, *, salt: int | None = None) -> Survey:
    """Return norms and sums from one read; keys, and with a salt the counts of a sample, stay in the memo of the data.

    Parameters
    ----------
    op
        The data; their row scale is not used.
    salt
        Draws the sample that :func:`sample_of` returns; its counts are kept unless all are in memory.
    """
    from .kernels import survey_rows

    n, m = op.shape
    hashed, weights, start = mixed(open_cells(op)), op.col_scale**2, salted(1)
    squares, open_squares, cells = np.zeros(n), np.zeros(n), np.zeros(n, dtype=np.uint64)
    n_threads = available_threads()
    peaks = [np.zeros(m, dtype=np.uint64) for _ in range(n_threads)]
    sums = [np.zeros(m) for _ in range(n_threads)]
    collected = None if salt is None or op.in_memory else _Collected(op, salt)

    def work(slot: int, rows: slice, block: sparse.csr_matrix) -> None:
        values = None if op.binary and block.data.all() else compilable(block.data, np.dtype(np.float64))
        outputs = squares[rows], open_squares[rows], cells[rows], peaks[slot], sums[slot]
        survey_rows(block.indptr, block.indices, values, hashed, weights, start, *outputs)
        if collected is not None:
            collected.add(rows, block, cells[rows], open_squares[rows] > 0)

    op.each_stored(work)
    op.memo["keys"] = Keys(cells, sum(peaks[1:], peaks[0]))
    if salt is not None:
        op.memo["salt"], op.memo["collected"] = salt, collected
    found = open_squares if op.binary else squares
    return Survey(found, open_squares, op.col_scale * sum(sums[1:], sums[0]), op.col_scale)


def survey_of(op: ScaledOperator) -> Survey:
    """Return the survey of the counts with these column scales, made now if it was not."""
    known = op.memo.get("survey")
    if known is None or not np.array_equal(known.col_scale, op.col_scale):
        known = op.memo["survey"] = survey(op, salt=op.memo.get("salt"))
    return known


class _Collected:
    """Rows of cells that may be of the sample, kept while all are read."""

    def __init__(self, op: ScaledOperator, salt: int) -> None:
        self._most, self._salt = int(_SPARE * _most(op)) + _FEW, salt
        self._limit = self._most / op.shape[0]
        self._parts: dict[int, tuple[np.ndarray, sparse.csr_matrix]] = {}
        self._n_rows = 0
        self._lock = Lock()

    def add(self, rows: slice, stored: sparse.csr_matrix, keys: np.ndarray, alive: np.ndarray) -> None:
        """Keep the rows of a block with small numbers; give up where many alike cells have such numbers."""
        chosen = np.flatnonzero((uniform(keys, self._salt) < self._limit) & alive)
        with self._lock:
            self._n_rows += len(chosen)
            if self._n_rows > 2 * self._most:
                self._parts = {}
                return
        part = _in_bytes(sparse.csr_matrix(stored[chosen]))
        with self._lock:
            self._parts[rows.start] = rows.start + chosen, part

    def of(self, kept: np.ndarray) -> sparse.csr_matrix | None:
        """Return the rows of the mask, or None where some of them were not kept."""
        parts, self._parts = [self._parts[start] for start in sorted(self._parts)], {}
        if sum(int(kept[places].sum()) for places, _ in parts) < kept.sum():
            return None
        return _stacked(parts, kept)


def n_wide(op: ScaledOperator) -> int:
    """Return how many cells hold :data:`ENTRIES` open entries, :data:`SAMPLED` at least, or all cells."""
    n, total = op.shape[0], int(open_cells(op).sum())
    return n if total <= ENTRIES else min(n, max(SAMPLED, ENTRIES * n // total))


def _most(op: ScaledOperator) -> int:
    wide = n_wide(op)
    return wide if wide < op.shape[0] else SAMPLED


def sample_of(op: ScaledOperator, rng: np.random.Generator, *, wide: bool = False) -> SampledCells:
    """Return :data:`SAMPLED` cells, those with counts first, drawn by their keys; until freed, the same every time.

    Parameters
    ----------
    op
        The data.
    rng
        Generator, of which an integer is drawn where the survey was given no salt.
    wide
        More of shallow cells, those among them: as many as :func:`n_wide` says.
    """
    samples, n = op.memo.setdefault("samples", {}), n_wide(op) if wide else SAMPLED
    if n >= op.shape[0]:
        return SampledCells(np.ones(op.shape[0], dtype=bool), op)
    salt = op.memo.get("salt")
    if salt is None:
        if "salt" not in samples:
            samples["salt"] = int(rng.integers(2**62))
        salt = samples["salt"]
    most = _most(op)
    if n not in samples and most not in samples:
        kept = drawn(data_keys(op).cells, most, salt, first=op.row_scale > 0)
        collected = op.memo.pop("collected", None)
        counts = None if collected is None else collected.of(kept)
        counts = op.with_rows(kept).stored() if counts is None else counts
        samples[most] = SampledCells(kept, op.with_counts(_in_bytes(counts), kept))
    if n not in samples:
        kept = drawn(data_keys(op).cells, n, salt, first=op.row_scale > 0)
        whole = samples[most]
        samples[n] = SampledCells(kept, whole.op.with_rows(kept[whole.kept]))
    return samples[n]


def _stacked(parts: list[tuple[np.ndarray, sparse.csr_matrix]], kept: np.ndarray) -> sparse.csr_matrix:
    """Return the rows of the mask one below the other; the list of (places, rows) is emptied on the way."""
    wanted = [kept[places] for places, _ in parts]
    lengths = [np.diff(part.indptr)[own] for own, (_, part) in zip(wanted, parts, strict=True)]
    indptr = np.concatenate([[0], *lengths]).cumsum()
    shape, dtype = (len(indptr) - 1, parts[0][1].shape[1]), np.result_type(*(part.dtype for _, part in parts))
    indices = np.empty(indptr[-1], dtype=np.result_type(*(part.indices.dtype for _, part in parts)))
    values, stop = np.empty(indptr[-1], dtype=dtype), int(indptr[-1])
    while parts:
        rows = parts.pop()[1][wanted.pop()]
        start = stop - rows.nnz
        indices[start:stop], values[start:stop] = rows.indices, rows.data
        stop = start
    return sparse.csr_matrix((values, indices, indptr), shape=shape)


def _in_bytes(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return counts in a byte each where they fit."""
    if counts.dtype.kind not in "iu" or counts.dtype.itemsize == 1 or counts.nnz == 0 or counts.data.max() > 255:
        return counts
    return sparse.csr_matrix((counts.data.astype(np.uint8), counts.indices, counts.indptr), counts.shape)


def free_samples(op: ScaledOperator, *, wide: bool = False) -> None:
    """Give the memory of the samples back; with `wide` that of more than :data:`SAMPLED` cells."""
    samples = op.memo.get("samples", {})
    for n in [n for n in samples if not wide or n not in ("salt", SAMPLED)]:
        del samples[n]
