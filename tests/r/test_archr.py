"""ArchR: Arrow files, projects made in R with the slots of its class, and results back."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import sccase_kit as sk
from sccase_kit.io import FormatError
from sccase_kit.r._from_r import column_from
from sccase_kit.r._locate import rscript
from sccase_kit.r._values import RValue


def write_arrow(path, version, *, peaks=False):
    """Write the layout of ArchR's two versions of Arrow files; with `peaks` also a peak matrix of twice the counts."""
    names = np.array([b"AAAC-1", b"AAAG-1", b"AAAT-1"])
    sample = path.stem.encode()
    with h5py.File(path, "w") as file:
        file["Metadata/CellNames"] = names
        file["Metadata/Sample"] = np.array([sample])
        file["Metadata/nFrags"] = np.array([10.0, 20.0, 30.0])
        file["TileMatrix/Info/CellNames"] = names
        table = [(b"chr1", 1, 0), (b"chr1", 2, 500), (b"chr2", 1, 0)]
        file["TileMatrix/Info/FeatureDF"] = np.array(table, dtype=[("seqnames", "S4"), ("idx", "i4"), ("start", "i4")])
        dense = {"chr1": np.array([[1, 0], [0, 2], [3, 4]]), "chr2": np.array([[0], [5], [0]])}
        for chrom, block in dense.items():
            csr = sparse.csr_matrix(block)
            group = file.create_group(f"TileMatrix/{chrom}")
            if version == 2:
                group["indices"], group["indptr"] = csr.indices, csr.indptr
                group["data"] = csr.data.astype(float)
            else:
                cells = np.flatnonzero(np.diff(csr.indptr))
                group["i"] = (csr.indices + 1)[None]
                group["jValues"], group["jLengths"] = (cells + 1)[None], np.diff(csr.indptr)[cells][None]
                group["x"] = csr.data.astype(float)[None]
        if peaks:
            file["PeakMatrix/Info/CellNames"] = names
            table = [(b"chr1", 1, 101, 600), (b"chr2", 1, 1, 500)]
            kinds = [("seqnames", "S4"), ("idx", "i4"), ("start", "i4"), ("end", "i4")]
            file["PeakMatrix/Info/FeatureDF"] = np.array(table, dtype=kinds)
            for chrom, block in (
                ("chr1", np.array([[2], [0], [6]])),
                ("chr2", np.array([[0], [10], [8 + (sample == b"S2")]])),
            ):
                csr = sparse.csr_matrix(block)
                group = file.create_group(f"PeakMatrix/{chrom}")
                group["indices"], group["indptr"], group["data"] = csr.indices, csr.indptr, csr.data.astype(float)


@pytest.mark.parametrize("version", [1, 2])
def test_arrow_files_of_archr(tmp_path, version):
    write_arrow(tmp_path / "S1.arrow", version)
    adata = sk.read(tmp_path / "S1.arrow")
    assert adata.X.toarray().tolist() == [[1, 0, 0], [0, 2, 5], [3, 4, 0]]
    if version == 1:  # also where sccase_kit.r was never asked for
        code = f"import sccase_kit as sk; assert sk.read({str(tmp_path / 'S1.arrow')!r}).shape == (3, 3)"
        assert subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False).returncode == 0
    assert adata.obs_names.tolist() == ["S1#AAAC-1", "S1#AAAG-1", "S1#AAAT-1"]
    assert adata.obs["nFrags"].tolist() == [10, 20, 30]
    assert adata.var["chrom"].tolist() == ["chr1", "chr1", "chr2"]
    assert adata.var["start"].tolist() == [0, 500, 0]
    assert adata.var["end"].tolist() == [500, 1000, 500]
    with pytest.raises(KeyError, match=r"matrix='PeakMatrix' is not in the Arrow file; available: \['TileMatrix'\]"):
        sk.r.read(tmp_path / "S1.arrow", matrix="PeakMatrix")
    (tmp_path / "bad.arrow").write_bytes(b"x")
    with pytest.raises(FormatError, match="not a readable Arrow file"):
        sk.read(tmp_path / "bad.arrow")


def test_a_table_and_a_script_for_archr(tmp_path):
    write_arrow(tmp_path / "S1.arrow", 2)
    adata = sk.read(tmp_path / "S1.arrow")
    adata.obsm["X_sccase"] = np.arange(6.0).reshape(3, 2)
    sk.r.write_archr(adata, tmp_path / "out")
    table = pd.read_csv(tmp_path / "out" / "cells.csv", index_col=0)
    assert table.loc["S1#AAAG-1", "nFrags"] == 20
    assert (tmp_path / "out" / "add_to_archr.R").read_text().count("addCellColData") == 1
    adata.obs_names = ["a", "b", "c"]
    with pytest.warns(UserWarning, match="3 of 3 cells do not have names as ArchR's"):
        sk.r.write_archr(adata, tmp_path / "out", use_rep=None)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project of two samples as saveArchRProject leaves it: its Arrow files have moved with the folder."""
    folder = tmp_path_factory.mktemp("archr")
    script = Path(__file__).with_name("objects.R")
    done = subprocess.run([rscript(), str(script), str(folder), "archr"], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (folder / "archr.rds").rename(folder / "Save-ArchR-Project.rds")
    (folder / "ArrowFiles").mkdir()
    for name in ("S1", "S2"):
        write_arrow(folder / "ArrowFiles" / f"{name}.arrow", 2, peaks=True)
    return folder


@pytest.mark.r("SummarizedExperiment")
@pytest.mark.parametrize("engine", ["python", "r"])
def test_a_project_has_the_cells_of_its_table_and_the_counts_of_its_arrow_files(project, engine):
    if engine == "python":
        pytest.importorskip("rdata", reason="rdata (extra rds) is not installed")
    with pytest.warns(
        UserWarning, match=r"sampleColData \['batch'\]; peakAnnotation \['Motif'\]; imputeWeights \['w'\]"
    ):
        adata = sk.r.read(project, engine=engine)
    assert adata.obs_names.tolist() == ["S2#AAAT-1", "S1#AAAC-1", "S1#AAAT-1"]
    assert adata.X.toarray().tolist() == [[6, 9], [2, 0], [6, 8]]
    assert adata.obs["Clusters"].tolist() == ["C1", "C2", "C1"]
    assert adata.obs["nFrags"].tolist() == [30, 10, 30]
    assert adata.var_names.tolist() == ["chr1:100-600", "chr2:0-500"]
    assert adata.var["nearestGene"].tolist() == ["A", "B"]  # the peak set has them the other way round
    np.testing.assert_array_equal(adata.obsm["X_IterativeLSI"], [[1, 4], [2, 5], [3, 6]])
    np.testing.assert_array_equal(adata.obsm["X_Harmony"], [[10], [20], [np.nan]])
    np.testing.assert_array_equal(adata.obsm["X_UMAP"], [[0.1, 0.4], [0.2, 0.5], [0.3, 0.6]])


@pytest.mark.r("SummarizedExperiment")
@pytest.mark.filterwarnings("ignore:not taken along")
def test_other_matrices_and_other_places_of_a_project(project, tmp_path):
    pytest.importorskip("rdata", reason="rdata (extra rds) is not installed")
    tiles = sk.r.read(project, matrix="TileMatrix")
    assert tiles.X.toarray().tolist() == [[3, 4, 0], [1, 0, 0], [3, 4, 0]]
    assert sk.read(project).shape == (3, 2)
    assert sk.read(project / "Save-ArchR-Project.rds").shape == (3, 2)
    moved = shutil.copytree(project, tmp_path / "moved")
    write_arrow(moved / "ArrowFiles" / "S2.arrow", 1)
    assert sk.read(moved).X.toarray().tolist() == tiles.X.toarray().tolist()  # not every sample has peaks
    with h5py.File(moved / "ArrowFiles" / "S2.arrow", "a") as file:
        file["TileMatrix/Info/FeatureDF"][...] = file["TileMatrix/Info/FeatureDF"][...][::-1]
    with pytest.raises(FormatError, match="has other features than that of"):
        sk.read(moved)
    shutil.copy(moved / "ArrowFiles" / "S1.arrow", moved / "ArrowFiles" / "S2.arrow")
    with pytest.raises(FormatError, match="3 cells are in several Arrow files of the project"):
        sk.read(moved)
    write_arrow(moved / "ArrowFiles" / "S2.arrow", 2, peaks=True)
    with h5py.File(moved / "ArrowFiles" / "S2.arrow", "a") as file:
        file["PeakMatrix/Info/CellNames"][2] = b"TTTT-1"
    with pytest.raises(FormatError, match=r"1 cells of the project are not in .* PeakMatrix: \['S2#AAAT-1'\]"):
        sk.read(moved)
    (moved / "ArrowFiles" / "S1.arrow").unlink()
    with pytest.raises(FileNotFoundError, match=r"the ArchR project is missing; looked at .*S1\.arrow, /elsewhere"):
        sk.read(moved)


def test_columns_that_are_arrays_of_one_dimension():
    """HDF5 gives R arrays, so ArchR 1.0.3 keeps most of cellColData so."""
    column = RValue("integer", np.array([1, 2], dtype=np.int32), {"dim": RValue("integer", np.array([2]))})
    assert column_from(column, []).tolist() == [1, 2]
    column.attributes["dim"] = RValue("integer", np.array([2, 1]))
    assert column_from(column, []) is None


def test_a_motif_matrix_holds_each_motif_twice(tmp_path):
    write_arrow(tmp_path / "S1.arrow", 2)
    with h5py.File(tmp_path / "S1.arrow", "r+") as file:
        table = [(b"deviations", 1, b"CTCF"), (b"z", 1, b"CTCF")]
        file["MotifMatrix/Info/CellNames"] = np.array([b"AAAC-1", b"AAAG-1", b"AAAT-1"])
        dtype = [("seqnames", "S10"), ("idx", "i4"), ("name", "S4")]
        file["MotifMatrix/Info/FeatureDF"] = np.array(table, dtype=dtype)
        for k, name in enumerate(("deviations", "z")):
            csr = sparse.csr_matrix(np.array([[1.0], [2], [3]]) + k)
            group = file.create_group(f"MotifMatrix/{name}")
            group["indices"], group["indptr"], group["data"] = csr.indices, csr.indptr, csr.data
    adata = sk.r.read(tmp_path / "S1.arrow", matrix="MotifMatrix")
    assert adata.var_names.tolist() == ["deviations:CTCF", "z:CTCF"]
    assert adata.X.toarray().tolist() == [[1, 2], [2, 3], [3, 4]]
