"""Random AnnData through R and back: equal, or what is missing was named in a warning."""

from __future__ import annotations

import datetime
import warnings

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

from sccase_kit import r

SINGLE = pytest.mark.r("rpy2", "SingleCellExperiment")

NAMES = ["type", "row.names", "names", "a b", "", "1x", "é/ü", "if", "width", "counts", "type.1", "x\ty"]
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4)

COLUMNS = {
    "int": lambda rng, n: rng.integers(-5, 5, n),
    "int8": lambda rng, n: rng.integers(-5, 5, n).astype(np.int8),
    "wide": lambda rng, n: rng.integers(2**40, 2**41, n),
    "uint": lambda rng, n: rng.integers(0, 9, n).astype(np.uint32),
    "float": lambda rng, n: np.where(rng.random(n) < 0.3, np.nan, rng.normal(size=n)),
    "float32": lambda rng, n: rng.normal(size=n).astype(np.float32),
    "bool": lambda rng, n: rng.random(n) < 0.5,
    "text": lambda rng, n: np.array([["a", "ß", ""][k] for k in rng.integers(0, 3, n)], dtype=object),
    "text_none": lambda rng, n: np.array([["a", None, "b"][k] for k in rng.integers(0, 3, n)], dtype=object),
    "int_none": lambda rng, n: np.array([[1, None, 7][k] for k in rng.integers(0, 3, n)], dtype=object),
    "Int64": lambda rng, n: pd.arrays.IntegerArray(rng.integers(0, 9, n), rng.random(n) < 0.3),
    "wide_Int64": lambda rng, n: pd.arrays.IntegerArray(rng.integers(2**40, 2**41, n), rng.random(n) < 0.3),
    "boolean": lambda rng, n: pd.arrays.BooleanArray(rng.random(n) < 0.5, rng.random(n) < 0.3),
    "Float64": lambda rng, n: pd.arrays.FloatingArray(rng.normal(size=n), rng.random(n) < 0.3),
    "string": lambda rng, n: pd.array([["a", None, "b"][k] for k in rng.integers(0, 3, n)], dtype="string"),
    "factor": lambda rng, n: pd.Categorical.from_codes(rng.integers(-1, 2, n), ["v", "u"]),
    "ordered": lambda rng, n: pd.Categorical.from_codes(rng.integers(0, 3, n), ["lo", "mid", "hi"], ordered=True),
    "numbers": lambda rng, n: pd.Categorical.from_codes(rng.integers(-1, 2, n), [10, 2]),
    "halves": lambda rng, n: pd.Categorical.from_codes(rng.integers(0, 2, n), [0.5, 1.5]),
    "truths": lambda rng, n: pd.Categorical.from_codes(rng.integers(0, 2, n), [True, False]),
    "time": lambda rng, n: np.datetime64("1999-12-31T23:59:59", "ns") + rng.integers(0, 10**6, n).astype("m8[s]"),
    "zoned": lambda rng, n: pd.DatetimeIndex(rng.integers(10**8, 10**9, n).astype("M8[s]")).tz_localize(
        "Europe/Paris", ambiguous=True, nonexistent="shift_forward"
    ),
    "utc": lambda rng, n: pd.DatetimeIndex(rng.integers(10**8, 10**9, n).astype("M8[s]")).tz_localize("UTC"),
    "span": lambda rng, n: rng.integers(0, 10**6, n).astype("m8[s]").astype("m8[ns]"),
}
LOST = {
    "objects": lambda rng, n: np.array([[k] for k in range(n)] + [None], dtype=object)[:n],
    "complex_text": lambda rng, n: np.array([1, "a", 2.5] * n, dtype=object)[:n],
    "period": lambda rng, n: pd.period_range("2020-01", periods=n, freq="M"),
    "interval": lambda rng, n: pd.interval_range(0, n, periods=n) if n else pd.IntervalIndex([]),
    "huge": lambda rng, n: np.full(n, 2**60),
    "nul": lambda rng, n: np.array(["a\0b"] * n, dtype=object),
}
CONTAINERS = ["csr_matrix", "csc_matrix", "csr_array", "csc_array", "ndarray"]
DTYPES = ["int32", "float32", "float64", "int64", "uint8", "bool"]


def matrix(rng, shape, container, dtype):
    dense = (rng.integers(0, 3, shape) * (rng.random(shape) < 0.6)).astype(dtype)
    return dense if container == "ndarray" else getattr(sparse, container)(dense)


@st.composite
def frames(draw, rng, n, kinds, *, names=NAMES):
    chosen = draw(st.lists(st.sampled_from(names), unique=True, max_size=4))
    data = {name: COLUMNS[draw(st.sampled_from(kinds))](rng, n) for name in chosen}
    return pd.DataFrame(data, index=pd.RangeIndex(n), columns=pd.Index(list(data), dtype=object))


@st.composite
def studies(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, m = draw(st.integers(0, 4)), draw(st.integers(0, 4))
    kinds = sorted(COLUMNS)
    obs, var = draw(frames(rng, n, kinds)), draw(frames(rng, m, kinds))
    obs.index = pd.Index(
        [f"{draw(TEXT)}{k}" for k in range(n)], dtype=object, name=draw(st.sampled_from([None, "cell"]))
    )
    var.index = pd.Index([f"p{k}" for k in range(m)], dtype=object)
    if draw(st.booleans()):
        start = rng.integers(0, 100, m)
        where = {"chrom": np.array(["chr1"] * m, dtype=object), "start": start, "end": start + rng.integers(0, 9, m)}
        var = pd.concat(
            [pd.DataFrame(where, index=var.index).astype({"start": np.int64, "end": np.int64}), var], axis=1
        )
    shape = st.tuples(st.sampled_from(CONTAINERS), st.sampled_from(DTYPES))
    adata = AnnData(matrix(rng, (n, m), *draw(shape)) if draw(st.booleans()) else None, obs=obs, var=var)
    for name in draw(st.lists(st.sampled_from(["counts", "X", "a b"]), unique=True)):
        adata.layers[name] = matrix(rng, (n, m), *draw(shape))
    if draw(st.booleans()):
        adata.obsm["X_pca"] = matrix(rng, (n, 2), *draw(shape))
        adata.obsm["table"] = draw(frames(rng, n, kinds)).set_axis(adata.obs_names)
    if draw(st.booleans()) and n:
        adata.obsp["graph"] = matrix(rng, (n, n), draw(st.sampled_from(CONTAINERS[:-1])), draw(st.sampled_from(DTYPES)))
    if draw(st.booleans()) and adata.X is not None:
        adata.raw = adata
    return adata


def assert_same_matrix(one, other, where):
    assert type(one) is type(other), where
    assert one.dtype == other.dtype, where
    dense = [value.toarray() if sparse.issparse(value) else value for value in (one, other)]
    np.testing.assert_array_equal(*dense, err_msg=where)


def assert_same_frame(one, other, where):
    assert one.columns.tolist() == other.columns.tolist(), where
    assert one.index.tolist() == other.index.tolist(), where
    assert one.index.name == other.index.name, where
    for k, name in enumerate(one.columns):
        left, right = one.iloc[:, k], other.iloc[:, k]
        assert left.isna().tolist() == right.isna().tolist(), (where, name)
        known = ~left.isna().to_numpy()
        if left.dtype == object and right.dtype != object:  # None among numbers becomes NA
            assert left[known].tolist() == right[known].tolist(), (where, name)
            continue
        if left.dtype.kind in "Mm":
            assert left.dtype.kind == right.dtype.kind, (where, name)
            assert getattr(left.dtype, "tz", None) == getattr(right.dtype, "tz", None), (where, name)
        else:
            assert left.dtype == right.dtype, (where, name, left.dtype, right.dtype)
        assert left[known].tolist() == right[known].tolist(), (where, name)


@SINGLE
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(studies())
def test_everything_that_r_can_hold_comes_back(adata):
    before = adata.copy()
    back = r.from_r(r.to_r(adata, kind="SingleCellExperiment"))  # warnings are errors: nothing is lost
    assert back.shape == adata.shape
    assert (back.X is None) == (adata.X is None)
    if adata.X is not None:
        assert_same_matrix(adata.X, back.X, "X")
    assert set(back.layers) == set(adata.layers)
    for name in adata.layers:
        assert_same_matrix(adata.layers[name], back.layers[name], name)
    assert_same_frame(adata.obs, back.obs, "obs")
    assert_same_frame(adata.var, back.var, "var")
    assert set(back.obsm) == set(adata.obsm)
    for name, value in adata.obsm.items():
        check = assert_same_frame if isinstance(value, pd.DataFrame) else assert_same_matrix
        check(value, back.obsm[name], name)
    assert set(back.obsp) == set(adata.obsp)
    for name in adata.obsp:
        assert_same_matrix(adata.obsp[name], back.obsp[name], name)
    assert (back.raw is None) == (adata.raw is None)
    if adata.raw is not None:
        assert_same_matrix(adata.raw.X, back.raw.X, "raw.X")
        assert_same_frame(adata.raw.var, back.raw.var, "raw.var")
    assert_same_frame(before.obs, adata.obs, "the input")


@SINGLE
@pytest.mark.parametrize("kind", sorted(LOST))
def test_columns_without_counterpart_are_left_out_by_name(kind):
    adata = AnnData(np.ones((2, 3), dtype=np.float32))
    adata.obs["good"] = [1, 2]
    adata.obs["bad"] = LOST[kind](None, 2)
    with pytest.warns(UserWarning, match=r"not passed to R: adata\.obs\['bad'\]"):
        value = r.to_r(adata)
    assert r.from_r(value).obs.columns.tolist() == ["good"]


@SINGLE
def test_what_an_experiment_has_no_place_for_is_named():
    adata = AnnData(np.ones((2, 3)))
    adata.obsm["cube"] = np.zeros((2, 2, 2))
    adata.varm["loadings"] = np.zeros((3, 2))
    adata.uns["x"] = 1
    adata.layers["odd"] = np.zeros((2, 3), dtype=np.longdouble)
    with pytest.warns(UserWarning, match="not passed to R") as caught:
        r.to_r(adata, kind="SingleCellExperiment")
    (text,) = [str(item.message) for item in caught]
    for part in (
        "adata.varm, adata.uns are not passed to R",
        "adata.obsm['cube'] (3 dimensions)",
        "adata.layers['odd']",
    ):
        assert part in text
    with pytest.warns(UserWarning, match=r"adata\.obsm, .*kind='SingleCellExperiment' takes obsm along"):
        r.to_r(adata)


@SINGLE
@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("end", [10.0, np.nan], r"1 peak\(s\) have no position"),
        ("end", [10, 2**31], r"1 peak\(s\) end beyond"),
        ("end", [10, 1], r"1 peak\(s\) end before they start"),
        ("start", [0.5, 3], r"1 peak\(s\) end before they start or at no whole base"),
        ("chrom", ["chr1", None], r"1 peak\(s\) have no position"),
        ("start", ["a", "b"], "start or end are not numbers"),
    ],
)
def test_peaks_that_are_no_ranges_stay_columns(column, value, reason):
    var = pd.DataFrame({"chrom": ["chr1", "chr2"], "start": [0, 5], "end": [9, 9]}, index=["p", "q"])
    var[column] = pd.Series(value, index=var.index)
    adata = AnnData(np.ones((2, 2)), var=var)
    with pytest.warns(UserWarning, match=f"stay columns of rowData, because {reason}"):
        value = r.to_r(adata)
    back = r.from_r(value)
    assert_same_frame(var, back.var, "var")


@SINGLE
def test_duplicated_columns_and_names_come_back():
    obs = pd.DataFrame([[1, "u"], [2, "v"]], columns=["a", "a"], index=["c", "c"])
    obs[7] = [0.5, 1.5]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # anndata's own, about names
        adata = AnnData(np.ones((2, 1)), obs=obs)
        back = r.from_r(r.to_r(adata))
    assert [str(key) for key in back.obs.columns] == ["a", "a", "7"]
    assert back.obs.iloc[:, 1].tolist() == ["u", "v"]
    assert back.obs_names.tolist() == ["c", "c"]
    names = r.evaluate("colnames(SummarizedExperiment::colData(x))", x=adata)
    assert names.tolist() == ["a", "a.1", "7"]


@SINGLE
def test_a_nul_in_a_name_is_refused():
    adata = AnnData(np.ones((1, 1)), obs=pd.DataFrame(index=["a\0b"]))
    with pytest.raises(ValueError, match=r"adata.obs_names holds a NUL character"):
        r.to_r(adata)
    with pytest.raises(ValueError, match=r"x holds a NUL character"):
        r.evaluate("x", x=["a\0b"])


@SINGLE
def test_a_layer_called_counts_leaves_x_another_name():
    adata = AnnData(np.ones((2, 2)), layers={"counts": np.zeros((2, 2))})
    assert r.evaluate("SummarizedExperiment::assayNames(x)", x=adata).tolist() == ["X", "counts"]
    assert r.from_r(r.to_r(adata)).X.sum() == 4


@SINGLE
def test_what_r_has_and_anndata_has_not_is_named():
    code = (
        "suppressMessages(library(SingleCellExperiment)); m <- matrix(1:6, 2, dimnames = list(c('a', 'b'), NULL)); "
        "s <- SingleCellExperiment(list(counts = m)); altExp(s, 'ATAC') <- SummarizedExperiment(list(counts = m * 2)); "
        "metadata(s) <- list(note = 'x', f = function() 1); colData(s)$odd <- list(1, 2, 3); "
        "rowRanges(s) <- GRanges('chr1', IRanges(1:2, 3), seqinfo = Seqinfo('chr1', 100, genome = 'hg19')); s"
    )
    with pytest.warns(UserWarning, match="not taken along from R") as caught:
        back = r.evaluate(code)
    text = " ".join(str(item.message) for item in caught)
    for part in ("['ATAC'] (alt_exp='ATAC' takes one)", "metadata(x)[['f']]", "the column 'odd'", "genome hg19"):
        assert part in text, text
    assert back.uns["note"].tolist() == ["x"]


@SINGLE
def test_an_alternative_experiment_by_choice():
    import rpy2.robjects as ro

    value = ro.r(
        "local({suppressMessages(library(SingleCellExperiment)); m <- matrix(1:6, 2); "
        "s <- SingleCellExperiment(list(counts = m), colData = DataFrame(type = c('u', 'v', 'w'))); "
        "altExp(s, 'ATAC') <- SummarizedExperiment(list(counts = m * 2)); s})"
    )
    adata = r.from_r(value, alt_exp="ATAC")
    assert adata.X.sum() == 42
    assert adata.obs["type"].tolist() == ["u", "v", "w"]
    with pytest.raises(KeyError, match=r"alt_exp='RNA' is not an alternative experiment; available: \['ATAC'\]"):
        r.from_r(value, alt_exp="RNA")


@SINGLE
def test_names_of_a_matrix_are_named():
    with pytest.warns(UserWarning, match="the row and column names of a d.*CMatrix"):
        r.evaluate(
            "library(Matrix); Matrix(matrix(c(1, 1, 1, 0), 2, dimnames = list(c('a', 'b'), 3:4)), sparse = TRUE)"
        )


@SINGLE
def test_python_dates_and_spans():
    assert r.evaluate("format(x)", x=datetime.date(2020, 1, 2)).tolist() == ["2020-01-02"]
    assert r.evaluate("as.numeric(x, units = 'mins')", x=datetime.timedelta(minutes=3)).tolist() == [3.0]
    assert r.evaluate("x", x=pd.Series([None, datetime.date(2020, 1, 2)]))[1] == np.datetime64("2020-01-02")
