"""The recipes of docs/r_engines.md, run as they stand there, on real cells where they are at hand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk
from sccase_kit.r._locate import rscript, scripts_dir

PAGE = Path(__file__).parents[2] / "docs" / "r_engines.md"
DATA = Path(__file__).parents[3] / "shared" / "data"
REAL = DATA / "bm0828.h5ad"
TRAITS = ["RBC_COUNT", "PLT_COUNT", "MONO_COUNT"]

pytestmark = [
    pytest.mark.r("SeuratObject", "SummarizedExperiment", "TFBSTools", "BiocParallel"),
    pytest.mark.skipif(not PAGE.is_file(), reason="no pages in an installed package"),
]

MAKE = (
    "library(SeuratObject); m <- methods::as(SummarizedExperiment::assay(x), 'dgCMatrix'); "
    "saveRDS(suppressWarnings(CreateSeuratObject(m, assay = 'ATAC')), path)"
)


def blocks(heading, language):
    """Return the code blocks of a language under a heading of the page."""
    part = PAGE.read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", part, re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with study.rds, a Seurat object made by R."""
    folder = tmp_path_factory.mktemp("recipes")
    if REAL.is_file():
        adata = ad.read_h5ad(REAL)
        adata = adata[::3, ::40].copy()
    else:
        adata = sk.datasets.toy_study(n_cells=150, n_peaks=800).adata
    adata = ad.AnnData(adata.X, obs=adata.obs[[]], var=adata.var[[]])
    sk.r.run(MAKE, x=adata, path=str(folder / "study.rds"))
    return folder


def run_r(code, folder):
    done = subprocess.run([rscript(), "-e", code], cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_seurat_object_goes_in_and_comes_back(folder, monkeypatch):
    monkeypatch.chdir(folder)
    (code,) = blocks("I have a Seurat, Signac or ArchR object", "python")
    names: dict = {}
    exec(code, names)
    (code,) = blocks("I have a Seurat, Signac or ArchR object", "r")
    printed = run_r(code, folder)
    adata = names["adata"]
    assert adata.n_obs >= 150
    assert re.search(rf"\[1\] +{adata.n_obs} +{adata.obsm['X_sccase'].shape[1]}\b", printed)
    for count in adata.obs["louvain"].value_counts():
        assert re.search(rf"\b{count}\b", printed)


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """A folder with cells.h5ad and BED files of variants; without a genome at hand the GC content is made up."""
    folder = tmp_path_factory.mktemp("cells")
    if REAL.is_file():
        adata = ad.read_h5ad(REAL)
        place = ["chrom", "start", "end"]
        files = {name: DATA / "gwas" / f"{name}_PP001.bed.gz" for name in TRAITS}
        variants = {name: pd.read_csv(path, sep="\t", usecols=[0, 1, 2], names=place) for name, path in files.items()}
        near = pd.concat([sk.regions.overlap(adata.var, table) for table in variants.values()])
        kept = adata.var_names.isin(near.index) | (np.arange(adata.n_vars) % 25 == 0)
        adata = adata[::4, kept].copy()
        sk.pp.filter_peaks(adata, min_fraction=0)
    else:
        adata = sk.datasets.toy_study(n_cells=100, n_peaks=300).adata
        sk.pp.filter_peaks(adata, min_fraction=0)
        variants = {name: adata.var[["chrom", "start", "end"]].iloc[k::7] for k, name in enumerate(TRAITS)}
    adata = ad.AnnData(adata.X, obs=adata.obs[[]], var=adata.var[["chrom", "start", "end"]])
    adata.var["gc"] = np.random.default_rng(0).uniform(0.3, 0.7, adata.n_vars)
    adata.write_h5ad(folder / "cells.h5ad")
    for name, table in variants.items():
        table[["chrom", "start", "end"]].to_csv(folder / f"{name}.bed.gz", sep="\t", header=False, index=False)
    return folder


def test_chromvars_numbers(cells, stand_ins, monkeypatch):
    monkeypatch.setenv("R_LIBS", os.pathsep.join(filter(None, [os.environ.get("R_LIBS"), str(stand_ins)])))
    monkeypatch.chdir(cells)
    (code,) = blocks("I want chromVAR's numbers", "python")
    names: dict = {"sk": sk}
    exec(code, names)
    assert names["difference"] < 1e-9
    table = names["adata"].uns["chromvar_r"]["variability"]
    assert (table["n_peaks"] > 40).all()
    assert names["adata"].obsm["chromvar_r_z"].notna().to_numpy().mean() > 0.9
    with pytest.warns(UserWarning, match="are not passed to R"):  # what a SummarizedExperiment has no place for
        exec(blocks("R code on your data", "python")[0], names)
    depth = names["depth"]
    np.testing.assert_array_equal(depth, np.ravel(names["adata"].X.sum(axis=1)))


def test_staying_in_r(folder):
    command = blocks("I want to stay in R", "sh")[0].replace("r_scripts", str(scripts_dir())).split()
    command = [rscript(), *command[1:], "--python", sys.executable]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    printed = run_r(
        "x <- readRDS('study_in_r.rds'); dim(SeuratObject::Embeddings(x, 'sccase')); class(x$louvain)", folder
    )
    assert "factor" in printed
