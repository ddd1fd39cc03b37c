"""ArchR projects: the R object with the columns of the cells, and the Arrow files that it points to with the counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from ..io import FormatError
from ._archr import matrices_of, read_arrow
from ._from_r import from_value, row_names
from ._s4 import dataframe_from, matrix_from, ranges_from
from ._values import RValue

PROJECT = "Save-ArchR-Project.rds"
"""The file that ``saveArchRProject`` writes into the folder of a project."""

_SHOWN = 5


def is_archr(value: RValue) -> bool:
    """Return whether a value is an ArchRProject."""
    return value.kind == "S4" and {"cellColData", "sampleColData", "projectMetadata"} <= set(value.attributes)


def archr_from(value: RValue, lost: list[str], *, folder: Path | None = None, matrix: str | None = None) -> AnnData:
    """Build the AnnData of an ArchR project.

    The cells are those of the project, in its order; cellColData become ``obs``, reducedDims and embeddings
    ``obsm["X_<name>"]``, the columns of the peak set ``var`` of the peak matrix.

    Parameters
    ----------
    value
        The project.
    lost
        Takes what is left out.
    folder
        Where the project's .rds lies: Arrow files that are not where the project says are looked for in its folder
        ``ArrowFiles``, as ArchR keeps them.
    matrix
        Matrix of the Arrow files; `None`: the peak matrix if all have one, else the tiles.

    Raises
    ------
    FileNotFoundError
        If an Arrow file is neither where the project says nor in the folder of the project.
    FormatError
        If cells of the project are not in its Arrow files, or these have other features.
    KeyError
        If an Arrow file has no such matrix.
    """
    obs = dataframe_from(value.slot("cellColData"), lost)
    obs.index = obs.index.astype(str)
    files = _arrow_files(value, folder, lost)
    if matrix is None:
        matrix = "PeakMatrix" if all("PeakMatrix" in matrices_of(path) for path in files) else "TileMatrix"
    parts = [read_arrow(path, matrix=matrix) for path in files]
    adata = _joined(parts, files, obs, matrix)
    if matrix == "PeakMatrix":
        _add_peak_set(adata, value.slot("peakSet"), lost)
    _add_reductions(adata, value, lost)
    for slot in ("peakAnnotation", "imputeWeights"):
        if names := [name for name, _ in value.slot(slot).slot("listData").items()]:
            lost.append(f"{slot} {names}")
    return adata


def _arrow_files(value: RValue, folder: Path | None, lost: list[str]) -> list[Path]:
    """Return the Arrow files of the samples that have cells in the project."""
    samples = value.slot("sampleColData")
    table = dataframe_from(samples, lost)
    if "ArrowFiles" not in table:
        msg = f"the ArchR project names no Arrow files: sampleColData has the columns {list(table.columns)}"
        raise FormatError(msg)
    if others := [name for name in table.columns if name != "ArrowFiles"]:
        lost.append(f"sampleColData {others}")
    found = []
    for path in table["ArrowFiles"].astype(str):
        name = path.replace("\\", "/").rpartition("/")[2]
        places = [Path(path)] if folder is None else [folder / "ArrowFiles" / name, Path(path), folder / path]
        here = next((place for place in places if place.is_file()), None)
        if here is None:
            msg = f"the Arrow file of the ArchR project is missing; looked at {', '.join(map(str, places))}"
            raise FileNotFoundError(msg)
        found.append(here)
    return found


def _joined(parts: list[AnnData], files: list[Path], obs: pd.DataFrame, matrix: str) -> AnnData:
    """Return the cells of the project, in its order, from the parts of its samples."""
    first = parts[0].var
    for part, path in zip(parts, files, strict=True):
        if not part.var.equals(first):
            msg = f"{path}: its {matrix} has other features than that of {files[0]} ({part.n_vars} and {len(first)})"
            raise FormatError(msg)
    names = pd.Index([name for part in parts for name in part.obs_names])
    if not names.is_unique:
        twice = names[names.duplicated()].tolist()
        msg = f"{len(twice)} cells are in several Arrow files of the project, such as {twice[:_SHOWN]}: a sample twice?"
        raise FormatError(msg)
    where = names.get_indexer(obs.index)
    if missing := obs.index[where < 0].tolist():
        msg = f"{len(missing)} cells of the project are not in its Arrow files' {matrix}: {missing[:_SHOWN]}"
        raise FormatError(msg)
    whole = sparse.vstack([part.X for part in parts], format="csr") if len(parts) > 1 else parts[0].X
    return AnnData(sparse.csr_matrix(whole[where]), obs=obs, var=first.copy())


def _add_peak_set(adata: AnnData, ranges: RValue, lost: list[str]) -> None:
    """Add the columns of the peak set to `var`, peak by peak by place."""
    if ranges.kind != "S4":
        return
    columns = dataframe_from(ranges.slot("elementMetadata"), lost)
    places = ranges_from(ranges)
    key = ["chrom", "start", "end"]
    index = pd.MultiIndex.from_frame(places[key])
    columns.index = index
    if not index.is_unique:
        lost.append("peakSet (it has a peak twice)")
        return
    where = index.get_indexer(pd.MultiIndex.from_frame(adata.var[key]))
    if (where < 0).any():
        lost.append(f"peakSet (it lacks {int((where < 0).sum())} peaks of the matrix)")
        return
    for name in [name for name in columns.columns if name not in adata.var]:
        adata.var[name] = columns[name].iloc[where].to_numpy() if len(columns) else []


def _add_reductions(adata: AnnData, value: RValue, lost: list[str]) -> None:
    """Add reducedDims (``matSVD`` or ``matDR``) and embeddings (``df``); cells they lack have NaN."""
    for slot, keys in (("reducedDims", ("matDR", "matSVD")), ("embeddings", ("df",))):
        for name, item in value.slot(slot).slot("listData").items():
            inner = dict((item.slot("listData") if item.kind == "S4" else item).items())
            chosen = next((inner[key] for key in keys if key in inner), None)
            table = None if chosen is None else _table(chosen)
            if table is None:
                lost.append(f"{slot} {name!r}")
                continue
            adata.obsm[f"X_{name}"] = table.reindex(adata.obs_names).to_numpy(dtype=np.float64)


def _table(chosen: RValue) -> pd.DataFrame | None:
    """Return a matrix or data.frame with the names of its cells; None where it has none."""
    if "data.frame" in chosen.classes:
        frame: Any = from_value(chosen, [])
        return frame.set_axis(pd.Index(row_names(chosen), dtype=object))
    names = chosen.slot("Dimnames" if chosen.kind == "S4" else "dimnames")
    if names.kind != "list" or names.data[0].kind != "character":
        return None
    return pd.DataFrame(np.asarray(matrix_from(chosen)), index=pd.Index(names.data[0].data, dtype=object))


__all__ = ["PROJECT", "archr_from", "is_archr"]
