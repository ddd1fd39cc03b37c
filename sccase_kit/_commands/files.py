"""What the commands read and write."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from .output import TABLE

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData

INPUT = ".h5ad, .zarr, .h5mu, 10x .h5, 10x mtx folder, or peaks × cells text"
_DATA = (".h5ad", ".zarr")
_TABLES = {".tsv": "\t", ".txt": "\t", ".bed": "\t", ".csv": ","}


def add_input(parser: argparse.ArgumentParser, text: str = INPUT) -> None:
    """Add the input and how it is read; with the default text, one that may be of any format."""
    parser.add_argument("input", help=text)
    parser.add_argument(
        "--modality", help="of MuData: the modality with the peaks (the one called atac, or with peaks)"
    )
    if text == INPUT:
        parser.add_argument(
            "--peak-names", metavar="FILE", help="of a Matrix Market file: the peaks, one a line, or BED"
        )
        parser.add_argument("--cell-names", metavar="FILE", help="of Matrix Market: the cells, one a line")


def reading_options(args: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments of :func:`sccase_kit.read` that were given with the input."""
    given = {"modality": args.modality}
    given |= {"peaks": getattr(args, "peak_names", None), "cells": getattr(args, "cell_names", None)}
    return {name: value for name, value in given.items() if value is not None}


def read_input(args: argparse.Namespace) -> AnnData:
    """Read the input as it was asked for."""
    import sccase_kit as sk

    from .._progress import stage

    with stage(f"reading {Path(args.input).name}"):
        return sk.read(args.input, **reading_options(args))


def add_output(parser: argparse.ArgumentParser, *, bed: bool = False) -> None:
    """Add ``--output`` for a command that makes a table (of peaks, with `bed`) and data."""
    kinds = ", ".join(kind for kind in _TABLES if bed or kind != ".bed")
    parser.add_argument(
        "-o",
        "--output",
        help=f".h5ad, .zarr: the data with the result in it (may be the input); {kinds}: the table",
    )


def add_seed(parser: argparse.ArgumentParser, text: str) -> None:
    """Add ``--seed``, an integer of at least 0."""

    def seed(value: str) -> int:
        if not value.isdecimal():
            msg = f"an integer of at least 0 is expected, got {value!r}"
            raise argparse.ArgumentTypeError(msg)
        return int(value)

    parser.add_argument("--seed", type=seed, default=0, help=text)


def add_unknown(parser: argparse.ArgumentParser) -> None:
    """Add ``--unknown``, what to do with peaks on sequences that the other side does not have."""
    parser.add_argument(
        "--unknown",
        choices=["drop", "error"],
        default="drop",
        help="peaks on sequences that the other files do not have (scaffolds): leave them out, or stop (drop)",
    )


def add_variants(parser: Any, *, required: bool = False) -> None:
    """Add ``--variants``, fine-mapped variants of traits."""
    parser.add_argument(
        "--variants",
        action="append",
        required=required,
        metavar="TRAIT=FILE",
        help="fine-mapped variants: BED with posterior probabilities in the fifth column; may be repeated",
    )


def add_layer(parser: argparse.ArgumentParser) -> None:
    """Add ``--layer``, where the raw counts are not in X."""
    parser.add_argument("--layer", help="layer with the raw counts, where X holds something else")


@overload
def check_target(path: str, *, option: str = ..., kinds: tuple[str, ...] = ...) -> Path: ...
@overload
def check_target(path: None, *, option: str = ..., kinds: tuple[str, ...] = ...) -> None: ...
@overload
def check_target(path: str | None, *, option: str = ..., kinds: tuple[str, ...] = ...) -> Path | None: ...
def check_target(path: str | None, *, option: str = "--output", kinds: tuple[str, ...] = _DATA) -> Path | None:
    """Return the target of an option if it can be written, before any work is done.

    Raises
    ------
    ValueError
        If its ending is not one of `kinds`.
    FileNotFoundError
        If its folder does not exist.
    OSError
        If its folder may not be written, or something else lies in its place.
    """
    from .._atomic import check_place

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
    check_place(target)
    return target


def check_data_or_table(path: str | None, *, bed: bool = False) -> Path | None:
    """Return the target of ``--output`` if it is a data file or a table; a .bed only of peaks."""
    return check_target(path, kinds=(*_DATA, *(kind for kind in _TABLES if bed or kind != ".bed")))


def holds_data(target: Path | None) -> bool:
    """Return whether a target is for data, so that results are stored in it."""
    return target is not None and target.suffix.lower() in _DATA


def save_data(adata: AnnData, target: Path) -> None:
    """Write the data with every result; the file appears only when complete."""
    from .._atomic import replacing
    from ..io.hdf5 import write_h5ad
    from ..io.zarr_store import write_zarr

    with replacing(target) as temporary:
        if target.suffix.lower() == ".zarr":
            write_zarr(adata, temporary)
        else:
            write_h5ad(adata, temporary)


def save_table(table: pd.DataFrame, target: Path) -> None:
    """Write a table; ``.bed``, ``.tsv`` and ``.txt`` by tabs, ``.csv`` by commas; the header of a .bed is a comment."""
    from .._atomic import replacing

    kind = target.suffix.lower()
    if kind == ".bed":
        table = as_bed(table)
    with replacing(target) as temporary:
        table.to_csv(temporary, sep=_TABLES[kind], index=False, lineterminator="\n")


def has_coordinates(table: pd.DataFrame) -> bool:
    """Return whether every row of a table of peaks starts with chrom, start, end."""
    return list(table.columns[:3]) == ["chrom", "start", "end"] and bool((table["start"] >= 0).all())


def as_bed(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of peaks with a header that BED tools skip.

    Raises
    ------
    ValueError
        If peaks have no coordinates.
    """
    if not has_coordinates(table):
        msg = "a .bed needs chrom, start and end of every peak, and some have none; write a .tsv instead"
        raise ValueError(msg)
    return table.rename(columns={"chrom": "#chrom"})


def finish(result: dict[str, Any], target: Path | None, adata: AnnData | None, table: pd.DataFrame) -> dict[str, Any]:
    """Write what ``--output`` asks for; without it, let the table be printed."""
    if target is None:
        return {TABLE: table, **result}
    if not holds_data(target):
        save_table(table, target)
    elif adata is None:
        msg = f"--output {str(target)!r} needs data as input, which was a table; write a .tsv instead"
        raise ValueError(msg)
    else:
        save_data(adata, target)
    return {"output": str(target), **result}


def group_names(adata: AnnData, groupby: str) -> list[str]:
    """Return the names of all groups of cells, as text, in their order."""
    return [str(name) for name in adata.obs[groupby].astype("category").cat.remove_unused_categories().cat.categories]


def one_or_all(values: list[str] | None) -> str | list[str] | None:
    """Return the only value of an option that takes several, or the list."""
    return values[0] if values is not None and len(values) == 1 else values


def named_files(values: list[str] | None, *, option: str) -> dict[str, str] | None:
    """Return name → file of an option that may be repeated; a file without a name gives its own.

    Raises
    ------
    ValueError
        If a name or a file is missing, or a name comes twice.
    """
    if not values:
        return None
    named: dict[str, str] = {}
    for value in values:
        name, found, file = value.partition("=")
        if not found:
            name, file = value.rsplit("/", 1)[-1].split(".")[0], value
        if not name or not file or name in named:
            msg = f"{option} {value!r}: TRAIT=FILE is expected, every trait once"
            raise ValueError(msg)
        named[name] = file
    return named
