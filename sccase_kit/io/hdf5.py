"""HDF5 files on disks that may be full.

HDF5 does not survive a failing write: it fails again when the file is closed, and crashes the interpreter (seen with
HDF5 1.14 and 2.0). Files are therefore written through a Python object that keeps the first error to itself, drops what
comes after, and lets HDF5 close in peace; the error is raised then.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from anndata import AnnData

if TYPE_CHECKING:
    import h5py


class PatientFile(io.RawIOBase):
    """A file for HDF5's driver of Python objects, on which every write succeeds.

    Attributes
    ----------
    problem
        The first error of the disk, or None.
    signal
        The signal that was met, or None.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = path.open("w+b", buffering=0)
        self.problem: OSError | None = None
        self.signal: int | None = None

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place, which may lie beyond the end."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the place."""
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer; zeros stand for what never reached the disk."""
        view = memoryview(buffer).cast("B")
        done = 0
        while done < len(view) and (count := self._file.readinto(view[done:])):
            done += count
        view[done:] = bytes(len(view) - done)
        return len(view)

    def write(self, data: Any) -> int:
        """Write all, or keep the error and drop it."""
        view = memoryview(data).cast("B")
        done = 0
        try:
            while self._going and done < len(view):
                done += self._file.write(view[done:])
        except OSError as error:
            self.problem = error
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        """Set the size, or keep the error."""
        try:
            if self._going:
                self._file.truncate(size)
        except OSError as error:
            self.problem = error
        return self._file.tell() if size is None else size

    def close(self) -> None:
        """Close the file; writes after that are dropped."""
        self._file.close()
        super().close()

    @property
    def _going(self) -> bool:
        return self.problem is None and self.signal is None and not self._file.closed

    def reserve(self, size: int) -> None:
        """Ask the system for the space of what comes next: writing costs less then, and a full disk is known before.

        Linux alone, and only the file systems that can; others take what is written as it comes.
        """
        start = self._file.seek(0, os.SEEK_END)
        number = _allocate(self._file.fileno(), start, size) if self._going and size > 0 else 0
        if number in {errno.ENOSPC, errno.EDQUOT}:
            self.problem = OSError(number, os.strerror(number))

    def stop(self, number: int, frame: object = None) -> None:
        """Drop what is written from now on; a handler of signals."""
        self.signal = number

    def check(self) -> None:
        """Raise the error of the disk, or KeyboardInterrupt after a signal."""
        if self.problem is not None:
            raise self.problem
        if self.signal is not None:
            raise KeyboardInterrupt


def _allocate(descriptor: int, start: int, size: int) -> int:
    """Give a file space beyond its end; return the number of the error, 0 for none.

    The system's own call: `os.posix_fallocate` writes into every page of a file where the file system cannot do it.
    """
    call = getattr(ctypes.CDLL(None, use_errno=True), "fallocate64", None) if sys.platform == "linux" else None
    if call is None:
        return errno.EOPNOTSUPP
    call.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    return ctypes.get_errno() if call(descriptor, 0, start, size) else 0


@contextmanager
def new_hdf5(path: Path) -> Iterator[tuple[h5py.File, PatientFile]]:
    """Yield a new HDF5 file, and the file below it whose `check` raises what has stopped the writing.

    Signals that have a handler, Ctrl-C above all, take effect at the next `check` and at the end of the block: an
    exception that a handler raises in the middle of HDF5 would be lost.

    Raises
    ------
    OSError
        If the disk refused a write.
    """
    import h5py

    below = PatientFile(path)
    with _signals_to(below), contextlib.closing(below):
        try:
            with h5py.File(below, "w") as file:
                yield file, below
        except Exception:
            below.check()  # the reason, if it lies there
            raise
        below.check()


@contextmanager
def _signals_to(below: PatientFile) -> Iterator[None]:
    """Let `below` take the signals that have a handler, and hand them over afterwards (in the main thread alone)."""
    handlers = {}
    if threading.current_thread() is threading.main_thread():
        numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
        handlers = {number: signal.getsignal(number) for number in numbers}
        handlers = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number in handlers:
        signal.signal(number, below.stop)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if below.signal is not None:
            cast("Any", handlers[below.signal])(below.signal, None)


def write_h5ad(adata: AnnData, path: Path) -> None:
    """Write an AnnData file as :meth:`anndata.AnnData.write_h5ad` does.

    Raises
    ------
    OSError
        If the disk is full.
    """
    with new_hdf5(path) as (file, _):
        fill_h5ad(adata, file)


def fill_h5ad(adata: AnnData, file: h5py.File) -> None:
    """Write the parts of an AnnData into a new file; columns of text become categorical, as in every .h5ad."""
    from anndata.io import write_elem

    adata.strings_to_categoricals()
    if adata.raw is not None:
        adata.strings_to_categoricals(adata.raw.var)
    write_elem(file, "/", adata)
    if adata.raw is None and "raw" in file:
        del file["raw"]  # anndata 0.12 writes an empty one here, which anndata 0.11, and tools on it, cannot read
