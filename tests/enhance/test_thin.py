"""The thin solver against a dense transcription of the same objective, and against the published output."""

from __future__ import annotations

import numpy as np
import pytest

from sccase_kit.enhance import Weights, fit_thin, minmax_scale, prepare
from sccase_kit.enhance.nmf import sklearn_start
from sccase_kit.enhance.thin import State, _h_gradient, descend_h, objective, solve_w, solve_z


def dense_objective(x, a, hz, h, w, weights, n_draws=None, rng=None):
    """The objective of the module's docstring with Z formed (x: peaks × cells)."""
    z = a @ hz.T
    s, lam, p = weights.keep, weights.lam, weights.source
    target = p[:, None] * (h @ h.T)
    fixed = lam * np.sum((z - target) ** 2) + weights.gamma1 * np.sum(w**2) + weights.gamma2 * np.sum(h**2)
    if n_draws is not None:
        draws = [np.sum((x @ (z * (rng.random(z.shape) < s)) - w @ h.T) ** 2) for _ in range(n_draws)]
        return np.mean(draws) + fixed
    spread = s * (1 - s) * np.sum((x**2).sum(axis=0)[:, None] * z**2)
    return np.sum((s * x @ z - w @ h.T) ** 2) + spread + fixed


@pytest.fixture
def case(counts):
    rng = np.random.default_rng(3)
    data = prepare(counts, dtype=np.float64)
    n, m = data.op.shape
    x = data.op.rmatmul(np.eye(n))
    hz, h, a, w = (rng.random((size, 4)) for size in (n, n, n, m))
    weights = Weights(lam=3.0, gamma1=0.7, gamma2=0.4, keep=0.9, source=rng.random(n) + 0.5)
    return data.op, x, State(a=a, xa=x @ a, h_of_z=hz, h=h, w=w), weights


def test_objective_equals_the_dense_one(case):
    op, x, state, weights = case
    expected = dense_objective(x, state.a, state.h_of_z, state.h, state.w, weights)
    np.testing.assert_allclose(objective(state, weights, op.row_sq_norms()), expected, rtol=1e-12)


def test_objective_is_the_mean_over_masks(case):
    op, x, state, weights = case
    rng = np.random.default_rng(0)
    sampled = dense_objective(x, state.a, state.h_of_z, state.h, state.w, weights, n_draws=300, rng=rng)
    np.testing.assert_allclose(objective(state, weights, op.row_sq_norms()), sampled, rtol=2e-3)


def test_z_step_solves_the_dense_normal_equations(case):
    op, x, state, weights = case
    s, sq = weights.keep, op.row_sq_norms()
    system = s**2 * x.T @ x + np.diag(s * (1 - s) * sq + weights.lam)
    right = s * x.T @ state.w + weights.lam * weights.source[:, None] * state.h
    expected = np.linalg.solve(system, right)
    solved = solve_z(op, state, weights, sq, tol=1e-12, max_cg=200)
    np.testing.assert_allclose(solved.a, np.maximum(expected, 0), atol=1e-9)
    np.testing.assert_allclose(solved.xa, x @ solved.a, atol=1e-9)


def test_h_gradient_equals_finite_differences(case):
    op, _, state, weights = case
    gradient, sq, eps = _h_gradient(state, weights), op.row_sq_norms(), 1e-5
    for i, j in [(0, 0), (7, 3), (59, 2)]:
        up, down = state.h.copy(), state.h.copy()
        up[i, j] += eps
        down[i, j] -= eps
        values = [objective(State(state.a, state.xa, state.h_of_z, h, state.w), weights, sq) for h in (up, down)]
        np.testing.assert_allclose(gradient[i, j], (values[0] - values[1]) / (2 * eps), rtol=1e-5)


def test_every_step_descends(case):
    op, _, state, weights = case
    sq = op.row_sq_norms()
    start = objective(state, weights, sq)
    after_w = objective(solve_w(state, weights), weights, sq)
    after_h = objective(descend_h(solve_w(state, weights), weights, sq), weights, sq)
    assert after_h < after_w < start


def test_w_step_is_optimal(case):
    """At the solution the gradient is zero where W > 0 and non-negative where W = 0."""
    _, _, state, weights = case
    signed = np.random.default_rng(5).standard_normal(state.xa.shape)
    state = State(a=state.a, xa=signed, h_of_z=state.h_of_z, h=state.h, w=state.w)
    w = solve_w(state, weights, n_sweeps=3000).w
    gram = state.h.T @ state.h + weights.gamma1 * np.eye(4)
    gradient = w @ gram - weights.keep * state.xa @ (state.h_of_z.T @ state.h)
    assert np.abs(gradient[w > 0]).max() < 1e-7
    assert gradient[w == 0].min() > -1e-7


@pytest.mark.parametrize("lam", [1.0, 1e3, 1e6])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_objective_never_rises(counts, lam, dtype):
    data = prepare(counts, dtype=dtype)
    h = np.random.default_rng(0).random((counts.shape[0], 5))
    weights = Weights(lam, 1.0, 1.0, 0.95, np.ones(counts.shape[0]))
    fit = fit_thin(data.op, h, weights, max_iter=15, tol=0)
    assert len(fit.objective) > 1
    assert np.all(np.diff(fit.objective) <= 0)
    assert fit.state.h.min() >= 0
    assert fit.state.a.min() >= 0
    assert fit.state.w.min() >= 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_output_equals_the_published_program(golden, dtype):
    with np.load(golden / "sccase" / "public_input.npz") as given:
        counts, k = given["counts"][:, given["peak_mask"]], int(given["K"])
    with np.load(golden / "sccase" / "public_scCASE.npz") as ref:
        expected = ref["XZ_scaled"].T
    data = prepare(counts, dtype=dtype)
    h, w = sklearn_start(data.op, k)
    weights = Weights(1e6, 1.0, 1.0, 0.95, np.ones(len(counts)))
    state = fit_thin(data.op, h, weights, w=w).state
    scaled = minmax_scale(state.h_of_z @ state.xa.T)
    assert np.corrcoef(scaled.ravel(), expected.ravel())[0, 1] > 0.9999
    assert np.abs(scaled - expected).max() < 5e-4  # the expectation of R in place of one draw moves them by 1.1e-4
