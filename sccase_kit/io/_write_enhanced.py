"""Stream the enhanced matrix to disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from anndata import AnnData
from scipy import sparse

from .._arguments import checked
from .._atomic import check_path, check_place, replacing
from .._progress import progress
from .._record import recorded
from .._settings import settings
from .._validate import Scale, check_choice, check_scale
from ..get.thin import check_fitted, dense_matrix, enhanced, factors, is_dense, ranges
from .hdf5 import fill_h5ad, new_hdf5
from .zarr_store import replace_x, write_zarr

_BLOCK_BYTES = 1 << 24  # computed, and written before they leave the processor's cache
#: Values of a chunk, by ending.
_PER_CHUNK = {".h5ad": 1_000_000, ".zarr": 4_000_000}


@checked()
def write_enhanced(
    adata: AnnData,
    path: str | os.PathLike[str],
    key: str = "sccase",
    *,
    scale: Scale | None = None,
    dtype: Literal["float16", "float32"] = "float32",
    compression: Literal["gzip", "lzf"] | None = None,
) -> None:
    """Write the whole enhanced matrix as the `X` of a new .h5ad or .zarr, block by block.

    Peak memory is a block of `settings.block_bytes` and the factors, whatever the number of cells (with
    ``solver="published"`` the dense matrix, and a scaled copy of it with `scale`). The file appears under its name
    only when it is complete.

    Parameters
    ----------
    adata
        Data enhanced by :func:`sccase_kit.tl.enhance`. Its `obs`, `var` and embedding go along.
    path
        Target, ending in ``.h5ad`` or ``.zarr``; an existing one is replaced.
    key
        The `key_added` of the fit.
    scale
        `"counts"`, `"accessibility"` (rows of sum 10,000), `None` for the signal or `"minmax"` for the published
        output; see :func:`sccase_kit.get.enhanced`. It is noted in ``uns["<key>"]["scale"]`` of the file.
    dtype
        Stored type.
    compression
        Compression of the .h5ad; `None` is fastest to write and read.

    Raises
    ------
    KeyError
        If nothing was fitted under `key`.
    ValueError
        If the ending of `path`, `scale` or `dtype` is unknown, or what the scale needs cannot be had from these data.
    FileNotFoundError
        If the folder of `path` does not exist.
    OSError
        If the disk is full, or the folder may not be written; the target is then untouched.
    """
    check_fitted(adata, key)
    check_scale(scale)
    check_choice(dtype, ["float16", "float32"], name="dtype")
    target = check_path(path)
    if target.suffix not in {".h5ad", ".zarr"}:
        msg = f"path must end in .h5ad or .zarr, got {str(path)!r}"
        raise ValueError(msg)
    check_place(target)
    thin = None
    if not is_dense(adata, key):
        if scale == "minmax":
            ranges(adata, key=key)
        else:
            thin = factors(adata, key=key, scale=scale)
    result = AnnData(
        obs=adata.obs.copy(),
        var=adata.var.copy(),
        obsm={f"X_{key}": np.asarray(adata.obsm[f"X_{key}"])},
        varm={name: np.asarray(adata.varm[name]) for name in [f"{key}_projection"] if name in adata.varm},
    )
    made = recorded(adata.uns[key], "tl.enhance")
    if made is not None:
        result.uns[key] = replace(made, results={"scale": scale or "none"}).entry()
    chunk = max(1, min(adata.n_obs, _PER_CHUNK[target.suffix] // max(1, adata.n_vars)))
    with replacing(target) as temporary:
        write = _write_h5ad if target.suffix == ".h5ad" else _write_zarr
        values = _values_of(adata, key, scale, thin)
        blocks = _blocks(adata, values, dtype=dtype, chunk=chunk)
        write(result, temporary, blocks, chunk=chunk, dtype=dtype, compression=compression)


def _values_of(
    adata: AnnData, key: str, scale: Scale | None, thin: tuple[np.ndarray, np.ndarray] | None
) -> Callable[[slice], np.ndarray]:
    """Return a function of rows that returns their values."""
    if thin is not None:
        cells, peaks = thin
        return lambda part: _product(cells, peaks, part)
    if is_dense(adata, key) and not sparse.issparse(adata.layers[key]):
        return dense_matrix(adata, key, scale).__getitem__
    return lambda part: enhanced(adata, key, obs_names=part, scale=scale)


def _product(cells: np.ndarray, peaks: np.ndarray, part: slice) -> np.ndarray:
    return cells[part] @ peaks.T


def _blocks(
    adata: AnnData, values: Callable[[slice], np.ndarray], *, dtype: str, chunk: int
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield rows and their values, whole chunks where a block may be so large: each is compressed once then."""
    rows = max(1, min(settings.block_bytes, _BLOCK_BYTES) // (4 * adata.n_vars))
    rows = max(chunk, rows - rows % chunk) if 4 * chunk * adata.n_vars <= settings.block_bytes else rows
    with progress(total=adata.n_obs, desc="write enhanced", unit="cell") as bar:
        for start in range(0, adata.n_obs, rows):
            part = slice(start, min(start + rows, adata.n_obs))
            yield part, values(part).astype(dtype, copy=False)
            bar.update(part.stop - part.start)


def _write_h5ad(result: AnnData, path: Path, blocks: Any, *, chunk: int, dtype: str, compression: str | None) -> None:
    with new_hdf5(path) as (store, below):
        fill_h5ad(result, store)
        if "X" in store:
            del store["X"]
        chunks = (chunk, result.n_vars) if compression else None
        x = store.create_dataset("X", shape=result.shape, dtype=dtype, chunks=chunks, compression=compression)
        x.attrs["encoding-type"], x.attrs["encoding-version"] = "array", "0.2.0"
        for part, values in blocks:
            x[part] = values
            below.check()


def _write_zarr(result: AnnData, path: Path, blocks: Any, *, chunk: int, dtype: str, compression: str | None) -> None:
    if compression is not None:
        msg = f"compression={compression!r} is for .h5ad; .zarr is written with zarr's default compressor"
        raise ValueError(msg)
    write_zarr(result, path)
    replace_x(path, shape=result.shape, dtype=dtype, chunks=(chunk, result.n_vars), blocks=blocks)
