"""Counts as a folder of 10x Genomics: matrix.mtx.gz, features.tsv.gz, barcodes.tsv.gz."""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._atomic import check_path, check_place, replacing
from .._logging import warn
from .._progress import progress
from .._validate import check_adata
from ..intervals.coordinates import find_coordinates
from ..matrix.access import check_counts, get_matrix, layer_names
from ..matrix.blocks import iter_row_blocks

_NAMES = ("matrix.mtx.gz", "features.tsv.gz", "barcodes.tsv.gz")
_SHOWN = 5
_CANNOT = ("\t", "\n", "\r", '"')


@checked()
def write_10x(
    adata: AnnData, folder: str | os.PathLike[str], *, layer: str | None = None, feature_type: str = "Peaks"
) -> list[Path]:
    """Write counts as a folder that Cell Ranger's readers open: Seurat's ``Read10X``, ``scanpy.read_10x_mtx``.

    Parameters
    ----------
    adata
        Counts, cells × peaks, in memory or backed; they are read in blocks.
    folder
        Target; appears when it is complete. It must be new or empty: what came from 10x is never replaced.
    layer
        Layer with the counts; None for `X`.
    feature_type
        Third column of features.tsv.gz.

    Returns
    -------
    The files: ``matrix.mtx.gz`` (peaks × cells; integer where all values are), ``features.tsv.gz`` (name, name,
    `feature_type`, and as in Cell Ranger ARC chrom, start, end where the peaks have coordinates) and
    ``barcodes.tsv.gz``. A warning names what such a folder cannot hold: columns of `obs`, embeddings, other layers.

    Raises
    ------
    KeyError
        If there is no such layer.
    ValueError
        If names repeat or hold tabs, line ends or quotes, or a count is negative, NaN or infinite.
    FileExistsError
        If `folder` holds files.

    Examples
    --------
    >>> import tempfile
    >>> from anndata import AnnData
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500).adata
    >>> with tempfile.TemporaryDirectory() as place:
    ...     plain = AnnData(adata.X, adata.obs[[]], adata.var[["chrom", "start", "end"]])
    ...     files = sk.io.write_10x(plain, f"{place}/counts")
    ...     sk.read(f"{place}/counts").shape
    (100, 500)
    """
    check_adata(adata)
    matrix = get_matrix(adata, layer)
    for names, what in ((adata.obs_names, "cells"), (adata.var_names, "peaks")):
        _check_names(names, what)
    _check_text(feature_type, "feature_type")
    target = check_path(folder, name="folder")
    check_place(target, folder=True)
    total, whole = _count(matrix)
    with replacing(target, folder=True) as temporary:
        temporary.mkdir()
        with _packed(temporary / "matrix.mtx.gz") as out:
            _write_matrix(matrix, out, shape=(adata.n_vars, adata.n_obs), total=total, whole=whole)
        with _packed(temporary / "features.tsv.gz") as out:
            _features(adata, feature_type).to_csv(out, sep="\t", header=False, index=False, lineterminator="\n")
        with _packed(temporary / "barcodes.tsv.gz") as out:
            out.writelines(f"{name}\n" for name in adata.obs_names)
    if lost := _lost(adata, layer):
        warn(f"{target}: a folder of 10x holds counts and names only; left out: {', '.join(lost)}")
    return [target / name for name in _NAMES]


@contextmanager
def _packed(path: Path) -> Iterator[TextIO]:
    """Open a gzip file for text; no time in it, so that equal counts give equal files."""
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 4, raw, mtime=0) as packed:
        with io.TextIOWrapper(packed, encoding="utf-8", newline="\n") as text:
            yield text


def _check_text(value: object, name: str) -> None:
    if not isinstance(value, str) or any(mark in value for mark in _CANNOT):
        msg = f"{name} must be text without tabs, line ends and quotes, got {value!r}"
        raise ValueError(msg)


def _check_names(names: pd.Index, what: str) -> None:
    twice = names[names.duplicated()]
    if len(twice):
        way = "obs_names_make_unique" if what == "cells" else "var_names_make_unique"
        msg = f"{len(twice)} {what} share their name with others, e.g. {twice[0]!r}: adata.{way}() tells them apart"
        raise ValueError(msg)
    for name in names:
        _check_text(name, f"a name of the {what}")


def _count(matrix: object) -> tuple[int, bool]:
    """Return the number of counts that are not 0, and whether all are whole."""
    total, whole = 0, True
    for _, block in iter_row_blocks(matrix):
        check_counts(block)
        total += int(np.count_nonzero(block.data))
        whole = whole and (block.dtype.kind in "biu" or bool((block.data == np.rint(block.data)).all()))
    return total, whole


def _write_matrix(matrix: object, out: TextIO, *, shape: tuple[int, int], total: int, whole: bool) -> None:
    out.write(f"%%MatrixMarket matrix coordinate {'integer' if whole else 'real'} general\n")
    out.write(f"{shape[0]} {shape[1]} {total}\n")
    bar = progress(desc="writing 10x", total=shape[1], unit="cells")
    for rows, block in iter_row_blocks(matrix):
        block.sort_indices()
        kept = block.data != 0
        cell = np.repeat(np.arange(rows.start, rows.stop) + 1, np.diff(block.indptr))[kept]
        value = block.data[kept].astype(np.int64) if whole else block.data[kept]
        entries = pd.DataFrame({"peak": block.indices[kept].astype(np.int64) + 1, "cell": cell, "value": value})
        entries.to_csv(out, sep=" ", header=False, index=False, lineterminator="\n")
        bar.update(block.shape[0])
    bar.close()


def _features(adata: AnnData, feature_type: str) -> pd.DataFrame:
    table = pd.DataFrame({"id": adata.var_names, "name": adata.var_names, "type": feature_type})
    found = find_coordinates(adata.var)
    if found is not None and not found.missing.any():
        for column in ("chrom", "start", "end"):
            table[column] = found.table[column].to_numpy()
    return table


def _lost(adata: AnnData, layer: str | None) -> list[str]:
    """Return what the folder does not hold, by slot."""
    found = find_coordinates(adata.var)
    places = {"chrom", "start", "end"} if found is not None else set()
    held: dict[str, list[Any]] = {"obs": list(adata.obs), "var": [c for c in adata.var if c not in places]}
    for slot in ("obsm", "varm", "obsp", "varp", "uns"):
        held[slot] = list(getattr(adata, slot))
    held["layers"] = [name for name in layer_names(adata) if name != layer]
    if layer is not None and adata.X is not None:
        held["X"] = [f"of shape {adata.shape[0]} × {adata.shape[1]}"]
    return [
        f"{slot} ({', '.join(str(name) for name in names[:_SHOWN])}{', …' if len(names) > _SHOWN else ''})"
        for slot, names in held.items()
        if names
    ]
