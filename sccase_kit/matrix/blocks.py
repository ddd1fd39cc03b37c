"""Row blocks of any stored matrix: the one place that knows how each storage is sliced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Condition
from typing import Any

import numpy as np
from scipy import sparse

from .._settings import settings
from .access import as_csr

_BYTES_PER_NONZERO = 8


def _stored_nonzeros(matrix: Any) -> int | None:
    """Return the number of stored values of a backed sparse dataset, or None where it is not known cheaply."""
    group = getattr(matrix, "group", None)
    if group is None:
        return None
    return int(group["data"].shape[0])


def rows_per_block(matrix: Any, block_bytes: int | None = None) -> int:
    """Return how many rows of `matrix` fill a block of `block_bytes` (by default `settings.block_bytes`)."""
    block_bytes = settings.block_bytes if block_bytes is None else block_bytes
    n, m = matrix.shape
    if sparse.issparse(matrix):
        nnz = int(matrix.nnz)
    else:
        stored = _stored_nonzeros(matrix)
        nnz = n * m if stored is None else stored
    per_row = max(1, nnz // max(1, n)) * _BYTES_PER_NONZERO
    return int(np.clip(block_bytes // per_row, 1, max(1, n)))


def _is_csc(matrix: Any) -> bool:
    return getattr(matrix, "format", "") == "csc"


def n_stored(matrix: Any) -> int | None:
    """Return the number of stored values of a sparse matrix, in memory or backed, or None where it is not known."""
    return int(matrix.nnz) if sparse.issparse(matrix) else _stored_nonzeros(matrix)


def iter_row_blocks(
    matrix: Any, *, block_rows: int | None = None, block_bytes: int | None = None, values: bool = True
) -> Iterator[tuple[slice, sparse.csr_matrix]]:
    """Yield (rows, CSR block) over all rows of a matrix, in order; entries given twice are added.

    Parameters
    ----------
    matrix
        ndarray, scipy sparse matrix or array, backed sparse or dense dataset of anndata (h5ad, zarr), h5py or
        zarr array, or dask array, of shape (n_obs, n_vars).
    block_rows
        Rows per block; by default as many as fit `block_bytes`. Dask arrays come in their own chunks.
    block_bytes
        Size of a block; by default `settings.block_bytes`.
    values
        Read the values; else those of backed sparse matrices are ones, where only the structure matters.

    Raises
    ------
    TypeError
        If the matrix cannot be cut into rows.
    ValueError
        If a backed matrix is stored by columns (CSC): every block would read the whole file.
    """
    if hasattr(matrix, "dask"):
        yield from _iter_dask(matrix)
        return
    if not hasattr(matrix, "shape") or not hasattr(matrix, "__getitem__"):
        msg = f"a matrix of type {type(matrix).__name__} cannot be read in row blocks"
        raise TypeError(msg)
    if sparse.issparse(matrix):
        matrix = sparse.csr_matrix(matrix)
    elif _is_csc(matrix):
        msg = "the matrix is stored by peaks (CSC) on disk; convert it once: sccase_kit.io.convert(source, target)"
        raise ValueError(msg)
    n = matrix.shape[0]
    step = rows_per_block(matrix, block_bytes) if block_rows is None else block_rows
    for start in range(0, n, step):
        rows = slice(start, min(start + step, n))
        with naming_rows(rows.start, rows.stop, _place(matrix)):
            if values or _stored_nonzeros(matrix) is None:
                block = matrix[rows.start : rows.stop]
            else:
                block = _structure(matrix, rows)
        yield rows, as_csr(block)


def each_in_turn(items: Iterator[Any], work: Callable[[int, Any], None], n_threads: int) -> None:
    """Call `work(thread, item)` for all items: thread t reads and works on items t, t + n_threads, and so on.

    Items are read one at a time, in order, while other threads work on theirs. Which thread has which item does not
    depend on their speed, so that what each sums is the same whenever it runs.

    Parameters
    ----------
    items
        What is read.
    work
        Called in `n_threads` threads; the calls of one thread come in order.
    n_threads
        Threads.
    """
    if n_threads == 1:
        for item in items:
            work(0, item)
        return
    turn, following, ended = Condition(), 0, False

    def read(number: int) -> Any:
        nonlocal following, ended
        with turn:
            turn.wait_for(lambda: ended or following == number)
            try:
                item = None if ended else next(items, None)
            except BaseException:
                ended = True
                turn.notify_all()
                raise
            following, ended = following + 1, item is None
            turn.notify_all()
            return item

    def run(thread: int) -> None:
        nonlocal ended
        number = thread
        try:
            while (item := read(number)) is not None:
                work(thread, item)
                del item  # before the next one is read
                number += n_threads
        except BaseException:
            with turn:
                ended = True
                turn.notify_all()
            raise

    with ThreadPoolExecutor(n_threads) as pool:
        for job in [pool.submit(run, thread) for thread in range(n_threads)]:
            job.result()


def bytes_per_thread(n_threads: int) -> int:
    """Return the size of the blocks that threads read in turn, which are `settings.block_bytes` together."""
    return max(1, settings.block_bytes // n_threads)


def _structure(matrix: Any, rows: slice) -> sparse.csr_matrix:
    """Return rows of a backed CSR matrix with ones as values, whose values are not read."""
    pointers = matrix.group["indptr"][rows.start : rows.stop + 1]
    indices = matrix.group["indices"][int(pointers[0]) : int(pointers[-1])]
    ones = np.ones(len(indices), dtype=np.uint8)
    return sparse.csr_matrix((ones, indices, pointers - pointers[0]), shape=(rows.stop - rows.start, matrix.shape[1]))


@contextmanager
def naming_rows(start: int, stop: int, source: object) -> Iterator[None]:
    """Let what a damaged file makes the libraries of storage raise name it, as a ValueError."""
    try:
        yield
    except Exception as err:  # h5py, zarr, scipy and the filters fail with many types
        msg = (
            f"{source}: the rows {start} to {stop - 1} of the counts cannot be read ({type(err).__name__}: "
            f"{err!s:.300}); is the file damaged, or still being written?"
        )
        raise ValueError(msg) from err


def _place(matrix: Any) -> str:
    """Return the file that a stored matrix lies in, as far as it tells."""
    stored = getattr(matrix, "group", matrix)
    file = getattr(stored, "file", None)
    return str(getattr(file, "filename", None) or getattr(stored, "store", "counts"))


def _iter_dask(matrix: Any) -> Iterator[tuple[slice, sparse.csr_matrix]]:
    if len(matrix.chunks[1]) > 1:
        matrix = matrix.rechunk({1: -1})
    start = 0
    for i, size in enumerate(matrix.chunks[0]):
        block = matrix.blocks[i, 0].compute()
        yield slice(start, start + size), as_csr(block)
        start += size


def slow_storage(matrix: Any) -> str | None:
    """Return why reading a backed matrix is slow (gzip compression), or None."""
    group = getattr(matrix, "group", None)
    data = group["data"] if group is not None else matrix
    if getattr(data, "compression", None) == "gzip":
        return (
            "the counts are gzip-compressed, which reads about ten times slower than uncompressed or lz4; "
            "convert the file once: sccase_kit.io.convert(source, target)"
        )
    return None


def read_ahead(items: Iterator[Any]) -> Iterator[Any]:
    """Yield the items, reading the next one in a thread while the last one is worked on."""
    with ThreadPoolExecutor(1) as reader:
        following = reader.submit(next, items, None)
        while (item := following.result()) is not None:
            following = reader.submit(next, items, None)
            yield item
