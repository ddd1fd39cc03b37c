"""Eigenpairs by block Lanczos against the dense ones."""

from __future__ import annotations

import numpy as np
import pytest

from sccase_kit.enhance.lanczos import leading_eigenpairs


def planted_matrix(values, seed=0):
    turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((len(values),) * 2))[0]
    return (turn * values) @ turn.T, turn


@pytest.mark.parametrize(("dtype", "tol"), [(np.float64, 1e-8), (np.float32, 2e-5)])
@pytest.mark.parametrize("known", [False, True])
def test_those_that_stand_out_are_exact(dtype, tol, known):
    values = np.concatenate([[1.0, 0.8, 0.8, 0.5, 0.4], np.linspace(0.1, -0.1, 195)])
    matrix, vectors = planted_matrix(values)
    block = np.random.default_rng(1).standard_normal((200, 6))
    found, sizes = leading_eigenpairs(
        lambda v: (matrix @ v).astype(dtype),
        block,
        4,
        n_blocks=12,
        across=7 * vectors[:, :1] if known else None,
        dtype=np.dtype(dtype),
    )
    assert found.dtype == dtype
    first = 1 if known else 0
    np.testing.assert_allclose(sizes, values[first : first + 4], atol=tol)
    np.testing.assert_allclose(found.T @ found, np.eye(4), atol=tol)
    kept = np.linalg.norm(vectors[:, first : first + 4].T @ found, axis=1)  # two share an eigenvalue
    np.testing.assert_allclose(kept, 1, atol=tol)
    if known:
        np.testing.assert_allclose(vectors[:, 0] @ found, 0, atol=tol)


def test_a_space_that_is_everything_ends_by_itself():
    matrix, _ = planted_matrix(np.linspace(2, -1, 12))
    calls = []

    def apply(block):
        calls.append(block.shape[1])
        return matrix @ block

    found, sizes = leading_eigenpairs(apply, np.random.default_rng(1).standard_normal((12, 5)), 12, n_blocks=9)
    assert calls == [5, 5, 2]
    np.testing.assert_allclose(sizes, np.linspace(2, -1, 12), atol=1e-10)
    np.testing.assert_allclose((found * sizes) @ found.T, matrix, atol=1e-10)


def test_vectors_that_are_the_same_count_once():
    matrix, vectors = planted_matrix(np.linspace(3, 0, 40))
    block = np.column_stack([vectors[:, :3], vectors[:, :3].sum(axis=1), np.zeros(40)])
    found, sizes = leading_eigenpairs(lambda v: matrix @ v, block, 5, n_blocks=2)
    np.testing.assert_allclose(sizes[:3], np.linspace(3, 0, 40)[:3], atol=1e-10)
    assert found.shape[1] == len(sizes) < 5
