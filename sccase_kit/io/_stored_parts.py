"""Whether the parts of a stored sparse matrix are all there and agree.

scipy cuts off what the pointers do not reach, and zarr reads a chunk that is lost as zeros, both without a word.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .._logging import warn
from ._errors import FormatError

_PARTS = ("data", "indices", "indptr")


def check_stored_parts(store: Any, *, source: object) -> None:
    """Check the sparse matrices (X, layers, raw) of an open AnnData or MuData group of HDF5 or zarr.

    Raises
    ------
    FormatError
        If values, indices and pointers do not agree in number, or a chunk of values or indices is lost.
    """
    for name, group in _matrices(store):
        data, indices, indptr = (group[part] for part in _PARTS)
        if len(data.shape) != 1 or data.shape != indices.shape or len(indptr.shape) != 1 or not indptr.shape[0]:
            continue  # told by what reads it
        n = int(data.shape[0])
        for part, array in zip(_PARTS, (data, indices, indptr), strict=True):
            lost = _lost_chunks(array)
            if not lost or not n:
                continue
            what = f"{source}: {lost} of {array.nchunks} chunks of {name}/{part} are not there"
            if part != "indptr":
                msg = f"{what}; is the store complete? Copy or download it again"
                raise FormatError(msg)
            warn(f"{what} and read as zeros: right only if the first rows hold nothing; is the store complete?")
        pointers = np.asarray(indptr[:])
        if pointers.dtype.kind not in "iu":
            continue
        if int(pointers[-1]) != n:
            msg = f"{source}: a damaged sparse matrix: the pointers of {name} end at {int(pointers[-1])}, of {n} values"
            raise FormatError(msg)
        if int(pointers[0]) != 0 or (pointers[1:] < pointers[:-1]).any():
            msg = f"{source}: a damaged sparse matrix: the pointers of {name} do not rise from 0"
            raise FormatError(msg)


def _matrices(store: Any) -> Iterator[tuple[str, Any]]:
    """Yield name and group of the sparse matrices."""
    if "mod" in store:
        for name in store["mod"]:
            yield from ((f"mod/{name}/{inner}", group) for inner, group in _matrices(store["mod"][name]))
        return
    names = ["X", "raw/X", *(f"layers/{name}" for name in (store["layers"] if "layers" in store else ()))]
    for name in names:
        if name in store and hasattr(store[name], "keys") and all(part in store[name] for part in _PARTS):
            yield name, store[name]


def _lost_chunks(array: Any) -> int:
    """Return the number of chunks of a zarr array that are not stored; 0 for other arrays."""
    there = getattr(array, "nchunks_initialized", None)
    return 0 if there is None else int(array.nchunks) - int(there)
