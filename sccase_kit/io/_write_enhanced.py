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
from ..enhance.factors import minmax_factors
from ..get.thin import check_fitted, dense_matrix, enhanced, factors, is_dense, ranges
from .hdf5 import fill_h5ad, new_hdf5
from .zarr_store import replace_x, write_zarr

_BLOCK_BYTES = 1 << 22  # computed, and written before they leave the processor's cache
#: Cells of a block of many peaks, and its bytes: products of fewer cells take longer.
_FEWEST_CELLS, _MOST_BYTES = 80, 1 << 24
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
        thin = factors(adata, key=key, scale=None if scale == "minmax" else scale)
        if scale == "minmax":
            thin = minmax_factors(*thin, ranges(adata, key=key))
    result = AnnData(
        obs=adata.obs.copy(),
        var=adata.var.copy(),
        obsm={f"X_{key}": np.asarray(adata.obsm[f"X_{key}"])},
        varm={name: np.asarray(adata.varm[name]) for name in [f"{key}_projection"] if name in adata.varm},
    )
    made = recorded(adata.uns[key], "tl.enhance")
    if made is not None:
        result.uns[key] = replace(made, results={"scale": scale or "none"}).entry()
    chunk, parts = 1, -(-adata.n_vars * 4 * _FEWEST_CELLS // _MOST_BYTES)
    wide = -(-adata.n_vars // max(1, parts))
    if compression or target.suffix == ".zarr":
        chunk, wide = max(1, min(adata.n_obs, _PER_CHUNK[target.suffix] // max(1, adata.n_vars))), adata.n_vars
    with replacing(target) as temporary:
        write = _write_h5ad if target.suffix == ".h5ad" else _write_zarr
        values = _values_of(adata, key, scale, thin)
        blocks = _blocks(adata, values, dtype=dtype, chunk=chunk, wide=adata.n_vars if thin is None else wide)
        write(result, temporary, blocks, chunk=chunk, dtype=dtype, compression=compression)


def _values_of(
    adata: AnnData, key: str, scale: Scale | None, thin: tuple[np.ndarray, np.ndarray] | None
) -> Callable[[slice, slice], np.ndarray]:
    """Return a function of cells and peaks that returns their values, which hold until it is called again."""
    if thin is not None:
        return _Product(*thin, bounded=scale == "minmax")
    if is_dense(adata, key) and not sparse.issparse(adata.layers[key]):
        whole = dense_matrix(adata, key, scale)
        return lambda cells, peaks: whole[cells, peaks]
    return lambda cells, peaks: enhanced(adata, key, obs_names=cells, var_names=peaks, scale=scale)


class _Product:
    """Blocks of the product of two factors, in the memory of the block before: new memory costs more than products."""

    def __init__(self, cells: np.ndarray, peaks: np.ndarray, *, bounded: bool) -> None:
        self._cells, self._peaks, self._bounded = cells, peaks, bounded
        self._room = np.empty(0, np.result_type(cells, peaks))
        self._turned, self._at = self._room, slice(0)

    def __call__(self, cells: slice, peaks: slice) -> np.ndarray:
        if peaks != self._at:  # turned once: BLAS would do so for every block
            self._turned, self._at = self._room[:0], peaks  # those before are let go first
            self._turned = np.ascontiguousarray(self._peaks[peaks].T)
        shape = cells.stop - cells.start, peaks.stop - peaks.start
        if self._room.size < shape[0] * shape[1]:
            self._room = np.empty(shape[0] * shape[1], self._room.dtype)
        out = self._room[: shape[0] * shape[1]].reshape(shape)
        _product(self._cells[cells], self._turned, out)
        return np.clip(out, 0, 1, out=out) if self._bounded else out


def _product(cells: np.ndarray, peaks: np.ndarray, out: np.ndarray) -> None:
    np.matmul(cells, peaks, out=out)


def _blocks(
    adata: AnnData, values: Callable[[slice, slice], np.ndarray], *, dtype: str, chunk: int, wide: int
) -> Iterator[tuple[tuple[slice, slice], np.ndarray]]:
    """Yield cells and `wide` peaks, and their values.

    Whole chunks of cells where a block may be so large: each is compressed once then.
    """
    most = min(max(_BLOCK_BYTES, 4 * _FEWEST_CELLS * wide), _MOST_BYTES, settings.block_bytes)
    rows = max(1, most // (4 * max(1, wide)))
    rows = max(chunk, rows - rows % chunk) if 4 * chunk * wide <= settings.block_bytes else rows
    told = 0
    with progress(total=adata.n_obs, desc="write enhanced", unit="cell") as bar:
        for left in range(0, adata.n_vars, max(1, wide)):
            peaks = slice(left, min(left + wide, adata.n_vars))
            for start in range(0, adata.n_obs, rows):
                cells = slice(start, min(start + rows, adata.n_obs))
                yield (cells, peaks), values(cells, peaks).astype(dtype, copy=False)
                done = (left * adata.n_obs + (peaks.stop - left) * cells.stop) // adata.n_vars
                bar.update(done - told)
                told = done


def _write_h5ad(result: AnnData, path: Path, blocks: Any, *, chunk: int, dtype: str, compression: str | None) -> None:
    with new_hdf5(path) as (store, below):
        fill_h5ad(result, store)
        if "X" in store:
            del store["X"]
        chunks = (chunk, result.n_vars) if compression else None
        x = store.create_dataset("X", shape=result.shape, dtype=dtype, chunks=chunks, compression=compression)
        x.attrs["encoding-type"], x.attrs["encoding-version"] = "array", "0.2.0"
        if chunks is None:
            below.reserve(x.nbytes)
            below.check()
        for part, values in blocks:
            x[part] = values
            below.check()


def _write_zarr(result: AnnData, path: Path, blocks: Any, *, chunk: int, dtype: str, compression: str | None) -> None:
    if compression is not None:
        msg = f"compression={compression!r} is for .h5ad; .zarr is written with zarr's default compressor"
        raise ValueError(msg)
    write_zarr(result, path)
    replace_x(path, shape=result.shape, dtype=dtype, chunks=(chunk, result.n_vars), blocks=blocks)
