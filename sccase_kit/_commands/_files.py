"""What the commands read and write."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from anndata import AnnData

INPUT = ".h5ad, .zarr, 10x .h5, 10x mtx folder, or peaks × cells text"
_DATA = (".h5ad", ".zarr")
_TABLES = {".tsv": "\t", ".txt": "\t", ".bed": "\t", ".csv": ","}


def check_target(path: str | None, *, option: str = "--output", kinds: tuple[str, ...] = _DATA) -> Path | None:
    """Return the target of an option if it can be written, before any work is done.

    Raises
    ------
    ValueError
        If its ending is not one of `kinds`.
    FileNotFoundError
        If its folder does not exist.
    """
    if path is None:
        return None
    target = Path(path)
    if target.suffix.lower() not in kinds:
        msg = f"{option} must end in {', '.join(kinds)}, got {path!r}"
        raise ValueError(msg)
    if not target.parent.is_dir():
        msg = f"the folder of {option} does not exist: {str(target.parent)!r}"
        raise FileNotFoundError(msg)
    if target.is_dir() and target.suffix.lower() != ".zarr":
        msg = f"{option} is a folder: {path!r}"
        raise IsADirectoryError(msg)
    return target


def check_data_or_table(path: str | None) -> Path | None:
    """Return the target of ``--output`` if it is a data file or a table."""
    return check_target(path, kinds=(*_DATA, *_TABLES))


def is_data(target: Path | None) -> bool:
    """Return whether a target holds the data, not just a table."""
    return target is not None and target.suffix.lower() in _DATA


def save_data(adata: AnnData, target: Path) -> None:
    """Write the data with every result; the file appears only when complete."""
    from ..io._atomic import replacing
    from ..io._zarr import write_zarr

    with replacing(target) as temporary:
        if target.suffix.lower() == ".zarr":
            write_zarr(adata, temporary)
        else:
            adata.write_h5ad(temporary)


def save_table(table: pd.DataFrame, target: Path) -> None:
    """Write a table; ``.bed`` and ``.tsv`` by tabs, ``.csv`` by commas; a .bed has its header as a comment."""
    from ..io._atomic import replacing

    kind = target.suffix.lower()
    if kind == ".bed":
        table = table.rename(columns={table.columns[0]: f"#{table.columns[0]}"})
    with replacing(target) as temporary:
        table.to_csv(temporary, sep=_TABLES[kind], index=False, lineterminator="\n")
