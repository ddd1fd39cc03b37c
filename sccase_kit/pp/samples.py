"""Which fragment files are which samples, and which of their barcodes are cells."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .._logging import logger
from .._text_files import naming, open_text

#: Between the sample and the barcode in names of cells, as in ArchR.
JOINT = "#"
_COMMON = {"fragments", "atac_fragments", "outs", "atac", "filtered", ""}
_ENDINGS = (".gz", ".bgz", ".zst", ".tsv", ".bed", ".txt")


def name_samples(fragments: object) -> tuple[dict[str, Path], bool]:
    """Return sample → file, and whether cells are to be named after their sample as well.

    A list gets the names of the files, or of the folders they lie in where the files have names such as
    ``fragments.tsv.gz``.
    """
    if isinstance(fragments, Mapping):
        samples = {str(name): _existing(path) for name, path in fragments.items()}
        several = True
    else:
        single = isinstance(fragments, (str, os.PathLike))
        paths = [_existing(fragments)] if single else [_existing(path) for path in _listed(fragments)]
        names = [_name_of(path) for path in paths]
        if len(set(names)) < len(names):
            msg = f"fragments: the samples' names {sorted(names)} repeat; pass a dict name → file"
            raise ValueError(msg)
        samples, several = dict(zip(names, paths, strict=True)), len(paths) > 1
    if not samples:
        msg = "fragments is empty: name at least one file"
        raise ValueError(msg)
    if bad := [name for name in samples if not name.strip() or "/" in name or JOINT in name]:
        msg = f"fragments: names of samples must not be empty or hold '/' or {JOINT!r}, got {bad}"
        raise ValueError(msg)
    return samples, several


def _listed(fragments: object) -> list[Any]:
    if isinstance(fragments, (list, tuple, np.ndarray, pd.Series, pd.Index)):
        return list(fragments)
    msg = f"fragments must be a file, a list of files or a dict sample → file, got {type(fragments).__name__}"
    raise TypeError(msg)


def _existing(path: object) -> Path:
    if not isinstance(path, (str, os.PathLike)):
        msg = f"fragments must be names of files, got {type(path).__name__}"
        raise TypeError(msg)
    found = Path(path)
    if found.is_dir():
        msg = f"fragments: {str(found)!r} is a folder; name the file in it, such as fragments.tsv.gz"
        raise IsADirectoryError(msg)
    if not found.is_file():
        msg = f"fragments: there is no file {str(found)!r}"
        raise FileNotFoundError(msg)
    return found


def _name_of(path: Path) -> str:
    """Return the name of a sample after its file, or the nearest folder with a name of its own."""
    name = path.name
    while ending := next((e for e in _ENDINGS if name.lower().endswith(e)), ""):
        name = name[: -len(ending)]
    for common in ("_fragments", ".fragments", "-fragments", "_atac_fragments"):
        name = name.removesuffix(common)
    folders = [parent.name for parent in path.absolute().parents]
    return next((part for part in [name, *folders] if part.lower() not in _COMMON), "sample")


def cells_of_samples(cells: object, samples: Iterable[str]) -> dict[str, list[str] | int | None]:
    """Return for every sample its barcodes, the smallest number of fragments of a cell, or None (to be called)."""
    names = list(samples)
    if isinstance(cells, Mapping) and not isinstance(cells, (pd.DataFrame, pd.Series)):
        if missing := [name for name in names if name not in cells]:
            msg = f"cells has no entry for the samples {missing}; its samples are {[str(name) for name in cells]}"
            raise KeyError(msg)
        return {name: _barcodes(cells[name], name=f"cells[{name!r}]") for name in names}
    if isinstance(cells, AnnData) and {"sample", "barcode"} <= set(cells.obs.columns):
        table = cells.obs[["sample", "barcode"]].astype(str)
        if set(names) <= set(table["sample"]):
            return {name: table.loc[table["sample"] == name, "barcode"].tolist() for name in names}
    found = _barcodes(cells, name="cells")
    if not isinstance(found, list):
        return dict.fromkeys(names, found)
    own = {name: [b.removeprefix(name + JOINT) for b in found if b.startswith(name + JOINT)] for name in names}
    if any(own.values()):
        return dict(own)
    if len(names) > 1:
        logger.info("cells: one list of barcodes for %d samples; each is looked for in all of them", len(names))
    return {name: list(found) for name in names}


def _barcodes(cells: object, *, name: str) -> list[str] | int | None:
    if cells is None:
        return None
    if isinstance(cells, (int, np.integer)) and not isinstance(cells, bool):
        if cells < 1:
            msg = f"{name} as a number is the smallest number of fragments of a cell, at least 1; got {int(cells)}"
            raise ValueError(msg)
        return int(cells)
    if isinstance(cells, AnnData):
        values: Sequence[Any] = (cells.obs["barcode"] if "barcode" in cells.obs else cells.obs_names).tolist()
    elif isinstance(cells, pd.DataFrame):
        values = (cells["barcode"] if "barcode" in cells.columns else cells.index).tolist()
    elif isinstance(cells, (str, os.PathLike)):
        values = read_barcodes(cells)
    elif isinstance(cells, (list, tuple, set, frozenset, np.ndarray, pd.Series, pd.Index)):
        values = list(cells)
    else:
        msg = (
            f"{name} must be barcodes (a list, a file, an AnnData, a DataFrame), a least number of fragments, or None "
            f"(cells are called), got {type(cells).__name__}"
        )
        raise TypeError(msg)
    texts = [str(value) for value in values]
    if not texts:
        msg = f"{name} is empty: there is not a single barcode"
        raise ValueError(msg)
    if len(set(texts)) < len(texts):
        twice = pd.Series(texts)
        twice = twice[twice.duplicated()]
        msg = f"{name}: {len(twice)} barcodes are there more than once, such as {twice.iloc[0]!r}"
        raise ValueError(msg)
    return texts


def read_barcodes(path: str | os.PathLike[str]) -> list[str]:
    """Read barcodes, one a line (the first column), or the cells of Cell Ranger's singlecell.csv; plain or gzip."""
    if not Path(path).is_file():
        msg = f"cells: there is no file {str(path)!r}"
        raise FileNotFoundError(msg)
    with naming(path), open_text(path) as handle:
        rows = [line.rstrip("\r\n") for line in handle if line.strip() and not line.startswith("#")]
    if not rows:
        return []
    separator = "\t" if "\t" in rows[0] else ","
    cells = [row.split(separator) for row in rows]
    head = [value.strip().strip('"').lower() for value in cells[0]]
    if "barcode" not in head:
        return [row[0].strip().strip('"') for row in cells]
    at = head.index("barcode")
    flag = next((head.index(f) for f in ("is__cell_barcode", "is_cell", "is__grch38_cell_barcode") if f in head), None)
    kept = [row for row in cells[1:] if flag is None or row[flag].strip() == "1"]
    return [row[at].strip().strip('"') for row in kept]
