"""Read counts from any supported file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
from anndata import AnnData
from scipy import sparse

from .._atomic import check_place, replacing
from .._logging import logger, warn
from .._optional import import_optional
from .._settings import settings
from ..intervals.peaks import parse_peaks
from ..matrix.access import as_csr, check_structure
from ..matrix.blocks import rows_per_block, slow_storage
from ._tenx import FormatError, read_10x_h5, read_10x_mtx
from ._text import read_text
from .hdf5 import write_h5ad
from .zarr_store import write_zarr

_TEXT = {".csv", ".tsv", ".txt"}
_FRACTIONAL = "values are fractional, so these are not raw counts; kept as they are"
_READERS: dict[str, Callable[[Path], AnnData]] = {}
_SUPPORTED = ".h5ad, .h5mu, .zarr, 10x .h5, 10x mtx folder, .csv/.tsv/.txt (peaks × cells, .gz or not), .rds, .arrow"


def read(path: str | os.PathLike[str], *, backed: bool = False) -> AnnData:
    """Read a count matrix as AnnData, cells × peaks.

    Parameters
    ----------
    path
        One of: .h5ad; .h5mu (its `atac` modality); .zarr; 10x `filtered_peak_bc_matrix.h5`; a 10x folder with
        matrix.mtx, barcodes.tsv and peaks.bed or features.tsv; a text matrix (csv, tsv, txt), gzipped or not, with
        peaks as rows, or as columns where the columns, and not the rows, have names such as ``chr1:100-600``; R's .rds,
        .RData and .qs, and ArchR's .arrow (:func:`sccase_kit.r.read` says which objects, and has choices).
    backed
        Keep the counts of a .h5ad or .zarr on disk; functions then read them in row blocks.

    Returns
    -------
    AnnData with sparse counts (integers where all values are integral). A dense matrix of fractional values, such as
    :func:`sccase_kit.io.write_enhanced` writes, stays dense, with a warning; float16 becomes float32. `var` has `chrom`
    (str), `start` and `end` (int64, 0-based half-open) parsed from the names; see :func:`sccase_kit.pp.parse_peaks`.

    Raises
    ------
    FileNotFoundError
        If there is nothing at `path`.
    FormatError
        If the file is damaged or not what its name says (a ValueError).
    ValueError
        If the format is unknown, or `backed` is asked for a format that cannot be.
    TypeError
        If `path` is not a file name.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500).adata
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     adata.write_h5ad(f'{folder}/counts.h5ad')
    ...     sk.read(f'{folder}/counts.h5ad').shape
    (100, 500)
    """
    if not isinstance(path, (str, os.PathLike)):
        msg = f"path must be a file name, got {type(path).__name__}"
        raise TypeError(msg)
    target = Path(path)
    if not target.exists():
        msg = f"no such file or folder: {str(target)!r}"
        raise FileNotFoundError(msg)
    suffixes = [s.lower() for s in target.suffixes]
    last = suffixes[-1] if suffixes else ""
    if backed and last not in {".h5ad", ".zarr"}:
        msg = f"backed=True reads .h5ad and .zarr, got {target.name!r}; convert it once with sccase_kit.io.convert"
        raise ValueError(msg)
    if last == ".h5ad":
        adata = _read_h5ad(target, backed=backed)
    elif last == ".zarr":
        adata = _read_zarr(target, backed=backed)
    elif last == ".h5mu":
        adata = _read_h5mu(target)
    elif last == ".h5":
        adata = read_10x_h5(target)
    elif last in _READERS:
        adata = _READERS[last](target)
    elif target.is_dir():
        adata = read_10x_mtx(target)
    elif _TEXT & set(suffixes[-2:]):
        adata = read_text(target)
    else:
        msg = f"unknown format of {target.name!r}; supported: {_SUPPORTED}"
        raise ValueError(msg)
    if not backed:
        adata.X = tidy_counts(adata.X, source=str(target))
    if not {"chrom", "start", "end"} <= set(adata.var.columns):
        parse_peaks(adata)
    return adata


def add_reader(endings: Iterable[str], reader: Callable[[Path], AnnData]) -> None:
    """Let :func:`read` pass files with these endings (lower case, with the dot) to a reader of another part."""
    _READERS.update(dict.fromkeys(endings, reader))


def tidy_counts(matrix: Any, *, source: str = "counts") -> Any:
    """Return counts as CSR, with an integer dtype where every value is integral; entries given twice are added.

    Warns once when values are fractional; they are kept, in a dense matrix where they came in one (float16 as float32).
    """
    if matrix is None:
        msg = f"{source}: there is no X; put the counts there (adata.X = adata.layers[...]) and write the file again"
        raise FormatError(msg)
    try:
        check_structure(matrix, name=source)
    except ValueError as err:
        raise FormatError(str(err)) from None
    if matrix.dtype == np.float16:
        matrix = matrix.astype(np.float32)
    if isinstance(matrix, np.ndarray) and matrix.dtype.kind == "f" and not _is_integral(matrix):
        if all(np.isfinite(part).all() for part in _parts(matrix)):
            warn(f"{source}: {_FRACTIONAL}")
        return matrix
    csr = as_csr(matrix)
    if csr.dtype.kind in "iu":
        return csr
    if csr.dtype.kind == "b":
        return csr.astype(np.int32)
    values = csr.data
    if not np.isfinite(values).all():
        return csr
    if not _is_integral(values):
        warn(f"{source}: {_FRACTIONAL}")
        return csr
    wide = values.size and np.abs(values).max() > np.iinfo(np.int32).max
    return csr.astype(np.int64 if wide else np.int32)


def _parts(values: np.ndarray) -> Iterator[np.ndarray]:
    """Yield pieces along the first axis, so that what is computed of them stays small."""
    step = max(1, settings.block_bytes // max(1, values[:1].nbytes))
    for start in range(0, len(values), step):
        yield values[start : start + step]


def _is_integral(values: np.ndarray) -> bool:
    """Return whether all values are finite integers."""
    return all(np.isfinite(part).all() and np.array_equal(part, np.rint(part)) for part in _parts(values))


def _read_h5ad(path: Path, *, backed: bool) -> AnnData:
    try:
        adata = ad.read_h5ad(path, backed="r" if backed else None)
    except Exception as err:  # damaged files fail in h5py and anndata with many types; each is named here
        msg = f"{path}: not a readable .h5ad ({type(err).__name__}: {err})"
        raise FormatError(msg) from err
    if backed and (why := slow_storage(adata.X)):
        logger.warning("%s: %s", path, why)
    return adata


def _read_zarr(path: Path, *, backed: bool) -> AnnData:
    zarr = import_optional("zarr", extra="scale")
    try:
        if not backed:
            return ad.read_zarr(path)
        group = zarr.open_group(str(path), mode="r")
        elements = {
            name: ad.io.read_elem(group[name]) for name in ("obs", "var", "obsm", "varm", "uns") if name in group
        }
        x = group["X"]
        stored = ad.io.sparse_dataset(x) if isinstance(x, zarr.Group) else x
    except Exception as err:  # as above
        msg = f"{path}: not a readable AnnData zarr store ({type(err).__name__}: {err})"
        raise FormatError(msg) from err
    return AnnData(X=_as_dask(stored), **elements)


def _as_dask(stored: Any) -> Any:
    """Return a stored matrix as a dask array of row blocks that are read when needed."""
    import_optional("dask.array", extra="scale")
    import dask.array as da

    n, m = stored.shape
    step = rows_per_block(stored)
    sizes = tuple(min(step, n - start) for start in range(0, n, step))

    def load(block_info: Any = None) -> sparse.csr_matrix:
        (start, stop), _ = block_info[None]["array-location"]
        return as_csr(stored[start:stop])

    dtype = np.float32 if stored.dtype == np.float16 else stored.dtype
    meta = sparse.csr_matrix((0, 0), dtype=dtype)
    return da.map_blocks(load, chunks=(sizes, (m,)), dtype=dtype, meta=meta)


def _read_h5mu(path: Path) -> AnnData:
    import h5py

    try:
        with h5py.File(path, "r") as store:
            modalities = list(store["mod"])
            name = next((m for m in ("atac", "ATAC", "peaks") if m in modalities), None)
            if name is None:
                msg = f"{path}: no modality 'atac'; found {modalities}"
                raise FormatError(msg)
            return ad.io.read_elem(store["mod"][name])
    except FormatError:
        raise
    except Exception as err:  # as above
        msg = f"{path}: not a readable .h5mu ({type(err).__name__}: {err})"
        raise FormatError(msg) from err


def convert(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Rewrite a count matrix for fast block reading: an uncompressed .h5ad or a .zarr, counts by cells.

    Parameters
    ----------
    source
        Anything :func:`read` takes.
    target
        Ends in ``.h5ad`` or ``.zarr``; appears only when complete.

    Raises
    ------
    ValueError
        If `target` has another ending.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500).adata
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     adata.write_h5ad(f'{folder}/counts.h5ad')
    ...     sk.io.convert(f'{folder}/counts.h5ad', f'{folder}/fast.h5ad')
    ...     sk.read(f'{folder}/fast.h5ad').shape
    (100, 500)
    """
    target = Path(target)
    if target.suffix not in {".h5ad", ".zarr"}:
        msg = f"target must end in .h5ad or .zarr, got {str(target)!r}"
        raise ValueError(msg)
    check_place(target)
    adata = read(source)
    with replacing(target) as temporary:
        if target.suffix == ".h5ad":
            write_h5ad(adata, temporary)
        else:
            write_zarr(adata, temporary)
