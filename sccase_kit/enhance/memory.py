"""How much memory a fit takes in addition to the data, before it starts."""

from __future__ import annotations

from .._settings import settings
from .._threads import available_threads
from ..neighbors.lists import MANY
from .graph import krylov_size
from .nmf import SMALL
from .robust import SCALED
from .survey import ENTRIES, SAMPLED

_PER_CELL = 56  # bytes per cell and column; fitted to benchmarks/results/scale.csv, rounded up, as is what follows
_GRAPHS = 4000  # bytes per cell: neighbours and kernels of the consensus
_PER_PEAK = 28  # bytes per peak and column, in addition to four for every thread
_EXPECTED = 40  # bytes per peak and column while mixtures, profiles and their weighted whole are held next to the fit
_BLOCKS = 3  # one being read, one at work, one being scaled
_SINGLE_GRAPHS, _LARGE_GRAPHS = 2000, 3000  # bytes per cell of large data, in single precision above MANY cells
_PER_SAMPLED = 13  # bytes per count of the sample: as drawn, by peaks, and while they are turned
_EXACT_NEIGHBORS = 2**27  # a piece of distances, candidates, copies of the embedding, at most


def expected_memory(shape: tuple[int, int], n_columns: int, *, robust: bool, in_memory: bool, nnz: int = 0) -> int:
    """Return the bytes that a fit is expected to take at most, in addition to the counts.

    It depends on the number of nonzeros by the sample of large data alone: else blocks of rows and the thin arrays are
    all there is.

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
    nnz
        Nonzero counts.
    """
    n, m = shape
    large = robust and n > SMALL
    total = n_columns * (_PER_PEAK + 4 * available_threads()) * m
    total += _large(n, m, n_columns, nnz) if large else n_columns * _PER_CELL * n
    if not in_memory:
        total += _BLOCKS * settings.block_bytes
    if robust:
        total += _EXPECTED * n_columns * m + min(_EXACT_NEIGHBORS, 8 * n * n)
    if robust and not large:
        n_blocks, width = krylov_size(n, SCALED)
        total += _GRAPHS * n + n_blocks * width * 4 * n
    return total


def _large(n: int, m: int, n_columns: int, nnz: int) -> int:
    """Return the bytes of the arrays of many cells and of their sample, which the graphs need and what follows not."""
    single = n > MANY
    graphs = n * (4 * n_columns + (_SINGLE_GRAPHS if single else _LARGE_GRAPHS))
    kept = nnz * SAMPLED // n
    if nnz > ENTRIES:
        kept = max(kept, ENTRIES)
    else:
        n_blocks, width = krylov_size(n, SCALED)
        graphs += n_blocks * width * 4 * (n + m)
    following = n * (32 * n_columns + 600) if single else n * (48 * n_columns + 900)
    return max(graphs + _PER_SAMPLED * kept, following)
