"""The paper's equations: derivatives by finite differences, every step against loops, the descent, the reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, sparse

from sccase_kit.enhance.paper import PaperModel, fit_paper, on_simplex
from sccase_kit.enhance.paper_start import (
    fit_embedding,
    matched_scale,
    paper_similarity,
    paper_tfidf,
    paper_weights,
)

M, N, K, K1 = 7, 5, 3, 1


def point(rng, *, m=M, n=N, k=K):
    z = rng.random((n, n))
    return rng.random((m, k)), rng.random((k, n)), z / z.sum(axis=0)


def models(rng, *, lam=3.0):
    x = rng.random((M, N)) * (rng.random((M, N)) < 0.6)
    mask = (rng.random((N, N)) < 0.7).astype(float)
    weights = {"lam": lam, "gamma1": 0.7, "gamma2": 0.4}
    return {
        "drawn": PaperModel(x, mask, **weights),
        "expected": PaperModel(sparse.csc_matrix(x), 0.7, **weights),
        "reference": PaperModel(x, mask, **weights, prior=rng.random((M, K1)), alpha=1.3),
    }


NAMES = ["drawn", "expected", "reference"]


def loops(model, w, h, z):
    """F of Eq. 2 or Eq. 13, entry by entry; the masks M and N are whole matrices."""
    x = model.x.toarray() if sparse.issparse(model.x) else model.x
    m_mask, w1, w2 = np.zeros_like(w), np.zeros_like(w), w.copy()
    if model.prior is not None:
        m_mask[:, :K1], w1[:, :K1], w2[:, :K1] = 1, w[:, :K1], 99.0  # W₂ does not act where N is 0
    wm = m_mask * w1 + (1 - m_mask) * w2
    total = 0.0
    for i in range(M):
        for j in range(N):
            own = sum(wm[i, c] * h[c, j] for c in range(K))
            if isinstance(model.mask, float):
                s = model.mask
                total += (s * sum(x[i, a] * z[a, j] for a in range(N)) - own) ** 2
                total += sum(s * (1 - s) * (x[i, a] * z[a, j]) ** 2 for a in range(N))
            else:
                total += (sum(x[i, a] * z[a, j] * model.mask[a, j] for a in range(N)) - own) ** 2
    for a in range(N):
        for b in range(N):
            total += model.lam * (z[a, b] - sum(h[c, a] * h[c, b] for c in range(K))) ** 2
    total += model.gamma1 * sum(v**2 for v in wm.ravel()) + model.gamma2 * sum(v**2 for v in h.ravel())
    if model.prior is not None:
        total += model.alpha * sum((model.prior[i, c] - w[i, c]) ** 2 for i in range(M) for c in range(K1))
    return total


@pytest.mark.parametrize("name", NAMES)
def test_the_loss_is_the_printed_one(name):
    rng = np.random.default_rng(0)
    model, at = models(rng)[name], point(rng)
    assert model.objective(*at) == pytest.approx(loops(model, *at), rel=1e-12)


def test_the_expected_loss_is_the_mean_over_masks():
    rng = np.random.default_rng(1)
    x, (w, h, z) = rng.random((M, N)), point(rng)
    drawn = [PaperModel(x, rng.binomial(1, 0.6, (N, N)).astype(float)).objective(w, h, z) for _ in range(4000)]
    error = np.std(drawn) / np.sqrt(len(drawn))
    assert abs(PaperModel(x, 0.6).objective(w, h, z) - np.mean(drawn)) < 4 * error


@pytest.mark.parametrize("name", NAMES)
def test_derivatives_are_those_of_finite_differences(name):
    rng = np.random.default_rng(2)
    model, at = models(rng)[name], point(rng)
    gradients = model.w_gradient(*at), model.h_gradient(*at), model.z_gradient(*at)
    for which, gradient in enumerate(gradients):
        for place in np.ndindex(at[which].shape):
            ends = []
            for sign in (1, -1):
                moved = [part.copy() for part in at]
                moved[which][place] += sign * 1e-5
                ends.append(model.objective(*moved))
            assert gradient[place] == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_changes_are_differences_of_the_loss(name):
    rng = np.random.default_rng(3)
    model, (w, h, z) = models(rng)[name], point(rng)
    before = model.objective(w, h, z)
    e = 0.1 * rng.standard_normal(h.shape)
    assert model.h_change(w, h, z)(e) == pytest.approx(model.objective(w, h + e, z) - before, rel=1e-9)
    e = 0.1 * rng.standard_normal(w.shape)
    change = np.sum(model.w_gradient(w, h, z) * e) + model.w_curvature(e, h)
    assert change == pytest.approx(model.objective(w + e, h, z) - before, rel=1e-9)
    e = 0.1 * rng.standard_normal(z.shape)
    change = np.sum(model.z_gradient(w, h, z) * e) + model.z_curvature(e)
    assert change == pytest.approx(model.objective(w, h, z + e) - before, rel=1e-9)


def test_lengths_of_steps_are_the_printed_traces():
    rng = np.random.default_rng(4)
    model, (w, h, z) = models(rng)["drawn"], point(rng)
    x, r, tr = model.x, model.mask, np.trace
    d = model.w_gradient(w, h, z)
    xz = x @ (z * r)
    top = -tr(h.T @ d.T @ xz) - tr(xz.T @ d @ h) + tr(h.T @ w.T @ d @ h) + tr(h.T @ d.T @ w @ h)
    assert model.printed_step(w, h, z, d=d) == pytest.approx(top / (2 * tr(h.T @ d.T @ d @ h)))  # Eq. 8
    d = model.z_gradient(w, h, z)
    xd = x @ (d * r)
    eq1, eq2, eq3 = xd.T @ xz + xz.T @ xd, xd.T @ xd, h.T @ w.T @ xd + xd.T @ w @ h
    eq4, eq5, eq6 = z.T @ d + d.T @ z, d.T @ d, h.T @ h @ d + d.T @ h.T @ h
    top = tr(eq1) - tr(eq3) + model.lam * tr(eq4) - model.lam * tr(eq6)
    printed = top / (2 * tr(eq2) + 2 * model.lam * tr(eq5))  # Eqs 11 and 12
    assert model.best_z_step(d) == pytest.approx(printed)
    best = optimize.minimize_scalar(lambda t: loops(model, w, h, z - t * d)).x
    assert best == pytest.approx(printed, rel=1e-6)


def test_eq_8_is_the_minimiser_only_without_gamma():
    rng = np.random.default_rng(5)
    model, (w, h, z) = models(rng)["drawn"], point(rng)
    for gamma, equal in ((0.0, True), (0.7, False)):
        model.gamma1 = gamma
        d = model.w_gradient(w, h, z)
        best = optimize.minimize_scalar(lambda t, d=d: loops(model, w - t * d, h, z)).x
        assert (model.printed_step(w, h, z, d=d) == pytest.approx(best, rel=1e-6)) == equal
        exact = np.sum(d**2) / (2 * model.w_curvature(d, h))
        assert exact == pytest.approx(best, rel=1e-6)


def halved(model, at, which, d, length, project):
    """The step by the paper's rule, with the loss of loops: halve until it falls."""
    before = loops(model, *at)
    for i in range(60):
        moved = list(at)
        moved[which] = project(at[which] - length * 0.5**i * d)
        if loops(model, *moved) < before:
            return moved[which]
    return None


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("lam", [0.1, 50.0])
def test_every_step_is_that_of_the_loop(name, lam):
    rng = np.random.default_rng(6)
    model, at = models(rng, lam=lam)[name], point(rng)
    clip = lambda values: np.maximum(values, 0)  # noqa: E731
    d = model.h_gradient(*at)
    np.testing.assert_allclose(model.h_step(*at), halved(model, at, 1, d, 0.2, clip), rtol=1e-12)
    d = model.z_gradient(*at)
    best = optimize.minimize_scalar(lambda t: loops(model, at[0], at[1], at[2] - t * d)).x
    expected = halved(model, at, 2, d, best, nearest_columns)
    np.testing.assert_allclose(model.z_step(*at), expected, rtol=1e-5, atol=1e-7)
    w = at[0]
    for part in [slice(0, K1), slice(K1, K)] if name == "reference" else [slice(0, K)]:
        d = np.zeros_like(w)
        d[:, part] = model.w_gradient(w, *at[1:])[:, part]
        best = optimize.minimize_scalar(lambda t, d=d, w=w: loops(model, w - t * d, *at[1:])).x
        w = halved(model, (w, *at[1:]), 0, d, best, clip)
    np.testing.assert_allclose(model.w_step(*at, step="exact"), w, rtol=1e-5, atol=1e-7)


def nearest_columns(z):
    """The nearest point of the simplex for every column, by bisection on what is taken off."""
    columns = []
    for column in z.T:
        off = optimize.brentq(lambda t, c=column: np.maximum(c - t, 0).sum() - 1, column.min() - 2, column.max())
        columns.append(np.maximum(column - off, 0))
    return np.array(columns).T


@given(st.integers(0, 10**6), st.integers(1, 6), st.floats(0.01, 100))
@settings(max_examples=40, deadline=None)
def test_columns_are_projected_to_the_nearest(seed, n, scale):
    z = scale * np.random.default_rng(seed).standard_normal((n, 4))
    ours = on_simplex(z)
    np.testing.assert_allclose(ours, nearest_columns(z), atol=1e-9 * max(1, scale))
    np.testing.assert_allclose(on_simplex(ours), ours, atol=1e-12)


@given(st.integers(0, 10**6), st.sampled_from(NAMES), st.sampled_from(["printed", "exact"]), st.floats(-3, 6))
@settings(max_examples=25, deadline=None)
def test_the_loss_falls_and_the_constraints_hold(seed, name, step, exponent):
    rng = np.random.default_rng(seed)
    model, at = models(rng, lam=10**exponent)[name], point(rng)
    fit = fit_paper(model, at, step=step, max_iter=15)
    assert (np.diff(fit.objective) <= 1e-12 * fit.objective[0]).all()
    assert fit.objective[-1] < fit.objective[0]
    np.testing.assert_allclose(fit.similarity.sum(axis=0), 1, rtol=1e-9)
    assert min(fit.similarity.min(), fit.projection.min(), fit.embedding.min()) >= 0
    final = model.objective(fit.projection, fit.embedding, fit.similarity)
    assert fit.objective[-1] == pytest.approx(final)


def test_it_ends_where_the_change_is_small():
    rng = np.random.default_rng(7)
    model, at = models(rng)["drawn"], point(rng)
    seen = []
    fit = fit_paper(model, at, step="exact", tol=1e-4, report=lambda i, value: seen.append((i, value)))
    assert fit.converged
    falls = -np.diff(fit.objective) / fit.objective[:-1]
    assert (falls[:-1] >= 1e-4).all()
    assert falls[-1] < 1e-4
    assert [value for _, value in seen] == fit.objective[1:].tolist()
    assert not fit_paper(model, at, max_iter=1).converged


def test_a_point_that_no_step_lowers_stays():
    rng = np.random.default_rng(8)
    model, (w, h, z) = models(rng)["drawn"], point(rng)
    # Eq. 8 leaves γ₁ out: at the best W of γ₁ = 0 it asks for no step at all
    model.gamma1 = 0.0
    inner, target = h @ h.T, model.x @ ((z * model.mask) @ h.T)
    w = np.linalg.solve(inner, target.T).T
    model.gamma1 = 1.0
    assert abs(model.printed_step(w, h, z, d=model.w_gradient(w, h, z))) < 1e-9
    assert np.abs(model.w_gradient(w, h, z)).max() > 0.1
    zero = np.zeros((M, K)), np.zeros((K, N)), np.eye(N)
    still = PaperModel(np.zeros((M, N)), 1.0, lam=0.0)
    fit = fit_paper(still, zero, max_iter=5)
    assert fit.kept == {"w": 1, "z": 1, "h": 1}
    assert fit.converged


def test_alpha_draws_w1_to_the_reference():
    rng = np.random.default_rng(9)
    x, at = rng.random((M, N)), point(rng)
    prior = rng.random((M, K1))
    away = []
    for alpha in (0.0, 1.0, 1e4):
        fit = fit_paper(PaperModel(x, 1.0, lam=1.0, prior=prior, alpha=alpha), at, max_iter=300)
        away.append(np.linalg.norm(fit.projection[:, :K1] - prior))
    assert away[0] > 2 * away[1]
    assert away[1] > 2 * away[2]
    assert away[2] < 1e-2


def test_eq_1_is_the_printed_one():
    rng = np.random.default_rng(10)
    counts = rng.poisson(0.7, (6, 9))
    counts[2] = 0
    counts[:, 4], counts[:, 5] = 0, 3  # a closed peak, and one with more counts than cells
    weights = paper_weights(sparse.csr_matrix(counts))
    x = paper_tfidf(sparse.csr_matrix(counts), weights).toarray()
    for j, cell in enumerate(counts):
        for i in range(counts.shape[1]):
            expected = 0.0
            if cell[i]:
                expected = cell[i] / cell.sum() * np.log(len(counts) / counts[:, i].sum())
            assert x[i, j] == pytest.approx(max(expected, 0))
    assert weights[4] == weights[5] == 0
    unit = paper_tfidf(sparse.csr_matrix(counts), weights, unit_norm=True).toarray()
    sizes = np.linalg.norm(x, axis=0)
    np.testing.assert_allclose(unit, x / np.where(sizes > 0, sizes, 1), atol=1e-12)


def test_the_start_of_z_is_the_jaccard_similarity():
    rng = np.random.default_rng(11)
    counts = rng.poisson(0.7, (6, 9))
    counts[2] = 0
    z = paper_similarity(sparse.csr_matrix(counts))
    sets = [set(np.flatnonzero(cell)) for cell in counts]
    expected = np.eye(6)
    for a in range(6):
        for b in range(6):
            if a != b:
                expected[a, b] = len(sets[a] & sets[b]) / max(1, len(sets[a] | sets[b]))
    np.testing.assert_allclose(z, expected / expected.sum(axis=0))
    assert z[2, 2] == 1


def test_the_embedding_of_a_given_projection_is_the_least_squares_one():
    rng = np.random.default_rng(12)
    x, w = rng.random((M, N)) - 0.2, rng.random((M, K))
    x = np.maximum(x, 0)
    expected = np.array([optimize.nnls(w, column)[0] for column in x.T]).T
    np.testing.assert_allclose(fit_embedding(x, w, n_sweeps=3000), expected, atol=1e-6)
    assert not fit_embedding(x, np.zeros((M, K))).any()


def test_the_scale_of_the_start_is_the_best():
    rng = np.random.default_rng(13)
    _, h, z = point(rng)
    best = optimize.minimize_scalar(lambda c: np.sum((z - c**2 * h.T @ h) ** 2), bounds=(0, 5), method="bounded").x
    assert matched_scale(h, z) == pytest.approx(best, rel=1e-4)
    assert matched_scale(np.zeros_like(h), z) == 0
