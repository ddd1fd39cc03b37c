"""Sums over cells and peaks: compiled, by scipy, and without the compiler give the same."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy import sparse

from sccase_kit.matrix import sums


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, np.uint64, bool])
@pytest.mark.parametrize("zeros", [False, True])
def test_integers_without_the_compiler(dtype, zeros, monkeypatch):
    """Rows without counts at the beginning, between and at the end; stored zeros; several pieces."""
    rng = np.random.default_rng(0)
    dense = rng.poisson(0.7, (40, 30)) * (rng.random((40, 1)) < 0.7)
    dense[[0, 1, 7, 39]] = 0
    counts = sparse.csr_matrix(dense.astype(dtype))
    if zeros:
        counts.data[::3] = 0
    monkeypatch.setattr(sums, "_PIECE", 50)
    depth, n_open = sums._integer_statistics(counts)
    expected = counts.toarray().astype(np.int64)
    np.testing.assert_array_equal(depth, expected.sum(axis=1))
    np.testing.assert_array_equal(n_open, (expected != 0).sum(axis=0))
    assert depth.dtype == np.float64
    monkeypatch.setattr(sums, "_MANY", 1)
    import numba  # noqa: F401  (compiled, as where it is there)

    for one, two in zip(sums.count_statistics(counts), (depth, n_open, int((expected != 0).sum())), strict=True):
        np.testing.assert_array_equal(one, two)


def test_no_counts_at_all():
    depth, n_open = sums._integer_statistics(sparse.csr_matrix((3, 4), dtype=np.int32))
    assert depth.tolist() == [0, 0, 0]
    assert n_open.tolist() == [0, 0, 0, 0]


def test_looking_at_a_file_loads_few_parts(tmp_path):
    """Neither the compiler, nor what only fits need."""
    code = (
        "import sys, numpy, anndata, sccase_kit as sk\n"
        "from sccase_kit.matrix import sums\n"
        "sums._MANY = 1\n"
        f"path = {str(tmp_path / 'a.h5ad')!r}\n"
        "anndata.AnnData(numpy.eye(3, dtype='float32')).write_h5ad(path)\n"
        "sums.count_statistics(sk.read(path).X)\n"
        "print([m for m in ('numba', 'scipy.stats', 'sklearn', 'sccase_kit.enhance') if m in sys.modules])\n"
    )
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
