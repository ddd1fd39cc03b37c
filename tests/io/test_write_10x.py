"""Folders of 10x: written, read back here and by scanpy, refused where names cannot be held."""

import gzip

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

import sccase_kit as sk

PEAKS = ["chr1:100-600", "GL000194.1:5-9", "chr2:50-550"]


def bare(values, **more):
    counts = sparse.csr_matrix(np.asarray(values))
    cells = [f"cell{i}-1" for i in range(counts.shape[0])]
    return AnnData(counts, obs=pd.DataFrame(index=cells), var=pd.DataFrame(index=PEAKS), **more)


def test_the_lines_of_the_files(tmp_path):
    files = sk.io.write_10x(bare([[1, 0, 12], [0, 0, 3]]), tmp_path / "out")
    text = {path.name: gzip.decompress(path.read_bytes()).decode() for path in files}
    assert text == {
        "matrix.mtx.gz": "%%MatrixMarket matrix coordinate integer general\n3 2 3\n1 1 1\n3 1 12\n3 2 3\n",
        "features.tsv.gz": "chr1:100-600\tchr1:100-600\tPeaks\tchr1\t100\t600\n"
        "GL000194.1:5-9\tGL000194.1:5-9\tPeaks\tGL000194.1\t5\t9\n"
        "chr2:50-550\tchr2:50-550\tPeaks\tchr2\t50\t550\n",
        "barcodes.tsv.gz": "cell0-1\ncell1-1\n",
    }
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(text)


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, np.float32, np.float64])
def test_round_trip(tmp_path, dtype, monkeypatch):
    monkeypatch.setattr(sk.settings, "block_bytes", 200)  # several blocks
    values = np.random.default_rng(0).poisson(0.6, (23, 3)).astype(dtype)
    values[4] = 0
    data = bare(values)
    data.X.data[0] = 0  # stored, and not written
    sk.io.write_10x(data, tmp_path / "out")
    back = sk.read(tmp_path / "out")
    np.testing.assert_array_equal(back.X.toarray(), data.X.toarray())
    assert back.obs_names.equals(data.obs_names)
    assert back.var_names.equals(data.var_names)
    assert back.var["end"].tolist() == [600, 9, 550]


def test_fractions_are_real(tmp_path):
    sk.io.write_10x(bare([[0.1, 0, 2], [0, 0, 1 / 3]]), tmp_path / "out")
    assert "real" in gzip.decompress((tmp_path / "out" / "matrix.mtx.gz").read_bytes()).decode()
    with pytest.warns(UserWarning, match=r"counts|integ|whole"):
        back = sk.read(tmp_path / "out")
    np.testing.assert_array_equal(back.X.toarray(), [[0.1, 0, 2], [0, 0, 1 / 3]])


def test_scanpy_reads_it(tmp_path):
    import scanpy as sc

    data = bare([[1, 0, 12], [0, 0, 3]])
    sk.io.write_10x(data, tmp_path / "out")
    back = sc.read_10x_mtx(tmp_path / "out", gex_only=False)  # by default scanpy keeps genes
    np.testing.assert_array_equal(back.X.toarray(), data.X.toarray())
    assert back.var_names.tolist() == PEAKS
    assert back.obs_names.tolist() == data.obs_names.tolist()


def test_what_the_folder_cannot_hold_is_said(tmp_path):
    data = bare([[1, 0, 2]], layers={"counts": np.array([[4, 0, 0]])}, obsm={"X_umap": np.zeros((1, 2))})
    data.obs["type"] = "a"
    with pytest.warns(UserWarning, match=r"left out: obs \(type\), obsm \(X_umap\), layers \(counts\)$"):
        sk.io.write_10x(data, tmp_path / "out")
    with pytest.warns(UserWarning, match=r"left out: obs \(type\), obsm \(X_umap\), X \(of shape 1 × 3\)$"):
        sk.io.write_10x(data, tmp_path / "of_layer", layer="counts")
    assert sk.read(tmp_path / "of_layer").X.toarray().tolist() == [[4, 0, 0]]


def test_what_is_refused_leaves_nothing(tmp_path):
    target = tmp_path / "out"
    twice = bare([[1, 0, 2], [1, 1, 1]])
    twice.obs_names = ["a", "a"]
    with pytest.raises(ValueError, match=r"1 cells share their name .* 'a': adata.obs_names_make_unique"):
        sk.io.write_10x(twice, target)
    for name in ["a\tb", "a\n", 'a"b']:
        odd = bare([[1, 0, 2]])
        odd.obs_names = [name]
        with pytest.raises(ValueError, match="a name of the cells must be text without tabs"):
            sk.io.write_10x(odd, target)
    with pytest.raises(ValueError, match="negative"):
        sk.io.write_10x(bare([[-1, 0, 2]]), target)
    with pytest.raises(KeyError, match="layer"):
        sk.io.write_10x(bare([[1, 0, 2]]), target, layer="nope")
    with pytest.raises(ValueError, match="feature_type must be text"):
        sk.io.write_10x(bare([[1, 0, 2]]), target, feature_type="a\tb")
    assert list(tmp_path.iterdir()) == []
    target.mkdir()
    (target / "mine.txt").write_text("x")
    with pytest.raises(FileExistsError, match=r"holds other files, such as 'mine.txt'"):
        sk.io.write_10x(bare([[1, 0, 2]]), target)
    assert [p.name for p in target.iterdir()] == ["mine.txt"]
