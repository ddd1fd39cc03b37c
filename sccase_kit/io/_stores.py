"""AnnData and MuData on disk: .h5ad, .h5mu and .zarr, in memory or backed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
from anndata import AnnData
from scipy import sparse

from .._logging import logger
from .._optional import import_optional
from ..matrix.access import as_csr
from ..matrix.blocks import naming_rows, rows_per_block, slow_storage
from ._errors import FormatError
from ._hdf5_filters import prepare_filters
from ._mudata import is_mudata, read_modality
from ._stored_parts import check_stored_parts
from ._whole_h5ad import is_present_format, read_whole
from .zarr_store import open_zarr

_NO_X = "there is no X; put the counts there (adata.X = adata.layers[...]) and write the file again"


def read_h5ad(path: Path, *, backed: bool) -> AnnData:
    """Read an .h5ad; filters that hdf5plugin brings are loaded where the file needs them.

    Raises
    ------
    FormatError
        If the file is damaged, holds no X, or is compressed by a filter that is not installed.
    """
    import h5py

    layout = prepare_filters(path)
    try:
        with h5py.File(path, "r") as store:
            if "mod" in store and "X" not in store:
                msg = f"{path} holds MuData; name it .h5mu"
                raise FormatError(msg)
            if "X" not in store and {"obs", "var"} <= set(store):
                msg = f"{path}: {_NO_X}"
                raise FormatError(msg)
            check_stored_parts(store, source=path)
            adata = read_whole(store, layout) if not backed and is_present_format(store) else None
        if adata is None:
            adata = ad.read_h5ad(path, backed="r" if backed else None)
        if backed:
            _check_backed(adata)
    except FormatError:
        raise
    except Exception as err:  # damaged files fail in h5py and anndata with many types; each is named here
        msg = f"{path}: not a readable .h5ad ({type(err).__name__}: {err})"
        raise FormatError(msg) from err
    if backed and (why := slow_storage(adata.X)):
        logger.warning("%s: %s", path, why)
    return adata


def _check_backed(adata: AnnData) -> None:
    """Raise ValueError where the counts, which stay on disk, are no numbers or do not fit the names."""
    shape, dtype = tuple(adata.X.shape), np.dtype(adata.X.dtype)
    if shape != (adata.n_obs, adata.n_vars):
        msg = f"X has shape {shape}, and there are {adata.n_obs} cells and {adata.n_vars} peaks"
        raise ValueError(msg)
    if dtype.kind not in "biuf":
        msg = f"X must hold numbers, got {dtype}"
        raise ValueError(msg)


def read_zarr(path: Path, *, backed: bool, modality: str | None) -> tuple[AnnData, list[str]]:
    """Read an AnnData or MuData store of zarr, of either version, sharded or not, or a .zip of one.

    Returns
    -------
    The data, and sentences that say what was left out.

    Raises
    ------
    FormatError
        If the store is damaged or holds neither.
    """
    zarr = import_optional("zarr", extra="scale")
    if backed and not path.is_dir():
        msg = f"{path}: backed=True reads a folder, and this is an archive; unpack it"
        raise FormatError(msg)
    try:
        with open_zarr(path) as group:
            check_stored_parts(group, source=path)
            if is_mudata(group):
                return read_modality(group, _lazy(zarr, path) if backed else None, modality, source=path)
            _no_modality(path, modality)
            if not backed:
                with ad.settings.override(check_uniqueness=False):  # names that are not unique are told by who reads
                    return ad.read_zarr(group), []
            elements = {
                name: ad.io.read_elem(group[name]) for name in ("obs", "var", "obsm", "varm", "uns") if name in group
            }
            return AnnData(X=_lazy(zarr, path)(group["X"]), **elements), []
    except FormatError:
        raise
    except Exception as err:  # as above
        msg = f"{path}: not a readable AnnData zarr store ({type(err).__name__}: {err})"
        raise FormatError(msg) from err


def read_h5mu(path: Path, *, backed: bool, modality: str | None) -> tuple[AnnData, list[str]]:
    """Read one modality of an .h5mu; return what was left out too.

    Raises
    ------
    FormatError
        If the file is damaged, or has no such modality.
    """
    import h5py

    prepare_filters(path)
    try:
        if backed:
            store = h5py.File(path, "r")  # stays open for the blocks that are read later
            check_stored_parts(store, source=path)
            return read_modality(store, _lazy(h5py, path), modality, source=path)
        with h5py.File(path, "r") as store:
            check_stored_parts(store, source=path)
            return read_modality(store, None, modality, source=path)
    except FormatError:
        raise
    except Exception as err:  # as above
        msg = f"{path}: not a readable .h5mu ({type(err).__name__}: {err})"
        raise FormatError(msg) from err


def _no_modality(path: Path, modality: str | None) -> None:
    if modality is not None:
        msg = f"{path}: modality={modality!r} is for MuData, and this holds one AnnData"
        raise FormatError(msg)


def _lazy(module: Any, source: Path) -> Any:
    """Return what turns a stored X into blocks that are read when needed."""

    def convert(stored: Any) -> Any:
        return as_dask(ad.io.sparse_dataset(stored) if isinstance(stored, module.Group) else stored, source=source)

    return convert


def as_dask(stored: Any, *, source: Path) -> Any:
    """Return a stored matrix as a dask array of row blocks that are read when needed; errors name the file."""
    import_optional("dask.array", extra="scale")
    import dask.array as da

    n, m = stored.shape
    step = rows_per_block(stored)
    sizes = tuple(min(step, n - start) for start in range(0, n, step))

    def load(block_info: Any = None) -> sparse.csr_matrix:
        (start, stop), _ = block_info[None]["array-location"]
        with naming_rows(start, stop, source):
            block = stored[start:stop]
        return as_csr(block)

    dtype = np.float32 if stored.dtype == np.float16 else stored.dtype
    meta = sparse.csr_matrix((0, 0), dtype=dtype)
    return da.map_blocks(load, chunks=(sizes, (m,)), dtype=dtype, meta=meta)
