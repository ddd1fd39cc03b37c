from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from sccase_kit import r

pytestmark = pytest.mark.r("rpy2", "SummarizedExperiment")


@pytest.fixture
def adata():
    rng = np.random.default_rng(0)
    counts = sparse.random(6, 4, 0.5, format="csr", rng=rng)
    obs = pd.DataFrame(
        {
            "type": pd.Categorical(list("aabbba"), categories=["b", "a"]),
            "depth": rng.random(6),
            "good": [True, False] * 3,
            "note": ["x", None, "z", "u", "v", "w"],
        },
        index=[f"cell{k}" for k in range(6)],
    )
    var = pd.DataFrame(
        {
            "chrom": ["chr1", "chr1", "chr2", "chrX"],
            "start": [0, 100, 5, 7],
            "end": [50, 150, 6, 9],
            "gc": [0.1, 0.2, 0.3, 0.4],
        },
        index=[f"peak{k}" for k in range(4)],
    )
    adata = AnnData(counts, obs=obs, var=var)
    adata.layers["dense"] = rng.random((6, 4))
    adata.layers["mask"] = sparse.csr_matrix(counts > 0.5)
    return adata


def assert_same(left, right):
    for one, other in ((left.X, right.X), *((left.layers[name], right.layers[name]) for name in left.layers)):
        assert sparse.issparse(one) == sparse.issparse(other)
        dense = [matrix.toarray() if sparse.issparse(matrix) else matrix for matrix in (one, other)]
        np.testing.assert_array_equal(*dense)
    assert left.obs_names.tolist() == right.obs_names.tolist()
    assert left.var_names.tolist() == right.var_names.tolist()
    for frame in ("obs", "var"):
        mine, other = getattr(left, frame), getattr(right, frame)
        assert mine.columns.tolist() == other.columns.tolist()
        for name in mine:
            known = mine[name].notna()
            assert known.tolist() == other[name].notna().tolist()
            assert mine[name][known].tolist() == other[name][known].tolist()


@pytest.mark.parametrize(
    "kind", ["SummarizedExperiment", pytest.param("SingleCellExperiment", marks=pytest.mark.r("SingleCellExperiment"))]
)
def test_round_trip(adata, kind):
    before = adata.copy()
    back = r.from_r(r.to_r(adata, kind=kind))
    assert_same(adata, back)
    assert_same(adata, before)
    assert set(back.layers) - {None} == {"dense", "mask"}  # None is X from anndata 0.13 on
    assert back.obs["type"].cat.categories.tolist() == ["b", "a"]
    assert back.var["start"].dtype == back.var["end"].dtype == np.int64
    assert isinstance(back.X, sparse.csr_matrix)


def test_r_sees_peaks_by_cells_and_one_based_ranges(adata):
    experiment = r.to_r(adata)
    code = (
        "library(SummarizedExperiment); list(dim = dim(x), class = class(x), assays = assayNames(x), "
        "kind = class(assay(x)), start = start(rowRanges(x)), end = end(rowRanges(x)), rows = rownames(x), "
        "value = assay(x)['peak1', 'cell2'], gc = rowData(x)$gc, type = levels(x$type))"
    )
    seen = r.evaluate(code, x=experiment)
    assert seen["dim"].tolist() == [4, 6]
    assert seen["class"].tolist() == ["RangedSummarizedExperiment"]
    assert seen["assays"].tolist() == ["counts", "dense", "mask"]
    assert seen["kind"].tolist() == ["dgCMatrix"]
    assert seen["start"].tolist() == [1, 101, 6, 8]
    assert seen["end"].tolist() == [50, 150, 6, 9]
    assert seen["rows"].tolist() == adata.var_names.tolist()
    assert seen["value"][0] == adata.X[2, 1]
    assert seen["gc"].tolist() == adata.var.gc.tolist()
    assert seen["type"].tolist() == ["b", "a"]


def test_anndata_is_an_argument_of_evaluate(adata):
    sums = r.evaluate("Matrix::colSums(SummarizedExperiment::assay(x))", x=adata)
    np.testing.assert_allclose(sums, np.asarray(adata.X.sum(axis=1)).ravel())


def test_results_added_in_r_come_back(adata):
    code = (
        "library(SummarizedExperiment); x$total <- Matrix::colSums(assay(x)); rowData(x)$rank <- seq_len(nrow(x)); "
        "assay(x, 'double') <- assay(x) * 2; x[2:4, ]"
    )
    back = r.evaluate(code, x=adata)
    np.testing.assert_allclose(back.obs.total, np.asarray(adata.X.sum(axis=1)).ravel())
    assert back.var["rank"].tolist() == [2, 3, 4]
    np.testing.assert_array_equal(back.layers["double"].toarray(), 2 * adata.X[:, 1:].toarray())


@pytest.mark.r("SingleCellExperiment")
def test_embeddings_travel_as_reduced_dims(adata):
    adata.obsm["X_pca"] = np.arange(12.0).reshape(6, 2)
    back = r.from_r(r.to_r(adata, kind="SingleCellExperiment"))
    np.testing.assert_array_equal(back.obsm["X_pca"], adata.obsm["X_pca"])


def test_what_is_left_out_is_said(adata):
    adata.obsm["X_pca"] = np.zeros((6, 2))
    adata.uns["x"] = 1
    with pytest.warns(UserWarning, match=r"adata.obsm, adata.uns are not passed to R.*SingleCellExperiment"):
        r.to_r(adata)


def test_plain_experiment_without_names_or_ranges():
    back = r.evaluate("SummarizedExperiment::SummarizedExperiment(list(matrix(1:6, 3)))")
    np.testing.assert_array_equal(back.X, np.arange(1, 7).reshape(2, 3))
    assert back.obs_names.tolist() == ["0", "1"]


def test_strand_and_choice_of_assay():
    code = (
        "library(SummarizedExperiment); SummarizedExperiment(list(z = matrix(1, 1, 1), counts = matrix(2, 1, 1)), "
        "rowRanges = GRanges('chr1', IRanges(11, 20), strand = '-', name = 'p'))"
    )
    experiment = r.to_r(r.evaluate(code))
    assert r.from_r(experiment, x_name="z").X.tolist() == [[1.0]]
    back = r.from_r(experiment)
    assert back.X.tolist() == [[2.0]]
    assert back.var.loc[:, ["chrom", "start", "end", "name"]].to_numpy().tolist() == [["chr1", 10, 20, "p"]]
    with pytest.raises(KeyError, match=r"x_name='w' is not an assay; available: \['counts', 'z'\]"):
        r.from_r(experiment, x_name="w")


@pytest.mark.parametrize("shape", [(0, 0), (3, 0), (0, 2)])
def test_empty(shape):
    adata = AnnData(sparse.csr_matrix(shape))
    back = r.from_r(r.to_r(adata))
    assert back.shape == shape


def test_unsorted_counts_are_not_changed():
    counts = sparse.csr_matrix((np.array([1.0, 2.0]), np.array([2, 0]), np.array([0, 2])), shape=(1, 3))
    adata = AnnData(counts)
    back = r.from_r(r.to_r(adata))
    assert back.X.toarray().tolist() == [[2.0, 0.0, 1.0]]
    assert counts.indices.tolist() == [2, 0]


def test_ranges_and_frames_of_bioconductor():
    ranges = r.evaluate("GenomicRanges::GRanges(c('chr1', 'chr2'), IRanges::IRanges(c(1, 5), c(4, 9)))")
    assert ranges.to_dict("list") == {"chrom": ["chr1", "chr2"], "start": [0, 4], "end": [4, 9], "strand": ["*", "*"]}
    frame = r.evaluate("S4Vectors::DataFrame(a = 1:2, b = S4Vectors::Rle(c('x', 'x')), row.names = c('u', 'v'))")
    assert frame.to_dict() == {"a": {"u": 1, "v": 2}, "b": {"u": "x", "v": "x"}}


def test_bad_input():
    with pytest.raises(TypeError, match="adata must be an AnnData"):
        r.to_r("file.h5ad")
    adata = AnnData(np.ones((1, 1)), layers={"counts": np.ones((1, 1))})
    with pytest.raises(ValueError, match="x_name='counts' is also a layer"):
        r.to_r(adata, x_name="counts")
    with pytest.raises(ValueError, match="kind must be one of"):
        r.to_r(adata, kind="Seurat")
    assert r.from_r(3) == 3
