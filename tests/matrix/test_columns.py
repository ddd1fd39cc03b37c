"""Products with counts held by peaks."""

import numpy as np
import pytest
from scipy import sparse

from sccase_kit import settings
from sccase_kit.matrix import columns as _columns
from sccase_kit.matrix.columns import column_values, sorted_columns, transposed_times


@pytest.fixture
def counts():
    found = sparse.random(30, 70, 0.3, format="csr", random_state=0, data_rvs=lambda n: np.arange(n) % 4)
    assert (found.data == 0).any()  # stored zeros are no counts
    return found.astype(np.int32)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("n_columns", [1, 16, 20])
def test_products_are_those_of_the_dense_matrix(counts, dtype, binary, n_columns, monkeypatch):
    monkeypatch.setattr(_columns, "_MIN_NNZ_PER_THREAD", 40)
    rng = np.random.default_rng(1)
    left, scale = rng.random((30, n_columns)), rng.random(70)
    dense = (counts.toarray() > 0) * 1.0 if binary else counts.toarray()
    for n_threads in (1, 2):
        with settings.override(n_threads=n_threads):
            found = transposed_times(sorted_columns(counts), left, scale, dtype=np.dtype(dtype), binary=binary)
        assert found.dtype == dtype
        np.testing.assert_allclose(found, (dense * scale).T @ left, rtol=1e-5 if dtype == np.float32 else 1e-12)


def test_columns_are_sorted_and_values_known(counts):
    shuffled = counts.copy()
    for i in range(30):
        part = slice(shuffled.indptr[i], shuffled.indptr[i + 1])
        shuffled.indices[part], shuffled.data[part] = shuffled.indices[part][::-1], shuffled.data[part][::-1]
    columns = sorted_columns(shuffled)
    assert columns.has_sorted_indices
    np.testing.assert_array_equal(columns.toarray(), counts.toarray())
    ones = column_values(columns, np.dtype(np.float32), binary=True)
    np.testing.assert_array_equal(ones, (columns.data > 0).astype(np.uint8))
    assert column_values(columns, np.dtype(np.float32), binary=False) is columns.data
