"""ArchR's Arrow files, which are HDF5: a matrix, chromosome by chromosome, and the columns of the cells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from ..io import FormatError
from ..io.heaps import check_heaps


def _plain(values: Any) -> np.ndarray:
    array = np.asarray(values).ravel()
    if array.dtype.kind in "SO":
        return np.array([item.decode() if isinstance(item, bytes) else str(item) for item in array], dtype=object)
    return array


def read_arrow(path: Path, *, matrix: str = "TileMatrix") -> AnnData:
    """Read one matrix of an Arrow file as cells × features, with the cells' columns of its group ``Metadata``.

    Raises
    ------
    FormatError
        If it is no Arrow file.
    KeyError
        If it has no such matrix.
    """
    with _opened(path) as file:
        if matrix not in file or "Info" not in file[matrix]:
            msg = f"matrix={matrix!r} is not in the Arrow file; available: {_matrices(file)}"
            raise KeyError(msg)
        group = file[matrix]
        sample = str(_plain(file["Metadata/Sample"])[0]) if "Sample" in file["Metadata"] else path.stem
        cells = [f"{sample}#{name}" for name in _plain(group["Info/CellNames"])]
        features = pd.DataFrame(
            {name: _column(group["Info/FeatureDF"][name]) for name in group["Info/FeatureDF"].dtype.names}
        )
        blocks = [_chromosome(group, name, part, len(cells)) for name, part in features.groupby("seqnames", sort=False)]
        counts = sparse.hstack(blocks, format="csr") if blocks else sparse.csr_matrix((len(cells), 0))
        obs = _cells(file["Metadata"], sample).reindex(cells)
    order = np.concatenate([part.index.to_numpy() for _, part in features.groupby("seqnames", sort=False)] or [[]])
    var = _features(features.iloc[order.astype(int)].reset_index(drop=True))
    return AnnData(counts, obs=obs, var=var)


def matrices_of(path: Path) -> list[str]:
    """Return the matrices of an Arrow file.

    Raises
    ------
    FormatError
        If it is no Arrow file.
    """
    with _opened(path) as file:
        return _matrices(file)


def _matrices(file: Any) -> list[str]:
    return [name for name in file if hasattr(file[name], "keys") and "Info" in file[name]]


def _opened(path: Path) -> Any:
    import h5py

    check_heaps(path)
    try:
        file = h5py.File(path, "r")
    except OSError as err:
        msg = f"{path}: not a readable Arrow file of ArchR, which is HDF5 ({err})"
        raise FormatError(msg) from err
    if "Metadata" not in file or "CellNames" not in file["Metadata"]:
        file.close()
        msg = f"{path}: not an Arrow file of ArchR: it has no Metadata/CellNames"
        raise FormatError(msg)
    return file


def _column(values: Any) -> np.ndarray:
    return _plain(values)


def _chromosome(group: Any, name: str, part: pd.DataFrame, n_cells: int) -> sparse.csr_matrix:
    """Return cells × features of one chromosome; `idx` in ArchR's table is the row of a feature in it."""
    rows = int(part["idx"].max()) if len(part) else 0
    if name not in group:
        return sparse.csr_matrix((n_cells, len(part)))
    here = group[name]
    if {"indices", "indptr", "data"} <= set(here):
        slots = tuple(_plain(here[key]) for key in ("data", "indices", "indptr"))
        whole = sparse.csr_matrix(slots, shape=(n_cells, rows))
    else:
        i = _plain(here["i"]).astype(np.int64) - 1
        j = np.repeat(_plain(here["jValues"]).astype(np.int64) - 1, _plain(here["jLengths"]).astype(np.int64))
        x = _plain(here["x"]) if "x" in here else np.ones(len(i))
        whole = sparse.csr_matrix((x, (j, i)), shape=(n_cells, rows))
    return whole[:, part["idx"].to_numpy(dtype=np.int64) - 1]


def _cells(group: Any, sample: str) -> pd.DataFrame:
    names = _plain(group["CellNames"])
    columns = {
        key: _plain(group[key])
        for key in group
        if key != "CellNames" and getattr(group[key], "size", -1) == len(names) and key != "Sample"
    }
    table = pd.DataFrame(columns, index=pd.Index([f"{sample}#{name}" for name in names], dtype=object))
    table["Sample"] = pd.Categorical([sample] * len(table))
    return table


def _features(table: pd.DataFrame) -> pd.DataFrame:
    """Return `var`: chrom, start and end where the features are places, and ArchR's other columns."""
    chrom = table["seqnames"].astype(str).to_numpy(dtype=object)
    start = table["start"].to_numpy(dtype=np.int64) if "start" in table else None
    rest = table.drop(columns=[name for name in ("seqnames", "start", "end") if name in table])
    if start is None:
        names = table["name"].astype(str) if "name" in table else pd.Series(np.arange(len(table)).astype(str))
        if names.duplicated().any():  # a MotifMatrix holds "deviations" and "z" of each motif
            names = pd.Series(chrom, index=names.index).astype(str) + ":" + names
        return rest.set_axis(pd.Index(names.to_numpy(dtype=object), dtype=object)).assign(chrom=chrom)
    if "end" in table:  # GRanges: 1-based, closed
        start, end = start - 1, table["end"].to_numpy(dtype=np.int64)
        low, end = np.minimum(start, end - 1), np.maximum(start + 1, end)  # genes of the reverse strand come end first
        start = low
    else:  # tiles: ArchR stores the 0-based start and not the size
        sizes = np.diff(start)
        size = int(sizes[sizes > 0].min()) if (sizes > 0).any() else 500
        end = start + size
    if "name" in table and "end" not in table.columns:
        names = table["name"]
    else:
        names = pd.Series([f"{c}:{s}-{e}" for c, s, e in zip(chrom, start, end, strict=True)])
    where = pd.DataFrame({"chrom": chrom, "start": start, "end": end})
    return pd.concat([where, rest], axis=1).set_axis(pd.Index(names.to_numpy(dtype=object), dtype=object))
