"""Zarr stores, in the newest format the installed zarr and anndata share."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import anndata
from anndata import AnnData

from .._optional import import_optional
from ._errors import FormatError

_ROOTS = ("zarr.json", ".zgroup")


def _format(zarr: Any) -> AbstractContextManager[Any]:
    version = 3 if int(zarr.__version__.split(".")[0]) >= 3 else 2
    if hasattr(anndata.settings, "zarr_write_format"):
        return anndata.settings.override(zarr_write_format=version)
    return nullcontext()


@contextmanager
def open_zarr(path: Path) -> Iterator[Any]:
    """Open a zarr store for reading: a folder, or a .zip of one (with or without a folder at its top).

    Raises
    ------
    FormatError
        If it is a zip archive of something else.
    """
    zarr = import_optional("zarr", extra="scale")
    if path.is_dir():
        yield zarr.open_group(str(path), mode="r")
        return
    prefix = zip_prefix(path)
    if prefix is None:
        msg = f"{path} is a zip archive, and no zarr store; unpack it, and give the path of what is in it"
        raise FormatError(msg)
    modern = int(zarr.__version__.split(".")[0]) >= 3
    store = (zarr.storage.ZipStore if modern else zarr.ZipStore)(str(path), mode="r")
    with store:
        yield zarr.open_group(store, mode="r", path=prefix or None)


def zip_prefix(path: Path) -> str | None:
    """Return where in a zip archive a zarr store lies ("" for its top), or None if it holds none."""
    with zipfile.ZipFile(path) as archive:
        tops = [name.rpartition("/")[0] for name in archive.namelist() if name.rpartition("/")[2] in _ROOTS]
    return min(tops, key=lambda top: (top.count("/") + bool(top), top), default=None)


def write_zarr(adata: AnnData, path: Path) -> None:
    """Write an AnnData store, without the announcements of zarr's and anndata's coming defaults."""
    zarr = import_optional("zarr", extra="scale")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with _format(zarr):
            adata.write_zarr(path)


def replace_x(path: Path, *, shape: tuple[int, int], dtype: str, chunks: tuple[int, int], blocks: Any) -> None:
    """Put a dense `X` into a written AnnData store from (rows, values) blocks."""
    zarr = import_optional("zarr", extra="scale")
    modern = int(zarr.__version__.split(".")[0]) >= 3
    group = zarr.open_group(str(path), mode="r+", **({"use_consolidated": False} if modern else {}))
    if "X" in group:
        del group["X"]
    create = group.create_array if modern else group.create_dataset
    x = create("X", shape=shape, dtype=dtype, chunks=chunks)
    x.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
    for rows, values in blocks:
        x[rows] = values
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        zarr.consolidate_metadata(str(path))
