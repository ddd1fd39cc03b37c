"""The same counts give the same result in whatever type they are stored."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pytest
from scipy import sparse

import sccase_kit as sk


@pytest.fixture(scope="module")
def counts():
    x = np.random.default_rng(0).poisson(0.4, (60, 90))
    x[np.arange(60), np.arange(60)] = 3
    return x


def enhanced(matrix):
    adata = ad.AnnData(matrix)
    sk.tl.enhance(adata, 4, method="sccase")
    return sk.get.enhanced(adata)


@pytest.mark.parametrize("dtype", ["float16", ">i4", ">f8", "<u2", "int8", "float64"])
def test_dense_types(counts, dtype):
    np.testing.assert_allclose(enhanced(counts.astype(dtype)), enhanced(sparse.csr_matrix(counts)), rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
def test_repeated_entries_of_small_integers_are_widened(counts, dtype):
    """Two entries of 64, or of 128, in one place are 128 and 256, which the type does not hold."""
    value = 128 if dtype == np.uint8 else 64
    once = sparse.csr_matrix((counts > 0).astype(np.int64) * 2 * value)
    data = np.full(2 * once.nnz, value, dtype=dtype)
    twice = sparse.csr_matrix((data, np.repeat(once.indices, 2), 2 * once.indptr), shape=once.shape)
    assert not twice.has_canonical_format
    np.testing.assert_allclose(enhanced(twice), enhanced(once), rtol=1e-5)
    assert twice.nnz == 2 * once.nnz


def test_values_lost_in_float32_are_told(counts):
    with pytest.raises(ValueError, match=r"largest sum of a cell is .*e-39: values so small are lost"):
        enhanced(sparse.csr_matrix(counts * 1e-40))
