from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from sccase_kit import r
from sccase_kit.r import _limits

CONTAINERS = [
    sparse.csr_matrix,
    sparse.csc_matrix,
    sparse.coo_matrix,
    sparse.csr_array,
    sparse.csc_array,
    sparse.coo_array,
    np.asarray,
]
DTYPES = [bool, np.int8, np.uint8, np.int16, np.int32, np.int64, np.uint64, np.float32, np.float64]


def dense_of(matrix):
    return matrix.toarray() if sparse.issparse(matrix) else np.asarray(matrix)


@pytest.mark.r("rpy2", "Matrix")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("shape", [(4, 3), (0, 0), (0, 3), (3, 0), (1, 1)])
def test_matrices_round_trip(container, dtype, shape):
    rng = np.random.default_rng(0)
    dense = (rng.integers(0, 3, size=shape) * (rng.random(shape) < 0.6)).astype(dtype)
    matrix = container(dense)
    back = r.evaluate("x", x=matrix)
    assert back.shape == shape
    np.testing.assert_array_equal(dense_of(back), dense)
    assert sparse.issparse(back) == sparse.issparse(matrix)
    kind = r.evaluate("class(x)[[1]]", x=matrix)[0]
    assert kind == ("matrix" if container is np.asarray else "lgCMatrix" if dtype is bool else "dgCMatrix")


@pytest.mark.r("rpy2", "Matrix")
@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csc_matrix])
def test_unsorted_and_repeated_entries_are_summed_on_a_copy(container):
    matrix = container((np.array([1.0, 2.0, 4.0]), np.array([2, 0, 2]), np.array([0, 3, 3, 3])), shape=(3, 3))
    before = matrix.indices.copy(), matrix.data.copy()
    back = r.evaluate("methods::validObject(x); x", x=matrix)
    np.testing.assert_array_equal(back.toarray(), matrix.toarray())
    np.testing.assert_array_equal(matrix.indices, before[0])
    np.testing.assert_array_equal(matrix.data, before[1])


@pytest.mark.r("rpy2")
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(5,), (2, 3), (2, 3, 4)])
def test_arrays_keep_shape_and_order(order, shape):
    array = np.asarray(np.arange(np.prod(shape)).reshape(shape), order=order)
    np.testing.assert_array_equal(r.evaluate("x", x=array), array)
    if len(shape) == 2:
        assert r.evaluate("x[2, 1]", x=array)[0] == array[1, 0]


@pytest.mark.r("rpy2")
@settings(max_examples=50, deadline=None)
@given(hnp.arrays(np.int64, st.integers(0, 20), elements=st.integers(-(2**53), 2**53)))
def test_integers_are_exact(values):
    back = r.evaluate("x", x=values)
    np.testing.assert_array_equal(back, values)
    fits = values.size == 0 or (values.min() > -(2**31) and values.max() < 2**31)
    assert back.dtype == (np.int32 if fits else np.float64)


@pytest.mark.r("rpy2")
@settings(max_examples=50, deadline=None)
@given(hnp.arrays(np.float64, st.integers(0, 20), elements=st.floats(allow_nan=True)))
def test_reals_are_bit_identical(values):
    np.testing.assert_array_equal(r.evaluate("x", x=values), values)


@pytest.mark.r("rpy2")
@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1))
def test_text_round_trips(values):
    assert r.evaluate("x", x=values).tolist() == values


@pytest.mark.r("rpy2", "Matrix")
def test_integers_beyond_doubles_are_refused():
    with pytest.raises(OverflowError, match="x holds integers beyond"):
        r.evaluate("x", x=np.array([2**53 + 1]))
    with pytest.raises(OverflowError, match="x holds integers beyond"):
        r.evaluate("x", x=sparse.csr_matrix(np.array([[2**60]])))


@pytest.mark.r("rpy2")
def test_sparse_beyond_32_bit_is_refused():
    wide = sparse.csr_matrix((np.ones(1), np.zeros(1, dtype=np.int64), np.array([0, 1])), shape=(1, 2**31))
    tall = sparse.csc_matrix((np.ones(1), np.zeros(1, dtype=np.int64), np.array([0, 1])), shape=(2**31, 1))
    with pytest.raises(OverflowError, match="2,147,483,648 rows"):
        r.evaluate("x", x=tall)
    from sccase_kit.r._to_r import transposed_value

    with pytest.raises(OverflowError, match="counts has 2,147,483,648 rows"):
        transposed_value(wide, name="counts")


def test_limit_is_the_largest_32_bit_integer():
    _limits.check_int32(2**31 - 1, name="counts", what="stored entries")
    with pytest.raises(OverflowError, match="counts has 2,147,483,648 stored entries"):
        _limits.check_int32(2**31, name="counts", what="stored entries")


@pytest.mark.r("rpy2")
@pytest.mark.parametrize("value", [np.zeros(2, dtype=np.longdouble), np.array([object()]), object(), {1, 2}])
def test_values_without_counterpart_are_refused(value):
    with pytest.raises(TypeError, match="thing"):
        r.evaluate("thing", thing=value)


FRAME = pd.DataFrame(
    {
        "int": [1, 2, 3],
        "wide": [1, 2**40, 3],
        "real": [0.5, np.nan, np.inf],
        "flag": [True, False, True],
        "text": ["a", None, "ü"],
        "factor": pd.Categorical(["b", None, "a"], categories=["b", "a", "unused"]),
        "ordered": pd.Categorical(["lo", "hi", "lo"], categories=["lo", "hi"], ordered=True),
        "nullable_int": pd.array([1, None, 3], dtype="Int64"),
        "nullable_flag": pd.array([True, None, False], dtype="boolean"),
        "string": pd.array(["x", None, "z"], dtype="string"),
        "time": pd.to_datetime(["2020-01-02 03:04:05", None, "1969-12-31 00:00:00"]),
    },
    index=["r1", "r2", "r3"],
)


@pytest.mark.r("rpy2")
def test_data_frame_is_understood_by_r():
    types = r.evaluate("vapply(f, function(x) class(x)[[1]], '')", f=FRAME).tolist()
    assert types == (
        "integer numeric numeric logical character factor ordered integer logical character POSIXct".split()
    )
    assert r.evaluate("vapply(f, function(x) sum(is.na(x)), 0L)", f=FRAME).tolist() == [0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 1]
    assert r.evaluate("dim(f)", f=FRAME).tolist() == [3, 11]
    assert r.evaluate("as.vector(table(f$factor))", f=FRAME).tolist() == [1, 1, 0]
    assert r.evaluate("rownames(f)", f=FRAME).tolist() == ["r1", "r2", "r3"]
    assert r.evaluate("format(f$time[[1]], '%Y-%m-%d %H:%M:%S')", f=FRAME).tolist() == ["2020-01-02 03:04:05"]


@pytest.mark.r("rpy2")
def test_data_frame_round_trips():
    back = r.evaluate("f", f=FRAME)
    assert back.index.tolist() == FRAME.index.tolist()
    for name in FRAME:
        expected = FRAME[name]
        assert back[name].isna().tolist() == expected.isna().tolist(), name
        assert back[name].dropna().tolist() == expected.dropna().tolist(), name
    assert back["factor"].cat.categories.tolist() == ["b", "a", "unused"]
    assert back["ordered"].cat.ordered
    assert back["nullable_int"].dtype == "Int32"
    assert back["nullable_flag"].dtype == "boolean"


@pytest.mark.r("rpy2")
@pytest.mark.parametrize("frame", [pd.DataFrame(), FRAME.iloc[:0], FRAME[[]]])
def test_empty_data_frames(frame):
    back = r.evaluate("f", f=frame)
    assert back.shape == frame.shape
    assert back.columns.tolist() == frame.columns.tolist()


@pytest.mark.r("rpy2")
def test_repeated_columns_are_refused():
    with pytest.raises(ValueError, match=r"f has repeated column names \['a'\]"):
        r.evaluate("f", f=pd.DataFrame(np.zeros((1, 2)), columns=["a", "a"]))


@pytest.mark.r("rpy2")
def test_scalars_lists_and_missing_values():
    assert r.evaluate("is.null(x)", x=None)[0]
    assert r.evaluate("NULL") is None
    assert r.evaluate("x", x=True).tolist() == [True]
    assert r.evaluate("typeof(x)", x=2**31 - 1).tolist() == ["integer"]
    assert r.evaluate("typeof(x)", x=2**31).tolist() == ["double"]
    assert r.evaluate("typeof(x)", x=-(2**31)).tolist() == ["double"]
    assert r.evaluate("x", x=[1, 2.5]).tolist() == [1, 2.5]
    np.testing.assert_array_equal(r.evaluate("c(1L, NA)"), [1, np.nan])
    np.testing.assert_array_equal(r.evaluate("c(TRUE, NA)"), [1, np.nan])
    assert r.evaluate("c('a', NA)").tolist() == ["a", None]
    np.testing.assert_array_equal(r.evaluate("x", x=np.array([1 + 2j])), [1 + 2j])
    assert r.evaluate("as.raw(c(1, 255))").tolist() == [1, 255]
    nested = r.evaluate("x", x={"a": 1, "b": {"c": ["u", "v"]}, "d": [1, "x", None]})
    assert nested["b"]["c"].tolist() == ["u", "v"]
    assert nested["d"][2] is None
    assert isinstance(r.evaluate("list(1, 2)"), list)


@pytest.mark.r("rpy2")
def test_series_index_and_dates():
    assert r.evaluate("x", x=pd.Series([1.5, 2])).tolist() == [1.5, 2]
    assert r.evaluate("x", x=pd.Index(["a", "b"])).tolist() == ["a", "b"]
    assert r.evaluate("as.Date('2020-01-02')")[0] == np.datetime64("2020-01-02")
    zoned = pd.Series(pd.to_datetime(["2020-01-02 03:04"]).tz_localize("Europe/Berlin"))
    back = r.evaluate("x", x=zoned)
    assert back[0] == pd.Timestamp("2020-01-02T02:04", tz="UTC")
    assert str(back.dtype) == "datetime64[ns, Europe/Berlin]"


@pytest.mark.r("rpy2", "Matrix")
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("Matrix::Diagonal(2)", np.eye(2)),
        ("as(as(matrix(c(1, 0, 0, 2), 2), 'CsparseMatrix'), 'TsparseMatrix')", np.diag([1, 2])),
        ("as(as(matrix(c(1, 0, 3, 2), 2), 'CsparseMatrix'), 'RsparseMatrix')", np.array([[1, 3], [0, 2]])),
        ("Matrix::crossprod(as(matrix(c(1, 0, 3, 2), 2), 'CsparseMatrix'))", np.array([[1, 3], [3, 13]])),
        ("as(as(matrix(c(TRUE, FALSE), 1), 'CsparseMatrix'), 'nMatrix')", np.array([[True, False]])),
        ("Matrix::Matrix(matrix(1:4 + 0, 2))", np.array([[1, 3], [2, 4]])),
    ],
)
def test_every_class_of_matrix_comes_back(code, expected):
    np.testing.assert_array_equal(dense_of(r.evaluate(f"library(Matrix); {code}")), expected)


@pytest.mark.r("rpy2", "Matrix")
def test_converter_is_a_value_for_rpy2():
    import rpy2.robjects as ro

    matrix = sparse.random(4, 3, 0.5, format="csr", rng=np.random.default_rng(0))
    with r.converter().context():
        double = ro.r("function(x) x * 2")
        back = double(matrix)
    np.testing.assert_array_equal(back.toarray(), 2 * matrix.toarray())
    assert not isinstance(ro.r("1:3"), np.ndarray)


@pytest.mark.r("rpy2")
def test_results_do_not_share_memory_with_r():
    first = r.evaluate("x <- c(1, 2, 3); x")
    first[:] = 0
    assert r.evaluate("c(1, 2, 3)").tolist() == [1, 2, 3]
