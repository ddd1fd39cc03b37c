"""R's S4 classes by their slots: matrices, data frames of Bioconductor, ranges; experiments and Seurat objects by name.

Classes are known by the slots they have, so that subclasses are read like what they extend, with or without R.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from ._from_r import column_from, frame_from, from_value, note_dimnames, plain
from ._motif_lists import is_motif, is_motif_list, motif_from, motifs_from
from ._values import NA_INTEGER, RValue


class UnreadMatrixError(TypeError):
    """A matrix of R whose values cannot be read by its slots."""


def class_of(value: RValue) -> str:
    """Return the class of an S4 value."""
    return next(iter(value.classes), "")


def is_experiment(value: RValue) -> bool:
    """Return whether a value is a SummarizedExperiment or extends it."""
    return value.kind == "S4" and {"colData", "assays"} <= set(value.attributes)


def is_seurat(value: RValue) -> bool:
    """Return whether a value is a Seurat object."""
    return value.kind == "S4" and {"meta.data", "assays", "active.assay"} <= set(value.attributes)


def is_cistopic(value: RValue) -> bool:
    """Return whether a value is a cisTopic object."""
    return value.kind == "S4" and {"count.matrix", "cell.data", "region.data"} <= set(value.attributes)


def is_matrix(value: RValue) -> bool:
    """Return whether a value is one of the matrices that :func:`matrix_from` reads by its slots."""
    if value.kind != "S4":
        return value.slot("dim").kind != "NULL" and len(value.slot("dim")) == 2
    return "Dim" in value.attributes and bool({"x", "i", "j", "p"} & set(value.attributes))


def from_s4(value: RValue, lost: list[str]) -> Any:
    """Convert an S4 value, see :func:`~sccase_kit.r._from_r.from_value`."""
    slots = set(value.attributes)
    if is_matrix(value):
        note_dimnames(value.slot("Dimnames"), f"a {class_of(value)}", lost)
        return matrix_from(value)
    if is_experiment(value) or is_seurat(value) or is_cistopic(value):
        from ._objects import anndata_from

        return anndata_from(value, lost)
    if {"cellColData", "sampleColData", "projectMetadata"} <= slots:
        from ._archr_project import archr_from

        return archr_from(value, lost)
    if is_motif(value):
        return motif_from(value)
    if is_motif_list(value):
        return motifs_from(value)
    if {"listData", "nrows", "rownames"} <= slots:
        return dataframe_from(value, lost)
    if {"seqnames", "ranges", "strand"} <= slots:
        frame = ranges_from(value)
        rest = dataframe_from(value.slot("elementMetadata"), lost)
        if len(rest.columns):
            rest.index = frame.index
            frame = pd.concat([frame, rest], axis=1)
        return frame
    if {"values", "lengths"} <= slots:
        return run_lengths(value, lost)
    if value.origin is not None:
        from ._sexp import plain_matrix

        if class_of(value).endswith(("DelayedMatrix", "Matrix", "Seed", "Array")) and (found := plain_matrix(value)):
            return matrix_from(found)
        return value.origin
    lost.append(f"an object of class {class_of(value)!r}")
    return None


def matrix_from(value: RValue) -> Any:
    """Return a matrix of R's package Matrix, or a base matrix, as CSC or ndarray, without its names.

    Raises
    ------
    UnreadMatrixError
        If the class is none that is known by its slots and R is not there to convert it (a TypeError).
    ValueError
        If indices or pointers leave the shape.
    """
    if value.kind == "S4" and not is_matrix(value):
        from ._sexp import plain_matrix

        found = plain_matrix(value)
        if found is None:
            msg = f"a matrix of class {class_of(value)!r} keeps its values elsewhere and needs R to read them"
            raise UnreadMatrixError(msg)
        return matrix_from(found)
    if value.kind == "list" and value.get("values").kind != "NULL":
        return matrix_from(value.get("values"))
    if value.kind != "S4":
        shape = tuple(int(size) for size in value.slot("dim").data)
        return plain(value).reshape(shape, order="F")
    shape = tuple(int(size) for size in value.slot("Dim").data)
    data = _data(value)
    if "diag" in value.attributes and not {"i", "j", "p"} & set(value.attributes):  # ddiMatrix
        if data is None or value.text("diag") == ["U"]:
            data = np.ones(shape[0], dtype=bool if class_of(value).startswith("l") else np.float64)
        return sparse.csc_matrix(sparse.dia_matrix((data[None], [0]), shape=shape))
    slots = set(value.attributes)
    if {"i", "p"} <= slots:
        i, p = value.slot("i").data, value.slot("p").data
        matrix = _sound(sparse.csc_matrix((_ones(data, i), i, p), shape=shape))
    elif {"j", "p"} <= slots:
        j, p = value.slot("j").data, value.slot("p").data
        matrix = sparse.csc_matrix(_sound(sparse.csr_matrix((_ones(data, j), j, p), shape=shape)))
    elif {"i", "j"} <= slots:
        i, j = value.slot("i").data, value.slot("j").data
        matrix = sparse.csc_matrix(sparse.coo_matrix((_ones(data, i), (i, j)), shape=shape))
    else:
        return _dense(value, data, shape)
    return _triangles(value, matrix)


def _sound(matrix: Any) -> Any:
    """Return a CSC or CSR matrix whose indices and pointers are inside its shape."""
    matrix.check_format(full_check=True)
    return matrix


def _ones(data: np.ndarray | None, positions: np.ndarray) -> np.ndarray:
    """Return the values, or true for every position of a matrix that stores positions alone."""
    return np.ones(len(positions), dtype=bool) if data is None else data


def _data(value: RValue) -> np.ndarray | None:
    """Return the slot x; logical NA count as true."""
    x = value.slot("x")
    if x.kind == "NULL":
        return None
    return x.data != 0 if x.kind == "logical" else plain(x)


def _triangles(value: RValue, matrix: Any) -> Any:
    """Fill in what a symmetric or unit-triangular matrix does not store."""
    if value.text("diag") == ["U"]:
        return sparse.csc_matrix(matrix + sparse.identity(matrix.shape[0], dtype=matrix.dtype, format="csc"))
    if "uplo" in value.attributes and "diag" not in value.attributes:
        other = matrix.T.tocoo()
        off = other.row != other.col
        rest = sparse.coo_matrix((other.data[off], (other.row[off], other.col[off])), shape=matrix.shape)
        return sparse.csc_matrix(matrix + rest.tocsc())
    return matrix


def _dense(value: RValue, data: Any, shape: tuple[int, ...]) -> np.ndarray:
    if data.size != shape[0] * shape[1]:
        msg = f"a packed matrix of class {class_of(value)!r}; convert it in R with as.matrix"
        raise UnreadMatrixError(msg)
    full = data.reshape(shape, order="F")
    if "uplo" not in value.attributes:
        return full
    half = np.triu(full) if value.text("uplo") == ["U"] else np.tril(full)
    if "diag" in value.attributes:
        return half
    return half + half.T - np.diag(np.diag(half))


def run_lengths(value: RValue, lost: list[str]) -> Any:
    """Return an Rle as a plain column; None for other S4 values."""
    if not {"values", "lengths"} <= set(value.attributes):
        return None
    values = column_from(value.slot("values"), lost)
    positions = np.repeat(np.arange(len(value.slot("lengths"))), value.slot("lengths").data)
    return values.take(positions)


def dataframe_from(value: RValue, lost: list[str]) -> pd.DataFrame:
    """Return a DataFrame of S4Vectors; without columns it keeps its number of rows."""
    if value.kind != "S4":
        return pd.DataFrame()
    rows = value.slot("rownames")
    count = int(plain(value.slot("nrows"))[0])
    frame = frame_from(value.slot("listData").items(), None, lost)
    if len(frame.columns) == 0:
        frame = pd.DataFrame(index=pd.RangeIndex(count), columns=pd.Index([], dtype=object))
    if rows.kind == "character":
        names = [str(item) for item in rows.data]
        plain_rows = names == [str(k) for k in range(1, count + 1)]
        frame.index = pd.RangeIndex(count) if plain_rows else pd.Index(names, dtype=object)
    return frame


def range_names(value: RValue) -> list[str] | None:
    """Return the names of GRanges."""
    names = value.slot("ranges").slot("NAMES")
    return list(names.data) if names.kind == "character" else None


def ranges_from(value: RValue) -> pd.DataFrame:
    """Return GRanges as chrom, start, end (0-based, half-open) and strand, without their metadata columns."""
    start, width = (value.slot("ranges").slot(name).data.astype(np.int64) for name in ("start", "width"))
    chrom, strand = (_rle_text(value.slot(name)) for name in ("seqnames", "strand"))
    frame = pd.DataFrame({"chrom": chrom, "start": start - 1, "end": start - 1 + width, "strand": strand})
    names = range_names(value)
    if names is not None:
        frame.index = pd.Index(names, dtype=object)
    return frame


def _rle_text(value: RValue) -> np.ndarray:
    if value.kind == "S4":
        codes = np.repeat(value.slot("values").data, value.slot("lengths").data)
        levels = value.slot("values").text("levels")
    else:
        codes, levels = value.data, value.text("levels")
    return np.array([*levels, ""], dtype=object)[np.where(codes == NA_INTEGER, 0, codes) - 1]


__all__ = [
    "class_of",
    "dataframe_from",
    "from_s4",
    "from_value",
    "is_experiment",
    "is_matrix",
    "is_seurat",
    "matrix_from",
    "range_names",
    "ranges_from",
    "run_lengths",
]
