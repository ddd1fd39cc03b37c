"""Odd AnnData through R and back, odd objects of R to Python: kept, or named in a warning."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from sccase_kit import r

pytestmark = pytest.mark.r("rpy2", "SingleCellExperiment")


def study(**obs):
    return AnnData(
        sparse.csr_matrix(np.arange(12, dtype=np.float32).reshape(3, 4)), obs=pd.DataFrame(obs, index=list("abc"))
    )


def there_and_back(adata):
    """Return what came back and what was said."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        back = r.from_r(r.to_r(adata, kind="SingleCellExperiment"))
    return back, " ".join(said_by_us(caught))


def said_by_us(caught):
    """Return the warnings of this package, without those of other packages about each other."""
    texts = [str(item.message) for item in caught if issubclass(item.category, UserWarning)]
    return [text for text in texts if "R" in text.split(":")[0]]


PLACES = {"chrom": ["chr1", "chr1", "chr2", "chr2"], "start": [0, 5, 7, 9], "end": [3, 8, 9, 12]}


@pytest.mark.parametrize(
    "chrom",
    [
        pd.Categorical(PLACES["chrom"], categories=["chr2", "chr1", "chrM"]),
        pd.Categorical(PLACES["chrom"], categories=["chr1", "chr2"], ordered=True),
        np.array([1, 1, 2, 2]),
        pd.array(["1", "1", "2", "X"], dtype="string"),
    ],
    ids=["categories", "ordered", "numbers", "string"],
)
def test_chromosomes_of_any_type_come_back(chrom):
    adata = study()
    adata.var = pd.DataFrame(PLACES | {"chrom": chrom}, index=list("pqrs"))
    back, said = there_and_back(adata)
    assert said == ""
    pd.testing.assert_frame_equal(back.var, adata.var)


def test_names_that_are_no_text_come_back():
    adata = study()
    for k, name in enumerate([1.5, ("a", 1), None, 7, True]):
        adata.obs[name] = k
    adata.obs.columns.name, adata.obs.index.name = "kind", ("a", "b")
    adata.layers[""], adata.layers["unnamed"] = adata.X.copy(), adata.X * 2
    adata.obsm[""] = np.ones((3, 2))
    table = pd.DataFrame({"b": [1, 2, 3]}, index=adata.obs_names).rename_axis(columns="k")
    adata.obsm["table"] = table
    back, said = there_and_back(adata)
    assert said == ""
    assert [repr(key) for key in back.obs.columns] == [repr(key) for key in adata.obs.columns]
    assert (back.obs.columns.name, back.obs.index.name) == ("kind", ("a", "b"))
    assert {key: layer.sum() for key, layer in back.layers.items() if key is not None} == {"": 66, "unnamed": 132}
    assert set(back.obsm) == {"", "table"}
    assert back.obsm["table"].columns.name == "k"


def test_dense_graphs_stay_dense():
    adata = study()
    adata.obsp["d"], adata.varp["e"] = np.arange(9.0).reshape(3, 3), np.eye(4, dtype=np.float32)
    back, said = there_and_back(adata)
    assert said == ""
    np.testing.assert_array_equal(back.obsp["d"], adata.obsp["d"])
    np.testing.assert_array_equal(back.varp["e"], adata.varp["e"])
    assert (type(back.obsp["d"]), back.varp["e"].dtype) == (np.ndarray, np.float32)


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pd.cut([1.0, 5.0, 9.0], 2), "changed for R: adata.obs['c']: its categories, intervals, become text"),
        (pd.Categorical([1, "a", 1]), "changed for R: adata.obs['c']: its categories, of several types, become text"),
        (np.array([1, 2, 1577836800123456789], dtype="M8[ns]"), "adata.obs['c']: times are rounded"),
        (np.array([1, 2, 2**62 + 1], dtype="m8[ns]"), "adata.obs['c']: times are rounded"),
    ],
)
def test_what_r_holds_otherwise_is_named(column, words):
    assert words in there_and_back(study(c=column))[1]


def test_what_r_cannot_hold_is_left_out_by_name():
    adata = study()
    adata.layers["big"] = np.full((3, 4), 2**60)
    adata.layers["masked"] = np.ma.masked_array(np.ones((3, 4)), mask=np.eye(3, 4))
    adata.obsm["days"] = np.zeros((3, 2), dtype="M8[D]")
    raw = study()
    raw.varm["loadings"] = np.ones((4, 2))
    adata.raw = raw
    back, said = there_and_back(adata)
    for words in (
        "adata.layers['big']",
        "adata.layers['masked']",
        "adata.obsm['days'] (times)",
        "adata.raw.varm ['loadings']",
    ):
        assert words in said
    assert (set(back.layers) - {None}, list(back.obsm)) == (set(), [])  # None is X from anndata 0.13 on
    adata.X = np.ma.masked_array(np.ones((3, 4)), mask=np.eye(3, 4))
    with pytest.raises(TypeError, match="assay 'counts' holds a masked array, fill it first"):
        r.to_r(adata)


START = (
    "suppressMessages(library(SingleCellExperiment)); "
    "m <- matrix(1:6, 2, dimnames = list(c('a', 'b'), c('x', 'y', 'z'))); "
    "s <- SingleCellExperiment(list(counts = m)); "
)
RANGES = "rowRanges(s) <- GRanges(c('chrM', 'chr1'), IRanges(1:2, 3){})"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            "s$c <- structure(c(2020, 2021, 2022), class = 'yearmon')",
            "of the column 'c': the class 'yearmon' of a vector",
        ),
        (
            "mcols(colData(s)) <- DataFrame(); s$c <- 1:3; mcols(colData(s)) <- DataFrame(about = 'x')",
            "mcols(colData(x))",
        ),
        ("metadata(colData(s)) <- list(u = 1)", "metadata(colData(x)) ['u']"),
        ("metadata(rowData(s)) <- list(u = 1)", "metadata(rowData(x)) ['u']"),
        (RANGES.format("") + "; metadata(rowRanges(s)) <- list(u = 1)", "metadata(rowRanges(x)) ['u']"),
        (RANGES.format(", seqinfo = Seqinfo(c('chrM', 'chr1'), isCircular = c(TRUE, FALSE))"), "which are circular"),
        ("mainExpName(s) <- 'ATAC'", "mainExpName(x), 'ATAC'"),
        ("metadata(s)$v <- c(p = 1, q = 2)", "of metadata(x)[['v']]: the names of a vector"),
        (
            "p <- matrix(1:6 / 2, 3); attr(p, 'percentVar') <- 1; reducedDim(s, 'P') <- p",
            "of reducedDim(x, 'P'): the attributes",
        ),
        ("colPair(s, 'g') <- S4Vectors::SelfHits(1:2, 2:3, 3, x = 1:2, other = 3:4)", "of colPair(x, 'g'): ['other']"),
        ("assay(s, 'cube', withDimnames = FALSE) <- array(1:12, c(2, 3, 2))", "the assay 'cube' (3 dimensions)"),
    ],
)
def test_what_is_left_in_r_is_named(code, words):
    with pytest.warns(UserWarning, match="not taken along from R") as caught:
        back = r.evaluate(f"{START}{code}; s")
    assert words in " ".join(said_by_us(caught))
    assert back.X.sum() == 21


def test_types_of_other_packages():
    code = (
        "s$wide <- structure(c(4.94065645841246544e-324, 9.88131291682493088e-324, -0.0), class = 'integer64'); "
        "s$level <- addNA(factor(c('u', NA, 'v'))); "
        "s$time <- structure(c(60, NA, 1), units = 'secs', class = c('hms', 'difftime'))"
    )
    obs = r.evaluate(f"{START}{code}; s").obs
    assert obs["wide"].dtype == "Int64"
    assert obs["wide"].tolist() == [1, 2, pd.NA]
    assert obs["level"].cat.categories.tolist() == ["u", "v"]
    assert obs["level"].isna().tolist() == [False, True, False]
    assert obs["time"].dt.total_seconds().tolist()[::2] == [60, 1]
    assert r.evaluate("structure(c(4.94065645841246544e-324), class = 'integer64')").tolist() == [1]
