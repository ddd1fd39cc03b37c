"""Counts as the package holds them: types, what is copied, and what is written over."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from scipy import sparse

from sccase_kit.io import _tidy
from sccase_kit.io._errors import FormatError
from sccase_kit.io._tidy import tidy_counts


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch):
    monkeypatch.setattr(_tidy, "_PART_BYTES", 16)
    monkeypatch.setattr(_tidy, "_DENSE_BYTES", 100)


def counts(dtype, values=(1, 2, 3, 1)):
    data = np.array(values, dtype=dtype)
    return sparse.csr_matrix((data, np.array([0, 2, 1, 2]), np.array([0, 2, 2, 4])), shape=(3, 3))


@pytest.mark.parametrize("owned", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_whole_numbers_become_integers(dtype, owned):
    matrix = counts(dtype)
    before = matrix.copy()
    out = tidy_counts(matrix, owned=owned)
    assert out.dtype == np.int32
    assert out.has_canonical_format
    np.testing.assert_array_equal(out.toarray(), before.toarray())
    assert np.shares_memory(out.data, matrix.data) == (owned and dtype is np.float32)
    if not owned:
        np.testing.assert_array_equal(matrix.toarray(), before.toarray())


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ((1, 2, 2**31 - 1, -(2**31)), np.int32),
        ((1, 2, 2**31, 1), np.int64),
        ((1, -0.0, 3, -1), np.int32),
        ((1, 2, 0.5, 1), np.float64),
        ((1, 2, np.inf, 1), np.float64),
        ((np.nan, 2, 0.5, 1), np.float64),
    ],
)
@pytest.mark.filterwarnings("ignore:counts. values are fractional")
def test_type_by_the_values(values, dtype):
    out = tidy_counts(counts(np.float64, values), owned=True)
    assert out.dtype == dtype
    np.testing.assert_array_equal(out.data.astype(np.float64), values)


def test_fractions_are_told_and_kept_as_they_were():
    matrix = counts(np.float32, (1, 2, 3, 0.5))
    with pytest.warns(UserWarning, match="fractional"):
        out = tidy_counts(matrix, owned=True)
    np.testing.assert_array_equal(out.data, np.array([1, 2, 3, 0.5], dtype=np.float32))


def test_what_was_written_over_comes_back_at_a_fraction():
    """The fraction stands in the last of several parts."""
    values = np.arange(1, 14, dtype=np.float32)
    values[-1] = 0.5
    matrix = sparse.csr_matrix((values.copy(), np.arange(13), np.array([0, 13])), shape=(1, 13))
    with pytest.warns(UserWarning, match="fractional"):
        out = tidy_counts(matrix, owned=True)
    np.testing.assert_array_equal(out.data, values)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (1, 0, 2, 3)])  # in order, and not
@pytest.mark.parametrize("wrong", [4, -1])
def test_indices_outside_are_found_in_any_order(order, wrong):
    indices = np.array(order)
    indices[-1 if wrong > 0 else 0] = wrong
    matrix = sparse.csr_matrix((np.ones(4, np.float32), np.arange(4), np.array([0, 4, 4])), shape=(2, 4))
    matrix.indices = indices
    with pytest.raises(FormatError, match="outside 0 to 3"):
        tidy_counts(matrix)


def test_entries_given_twice_are_added_in_a_copy():
    matrix = sparse.csr_matrix((np.ones(3, np.float32), np.array([1, 1, 0]), np.array([0, 3])), shape=(1, 2))
    out = tidy_counts(matrix, owned=False)
    assert out.toarray().tolist() == [[1, 2]]
    assert matrix.data.tolist() == [1, 1, 1]


def test_values_that_cannot_be_written_over_are_copied():
    matrix = counts(np.float32)
    matrix.data.setflags(write=False)
    assert tidy_counts(matrix, owned=True).dtype == np.int32
    assert matrix.data.tolist() == [1, 2, 3, 1]


@pytest.mark.parametrize(
    "dtype", [bool, np.uint8, np.int32, np.int64, np.float16, np.float32, np.float64, ">f4", ">i4"]
)
@pytest.mark.parametrize("shape", [(7, 9), (1, 40), (30, 1), (0, 5), (5, 0), (0, 0)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_dense_counts_become_rows(dtype, shape, order):
    dense = np.random.default_rng(0).poisson(0.4, shape).astype(dtype, order=order)
    dense[1:2] = 0
    before = dense.copy()
    out = tidy_counts(dense, owned=True)
    assert type(out) is sparse.csr_matrix
    assert out.has_canonical_format
    assert out.dtype.isnative
    assert out.dtype == (np.int32 if np.dtype(dtype).kind in "fb" else np.dtype(dtype).newbyteorder("="))
    assert out.indices.dtype == out.indptr.dtype == np.int32
    assert out.nnz == np.count_nonzero(before)
    np.testing.assert_array_equal(out.toarray(), before.astype(out.dtype))
    np.testing.assert_array_equal(dense, before)


@pytest.mark.parametrize(("wrong", "told"), [(0.5, True), (np.nan, False), (np.inf, False)])
@pytest.mark.parametrize("at", [0, -1])
def test_a_dense_matrix_of_fractions_stays_dense(wrong, told, at):
    dense = np.ones((9, 11), np.float32)
    dense.flat[at] = wrong
    with pytest.warns(UserWarning, match="fractional") if told else contextlib.nullcontext():
        assert tidy_counts(dense, owned=True) is dense
