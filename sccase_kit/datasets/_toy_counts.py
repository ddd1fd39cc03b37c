"""The toy study's counts: open states, and the fragments a cell's depth lets through."""

from __future__ import annotations

import numpy as np
from scipy import sparse

_CELLS_AT_ONCE = 256


def allot(n: int, weights: np.ndarray) -> np.ndarray:
    """Split `n` into integers proportional to `weights` (largest remainders)."""
    quota = n * np.asarray(weights, dtype=float) / np.sum(weights)
    count = np.floor(quota).astype(int)
    count[np.argsort(count - quota, kind="stable")[: n - count.sum()]] += 1
    return count


def openness(program: np.ndarray, open_in: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Return the probability that a peak is open in a cell of each type, shape (n_types, n_peaks).

    Parameters
    ----------
    program
        Program of every peak, shape (n_peaks,); only "background" is treated apart.
    open_in
        Boolean array of shape (n_types, n_peaks): the peak's program is on in the type.
    rng
        Source of randomness.
    """
    n_peaks = len(program)
    on = rng.uniform(0.55, 0.9, n_peaks)
    off = rng.uniform(0.01, 0.08, n_peaks)
    background = rng.uniform(0.03, 0.15, n_peaks)
    return np.where(program == "background", background, np.where(open_in, on, off))


def draw_states(probability: np.ndarray, types: np.ndarray, *, rng: np.random.Generator) -> sparse.csr_matrix:
    """Draw the open peaks of every cell, as int8 ones of shape (n_cells, n_peaks), a few cells at a time."""
    blocks = []
    for first in range(0, len(types), _CELLS_AT_ONCE):
        p = probability[types[first : first + _CELLS_AT_ONCE]]
        blocks.append(sparse.csr_matrix(rng.random(p.shape) < p, dtype=np.int8))
    return sparse.vstack(blocks, format="csr", dtype=np.int8)


def draw_counts(
    states: sparse.csr_matrix,
    rate: np.ndarray,
    efficiency: np.ndarray,
    batch: np.ndarray,
    *,
    ambient: float,
    rng: np.random.Generator,
) -> sparse.csr_matrix:
    """Draw fragment counts from open peaks, and a few ambient ones from anywhere; no cell or peak stays empty.

    Parameters
    ----------
    states
        Open peaks, shape (n_cells, n_peaks).
    rate
        Expected fragments of an average open peak, by cell, shape (n_cells,).
    efficiency
        Relative yield of each peak by batch, shape (n_batches, n_peaks).
    batch
        Batch number of each cell, shape (n_cells,).
    ambient
        Expected share of the closed and open entries that get a stray fragment in a cell of average depth.
    rng
        Source of randomness.
    """
    n_cells, n_peaks = states.shape
    row = np.repeat(np.arange(n_cells), np.diff(states.indptr))
    data = rng.poisson(rate[row] * efficiency[batch[row], states.indices])
    n_stray = rng.poisson(ambient * n_peaks * rate / rate.mean())
    stray_row = np.repeat(np.arange(n_cells), n_stray)
    stray_column = rng.integers(0, n_peaks, len(stray_row))
    counts = sparse.coo_matrix(
        (
            np.concatenate([data, np.ones(len(stray_row), dtype=data.dtype)]).astype(np.int32),
            (np.concatenate([row, stray_row]), np.concatenate([states.indices, stray_column])),
        ),
        shape=states.shape,
    ).tocsr()
    counts.eliminate_zeros()
    return _fill_empty(counts, states, rng=rng)


def _fill_empty(counts: sparse.csr_matrix, states: sparse.csr_matrix, *, rng: np.random.Generator) -> sparse.csr_matrix:
    """Give every empty peak, and then every empty cell, one fragment, where it is open if it is open anywhere."""
    for axis in (0, 1):
        empty = np.flatnonzero(counts.getnnz(axis=axis) == 0)
        if not len(empty):
            continue
        lines = states[:, empty].tocsc() if axis == 0 else states[empty]
        n_open = np.diff(lines.indptr)
        pick = lines.indptr[:-1] + np.floor(rng.random(len(empty)) * n_open).astype(int)
        other = rng.integers(0, counts.shape[axis], len(empty))
        other[n_open > 0] = lines.indices[pick[n_open > 0]]
        index = (other, empty) if axis == 0 else (empty, other)
        counts = counts + sparse.csr_matrix((np.ones(len(empty), dtype=np.int32), index), shape=counts.shape)
    counts.sum_duplicates()
    return counts
