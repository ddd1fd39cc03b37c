"""How much memory a fit takes in addition to the data, before it starts."""

from __future__ import annotations

from .._settings import settings
from .._threads import available_threads
from .graph import krylov_size
from .nmf import SMALL
from .robust import SCALED

_PER_CELL = 56  # bytes per cell and column; fitted to benchmarks/results/scale.csv, rounded up, as is what follows
_GRAPHS = 4000  # bytes per cell: neighbours and kernels of the consensus
_PER_PEAK = 28  # bytes per peak and column, in addition to four for every thread
_EXPECTED = 40  # bytes per peak and column while mixtures, profiles and their weighted whole are held next to the fit
_BLOCKS = 3  # one being read, one at work, one being scaled
_EXACT_NEIGHBORS = 2**27  # a piece of distances, candidates, copies of the embedding, at most


def expected_memory(shape: tuple[int, int], n_columns: int, *, robust: bool, in_memory: bool) -> int:
    """Return the bytes that a fit is expected to take at most, in addition to the counts.

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
    total = n_columns * (_PER_CELL * n + (_PER_PEAK + 4 * available_threads()) * m)
    if not in_memory:
        total += _BLOCKS * settings.block_bytes
    if robust:
        total += _GRAPHS * n + _EXPECTED * n_columns * m
        n_blocks, width, dtype = krylov_size(n, SCALED)
        total += n_blocks * width * dtype.itemsize * (2 * n if n <= SMALL else n + m)
        total += min(_EXACT_NEIGHBORS, 8 * n * n)
    return total
