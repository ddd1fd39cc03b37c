"""Results back to R users: .rds files with the results in the object that they gave, and ArchR's table of cells."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._atomic import check_place, replacing
from .._logging import warn
from .._validate import check_adata, check_key
from ._child import run_tool
from ._experiment import columns, experiment_value
from ._to_r import to_value
from ._values import RValue, listed, text


@checked()
def write(
    adata: AnnData,
    path: str | os.PathLike[str],
    *,
    into: str | os.PathLike[str] | None = None,
    obs: Sequence[str] | None = None,
    obsm: Sequence[str] | None = None,
    enhanced: bool = False,
    key: str = "sccase",
) -> None:
    """Write an .rds for R: the study as SingleCellExperiment, or its results added to an R user's own object.

    Parameters
    ----------
    adata
        The study, in memory.
    path
        The .rds to write; appears only when complete.
    into
        An .rds with a Seurat object or a SingleCellExperiment of the same cells (by name): columns of `obs` become
        columns of its cells, arrays of `obsm` reductions (``X_sccase`` is called sccase), tables of `obsm` such as
        ``chromvar_z`` assays (in a SingleCellExperiment: alternative experiments). It is read by R, which can run code
        that is hidden in such a file. `None`: a new SingleCellExperiment.
    obs, obsm
        What to add; by default all columns of `obs`, and of `obsm` the arrays called ``X_…`` and the tables.
    enhanced
        Also add the enhanced matrix of :func:`sccase_kit.tl.enhance`, which is dense: n_obs × n_vars × 8 bytes.
    key
        The `key_added` of the fit.

    Raises
    ------
    FileNotFoundError
        If there is nothing at `into`.
    KeyError
        If a key is missing, or nothing was enhanced under `key`.
    MissingProgramError
        If there is no R.
    RError
        If R fails: a package is missing, or no cell has the same name.
    ValueError
        If `path` does not end in .rds.
    """
    check_adata(adata)
    path = Path(path)
    if path.suffix.lower() != ".rds":
        msg = f"path must end in .rds, got {str(path)!r}"
        raise ValueError(msg)
    if into is not None and not Path(into).exists():
        msg = f"into: no such file: {str(into)!r}"
        raise FileNotFoundError(msg)
    check_place(path)
    for name in obs or ():
        check_key(name, adata.obs.columns, name="obs", where="adata.obs")
    for name in obsm or ():
        check_key(name, adata.obsm, name="obsm", where="adata.obsm")
    lost: list[str] = []
    inputs: dict[str, Any] = {"cells": list(adata.obs_names.astype(str))}
    assays: dict[str, RValue] = {}
    if into is None:
        inputs["experiment"] = experiment_value(adata, kind="SingleCellExperiment")
    else:
        inputs["into"] = str(Path(into).resolve())
        table = adata.obs[list(obs)] if obs is not None else adata.obs
        inputs["columns"] = columns(table, "adata.obs", lost)
        reductions, assays = _obsm(adata, _shown(adata) if obsm is None else obsm, lost)
        inputs["reductions"] = listed(reductions.values(), list(reductions))
    if enhanced:
        from .. import get

        block = np.asarray(get.enhanced(adata, key=key), dtype=np.float64)
        assays[f"{key}_enhanced"] = _assay(block.T, adata.var_names)
    inputs["assays"] = listed(assays.values(), list(assays))
    if lost:
        warn(f"not passed to R: {'; '.join(lost)}")
    with replacing(path) as temporary:
        result = run_tool("add_results", {**inputs, "out": str(Path(temporary).resolve())})
    missing = int(result["missing"][0])
    if missing:
        warn(f"{missing} cell(s) of the object in {into} are not in adata; their results are NA")


def _assay(values: Any, features: Any) -> RValue:
    return listed([to_value(np.asarray(values)), text(*map(str, features))], ["values", "features"])


def _shown(adata: AnnData) -> list[str]:
    """Return what of `obsm` is a result: embeddings and tables, not the factors of a fit."""
    return [key for key, value in adata.obsm.items() if key.startswith("X_") or isinstance(value, pd.DataFrame)]


def _obsm(adata: AnnData, keys: Any, lost: list[str]) -> tuple[dict[str, RValue], dict[str, RValue]]:
    """Return arrays as reductions and numeric tables as assays."""
    reductions, assays = {}, {}
    for key in keys:
        value = adata.obsm[key]
        if isinstance(value, pd.DataFrame):
            numeric = value.select_dtypes("number")
            if dropped := [str(name) for name in value.columns if name not in numeric.columns]:
                lost.append(f"adata.obsm[{key!r}]: columns {dropped} (not numbers)")
            assays[key] = _assay(numeric.to_numpy(dtype=np.float64).T, numeric.columns)
        elif getattr(value, "ndim", 0) == 2 and isinstance(value, np.ndarray):
            name = key.removeprefix("X_")
            names = text(*(f"{name}_{k}" for k in range(1, value.shape[1] + 1)))
            reductions[name] = listed([to_value(value.astype(np.float64)), names], ["values", "columns"])
        else:
            lost.append(f"adata.obsm[{key!r}] ({type(value).__name__})")
    return reductions, assays


_ARCHR = """# Adds the columns of cells.csv and the embedding of embedding.csv to an ArchR project.
# Rscript add_to_archr.R PROJECT_FOLDER    (or: source it, then add_results(project))
suppressPackageStartupMessages(library(ArchR))  # attached: its functions use those of packages that it attaches
add_results <- function(project, folder = ".") {
  cells <- read.csv(file.path(folder, "cells.csv"), row.names = 1, check.names = FALSE, stringsAsFactors = FALSE)
  cells <- cells[rownames(cells) %in% ArchR::getCellNames(project), , drop = FALSE]
  for (name in colnames(cells)) {
    project <- ArchR::addCellColData(project, data = cells[[name]], cells = rownames(cells), name = name, force = TRUE)
  }
  embedding <- file.path(folder, "embedding.csv")
  if (file.exists(embedding)) {
    values <- as.matrix(read.csv(embedding, row.names = 1, check.names = FALSE))
    names <- ArchR::getCellNames(project)
    values <- values[match(names, rownames(values)), , drop = FALSE]
    if (n <- sum(is.na(values[, 1]))) message(n, " cells of the project have no results: their embedding is NA")
    rownames(values) <- names
    project@reducedDims[["sccase"]] <- S4Vectors::SimpleList(
      matDR = values, date = Sys.time(), scaleDims = NA, corToDepth = NA
    )
  }
  project
}
if (sys.nframe() == 0L) {
  path <- commandArgs(trailingOnly = TRUE)[[1L]]
  folder <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[[1L]]))
  ArchR::saveArchRProject(add_results(ArchR::loadArchRProject(path, showLogo = FALSE), folder), outputDirectory = path)
}
"""


@checked()
def write_archr(adata: AnnData, folder: str | os.PathLike[str], *, use_rep: str | None = "X_sccase") -> None:
    """Write a folder for an ArchR project: cells.csv, embedding.csv and add_to_archr.R, which adds both.

    Parameters
    ----------
    adata
        A study whose cells have ArchR's names (sample#barcode).
    folder
        Created if needed; each file appears only when complete.
    use_rep
        The array of `obsm` to add as reduced dimensions "sccase"; `None` for none.

    Raises
    ------
    KeyError
        If `use_rep` is missing.
    """
    check_adata(adata)
    if use_rep is not None:
        check_key(use_rep, adata.obsm, name="use_rep", where="adata.obsm")
    if not adata.obs_names.str.contains("#").all():
        n = int((~adata.obs_names.str.contains("#")).sum())
        warn(f"{n} of {adata.n_obs} cells do not have names as ArchR's (sample#barcode)")
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    with replacing(target / "cells.csv") as temporary:
        adata.obs.to_csv(temporary)
    if use_rep is not None:
        values = np.asarray(adata.obsm[use_rep], dtype=np.float64)
        names = [f"sccase_{k}" for k in range(1, values.shape[1] + 1)]
        with replacing(target / "embedding.csv") as temporary:
            pd.DataFrame(values, index=adata.obs_names, columns=names).to_csv(temporary)
    with replacing(target / "add_to_archr.R") as temporary:
        Path(temporary).write_text(_ARCHR, encoding="utf-8")
