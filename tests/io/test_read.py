"""Every format gives the same counts; damaged files give errors that name them."""

from __future__ import annotations

import contextlib
import gzip
import shutil

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.io import mmwrite

import sccase_kit as sk
from sccase_kit.io import FormatError
from sccase_kit.matrix.blocks import iter_row_blocks, slow_storage

NAMES = ["chr1:100-600", "chr1:900-1400", "chr2:5-50", "chrX:7-8"]


@pytest.fixture
def counts():
    dense = np.random.default_rng(0).poisson(0.8, (6, 4))
    dense[0] = [1, 0, 2, 0]
    return sparse.csr_matrix(dense.astype(np.int32))


@pytest.fixture
def adata(counts):
    obs = pd.DataFrame(index=[f"cell{i}" for i in range(6)])
    return ad.AnnData(counts, obs=obs, var=pd.DataFrame(index=NAMES))


def same(result, adata):
    np.testing.assert_array_equal(np.asarray(result.X.todense()), adata.X.toarray())
    assert list(result.var_names) == NAMES
    assert list(result.obs_names) == list(adata.obs_names)
    assert list(result.var["chrom"]) == ["chr1", "chr1", "chr2", "chrX"]
    assert result.var["start"].tolist() == [100, 900, 5, 7]
    assert result.var["start"].dtype == np.int64
    assert sparse.issparse(result.X)
    assert result.X.dtype.kind == "i"


def write_10x_h5(adata, path, kinds=None):
    peaks = sparse.csc_matrix(adata.X.T)
    with h5py.File(path, "w") as store:
        group = store.create_group("matrix")
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(peaks, name)
        group["shape"] = peaks.shape
        group["barcodes"] = [n.encode() for n in adata.obs_names]
        features = group.create_group("features")
        features["id"] = [n.encode() for n in adata.var_names]
        if kinds is not None:
            features["feature_type"] = [k.encode() for k in kinds]


def write_mtx(adata, folder, *, features=False, compress=False):
    folder.mkdir()
    mmwrite(folder / "matrix.mtx", sparse.coo_matrix(adata.X.T))
    (folder / "barcodes.tsv").write_text("\n".join(adata.obs_names) + "\n")
    if features:
        (folder / "features.tsv").write_text("".join(f"{n}\t{n}\tPeaks\n" for n in adata.var_names))
    else:
        lines = [n.replace(":", "\t").replace("-", "\t") for n in adata.var_names]
        (folder / "peaks.bed").write_text("\n".join(lines) + "\n")
    if compress:
        for file in list(folder.iterdir()):
            with gzip.open(f"{file}.gz", "wb") as out:
                out.write(file.read_bytes())
            file.unlink()


@pytest.mark.parametrize("floating", [False, True])
def test_h5ad(adata, tmp_path, floating):
    if floating:
        adata.X = adata.X.astype(np.float32)
    adata.write_h5ad(tmp_path / "a.h5ad")
    same(sk.read(tmp_path / "a.h5ad"), adata)


def test_zarr(adata, tmp_path):
    pytest.importorskip("zarr")
    sk.io.convert(_saved(adata, tmp_path), tmp_path / "a.zarr")
    same(sk.read(tmp_path / "a.zarr"), adata)


def _saved(adata, folder, **kwargs):
    adata.write_h5ad(folder / "source.h5ad", **kwargs)
    return folder / "source.h5ad"


def test_10x_h5(adata, tmp_path):
    write_10x_h5(adata, tmp_path / "f.h5")
    same(sk.read(tmp_path / "f.h5"), adata)


def test_10x_multiome_h5_keeps_the_peaks(adata, tmp_path):
    write_10x_h5(adata, tmp_path / "f.h5", ["Peaks", "Gene Expression", "Peaks", "Gene Expression"])
    with pytest.warns(UserWarning, match=r"2 of 4 features are no peaks \(Gene Expression: 2\); they are left out"):
        result = sk.read(tmp_path / "f.h5")
    assert list(result.var_names) == [NAMES[0], NAMES[2]]
    assert "Gene Expression: 2" in result.uns["sccase_kit_left_out"][0]


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("features", [False, True])
def test_10x_mtx(adata, tmp_path, features, compress):
    write_mtx(adata, tmp_path / "ein Ordner ü", features=features, compress=compress)
    same(sk.read(tmp_path / "ein Ordner ü"), adata)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".txt", ".csv.gz"])
@pytest.mark.parametrize("corner", [True, False])
def test_text(adata, tmp_path, suffix, corner):
    frame = pd.DataFrame(adata.X.toarray().T, index=NAMES, columns=adata.obs_names)
    path = tmp_path / f"m{suffix}"
    frame.to_csv(path, sep="," if ".csv" in suffix else "\t")
    if not corner:
        opener = gzip.open if suffix.endswith("gz") else open
        with opener(path, "rt") as handle:
            text = handle.read()
        with opener(path, "wt") as handle:
            handle.write(text[1:])
    same(sk.read(path), adata)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("%%MatrixMarket matrix array real general\n", "line 1"),
        ("%%MatrixMarket matrix coordinate integer general\n4 6 2\n1 1 1\n", "1 entries, the header says 2"),
        ("%%MatrixMarket matrix coordinate integer general\n4 6 1\n1 7 1\n", "outside the 4 × 6"),
        ("%%MatrixMarket matrix coordinate integer general\n4 6 1\n1 x 1\n", "not a valid Matrix Market"),
        ("%%MatrixMarket matrix coordinate integer general\n4 6 1\n1 1", "not a valid Matrix Market"),
        ("", "line 1"),
    ],
)
def test_damaged_matrix_market(adata, tmp_path, body, message):
    write_mtx(adata, tmp_path / "m")
    (tmp_path / "m" / "matrix.mtx").write_text(body)
    with pytest.raises(FormatError, match=message):
        sk.read(tmp_path / "m")


def test_pattern_matrix_market_counts_ones(adata, tmp_path):
    write_mtx(adata, tmp_path / "m")
    text = "%%MatrixMarket matrix coordinate pattern general\n% note\n4 6 2\n1 1\n4 6\n"
    (tmp_path / "m" / "matrix.mtx").write_text(text)
    result = sk.read(tmp_path / "m").X.toarray()
    assert result.sum() == result[0, 0] + result[5, 3] == 2


def test_mudata_takes_the_atac_modality(adata, tmp_path):
    with h5py.File(tmp_path / "m.h5mu", "w") as store:
        store.create_group("mod")
        ad.io.write_elem(store["mod"], "atac", adata)
    same(sk.read(tmp_path / "m.h5mu"), adata)


@pytest.mark.parametrize("kind", ["h5ad", "zarr"])
def test_backed_blocks_equal_memory(adata, tmp_path, kind):
    path = _saved(adata, tmp_path)
    if kind == "zarr":
        pytest.importorskip("zarr")
        pytest.importorskip("dask")
        sk.io.convert(path, tmp_path / "a.zarr")
        path = tmp_path / "a.zarr"
    backed = sk.read(path, backed=True)
    blocks = list(iter_row_blocks(backed.X, block_rows=4)) if kind == "h5ad" else list(iter_row_blocks(backed.X))
    np.testing.assert_array_equal(sparse.vstack([b for _, b in blocks]).toarray(), adata.X.toarray())
    assert blocks[0][0].start == 0
    assert blocks[-1][0].stop == 6


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array])
def test_blocks_of_memory_containers(adata, make):
    dense = adata.X.toarray()
    for block_rows in (1, 4, 100):
        parts = [block.toarray() for _, block in iter_row_blocks(make(dense), block_rows=block_rows)]
        np.testing.assert_array_equal(np.vstack(parts), dense)


def test_slow_storage_is_recognised(adata, tmp_path):
    quick = sk.read(_saved(adata, tmp_path), backed=True)
    assert slow_storage(quick.X) is None
    quick.file.close()
    slow = sk.read(_saved(adata, tmp_path, compression="gzip"), backed=True)
    assert "sccase_kit.io.convert" in slow_storage(slow.X)
    slow.file.close()


def test_fractional_values_warn_and_stay(adata, tmp_path):
    adata.X = adata.X.astype(np.float32) * 0.5
    with pytest.warns(UserWarning, match="fractional"):
        result = sk.read(_saved(adata, tmp_path))
    np.testing.assert_allclose(result.X.toarray(), adata.X.toarray())


def test_entries_stored_twice_are_one_count(adata, tmp_path):
    twice = sparse.csr_matrix((np.ones(4), np.array([1, 1, 0, 2]), np.array([0, 2, 3, 4, 4, 4, 4])), shape=(6, 4))
    expected = twice.toarray()
    adata.X = twice
    path = _saved(adata, tmp_path)
    result = sk.read(path).X
    assert result.has_canonical_format
    assert result.nnz == 3
    np.testing.assert_array_equal(result.toarray(), expected)
    backed = sk.read(path, backed=True)
    for matrix in (backed.X, twice):
        blocks = [block for _, block in iter_row_blocks(matrix, block_rows=4)]
        assert [block.nnz for block in blocks] == [3, 0]
    assert twice.nnz == 4  # as it was
    backed.file.close()


@pytest.mark.parametrize("suffix", [".h5ad", ".zarr"])
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_an_enhanced_file_is_read_back_dense(tmp_path, suffix, dtype):
    adata = sk.datasets.toy_study(n_cells=60, n_peaks=300).adata
    sk.tl.enhance(adata, 4)
    sk.io.write_enhanced(adata, tmp_path / f"a{suffix}", dtype=dtype)
    with sk.settings.override(block_bytes=4000), pytest.warns(UserWarning, match="fractional"):
        result = sk.read(tmp_path / f"a{suffix}").X
    assert type(result) is np.ndarray
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, sk.get.enhanced(adata).astype(dtype).astype(np.float32))
    backed = sk.read(tmp_path / f"a{suffix}", backed=True)
    blocks = [block for _, block in iter_row_blocks(backed.X)]
    np.testing.assert_array_equal(sparse.vstack(blocks).toarray(), result)
    if backed.isbacked:
        backed.file.close()
    with pytest.warns(UserWarning, match="fractional"):
        sk.io.convert(tmp_path / f"a{suffix}", tmp_path / f"b{suffix}")
    with pytest.warns(UserWarning, match="fractional"):
        np.testing.assert_array_equal(sk.read(tmp_path / f"b{suffix}").X, result)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_dense_counts_become_sparse_integers(adata, tmp_path, dtype):
    expected = adata.X.toarray()
    adata.X = expected.astype(dtype)
    result = sk.read(_saved(adata, tmp_path)).X
    assert sparse.issparse(result)
    assert result.dtype == np.int32
    np.testing.assert_array_equal(result.toarray(), expected)


def test_wrong_paths(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file"):
        sk.read(tmp_path / "none.h5ad")
    (tmp_path / "x.pdf").write_text("x")
    with pytest.raises(ValueError, match="unknown format"):
        sk.read(tmp_path / "x.pdf")
    with pytest.raises(TypeError, match="file name"):
        sk.read(3)
    (tmp_path / "t.csv").write_text("p,a\nx,1\n")
    with pytest.raises(ValueError, match="backed=True"):
        sk.read(tmp_path / "t.csv", backed=True)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"matrix\.mtx"):
        sk.read(tmp_path / "empty")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("p,a,b\n", "no peaks"),
        ("p,a,b\nx,1,2\ny,1\n", "line 3: 1 values, expected 2"),
        ("p,a,b\nx,1,2\ny,1,foo\n", "line 3: not a number"),
    ],
)
def test_damaged_text_names_the_line(tmp_path, text, message):
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(FormatError, match=message):
        sk.read(tmp_path / "m.csv")


@pytest.mark.parametrize("kind", ["h5ad", "h5", "mtx", "csv.gz", "h5mu"])
@given(cut=st.floats(0.05, 0.95), flip=st.integers(0, 255))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_mutated_files_never_crash(adata, tmp_path, kind, cut, flip):
    """Truncated or altered files raise a FormatError or still parse; nothing else escapes."""
    work = tmp_path / kind
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    if kind == "h5ad":
        victim = target = _saved(adata, work)
    elif kind == "h5":
        victim = target = work / "f.h5"
        write_10x_h5(adata, target)
    elif kind == "h5mu":
        victim = target = work / "f.h5mu"
        with h5py.File(target, "w") as store:
            store.create_group("mod")
            ad.io.write_elem(store["mod"], "atac", adata)
    elif kind == "mtx":
        target = work / "m"
        write_mtx(adata, target)
        victim = target / "matrix.mtx"
    else:
        victim = target = work / "m.csv.gz"
        pd.DataFrame(adata.X.toarray().T, index=NAMES, columns=adata.obs_names).to_csv(target)
    content = bytearray(victim.read_bytes())
    content = content[: max(1, int(len(content) * cut))]
    content[-1] = flip
    victim.write_bytes(bytes(content))
    with contextlib.suppress(FormatError):
        sk.read(target)


def test_a_text_file_without_cells_is_refused(tmp_path):
    path = tmp_path / "counts.csv"
    path.write_text("peak\nchr1:100-600\n")
    with pytest.raises(sk.io.FormatError, match=r"counts\.csv: names of peaks but no cells"):
        sk.read(path)


@pytest.mark.parametrize("suffix", ["csv", "tsv.gz"])
def test_text_with_peaks_as_columns(tmp_path, suffix):
    table = pd.DataFrame(np.arange(12).reshape(3, 4), index=["a", "b", "c"], columns=NAMES)
    path = tmp_path / f"cells.{suffix}"
    table.to_csv(path, sep="," if suffix == "csv" else "\t")
    adata = sk.read(path)
    assert list(adata.obs_names) == ["a", "b", "c"]
    assert list(adata.var_names) == NAMES
    np.testing.assert_array_equal(adata.X.toarray(), table)


def test_a_header_that_is_too_short_is_named(tmp_path):
    """It ended in an IndexError where a flipped bit had joined two lines."""
    (tmp_path / "short.tsv").write_text("c1\tc2\nchr1:10-2\t0\t1\t0\n")
    with pytest.raises(FormatError, match=r"short.tsv: the header has 2 columns, and the lines after it have 4"):
        sk.read(tmp_path / "short.tsv")


def test_numbers_beyond_64_bits_in_a_matrix_market_file(tmp_path):
    (tmp_path / "matrix.mtx").write_text(f"%%MatrixMarket matrix coordinate integer general\n1 1 1\n1 1 {'9' * 30}\n")
    (tmp_path / "barcodes.tsv").write_text("a\n")
    (tmp_path / "peaks.bed").write_text("chr1\t5\t9\n")
    with pytest.raises(FormatError, match=r"matrix.mtx: not a valid Matrix Market file"):
        sk.read(tmp_path)
