"""How much memory a fit takes beside the data, before it starts."""

from __future__ import annotations

from .._settings import settings
from ._operator import available_threads

_PER_CELL, _PER_CELL_ROBUST = 56, 82  # bytes per cell and column; fitted to benchmarks/results/scale.csv, rounded up
_PER_PEAK = 28  # bytes per peak and column, beside four for every thread
_BLOCKS = 3  # one being read, one at work, one being scaled
_EXACT_NEIGHBORS = 2**27  # a piece of distances, candidates, copies of the embedding, at most
_APPROXIMATE_NEIGHBORS = 350 * 2**20  # their compiled code


def expected_memory(shape: tuple[int, int], n_columns: int, *, robust: bool, in_memory: bool) -> int:
    """Return the bytes that a fit is expected to take at most, beside the counts.

    It does not depend on the number of nonzeros: blocks of rows and the thin arrays are all there is.

    Parameters
    ----------
    shape
        Cells and peaks.
    n_columns
        Columns of the widest thin arrays: those of the sketch (scCASE), or all K together (robust).
    robust
        Whether the consensus is fitted.
    in_memory
        Whether the counts are in memory; else blocks of `settings.block_bytes` are read.
    """
    n, m = shape
    per_cell = _PER_CELL_ROBUST if robust else _PER_CELL
    total = n_columns * (per_cell * n + (_PER_PEAK + 4 * available_threads()) * m)
    if not in_memory:
        total += _BLOCKS * settings.block_bytes
    if robust:
        from ..metrics._graph import EXACT_BELOW
        from ._graph import krylov_size
        from ._robust import SPECTRAL

        n_blocks, width, dtype = krylov_size(n, max(SPECTRAL))
        total += n_blocks * width * dtype.itemsize * (n + m)
        total += min(_EXACT_NEIGHBORS, 8 * n * n) if n <= EXACT_BELOW else _APPROXIMATE_NEIGHBORS
    return total
