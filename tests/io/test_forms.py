"""The forms in which matrices really come: GEO folders, tables of other tools, MuData, SnapATAC2, lazy objects."""

from __future__ import annotations

import gzip
import subprocess
import sys
import warnings

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import sccase_kit as sk
from sccase_kit.io import FormatError

DENSE = np.array([[1, 0, 3], [0, 2, 1]])
MTX = "%%MatrixMarket matrix coordinate integer general\n3 2 4\n1 1 1\n2 2 2\n3 1 3\n3 2 1\n"
TURNED = "%%MatrixMarket matrix coordinate integer general\n2 3 4\n1 1 1\n2 2 2\n1 3 3\n2 3 1\n"
BED = "chr1\t100\t600\nGL000194.1\t900\t1400\nchr2\t50\t550\n"
NAMES = ["chr1:100-600", "GL000194.1:900-1400", "chr2:50-550"]
CELLS = "AAACGAAAGC-1\nAAAGGAAAGC-1\n"


def put(folder, **files):
    folder.mkdir(exist_ok=True, parents=True)
    for name, text in files.items():
        path = folder / name.replace("__", ".")
        path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return folder


def check(adata):
    np.testing.assert_array_equal(adata.X.toarray(), DENSE)
    assert adata.obs_names.tolist() == CELLS.split()
    assert adata.var["chrom"].tolist() == ["chr1", "GL000194.1", "chr2"]
    assert adata.var["start"].tolist() == [100, 900, 50]
    assert adata.var["end"].tolist() == [600, 1400, 550]
    assert adata.var["start"].dtype == np.int64
    assert "sccase_kit_left_out" not in adata.uns


FEATURES = "".join(f"{n}\t{n}\tPeaks\n" for n in NAMES)
ARC = "".join(f"{n}\t{n}\tPeaks\t" + line + "\n" for n, line in zip(NAMES, BED.splitlines(), strict=True))
FOLDERS = {
    "prefix": {"GSM1_s_matrix__mtx__gz": MTX, "GSM1_s_barcodes__tsv__gz": CELLS, "GSM1_s_peaks__bed__gz": BED},
    "genes.tsv": {"matrix__mtx": MTX, "barcodes__tsv": CELLS, "genes__tsv": "\n".join(NAMES) + "\n"},
    "two columns": {"matrix__mtx": MTX, "barcodes__tsv": CELLS, "genes__tsv": "".join(f"{n}\t{n}\n" for n in NAMES)},
    "features.tsv": {"matrix__mtx__gz": MTX, "barcodes__tsv__gz": CELLS, "features__tsv__gz": FEATURES},
    "of ARC": {"matrix__mtx": MTX, "barcodes__tsv": CELLS, "features__tsv": ARC},
    "features.tsv is BED": {"matrix__mtx": MTX, "barcodes__tsv": CELLS, "features__tsv": BED},
    "turned": {"matrix__mtx": TURNED, "barcodes__tsv": CELLS, "peaks__bed": BED},
    "comments": {"matrix__mtx": MTX, "barcodes__tsv": CELLS, "peaks__bed": "# id=s1\n# x\n" + BED},
    "write.table": {
        "counts__mtx": MTX,
        "cells__txt": '"x"\n' + CELLS,
        "peaks__txt": '"x"\n"' + '"\n"'.join(NAMES) + '"\n',
    },
    "numbered": {
        "matrix__mtx": MTX,
        "barcodes__tsv": "".join(f"{i}\t{c}\n" for i, c in enumerate(CELLS.split())),
        "peaks__tsv": "chr\tstart\tend\n" + BED,
    },
    "BED with 1e+05 beside": {"matrix__mtx": MTX, "barcodes__tsv": CELLS, "peaks__bed": BED, "summary__csv": "a\n"},
}  # fmt: skip


@pytest.mark.parametrize("kind", FOLDERS)
def test_folders(tmp_path, kind):
    folder = put(tmp_path / "f", **FOLDERS[kind])
    check(sk.read(folder))
    matrix = next(p for p in folder.iterdir() if ".mtx" in p.name)
    check(sk.read(matrix))


def test_several_samples_in_one_folder(tmp_path):
    """GEO's series: each matrix goes with its own barcodes; the peaks may be shared."""
    files = {"GSM1_a_matrix__mtx": MTX, "GSM1_a_barcodes__tsv": CELLS, "GSM2_b_matrix__mtx": TURNED}
    folder = put(tmp_path / "f", **files, GSM2_b_barcodes__tsv="C-1\nD-1\n", GSE9_peaks__bed=BED)
    with pytest.raises(FormatError, match=r"holds several matrices: \['GSM1_a_matrix\.mtx', 'GSM2_b_matrix\.mtx'\]"):
        sk.read(folder)
    check(sk.read(folder / "GSM1_a_matrix.mtx"))
    assert sk.read(folder / "GSM2_b_matrix.mtx").obs_names.tolist() == ["C-1", "D-1"]
    (folder / "GSM2_b_barcodes.tsv").unlink()
    with pytest.raises(FileNotFoundError, match=r"none of \['barcodes\.tsv'\].*cells=\.\.\."):
        sk.read(folder / "GSM2_b_matrix.mtx")


def test_matrix_market_under_the_name_txt(tmp_path):
    """As GSM3271045: …_peak_count.txt.gz, …_peak.txt.gz, …_cell.txt.gz."""
    folder = put(
        tmp_path / "f",
        GSM3_k_peak_count__txt__gz=MTX,
        GSM3_k_peak__txt__gz="\n".join(NAMES),
        GSM3_k_cell__txt__gz=CELLS,
    )
    check(sk.read(folder / "GSM3_k_peak_count.txt.gz"))
    alone = put(tmp_path / "g", count__txt=MTX)
    with pytest.raises(FileNotFoundError, match=r"peaks=\.\.\."):
        sk.read(alone / "count.txt")
    check(sk.read(alone / "count.txt", peaks=folder / "GSM3_k_peak.txt.gz", cells=folder / "GSM3_k_cell.txt.gz"))
    with pytest.raises(FileNotFoundError, match="cells: there is no file"):
        sk.read(alone / "count.txt", cells="nowhere")


def test_folder_of_motifs_is_refused(tmp_path):
    folder = put(tmp_path / "f", matrix__mtx=MTX, barcodes__tsv=CELLS, motifs__tsv="MA0030.1_FOXF2\tFOXF2\n")
    with pytest.raises(FormatError, match="holds motifs"):
        sk.read(folder)


ROWS = "chr1\t100\t600\t1\t0\t2\nchr1\t900\t1400\t0\t2\t1\nchr2\t50\t550\t3\t1\t0\n"
COUNTS = "Geneid\tChr\tStart\tEnd\tStrand\tLength\ta\tb\tc\n" + "".join(
    f"p{i}\t{line.split()[0]}\t{int(line.split()[1]) + 1}\t{line.split()[2]}\t+\t500\t"
    + "\t".join(line.split()[3:])
    + "\n"
    for i, line in enumerate(ROWS.splitlines())
)
TABLES = {
    "bedtools multicov": "chr\tstart\tend\ta\tb\tc\n" + ROWS,
    "deepTools": "#'chr'\t'start'\t'end'\t'a'\t'b'\t'c'\n" + ROWS,
    "R, with row names": "chr\tstart\tend\ta\tb\tc\n"
    + "".join(f"{i}\t{r}\n" for i, r in enumerate(ROWS.splitlines(), 1)),
    "R, without header": "V1\tV2\tV3\ta\tb\tc\n" + ROWS,
    "1e+02": ("chr\tstart\tend\ta\tb\tc\n" + ROWS).replace("\t100\t", "\t1e+02\t"),
    "a name before": "name\tchrom\tchromStart\tchromEnd\ta\tb\tc\n"
    + "".join(f"p{i}\t{r}\n" for i, r in enumerate(ROWS.splitlines())),
}  # fmt: skip


@pytest.mark.parametrize("kind", TABLES)
def test_tables_with_coordinates_in_columns(tmp_path, kind):
    path = put(tmp_path, counts__tsv=TABLES[kind]) / "counts.tsv"
    adata = sk.read(path)
    assert adata.obs_names.tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(adata.X.toarray(), [[1, 0, 3], [0, 2, 1], [2, 1, 0]])
    assert adata.var_names.tolist() == ["chr1:100-600", "chr1:900-1400", "chr2:50-550"]
    assert sk.pp.require_coordinates(adata)["start"].tolist() == [100, 900, 50]


def test_feature_counts_is_1_based(tmp_path):
    path = put(tmp_path, counts__txt="# Program:featureCounts v2\n" + COUNTS) / "counts.txt"
    with pytest.warns(UserWarning, match="Chr, Start, End are read as 1-based"):
        adata = sk.read(path)
    assert adata.obs_names.tolist() == ["a", "b", "c"]
    assert adata.var["start"].tolist() == [100, 900, 50]
    assert adata.var["Start"].tolist() == [101, 901, 51]


def test_a_table_without_header(tmp_path):
    path = put(tmp_path, counts__tsv=ROWS) / "counts.tsv"
    with pytest.warns(UserWarning, match="no header with names of cells; the 3 cells are numbered"):
        adata = sk.read(path)
    assert adata.obs_names.tolist() == ["cell1", "cell2", "cell3"]
    named = put(
        tmp_path,
        named__tsv="".join(line.replace("\t", ":", 1).replace("\t", "-", 1) + "\n" for line in ROWS.splitlines()),
    )
    with pytest.warns(UserWarning, match="no header"):
        np.testing.assert_array_equal(sk.read(named / "named.tsv").X.toarray(), adata.X.toarray())


@pytest.mark.parametrize("text", ["chr1\t5\t9\tAAACGAAAGC-1\t2\nchr1\t7\t9\tAAACGAAAGC-1\t1\n", BED])
def test_fragments_and_bed_are_no_matrix(tmp_path, text):
    with pytest.raises(
        FormatError, match=r"a file of fragments, or a BED file, and no matrix|has the columns of fragments"
    ):
        sk.read(put(tmp_path, fragments__tsv=text) / "fragments.tsv")


def test_semicolons_under_csv(tmp_path):
    path = put(tmp_path, x__csv="peak;a;b\n1:100-600;1;2\nX:5-9;0;3\n") / "x.csv"
    assert sk.read(path).var["chrom"].tolist() == ["1", "X"]


@pytest.fixture
def h5mu(tmp_path):
    mudata = pytest.importorskip("mudata")
    rng = np.random.default_rng(0)
    cells = pd.DataFrame(index=[f"c{i}" for i in range(20)])
    counts = sparse.csr_matrix(rng.poisson(0.5, (20, 10)))
    atac = ad.AnnData(
        counts.copy(), obs=cells.assign(total=1.0), var=pd.DataFrame(index=[f"chr1:{i}00-{i}50" for i in range(10)])
    )
    rna = ad.AnnData(counts.copy(), obs=cells.copy(), var=pd.DataFrame(index=[f"g{i}" for i in range(10)]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of coming defaults of mudata and zarr
        joint = mudata.MuData({"rna": rna, "atac": atac[:15].copy()})
        joint.obs["celltype"] = ["A", "B"] * 10
        joint.obsm["X_wnn_umap"] = np.arange(40.0).reshape(20, 2)
        joint.obsp["wnn"] = sparse.csr_matrix(np.arange(400.0).reshape(20, 20))
        joint.uns["about"] = "text"
        joint.write(tmp_path / "x.h5mu")
        joint.write_zarr(tmp_path / "x.zarr")
    return tmp_path / "x.h5mu", counts


@pytest.mark.parametrize("suffix", [".h5mu", ".zarr"])
@pytest.mark.parametrize("backed", [False, True])
def test_mudata(h5mu, suffix, backed):
    if backed or suffix == ".zarr":
        pytest.importorskip("zarr")
        pytest.importorskip("dask")
    path, counts = h5mu
    with pytest.warns(UserWarning, match=r"modality 'atac' is read; left out: rna \(20 × 10\)"):
        adata = sk.read(path.with_suffix(suffix), backed=backed)
    x = adata.X.compute() if backed else adata.X
    np.testing.assert_array_equal(x.toarray(), counts.toarray()[:15])
    assert adata.obs["celltype"].astype(str).tolist() == (["A", "B"] * 10)[:15]
    assert "total" in adata.obs
    assert "atac:total" not in adata.obs
    np.testing.assert_array_equal(adata.obsm["X_wnn_umap"], np.arange(30.0).reshape(15, 2))
    whole = np.arange(400.0).reshape(20, 20)
    np.testing.assert_array_equal(adata.obsp["wnn"].toarray(), whole[:15, :15])
    assert adata.uns["about"] == "text"
    assert "rna (20 × 10)" in adata.uns["sccase_kit_left_out"][0]


def test_modality_by_name(h5mu):
    path, counts = h5mu
    with pytest.warns(UserWarning, match=r"left out: atac|no coordinates"):
        rna = sk.read(path, modality="rna")
    np.testing.assert_array_equal(rna.X.toarray(), counts.toarray())
    with pytest.raises(FormatError, match=r"no modality 'gex'; there are \['atac', 'rna'\]"):
        sk.read(path, modality="gex")
    with pytest.raises(ValueError, match="modality='atac' is for MuData"):
        sk.read(path.with_name("x.h5ad") if path.with_name("x.h5ad").exists() else path.parent, modality="atac")


def blosc(path):
    """Compress the counts of an .h5ad as SnapATAC2 does, in another process: here the filter is to be loaded by us."""
    code = f"""
import h5py, hdf5plugin
with h5py.File({str(path)!r}, "a") as f:
    for k in ("data", "indices", "indptr"):
        v = f["X"][k][:]
        del f["X"][k]
        f["X"].create_dataset(k, data=v, chunks=(len(v),), **hdf5plugin.Blosc(cname="zstd", clevel=5))
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_filters_of_snapatac2(tmp_path, monkeypatch):
    pytest.importorskip("hdf5plugin")
    path = tmp_path / "peaks.h5ad"
    counts = sparse.csr_matrix(np.random.default_rng(0).poisson(1, (20, 30)).astype("u4"))
    ad.AnnData(counts, var=pd.DataFrame(index=[f"chr1:{i}00-{i}50" for i in range(30)])).write_h5ad(path)
    blosc(path)
    from sccase_kit.io import _hdf5_filters

    monkeypatch.setattr(_hdf5_filters, "missing_filters", lambda _: ["Blosc"])
    for backed in (False, True):
        with pytest.raises(FormatError, match=r"compressed with Blosc .*pip install hdf5plugin"):
            sk.read(path, backed=backed)
    monkeypatch.undo()
    np.testing.assert_array_equal(sk.read(path).X.toarray(), counts.toarray())
    backed = sk.read(path, backed=True)
    np.testing.assert_array_equal(backed.X[:].toarray(), counts.toarray())
    backed.file.close()


def test_no_x_is_one_error_backed_or_not(tmp_path):
    path = tmp_path / "a.h5ad"
    ad.AnnData(obs=pd.DataFrame(index=["a"])).write_h5ad(path)
    with h5py.File(path, "a") as file:
        file.pop("X", None)
    for backed in (False, True):
        with pytest.raises(FormatError, match="there is no X"):
            sk.read(path, backed=backed)


@pytest.mark.parametrize("backed", [False, True])
def test_genes_of_a_multiome_h5ad_leave(tmp_path, backed):
    if backed:
        pytest.importorskip("dask")
    var = pd.DataFrame({"feature_types": ["Gene Expression", "Peaks", "Peaks"]}, index=["GATA1", *NAMES[:2]])
    ad.AnnData(sparse.csr_matrix(DENSE), var=var).write_h5ad(tmp_path / "a.h5ad")
    with pytest.warns(UserWarning, match=r"1 of 3 features are no peaks \(Gene Expression: 1\)"):
        adata = sk.read(tmp_path / "a.h5ad", backed=backed)
    x = adata.X.compute() if backed else adata.X
    np.testing.assert_array_equal(x.toarray(), DENSE[:, 1:])
    adata.write_h5ad(tmp_path / "b.h5ad") if not backed else None


def test_matrices_of_motifs_and_genes_are_refused(tmp_path):
    for names, kinds, message in (
        (["MA0030.1_FOXF2", "MA0139.1_CTCF"], None, "named like motifs"),
        (["FOXF2", "CTCF"], "Motifs", "holds motifs"),
        (["GATA1", "TAL1"], "Gene Expression", "holds no peaks"),
    ):
        var = pd.DataFrame(index=names) if kinds is None else pd.DataFrame({"feature_types": [kinds] * 2}, index=names)
        ad.AnnData(np.eye(2), var=var).write_h5ad(tmp_path / "a.h5ad")
        with pytest.raises(FormatError, match=message):
            sk.read(tmp_path / "a.h5ad")


def test_columns_of_the_file_stay_as_they_are(tmp_path):
    var = pd.DataFrame({"chr": ["chr1"] * 3, "start": [5, 6, 7], "end": ["15", "16", "17"]}, index=["a", "b", "c"])
    ad.AnnData(sparse.csr_matrix(DENSE), var=var).write_h5ad(tmp_path / "a.h5ad")
    adata = sk.read(tmp_path / "a.h5ad")
    assert adata.var["start"].tolist() == [5, 6, 7]
    assert adata.var["end"].tolist() == [15, 16, 17]
    assert adata.var["chrom"].tolist() == ["chr1"] * 3
    ad.AnnData(sparse.csr_matrix(DENSE), var=var.assign(start="x")).write_h5ad(tmp_path / "a.h5ad")
    with pytest.warns(UserWarning, match=r"adata\.var\['start'\] holds text"):
        adata = sk.read(tmp_path / "a.h5ad")
    assert adata.var["start"].astype(str).tolist() == ["x"] * 3
    ranges = var.assign(end=[15, 16, 17]).rename(columns={"chr": "seqnames"})
    ad.AnnData(sparse.csr_matrix(DENSE), var=ranges).write_h5ad(tmp_path / "a.h5ad")
    with pytest.warns(UserWarning, match="1-based"):
        adata = sk.read(tmp_path / "a.h5ad")
    assert adata.var["start"].tolist() == [5, 6, 7]
    with pytest.warns(UserWarning, match="1-based"):
        assert sk.pp.require_coordinates(adata)["start"].tolist() == [4, 5, 6]
    assert sk.read(tmp_path / "a.h5ad", one_based=False).var["chrom"].tolist() == ["chr1"] * 3
    assert sk.read(tmp_path / "a.h5ad", one_based=True).var["start"].tolist() == [4, 5, 6]


def test_barcodes_that_repeat_and_genomes_that_mix_are_told(tmp_path):
    var = pd.DataFrame(index=["GRCh38_chr1:1-5", "mm10_chr1:1-5", "GRCh38_chr2:1-5"])
    obs = pd.DataFrame(index=["AAACGAAAGC-1"] * 2)
    with pytest.warns(UserWarning, match="not unique"):
        ad.AnnData(sparse.csr_matrix(DENSE), obs=obs, var=var).write_h5ad(tmp_path / "a.h5ad")
    with (
        pytest.warns(
            UserWarning, match=r"2 of 2 cells share their name with others, e\.g\. \['AAACGAAAGC-1'\]; two samples"
        ),
        pytest.warns(UserWarning, match=r"peaks are of several genomes \(GRCh38, mm10\)"),
    ):
        sk.read(tmp_path / "a.h5ad")


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.9])
def test_truncated_gzip(tmp_path, cut):
    whole = gzip.compress(("peak\ta\n" + "".join(f"chr1:{i}00-{i}50\t{i}\n" for i in range(1, 500))).encode())
    (tmp_path / "a.tsv.gz").write_bytes(whole[: int(len(whole) * cut)])
    with pytest.raises(FormatError, match=r"a\.tsv\.gz: cannot be read.*end"):
        sk.read(tmp_path / "a.tsv.gz")
    with pytest.raises(FormatError, match="cannot be read"):
        sk.io.convert(tmp_path / "a.tsv.gz", tmp_path / "b.h5ad")
    assert not (tmp_path / "b.h5ad").exists()


def test_lazy_objects_of_anndata(tmp_path):
    pytest.importorskip("xarray")
    pytest.importorskip("zarr")
    adata = sk.datasets.toy_study(n_cells=60, n_peaks=200).adata
    sk.io.convert(_saved(adata, tmp_path), tmp_path / "a.zarr")
    lazy = ad.experimental.read_lazy(tmp_path / "a.zarr")
    assert sk.pp.require_coordinates(lazy)["start"].tolist() == adata.var["start"].tolist()
    assert sk.pp.filter_peaks(lazy, min_fraction=0.1, copy=True).n_vars < 200


def _saved(adata, folder):
    adata.write_h5ad(folder / "source.h5ad")
    return folder / "source.h5ad"


def test_zipped_zarr(tmp_path):
    pytest.importorskip("zarr")
    import shutil
    import zipfile

    from sccase_kit.io.zarr_store import write_zarr

    data = ad.AnnData(sparse.csr_matrix(DENSE), var=pd.DataFrame(index=NAMES), obs=pd.DataFrame(index=CELLS.split()))
    write_zarr(data, tmp_path / "c.zarr")
    shutil.make_archive(str(tmp_path / "flat.zarr"), "zip", tmp_path / "c.zarr")
    shutil.make_archive(str(tmp_path / "deep.zarr"), "zip", tmp_path, "c.zarr")
    check(sk.read(tmp_path / "flat.zarr.zip"))
    check(sk.read(tmp_path / "deep.zarr.zip"))
    with pytest.raises(FormatError, match="backed=True reads a folder"):
        sk.read(tmp_path / "flat.zarr.zip", backed=True)
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a.txt", "b")
    with pytest.raises(FormatError, match="zip archive, and no zarr store; unpack it"):
        sk.read(tmp_path / "other.zip")
    (tmp_path / "no.zip").write_text("x")
    with pytest.raises(FormatError, match="not a readable AnnData zarr store"):
        sk.read(tmp_path / "no.zip")


COUNTS_ONLY = "1\t0\n0\t2\n3\t1\n"


@pytest.mark.parametrize(
    ("text", "header"),
    [("AAACGAAAGC-1\tAAAGGAAAGC-1\n1\t0\n0\t2\n3\t1\n0\t0\n", True), (COUNTS_ONLY + "0\t0\n", False)],
    ids=["names of cells only", "numbers only"],
)
def test_rows_without_names_are_named_by_a_file(tmp_path, text, header):
    """As chromVAR's counts_table.tsv: the first column was taken for names, and a cell was lost."""
    path = tmp_path / "counts.tsv"
    path.write_text(text)
    with pytest.raises(FormatError, match=r"rows have no names|numbers only.*peaks=\.\.\."):
        sk.read(path)
    put(tmp_path, peaks__txt=BED + "chr3\t1\t5\n", cells__txt=CELLS, few__txt="chr1:1-2\n", one__txt="c1\n")
    found = sk.read(path, peaks=tmp_path / "peaks.txt", cells=tmp_path / "cells.txt")
    np.testing.assert_array_equal(found.X.toarray(), np.hstack([DENSE, np.zeros((2, 1))]))
    assert found.obs_names.tolist() == CELLS.split()
    assert found.var["end"].tolist() == [600, 1400, 550, 5]
    if header:
        assert sk.read(path, peaks=tmp_path / "peaks.txt").obs_names.tolist() == CELLS.split()
    else:
        with pytest.warns(UserWarning, match="the 2 cells are numbered"):
            assert sk.read(path, peaks=tmp_path / "peaks.txt").obs_names.tolist() == ["cell1", "cell2"]
    with pytest.raises(FormatError, match=r"the matrix is 4 × 2, but few.txt has 1 peaks"):
        sk.read(path, peaks=tmp_path / "few.txt")
    with pytest.raises(FormatError, match=r"has 2 cells, but one.txt has 1"):
        sk.read(path, peaks=tmp_path / "peaks.txt", cells=tmp_path / "one.txt")


def test_turned_numbers_and_columns_of_r(tmp_path):
    put(tmp_path, peaks__txt=BED, cells__txt=CELLS, counts__csv="V1,V2,V3\n1,0,3\n0,2,1\n")
    check(sk.read(tmp_path / "counts.csv", peaks=tmp_path / "peaks.txt", cells=tmp_path / "cells.txt"))


def test_numbers_may_be_names(tmp_path):
    """Cells and peaks that are numbered are not taken for counts."""
    put(tmp_path, a__csv=",0,1\nchr1:1-2,4,0\nchr1:5-9,0,1\n", b__csv="peak,chr1:1-2,chr1:5-9\n7,4,0\n7,0,1\n")
    assert sk.read(tmp_path / "a.csv").obs_names.tolist() == ["0", "1"]
    with pytest.warns(UserWarning, match="share their name"):
        assert sk.read(tmp_path / "b.csv").obs_names.tolist() == ["7", "7"]


@pytest.mark.parametrize("name", ["counts.tsv", "counts.h5ad"])
def test_names_that_are_not_needed_are_refused(tmp_path, name):
    put(tmp_path, counts__tsv="\ta\tb\nchr1:1-2\t4\t0\n", peaks__txt=BED)
    ad.AnnData(DENSE).write_h5ad(tmp_path / "counts.h5ad")
    with pytest.raises(ValueError, match=r"peaks= and cells="):
        sk.read(tmp_path / name, peaks=tmp_path / "peaks.txt")


def test_mudata_of_masked_texts(tmp_path):
    """MuData 0.4.1 writes the names of cells and peaks as a group: values and a mask."""
    data = ad.AnnData(sparse.csr_matrix(DENSE), var=pd.DataFrame(index=NAMES), obs=pd.DataFrame(index=CELLS.split()))
    other = ad.AnnData(np.ones((2, 2)), obs=data.obs.copy(), var=pd.DataFrame(index=["A", "B"]))
    path = tmp_path / "m.h5mu"
    with h5py.File(path, "w") as file:
        file.create_group("mod")
        for name, part in {"one": data, "rna": other}.items():
            ad.io.write_elem(file["mod"], name, part)
        ad.io.write_elem(file, "obs", data.obs)
        for table in (file["mod/one/var"], file["mod/one/obs"], file["mod/rna/var"]):
            index = table.attrs["_index"]
            texts = ad.io.read_elem(table[index])  # newer releases write such a group themselves
            del table[index]
            group = table.create_group(index)
            group.attrs.update({"encoding-type": "nullable-string-array", "encoding-version": "0.1.0"})
            ad.io.write_elem(group, "values", np.asarray(texts, dtype=object).astype(str).astype(object))
            ad.io.write_elem(group, "mask", np.zeros(len(texts), bool))
    with pytest.warns(UserWarning, match=r"modality 'one' is read; left out: rna \(2 × 2\)"):
        found = sk.read(path)
    np.testing.assert_array_equal(found.X.toarray(), DENSE)
    assert found.var_names.tolist() == NAMES


@pytest.mark.parametrize("kind", ["scATAC", "DNA accessibility", "Chromatin Accessibility", "open chromatin"])
def test_kinds_of_features_in_other_words(tmp_path, kind):
    var = pd.DataFrame({"feature_types": [kind, kind, "Gene Expression"]}, index=["peak_1", "peak_2", "GATA1"])
    ad.AnnData(sparse.csr_matrix(DENSE), var=var).write_h5ad(tmp_path / "a.h5ad")
    with pytest.warns(UserWarning, match=r"1 of 3 features are no peaks|no coordinates"):
        assert sk.read(tmp_path / "a.h5ad").var_names.tolist() == ["peak_1", "peak_2"]


@pytest.mark.parametrize("name", ["a.h5ad", "a.mtx", "a.csv", "fragments.tsv.gz"])
def test_what_lies_in_place_of_a_file_is_named(tmp_path, name):
    """A clone without Git LFS, and a page that was saved in place of the file."""
    path = tmp_path / name
    read = sk.read if "fragments" not in name else lambda p: sk.read_fragments(p, ["chr1:0-10"], ["A"])
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    with pytest.raises(ValueError, match="pointer of Git LFS"):
        read(path)
    path.write_bytes(b"<!DOCTYPE html><html><body>404</body></html>")
    with pytest.raises(ValueError, match="a web page"):
        read(path)


def test_values_that_no_integer_holds_stay(tmp_path):
    (tmp_path / "a.tsv").write_text("\ta\tb\nchr1:1-2\t1e30\t0\n")
    with pytest.warns(UserWarning, match=r"values up to 1e\+30 are no counts; kept as they are"):
        assert sk.read(tmp_path / "a.tsv").X.toarray().tolist() == [[1e30], [0]]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("header", ["", "peak\tcell\tcount\n"])
def test_a_line_per_count(tmp_path, turned, header):
    rows = [(NAMES[j], CELLS.split()[i], DENSE[i, j]) for i in range(2) for j in range(3) if DENSE[i, j]]
    text = header + "".join(f"{c}\t{p}\t{n}\n" if turned else f"{p}\t{c}\t{n}\n" for p, c, n in rows)
    (tmp_path / "a.tsv").write_text(text)
    found = sk.read(tmp_path / "a.tsv")
    check(found[CELLS.split(), NAMES].copy())
    (tmp_path / "a.tsv").write_text(text + text.splitlines(keepends=True)[-1])
    with pytest.warns(UserWarning, match="1 of 5 pairs of peak and cell occur again; their counts are added"):
        assert sk.read(tmp_path / "a.tsv").X.sum() == DENSE.sum() + DENSE[1, 2]
    (tmp_path / "a.tsv").write_text(text + text.removeprefix(header) * 60 + "x\ty\tz\n")
    with pytest.raises(FormatError, match=r"line \d+: expected peak, cell and a number, got 'x y z'"):
        sk.read(tmp_path / "a.tsv")


def test_files_without_an_ending_or_with_another(tmp_path):
    data = ad.AnnData(sparse.csr_matrix(DENSE), var=pd.DataFrame(index=NAMES), obs=pd.DataFrame(index=CELLS.split()))
    data.write_h5ad(tmp_path / "one.h5ad")
    (tmp_path / "one.h5").write_bytes((tmp_path / "one.h5ad").read_bytes())
    (tmp_path / "one").write_bytes((tmp_path / "one.h5ad").read_bytes())
    check(sk.read(tmp_path / "one.h5"))
    check(sk.read(tmp_path / "one"))
    table = "\t" + "\t".join(CELLS.split()) + "\n"
    table += "".join(f"{name}\t{a}\t{b}\n" for name, (a, b) in zip(NAMES, DENSE.T, strict=True))
    (tmp_path / "two").write_text(table)
    check(sk.read(tmp_path / "two"))
    (tmp_path / "tabs.tsv").write_text(table.replace("\n", "\t\n"))
    check(sk.read(tmp_path / "tabs.tsv"))
    (tmp_path / "none").write_bytes(b"\x00\x01")
    for name, said in {
        "none": "unknown format",
        "a.xlsx": "Save the sheet",
        "a.tar.gz": "Unpack",
        "a.bw": "fragment",
    }.items():
        (tmp_path / name).write_bytes(b"\x00\x01")
        with pytest.raises(ValueError, match=said):
            sk.read(tmp_path / name)


PEAK = "".join(line + "\tp\t0\t.\t1\t2\t3\t4\n" for line in BED.splitlines())


@pytest.mark.parametrize(
    "files",
    [
        {"matrix__mtx": MTX, "barcodes__tsv": CELLS, "x_peaks__narrowPeak": PEAK},
        {"X__mtx": TURNED, "obs__csv": "b,n\n" + CELLS.replace("\n", ",1\n"),
         "var__csv": "p,n\n" + "".join(f"{name},1\n" for name in NAMES)},
    ],
    ids=["narrowPeak", "obs and var"],
)  # fmt: skip
def test_other_names_of_the_files(tmp_path, files):
    check(sk.read(put(tmp_path / "a", **files)))


def test_the_folder_outs_of_cell_ranger(tmp_path):
    put(tmp_path / "outs" / "filtered_peak_bc_matrix", matrix__mtx=MTX, barcodes__tsv=CELLS, peaks__bed=BED)
    check(sk.read(tmp_path / "outs"))
