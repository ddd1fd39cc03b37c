"""An .h5ad in memory, by anndata; counts and texts, most of the file, are read here.

anndata reads values and indices whole; they would then be read again to be made integers and to be checked for order.
Texts are decoded together, not one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anndata as ad
import numpy as np
from anndata import AnnData
from scipy import sparse

from ._stored_arrays import Layout, Vector, as_vector

if TYPE_CHECKING:
    import h5py

_PARTS = ("data", "indices", "indptr")
_CLASSES = {"csr_matrix": sparse.csr_matrix, "csc_matrix": sparse.csc_matrix}


def is_present_format(store: h5py.File) -> bool:
    """Return whether an open file is laid out as anndata 0.8 and later do; it has other ways for what is older."""
    if store.attrs.get("encoding-type") != "anndata" or any(name.startswith("raw.") for name in store):
        return False
    tables = [store[name] for name in ("obs", "var") if name in store]
    return len(tables) == 2 and all(table.attrs.get("encoding-type") == "dataframe" for table in tables)


def read_whole(store: h5py.File, layout: Layout) -> AnnData:
    """Return what :func:`anndata.read_h5ad` does of an open file for which :func:`is_present_format` is true.

    Of a sparse matrix `X`, floats that all are integers come as int32, and the matrix knows whether its indices are in
    order.

    Parameters
    ----------
    store
        The file.
    layout
        Where its arrays lie.
    """

    def read(by_anndata: Any, _name: str, element: Any, iospec: Any) -> Any:
        if iospec.encoding_type == "string-array" and (texts := _texts(element)) is not None:
            return texts
        if element.name == "/X" and iospec.encoding_type in _CLASSES:
            counts = _counts(element, layout, _CLASSES[iospec.encoding_type])
            return by_anndata(element) if counts is None else counts
        return by_anndata(element)

    def one(element: Any) -> Any:
        return ad.experimental.read_dispatched(element, read)

    parts = {name: one(store[name]) for name in store if name != "raw"}
    if "raw" in store:
        parts["raw"] = {name: one(store["raw"][name]) for name in ("X", "var", "varm") if name in store["raw"]}
    with ad.settings.override(check_uniqueness=False):  # names that are not unique are told by who reads
        return AnnData(**parts)


def _texts(stored: h5py.Dataset) -> np.ndarray | None:
    """Return a vector of texts as objects, decoded together, or None for others."""
    import h5py

    kind = h5py.check_string_dtype(stored.dtype)
    if kind is None or kind.length is not None or len(stored.shape) != 1 or not stored.shape[0]:
        return None
    raw = stored[:].tolist()
    texts = b"\n".join(raw).decode(kind.encoding).split("\n")
    return np.array(texts, dtype=object) if len(texts) == len(raw) else None  # none has several lines


def _counts(group: h5py.Group, layout: Layout, kind: type) -> sparse.csr_matrix | sparse.csc_matrix | None:
    """Return a matrix of a class, or None where it is to be read by anndata."""
    parts = [group[part] for part in _PARTS if part in group]
    if len(parts) < len(_PARTS):
        return None
    data, indices = (as_vector(part, layout) for part in parts[:2])
    shape, indptr = tuple(int(n) for n in group.attrs["shape"]), parts[2]
    if data is None or indices is None or len(data) != len(indices) or indices.dtype.kind != "i":
        return None
    if indptr.shape != (shape[kind is sparse.csc_matrix] + 1,) or indptr.dtype.kind != "i" or not indptr.dtype.isnative:
        return None
    values, pointers = _values(data), indptr[:]
    if values is None:
        return None
    out = kind(shape, dtype=values.dtype)
    out.data, out.indptr = values, pointers
    out.indices, rising = _indices(indices, pointers)
    if rising:
        out.has_sorted_indices = out.has_canonical_format = True
    return out


def _values(stored: Vector) -> np.ndarray | None:
    """Return values, floats as int32; None where one of them is no integer of this type."""
    out = np.empty(len(stored), np.int32 if stored.dtype.kind == "f" else stored.dtype)
    if stored.dtype.kind != "f":
        for _ in stored.read(out):
            pass
        return out
    before, after = np.empty((2, max(stop - first for first, stop, _ in stored.pieces)), stored.dtype)
    with np.errstate(invalid="ignore"):  # what the type does not hold comes out different
        for place, values in stored.read(before):
            whole = out[place]
            whole[...] = values
            after[: len(whole)] = whole
            if (after[: len(whole)] != values).any():
                return None
    return out


def _indices(stored: Vector, pointers: np.ndarray) -> tuple[np.ndarray, bool]:
    """Return indices, and whether they rise within all rows."""
    out, falls = np.empty(len(stored), stored.dtype), 0
    for place, _ in stored.read(out):
        part = out[max(0, place.start - 1) : place.stop]
        falls += int(np.count_nonzero(part[1:] <= part[:-1]))
    starts = pointers[:-1][pointers[1:] > pointers[:-1]]  # of rows that hold something
    starts = starts[starts > 0]
    return out, falls == int(np.count_nonzero(out[starts] <= out[starts - 1]))
