"""Files of R: read without R and through R, with the same result; results written back."""

from __future__ import annotations

import subprocess
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import sccase_kit as sk
from sccase_kit.io import FormatError
from sccase_kit.r import files
from sccase_kit.r._locate import rscript
from sccase_kit.r._values import RValue

pytest.importorskip("rdata", reason="rdata (extra rds) is not installed")

KINDS = ["counts", "frame", "list", "se", "sce", "v3", "chromatin", "v5", "cistopic"]
NEEDS = pytest.mark.r("SeuratObject", "SingleCellExperiment")
COUNTS = np.array(
    [1, 0, 2, 0, 0, 3, 0, 1, 0, 4, 0, 0, 1, 1, 0, 0, 2, 0, 0, 0, 5, 1, 0, 1, 2, 0, 0, 0, 3, 1], dtype=float
).reshape(5, 6)
CELLS = [f"cell{k}" for k in range(1, 6)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files written by R."""
    folder = tmp_path_factory.mktemp("rds")
    script = Path(__file__).with_name("objects.R")
    done = subprocess.run([rscript(), str(script), str(folder), *KINDS], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def quietly(path, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        return sk.r.read(path, **options), " ".join(str(item.message) for item in caught)


def assert_same(one, other):
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert list(one) == list(other)
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, list):
        for a, b in zip(one, other, strict=True):
            assert_same(a, b)
    elif isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other)
    elif hasattr(one, "obs"):
        assert_same(one.X, other.X)
        for slot in ("obs", "var"):
            pd.testing.assert_frame_equal(getattr(one, slot), getattr(other, slot))
        for slot in ("layers", "obsm", "varm", "obsp"):
            assert_same(dict(getattr(one, slot)), dict(getattr(other, slot)))
        assert_same(dict(one.uns), dict(other.uns))
    elif sparse.issparse(one):
        assert (one != other).nnz == 0
    else:
        np.testing.assert_array_equal(one, other)


@NEEDS
def test_with_and_without_r_give_the_same(folder):
    code = "lapply(stats::setNames(kinds, kinds), function(k) readRDS(file.path(folder, paste0(k, '.rds'))))"
    from sccase_kit.r._child import run_code

    through = dict(run_code(code, {"kinds": KINDS, "folder": str(folder)}, echo=None).items())
    for kind in KINDS:
        alone, _ = quietly(folder / f"{kind}.rds", engine="python")
        lost = []
        assert_same(alone, files._convert(through[kind], {"x_name": None, "alt_exp": None, "assay": None}, lost))


@NEEDS
@pytest.mark.parametrize("kind", ["counts", "se", "sce", "v3", "chromatin", "v5", "cistopic"])
def test_sk_read(folder, kind):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other assays; tested below
        adata = sk.read(folder / f"{kind}.rds")
    np.testing.assert_array_equal(adata.X.toarray(), COUNTS)
    assert adata.X.dtype == np.int32
    assert adata.obs_names.tolist() == CELLS
    assert adata.var["chrom"].tolist() == ["chr1"] * 6
    first = 99 if kind in ("se", "sce", "chromatin") else 100  # ranges are 1-based in R, names are what they are
    assert adata.var["start"].tolist() == [first + 100 * k for k in range(6)]
    assert adata.var["end"].tolist() == [150 + 100 * k for k in range(6)]


@NEEDS
def test_what_each_object_brings(folder):
    adata, said = quietly(folder / "sce.rds")
    assert "alternative experiments ['RNA']" in said
    assert isinstance(adata.obsm["PCA"], np.ndarray)
    assert adata.obsm["motifs"].columns.tolist() == ["CTCF", "GATA1"]
    assert adata.obs["run"].tolist() == list("xxyyy")
    assert adata.uns["genome"].tolist() == ["hg19"]
    assert sk.r.read(folder / "sce.rds", alt_exp="RNA").X.sum() == 2 * COUNTS[:, :3].sum()
    adata, said = quietly(folder / "chromatin.rds")
    assert "the assays ['RNA'] (assay='RNA' takes one)" in said
    assert adata.uns["fragments"].tolist() == ["/data/fragments.tsv.gz"]
    adata, _ = quietly(folder / "v5.rds", assay="RNA")
    assert adata.var_names.tolist() == ["GATA1", "TAL1", "SPI1"]
    adata, _ = quietly(folder / "se.rds", x_name="half")
    np.testing.assert_array_equal(adata.X, COUNTS / 2)
    frame = sk.r.read(folder / "frame.rds")
    assert frame.index.tolist() == ["x", "y", "z"]
    assert frame["f"].cat.categories.tolist() == ["u", "v"]
    found = sk.r.read(folder / "list.rds")
    assert found["b"][1] is None
    assert found["c"][0] == np.datetime64("2020-01-02")


@NEEDS
def test_rdata_files(folder):
    assert sk.read(folder / "one.RData").shape == (5, 6)
    both = sk.r.read(folder / "two.RData")
    assert list(both) == ["counts", "table"]
    assert sk.r.read(folder / "two.RData", name="table").shape == (3, 3)
    assert sk.read(folder / "two.RData").shape == (5, 6)
    with pytest.raises(KeyError, match=r"name='x' is not in the file; it holds \['counts', 'table'\]"):
        sk.r.read(folder / "two.RData", name="x")
    with pytest.raises(ValueError, match=r"chooses an object of an .RData"):
        sk.r.read(folder / "counts.rds", name="x")
    with pytest.raises(FormatError, match="holds no counts but dict"):
        sk.read(folder / "list.rds")


@NEEDS
def test_where_r_is_needed_the_message_says_why(folder, monkeypatch, tmp_path):
    def fail(path):
        raise NotImplementedError("Type RAW not implemented")

    monkeypatch.setattr("sccase_kit.r._rdata.parse", fail)
    with pytest.raises(FormatError, match=r"cannot parse it .*Type RAW not implemented"):
        sk.r.read(folder / "frame.rds", engine="python")
    with pytest.warns(UserWarning, match=r"read through R, because: .*Type RAW not implemented.* can run code"):
        frame = sk.r.read(folder / "frame.rds")
    assert frame.shape == (3, 3)
    (tmp_path / "x.qs").write_bytes(b"")
    with pytest.warns(UserWarning, match="only the R package qs"), pytest.raises(sk.r.RError):
        sk.r.read(tmp_path / "x.qs")


@pytest.mark.parametrize(("slot", "value"), [("i", [0, 9]), ("i", [0, -1]), ("p", [0, 1, 7]), ("p", [0, 2, 1])])
def test_a_damaged_matrix_is_refused(monkeypatch, tmp_path, slot, value):
    """Products with such a matrix would read and write out of bounds."""
    parts = {"i": [0, 1], "p": [0, 1, 2], "Dim": [2, 2]} | {slot: value}
    slots = {name: RValue("integer", np.array(part, dtype=np.int32)) for name, part in parts.items()}
    slots |= {"x": RValue("double", np.ones(2)), "class": RValue("character", ["dgCMatrix"])}
    monkeypatch.setattr(files, "_without_r", lambda *_: RValue("S4", None, slots))
    (tmp_path / "x.rds").write_bytes(b"")
    with pytest.raises(FormatError, match=r"x\.rds: not a readable file of R; is it damaged\?"):
        sk.r.read(tmp_path / "x.rds")


def test_bad_files(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match="no such file"):
        sk.r.read(tmp_path / "x.rds")
    (tmp_path / "x.rds").write_bytes(b"not R")
    with pytest.raises(FormatError, match="cannot parse"):
        sk.r.read(tmp_path / "x.rds", engine="python")
    with pytest.raises(ValueError, match=r"unknown ending of 'x.h5'"):
        sk.r.read(tmp_path / "x.h5")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("R_HOME", raising=False)
    with (
        pytest.warns(UserWarning, match="through R"),
        pytest.raises(sk.r.files.MissingProgramError, match=r"cannot be read without R, because: .*Install R"),
    ):
        sk.r.read(tmp_path / "x.rds")


@NEEDS
@pytest.mark.parametrize("kind", ["v3", "sce"])
def test_results_go_back_into_the_object(folder, kind, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        adata = sk.read(folder / f"{kind}.rds")
    adata.obsm = {}
    adata = adata[::-1].copy()  # cells are matched by name
    adata.obs["cluster"] = pd.Categorical(list("ababb"))
    adata.obsm["X_sccase"] = np.arange(10.0).reshape(5, 2)
    adata.obsm["chromvar_z"] = pd.DataFrame({"CTCF": np.arange(5.0), "GATA1": 1.0}, index=adata.obs_names)
    sk.r.write(adata, tmp_path / "back.rds", into=folder / f"{kind}.rds", obs=["cluster"])
    code = (
        "x <- readRDS(path); seurat <- is(x, 'Seurat'); library(package, character.only = TRUE); "
        "list(names = colnames(x), cluster = as.character(if (seurat) x$cluster else colData(x)$cluster), "
        "rep = as.vector(if (seurat) Embeddings(x, 'sccase') else reducedDim(x, 'sccase')), "
        "z = as.vector(as.matrix(if (seurat) GetAssayData(x[['chromvar_z']], 'data')"
        " else assay(altExp(x, 'chromvar_z')))[1, ]), "
        "counts = sum(if (seurat) GetAssayData(x[['ATAC']], 'counts') else assay(x)))"
    )
    package = "SeuratObject" if kind == "v3" else "SingleCellExperiment"
    seen = sk.r.run(code, path=str(tmp_path / "back.rds"), package=package)
    assert seen["names"].tolist() == CELLS
    assert seen["cluster"].tolist() == list("bbaba")
    np.testing.assert_array_equal(seen["rep"].reshape(2, 5).T, adata.obsm["X_sccase"][::-1])
    assert seen["z"].tolist() == [4, 3, 2, 1, 0]
    assert seen["counts"][0] == COUNTS.sum()
    assert list(tmp_path.iterdir()) == [tmp_path / "back.rds"]


@NEEDS
def test_a_new_experiment_and_errors(folder, tmp_path):
    adata = sk.r.read(folder / "counts.rds")
    sk.r.write(adata, tmp_path / "new.rds")
    back = sk.r.read(tmp_path / "new.rds")
    assert (back.X != adata.X).nnz == 0
    other = adata.copy()
    other.obs_names = [f"other{k}" for k in range(5)]
    with pytest.raises(sk.r.RError, match=r"no cell of .* has a name of the results' cells; e.g. cell1 against other0"):
        sk.r.write(other, tmp_path / "x.rds", into=folder / "sce.rds")
    with pytest.raises(sk.r.RError, match=r"holds a data.frame"):
        sk.r.write(adata, tmp_path / "x.rds", into=folder / "frame.rds")
    with pytest.raises(ValueError, match=r"must end in .rds"):
        sk.r.write(adata, tmp_path / "x.h5ad")
    with pytest.raises(KeyError, match="cluster"):
        sk.r.write(adata, tmp_path / "x.rds", obs=["cluster"])
    assert not (tmp_path / "x.rds").exists()


#: saveRDS of a list with one environment twice: data = 1:3; .self, which is itself; x, a field of a reference class.
ENVIRONMENT = (
    "H4sIAAAAAAAAA4vgYmBgYGJgYWJiYGIGMYXBfAYGFgYI+ATE/4BYGCLGApJjBLI4QXw9XbsKIM0H0uMgAtHgIAHViaqWEaSQDVlAG2oTXCAR"
    "XSAJavc/dHtTEktAinmBmBksDtHIjEUtq15xak4akP8fYRgIg/ioCvMSc1OLgQwBSIhAnJAKk01MT8zMA2kFAGlHFekyAQAA"
)


def test_environments_are_lists_where_they_are_first_met(tmp_path):
    """The assays of a SummarizedExperiment of 2016 (chromVAR's data) lie in the fields of a reference class."""
    import base64

    from sccase_kit.r._rdata import parse

    (tmp_path / "e.rds").write_bytes(base64.b64decode(ENVIRONMENT))
    value = parse(tmp_path / "e.rds")
    first, again = value.get("e"), value.get("again")
    assert sorted(name for name, _ in first.items()) == ["data", "x"]
    assert first.get("data").data.tolist() == [1, 2, 3]
    assert first.get("x").data.tolist() == [5, 6]
    assert again.kind == "opaque"
