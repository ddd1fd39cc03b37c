from __future__ import annotations

import gzip

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import io as scipy_io
from scipy import sparse

from sccase_kit.datasets._manifest import Entry
from sccase_kit.datasets._readers import (
    _blood_type,
    add_labels,
    concatenate,
    merge_parts,
    read_entry,
    read_fragments_archive,
    read_geo_triplets,
    read_mouse_atlas,
)

PEAKS = "chr1\t100\t600\tx\nchr1\t900\t1400\ty\nchrX\t5\t505\tz\n"
CELLS = [
    "singles-BM0828-HSC-fresh-1",
    "singles-160822-BM1137-GMP3high-2",
    "singles-PB1022-mono-3",
    "singles-BM0828-UNK-4",
]


@pytest.fixture
def geo(tmp_path):
    triplets = "#\t" + ";".join(CELLS) + "\n1\t1\t2\n3\t1\t1\n2\t2\t4\n3\t4\t1\n"
    with gzip.open(tmp_path / "counts.txt.gz", "wt") as handle:
        handle.write(triplets)
    with gzip.open(tmp_path / "peaks.bed.gz", "wt") as handle:
        handle.write(PEAKS)
    return tmp_path / "counts.txt.gz", tmp_path / "peaks.bed.gz"


def test_geo_triplets(geo):
    adata = read_geo_triplets(*geo)
    assert np.array_equal(adata.X.toarray(), [[2, 0, 1], [0, 4, 0], [0, 0, 0], [0, 0, 1]])
    assert adata.X.dtype == np.int32
    assert adata.obs_names.tolist() == CELLS
    assert adata.var_names.tolist() == ["chr1:100-600", "chr1:900-1400", "chrX:5-505"]
    assert adata.var["start"].dtype == np.int64
    assert adata.obs["cell_type"].tolist() == ["HSC", "GMP", "mono", "unknown"]
    assert adata.obs["donor"].tolist() == ["BM0828", "BM1137", "PB1022", "BM0828"]


def test_geo_triplets_of_one_donor(geo):
    adata = read_geo_triplets(*geo, donor="BM0828")
    assert adata.obs_names.tolist() == [CELLS[0], CELLS[3]]
    with pytest.raises(ValueError, match=r"no cell of donor 'BM9'; donors: \['BM0828', 'BM1137', 'PB1022'\]"):
        read_geo_triplets(*geo, donor="BM9")


def test_geo_triplets_out_of_range(geo):
    with gzip.open(geo[0], "at") as handle:
        handle.write("4\t1\t1\n")
    with pytest.raises(ValueError, match="peaks run from 1 to 4, but there are 3 of them"):
        read_geo_triplets(*geo)


def test_blood_types_are_read_from_real_cell_names(shared_data):
    adata = ad.read_h5ad(shared_data / "bm0828.h5ad", backed="r")
    assert [_blood_type(name) for name in adata.obs_names] == adata.obs["cell_type"].tolist()


@pytest.fixture
def atlas(tmp_path):
    matrix = sparse.csr_matrix(np.array([[1, 0, 1, 0], [0, 1, 1, 0], [1, 1, 0, 1]]))
    with gzip.open(tmp_path / "m.mtx.gz", "wb") as handle:
        scipy_io.mmwrite(handle, matrix)
    (tmp_path / "cells.txt").write_text("c1\nc2\nc3\nc4\n")
    (tmp_path / "peaks.txt").write_text("chr1_100_600\nchr2_5_10\nchr9_random_7_9\n")
    metadata = pd.DataFrame(
        {
            "cell": ["c3", "c1", "c2"],
            "tissue": ["Lung", "Lung", "Spleen"],
            "tissue.replicate": ["Lung2_62216", "Lung1_62216", "Spleen_62016"],
            "cell_label": ["T cells", "B cells", "T cells"],
        }
    )
    metadata.to_csv(tmp_path / "meta.txt", sep="\t", index=False)
    names = {"counts": "m.mtx.gz", "cells": "cells.txt", "peaks": "peaks.txt", "metadata": "meta.txt"}
    return {key: tmp_path / name for key, name in names.items()}


def test_mouse_atlas(atlas):
    adata = read_mouse_atlas(atlas, tissue_replicate=["Lung1_62216", "Lung2_62216"])
    assert adata.obs_names.tolist() == ["c1", "c3"]
    assert np.array_equal(adata.X.toarray(), [[1, 0, 1], [1, 1, 0]])
    assert adata.X.dtype == np.int32
    assert adata.obs["cell_type"].tolist() == ["B cells", "T cells"]
    assert adata.obs["replicate"].tolist() == ["Lung1_62216", "Lung2_62216"]
    assert adata.var_names.tolist() == ["chr1:100-600", "chr2:5-10", "chr9_random:7-9"]
    assert adata.var["end"].tolist() == [600, 10, 9]
    entry = Entry("l", "dataset", "L", "p", reader="mouse_atlas", options={"tissue_replicate": "Spleen_62016"})
    assert read_entry(entry, atlas, load_part=None).obs_names.tolist() == ["c2"]


def test_mouse_atlas_errors(atlas):
    with pytest.raises(ValueError, match=r"no cell with tissue.replicate in \['Moon'\]; there are \['Lung1_62216'"):
        read_mouse_atlas(atlas, tissue_replicate="Moon")
    atlas["peaks"].write_text("chr1_100_600\n")
    with pytest.raises(ValueError, match=r"m.mtx.gz is \(3, 4\), but there are 1 peaks and 4 cells"):
        read_mouse_atlas(atlas, tissue_replicate="Lung1_62216")


def frame(names):
    var = pd.DataFrame({"chrom": "chr1", "start": range(len(names)), "end": range(1, len(names) + 1)}, index=names)
    counts = sparse.csr_matrix(np.arange(2 * len(names)).reshape(2, -1), dtype=np.int32)
    return ad.AnnData(counts, obs=pd.DataFrame(index=["x", "y"]), var=var)


def test_concatenation_keeps_the_shared_peaks():
    both = concatenate({"one": frame(["p", "q", "r"]), "two": frame(["q", "p"])}, "protocol")
    assert both.var_names.tolist() == ["p", "q"]
    assert np.array_equal(both.X.toarray(), [[0, 1], [3, 4], [1, 0], [3, 2]])
    assert both.obs["protocol"].tolist() == ["one", "one", "two", "two"]
    assert both.var["start"].tolist() == [0, 1]
    with pytest.raises(ValueError, match=r"\['one', 'two'\] share no peak"):
        concatenate({"one": frame(["p"]), "two": frame(["q"])}, "protocol")


def test_unknown_reader():
    with pytest.raises(ValueError, match="set: no reader None"):
        read_entry(Entry("set", "dataset", "S", "p"), {}, load_part=None)


def test_10x_file_gives_the_peaks_of_a_multiome_run(tmp_path):
    import h5py

    counts = sparse.csc_matrix(np.array([[5, 0], [1, 0], [0, 2]], dtype=np.int32))  # features × cells
    with h5py.File(tmp_path / "m.h5", "w") as file:
        group = file.create_group("matrix")
        group.attrs["chemistry_description"] = "Single Cell Multiome ATAC + Gene Expression"
        for key in ("data", "indices", "indptr"):
            group[key] = getattr(counts, key)
        group["shape"] = np.array(counts.shape)
        group["barcodes"] = np.array([b"AAA-1", b"CCC-1"])
        features = group.create_group("features")
        features["id"] = features["name"] = np.array([b"ENSG1", b"chr1:100-600", b"chr2:5-10"])
        features["feature_type"] = np.array([b"Gene Expression", b"Peaks", b"Peaks"])
        features["genome"] = np.array([b"GRCh38"] * 3)
    entry = Entry("x", "dataset", "X", "p", reader="10x_h5")
    with pytest.warns(UserWarning, match="1 of 3 features are no peaks"):
        adata = read_entry(entry, {"counts": tmp_path / "m.h5"}, load_part=None)
    assert adata.var_names.tolist() == ["chr1:100-600", "chr2:5-10"]
    assert adata.var["start"].tolist() == [100, 5]
    assert np.array_equal(adata.X.toarray(), [[1, 0], [0, 2]])


def labels_file(path, rows):
    pd.DataFrame(rows, columns=["barcode", "cell_type"]).to_csv(path, index=False)
    return path


def test_labels(tmp_path):
    adata = ad.AnnData(np.ones((3, 2), dtype=np.int32), obs=pd.DataFrame(index=["a", "b", "c"]))
    add_labels(adata, labels_file(tmp_path / "labels.csv", [("c", "T"), ("a", "B"), ("z", "NK")]))
    assert adata.obs["cell_type"].tolist() == ["B", "unknown", "T"]
    with pytest.raises(ValueError, match="no barcode is one of the cells, such as"):
        add_labels(adata, labels_file(tmp_path / "labels.csv", [("x", "T")]))
    with pytest.raises(ValueError, match="barcodes stand twice"):
        add_labels(adata, labels_file(tmp_path / "labels.csv", [("a", "T"), ("a", "B")]))
    (tmp_path / "other.tsv").write_text("cell\tcell_type\na\tB\n")
    with pytest.raises(ValueError, match=r"columns \['barcode'\] are missing"):
        add_labels(adata, tmp_path / "other.tsv")


@pytest.fixture
def archive(tmp_path):
    import tarfile

    lines = {
        "Control1": [("chr1", 120, 200, "AAA"), ("chr1", 950, 1000, "AAA"), ("chrX", 10, 60, "CCC")],
        "Control2": [("chrX", 100, 160, "AAA")],
        "Other": [("chr1", 120, 200, "AAA")],
    }
    with tarfile.open(tmp_path / "RAW.tar", "w") as tar:
        for i, (sample, rows) in enumerate(lines.items()):
            path = tmp_path / f"GSM{i}_{sample}_fragments.tsv.gz"
            with gzip.open(path, "wt") as handle:
                handle.writelines("\t".join(map(str, [*row, 1])) + "\n" for row in rows)
            tar.add(path, arcname=path.name)
        (tmp_path / "README").write_text("x")
        tar.add(tmp_path / "README", arcname="README")
    (tmp_path / "peaks.bed").write_text(PEAKS)
    return tmp_path / "RAW.tar", tmp_path / "peaks.bed"


def test_fragments_of_an_archive(archive, tmp_path):
    cells = [("Control1#AAA", "PT"), ("Control1#CCC", "DCT"), ("Control2#AAA", "PT")]
    adata = read_fragments_archive(*archive, labels_file(tmp_path / "labels.csv", cells))
    assert sorted(adata.obs_names) == ["Control1#AAA", "Control1#CCC", "Control2#AAA"]
    found = pd.DataFrame(adata.X.toarray(), adata.obs_names)
    assert found.loc["Control1#AAA"].tolist() == [1, 1, 0]
    assert found.loc["Control2#AAA"].tolist() == [0, 0, 1]
    assert adata.obs["cell_type"].to_dict() == dict(cells)
    with pytest.raises(ValueError, match=r"RAW\.tar: none of its fragment files .* is of the samples \['Control9'\]"):
        read_fragments_archive(*archive, labels_file(tmp_path / "labels.csv", [("Control9#A", "PT")]))


def test_parts_with_peaks_of_their_own():
    def part(places, counts, name):
        var = pd.DataFrame(places, columns=["chrom", "start", "end"])
        var.index = [f"{c}:{s}-{e}" for c, s, e in places]
        obs = pd.DataFrame({"cell_type": ["x"] * len(counts)}, index=[f"{name}{i}" for i in range(len(counts))])
        return ad.AnnData(sparse.csr_matrix(np.array(counts, dtype=np.int32)), obs=obs, var=var)

    a = part([("chr1", 0, 100), ("chr1", 500, 600)], [[1, 2]], "a")
    b = part([("chr1", 50, 150), ("chr2", 0, 100)], [[3, 4], [0, 5]], "b")
    both = merge_parts({"one": a, "two": b}, "batch")
    assert both.var[["chrom", "start", "end"]].to_numpy().tolist() == [
        ["chr1", 0, 150],
        ["chr1", 500, 600],
        ["chr2", 0, 100],
    ]
    assert both.X.toarray().tolist() == [[1, 2, 0], [3, 0, 4], [0, 0, 5]]
    assert both.obs["batch"].tolist() == ["one", "two", "two"]


@pytest.fixture
def snap(tmp_path):
    """A .snap file: 1-based cells, regions and starts."""
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "brain.snap"
    with h5py.File(path, "w") as file:
        file["BD/name"] = np.array([b"AAAC", b"CCCG", b"GGGT"])
        file["PM/peakChrom"] = np.array([b"chr1", b"chr2"])
        file["PM/peakStart"], file["PM/peakEnd"] = [101, 201], [300, 500]
        file["PM/idx"], file["PM/idy"], file["PM/count"] = [1, 3, 3], [1, 1, 2], np.array([1, 2, 255], dtype=np.uint8)
        file["AM/5000/binChrom"], file["AM/5000/binStart"] = np.array([b"chr1", b"chr1"]), [1, 5001]
        file["AM/5000/idx"], file["AM/5000/idy"], file["AM/5000/count"] = [2], [2], [4]
        file["AM/binSizeList"] = [5000]
    return path


def test_snap_files(snap, tmp_path):
    import h5py

    labels = tmp_path / "labels.csv"
    labels.write_text("barcode,cell_type\nAAAC,L2/3 IT\nGGGT,Pvalb\n")
    entry = Entry("x", "dataset", "X", "p", reader="snap")
    adata = read_entry(entry, {"counts": snap, "labels": labels}, load_part=lambda _: None)
    assert adata.X.toarray().tolist() == [[1, 0], [0, 0], [2, 255]]
    assert adata.var_names.tolist() == ["chr1:100-300", "chr2:200-500"]
    assert adata.var[["start", "end"]].to_numpy().tolist() == [[100, 300], [200, 500]]
    assert adata.obs["cell_type"].tolist() == ["L2/3 IT", "unknown", "Pvalb"]
    with h5py.File(snap, "a") as file:
        del file["PM"]
    bins = read_entry(entry, {"counts": snap}, load_part=lambda _: None)
    assert bins.var_names.tolist() == ["chr1:0-5000", "chr1:5000-10000"]
    assert bins.X.toarray().tolist() == [[0, 0], [0, 4], [0, 0]]
    with h5py.File(snap, "a") as file:
        file["AM/5000/idx"][0] = 4
    with pytest.raises(ValueError, match="cells run from 4 to 4, but there are 3 of them"):
        read_entry(entry, {"counts": snap}, load_part=lambda _: None)
    with h5py.File(snap, "a") as file:
        del file["AM/5000"]
    with pytest.raises(ValueError, match="neither peaks nor bins are counted"):
        read_entry(entry, {"counts": snap}, load_part=lambda _: None)
    with h5py.File(snap, "a") as file:
        del file["AM"]
    with pytest.raises(ValueError, match=r"is no \.snap file with counts"):
        read_entry(entry, {"counts": snap}, load_part=lambda _: None)
