"""10x files that are not what they should be: every error names the file."""

import gzip

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.io import mmwrite

import sccase_kit as sk
from sccase_kit.io import FormatError

COUNTS = sparse.csc_matrix(np.array([[1, 0, 2], [0, 3, 0]]))  # peaks × cells
PEAKS = ["chr1:0-10", "chr1:20-30"]


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "peaks.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(COUNTS, name)
        group["shape"] = COUNTS.shape
        group["barcodes"] = [b"a", b"b", b"c"]
        group.create_group("features")["id"] = [p.encode() for p in PEAKS]
    return path


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "mtx"
    path.mkdir()
    mmwrite(path / "matrix.mtx", COUNTS)
    (path / "barcodes.tsv").write_text("a\nb\nc\n")
    (path / "peaks.bed").write_text("chr1\t0\t10\nchr1\t20\t30\n")
    return path


def test_whole_files_are_read(store, folder):
    for path in (store, folder):
        np.testing.assert_array_equal(sk.read(path).X.toarray(), COUNTS.toarray().T)


def test_h5_without_the_matrix(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["other"] = 1
    with pytest.raises(FormatError, match=r"x\.h5: no group 'matrix'; found \['other'\]"):
        sk.read(tmp_path / "x.h5")


@pytest.mark.parametrize("name", ["indptr", "features", "barcodes"])
def test_h5_that_lacks_a_part(store, name):
    with h5py.File(store, "r+") as file:
        del file["matrix"][name]
    with pytest.raises(FormatError, match=r"peaks\.h5: the 10x matrix lacks"):
        sk.read(store)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("data", [1, 2], "truncated or inconsistent matrix"),
        ("data", ["a", "b", "c", "d"], "must be numbers"),
        ("indptr", [0, 1, 3], "pointers that are not 4 numbers rising from 0"),
        ("indptr", [0, 1, 3, 2], "pointers that are not 4 numbers rising from 0"),
        ("indptr", [0, 1, 3, 9], "where the pointers name 9"),
        ("shape", [2, 4], "shape \\(2, 4\\), but there are 2 peaks and 3 barcodes"),
        ("shape", [2, 2**40], "but there are 2 peaks and 3 barcodes"),
        ("barcodes", 5, "not a readable HDF5 file of 10x"),
    ],
)
def test_h5_whose_parts_do_not_agree(store, name, value, message):
    with h5py.File(store, "r+") as file:
        del file["matrix"][name]
        file["matrix"][name] = value
    with pytest.raises(FormatError, match=rf"peaks\.h5: .*{message}"):
        sk.read(store)


@pytest.mark.parametrize(
    ("name", "text", "error", "match"),
    [
        ("peaks.bed", "chr1\t0\t10\nchr1\t20\n", FormatError, r"peaks\.bed, line 2: a BED line has at least 3"),
        ("peaks.bed", "chr1\t0\t10\n", FormatError, r"the matrix is \(2, 3\), but there are 1 peaks and 3 barcodes"),
        ("barcodes.tsv", "a\nb\n", FormatError, "2 peaks and 2 barcodes"),
        ("barcodes.tsv", b"a\n\xff\n", FormatError, r"barcodes\.tsv: cannot be read"),
        ("peaks.bed", None, FileNotFoundError, r"none of \['peaks\.bed', 'features\.tsv'\]"),
        ("matrix.mtx", None, FileNotFoundError, r"none of \['matrix\.mtx'\].*files there: \['barcodes"),
    ],
)
def test_folder_that_is_damaged(folder, name, text, error, match):
    if text is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(error, match=match):
        sk.read(folder)


def test_packed_file_that_is_cut(folder):
    whole = gzip.compress((folder / "barcodes.tsv").read_bytes())
    (folder / "barcodes.tsv").unlink()
    (folder / "barcodes.tsv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FormatError, match=r"barcodes\.tsv\.gz: cannot be read"):
        sk.read(folder)


def test_peaks_of_a_multiome_folder(folder):
    (folder / "peaks.bed").unlink()
    (folder / "features.tsv").write_text(f"{PEAKS[0]}\t{PEAKS[0]}\tPeaks\nGENE\tGENE\tGene Expression\n")
    with pytest.warns(UserWarning, match=r"1 of 2 features are no peaks .*they are left out, e\.g\. \['GENE'\]"):
        adata = sk.read(folder)
    assert adata.var_names.tolist() == PEAKS[:1]
    np.testing.assert_array_equal(adata.X.toarray(), COUNTS.toarray()[:1].T)


def test_counts_of_other_kinds(tmp_path):
    """Booleans become integers; NaN are kept for the functions to refuse by name; no counts at all are refused."""
    frame = pd.DataFrame(index=PEAKS)
    path = tmp_path / "a.h5ad"
    ad.AnnData(sparse.csr_matrix(COUNTS.toarray().T > 0), var=frame).write_h5ad(path)
    adata = sk.read(path)
    assert adata.X.dtype.kind == "i"
    np.testing.assert_array_equal(adata.X.toarray(), COUNTS.toarray().T > 0)
    ad.AnnData(sparse.csr_matrix(COUNTS.toarray().T * np.nan), var=frame).write_h5ad(path)
    with pytest.raises(ValueError, match="NaN or infinite"):
        sk.tl.enhance(sk.read(path), 1)
    ad.AnnData(obs=pd.DataFrame(index=["a"]), var=frame).write_h5ad(path)
    with pytest.raises(FormatError, match=r"a\.h5ad: there is no X"):
        sk.read(path)


def test_multiome_without_peaks(tmp_path):
    with h5py.File(tmp_path / "x.h5mu", "w") as file:
        file.create_group("mod/rna")
    with pytest.raises(FormatError, match=r"no modality 'atac'; found \['rna'\]"):
        sk.read(tmp_path / "x.h5mu")


def test_conversion_needs_a_known_ending(store, tmp_path):
    with pytest.raises(ValueError, match=r"target must end in \.h5ad or \.zarr, got '.*x\.csv'"):
        sk.io.convert(store, tmp_path / "x.csv")
    sk.io.convert(store, tmp_path / "x.h5ad")
    np.testing.assert_array_equal(sk.read(tmp_path / "x.h5ad").X.toarray(), COUNTS.toarray().T)
