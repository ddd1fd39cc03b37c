r"""The model without any n × n or cells × peaks array.

With cells as rows, X = X̃ᵀ, and with the mask R replaced by its expectation, the objective is

.. math::

    \|s X Z - W H\|^2 + s(1-s) \sum_{ij} \|x_i\|^2 Z_{ij}^2 + \lambda \|Z - P H^\top H\|^2
    + \gamma_1 \|W\|^2 + \gamma_2 \|H\|^2 .

For fixed H the best Z is A H with A (n × k) the solution of k linear systems, so Z, XZ and the objective need only
arrays with k columns and the two products of :class:`~sccase_kit.matrix.operator.ScaledOperator`.
Source: Tang et al. 2024 (Eq. 2); marginalised masks as in Chen et al. 2012.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .._arguments import Made, Numbers, checked
from ..matrix.operator import ScaledOperator
from .nmf import hals


@dataclass(frozen=True)
class Weights:
    """Weights of the objective.

    Attributes
    ----------
    lam
        λ of the similarity term.
    gamma1, gamma2
        γ₁ of ‖W‖² and γ₂ of ‖H‖².
    keep
        s, the probability that an entry of Z is kept by the mask.
    source
        Diagonal of P (depth / median depth), shape (n_obs,); ones without depth correction.
    """

    lam: float
    gamma1: float
    gamma2: float
    keep: float
    source: np.ndarray


@dataclass(frozen=True)
class State:
    """One point of the descent; Z = A · Hzᵀ in the code's orientation (rows are cells).

    Attributes
    ----------
    a
        A, shape (n_obs, k).
    xa
        X A = X̃ᵀ A, shape (n_vars, k).
    h_of_z
        Rows of H that Z was solved with, shape (n_obs, k).
    h
        Current embedding, shape (n_obs, k).
    w
        Current projection, shape (n_vars, k).
    xxa
        X̃ (X A) where it is known, shape (n_obs, k).
    """

    a: np.ndarray
    xa: np.ndarray
    h_of_z: np.ndarray
    h: np.ndarray
    w: np.ndarray
    xxa: np.ndarray | None = None


@dataclass(frozen=True)
class ThinFit:
    """Result of :func:`fit_thin`.

    Attributes
    ----------
    state
        The last accepted point.
    objective
        Objective at the start and after every accepted iteration; never rises.
    converged
        Whether the relative change fell below the tolerance or no descent was left.
    """

    state: State
    objective: np.ndarray
    converged: bool


def objective(state: State, weights: Weights, sq_norms: np.ndarray) -> float:
    """Return the marginalised objective from k × k traces.

    Parameters
    ----------
    state
        The point.
    weights
        Weights of the terms.
    sq_norms
        ‖x_i‖² of every cell, shape (n_obs,).
    """
    s = weights.keep
    zz, zh, hh = state.h_of_z.T @ state.h_of_z, state.h_of_z.T @ state.h, state.h.T @ state.h
    fit = (
        s**2 * np.sum((state.xa.T @ state.xa) * zz)
        - 2 * s * np.sum((state.xa.T @ state.w) * zh)
        + np.sum((state.w.T @ state.w) * hh)
    )
    spread = s * (1 - s) * np.sum(((state.a.T * sq_norms) @ state.a) * zz)
    return float(
        fit
        + spread
        + _similarity_term(state, weights)
        + weights.gamma1 * np.sum(state.w**2)
        + weights.gamma2 * np.sum(state.h**2)
    )


def _similarity_term(state: State, weights: Weights) -> float:
    """Return λ‖Z − P HᵀH‖² without cancellation: split Z − P HᵀH = (A − P H)Hzᵀ + P H (Hz − H)ᵀ."""
    ph = weights.source[:, None] * state.h
    left, change = state.a - ph, state.h_of_z - state.h
    zz = state.h_of_z.T @ state.h_of_z
    return weights.lam * float(
        np.sum((left.T @ left) * zz)
        + 2 * np.sum((left.T @ ph) * (state.h_of_z.T @ change))
        + np.sum((ph.T @ ph) * (change.T @ change))
    )


def solve_z(
    op: ScaledOperator, state: State, weights: Weights, sq_norms: np.ndarray, *, tol: float, max_cg: int = 30
) -> State:
    """Return the state with Z = A H, A the exact minimiser for the current W and H (preconditioned CG), A ≥ 0.

    The systems are (s² XᵀX + s(1−s) diag‖x_i‖² + λ) A = s Xᵀ W + λ P H, all k at once. Every step reads the data once:
    the new residual of a cell gives its part of the next direction and of that direction's image in the peaks.
    """
    s, k = weights.keep, state.a.shape[1]
    diagonal = (s * (1 - s) * sq_norms + weights.lam)[:, None]
    precondition = 1 / (diagonal + (s**2 * sq_norms)[:, None])
    a, xa = state.a.astype(np.float64), state.xa.astype(np.float64)
    right = weights.lam * weights.source[:, None] * state.h
    residual = np.empty_like(right)

    def start(rows: slice, product: np.ndarray) -> np.ndarray:
        image = product[:, k:] if state.xxa is None else state.xxa[rows]
        right[rows] += s * product[:, :k]
        residual[rows] = right[rows] - s**2 * image - diagonal[rows] * a[rows]
        return precondition[rows] * residual[rows]

    wanted = np.hstack([state.w, xa]) if state.xxa is None else state.w
    direction, xd = (array.astype(np.float64) for array in op.sweep(wanted, start, n_left=k))
    goal = tol * np.linalg.norm(right, axis=0)
    rz = np.einsum("ij,ij->j", residual, precondition * residual)
    for _ in range(max_cg):
        if np.all(np.linalg.norm(residual, axis=0) <= goal):
            break
        curvature = s**2 * np.sum(xd**2, axis=0) + np.sum(diagonal * direction**2, axis=0)
        step = np.where(curvature > 0, rz / np.where(curvature > 0, curvature, 1), 0)
        a, xa = a + step * direction, xa + step * xd

        def advance(rows: slice, product: np.ndarray, step=step, direction=direction) -> np.ndarray:
            residual[rows] -= step * (s**2 * product + diagonal[rows] * direction[rows])
            return precondition[rows] * residual[rows]

        z, xz = op.sweep(xd, advance)
        rz_new = np.einsum("ij,ij->j", residual, precondition * residual)
        ratio = np.where(rz > 0, rz_new / np.where(rz > 0, rz, 1), 0)
        direction, xd, rz = z + direction * ratio, xz + xd * ratio, rz_new
    if a.min() < 0:
        a = np.maximum(a, 0)
        return replace(state, a=a, xa=op.rmatmul(a).astype(np.float64), xxa=None, h_of_z=state.h)
    return replace(state, a=a, xa=xa, xxa=(right - diagonal * a - residual) / s**2, h_of_z=state.h)


def solve_w(state: State, weights: Weights, *, n_sweeps: int = 10) -> State:
    """Return the state with W ≥ 0 from coordinate sweeps on the ridge problem (each sweep descends)."""
    gram = state.h.T @ state.h + weights.gamma1 * np.eye(state.h.shape[1])
    product = weights.keep * state.xa @ (state.h_of_z.T @ state.h)
    return replace(state, w=hals(state.w, product, gram, n_sweeps=n_sweeps))


def _h_gradient(state: State, weights: Weights) -> np.ndarray:
    p2h = (weights.source**2)[:, None] * state.h
    pa = weights.source[:, None] * state.a
    linear = (
        -2 * weights.keep * state.h_of_z @ (state.xa.T @ state.w)
        + 2 * state.h @ (state.w.T @ state.w)
        + 2 * weights.gamma2 * state.h
    )
    cross = pa @ (state.h_of_z.T @ state.h) + state.h_of_z @ (pa.T @ state.h)
    quartic = state.h @ (state.h.T @ p2h) + p2h @ (state.h.T @ state.h)
    return linear + 2 * weights.lam * (quartic - cross)


def descend_h(state: State, weights: Weights, sq_norms: np.ndarray, *, n_steps: int = 5) -> State:
    """Return the state after projected gradient steps on H, each halved until the objective falls."""
    value = objective(state, weights, sq_norms)
    curvature = 2 * np.linalg.norm(state.w.T @ state.w, 2) + 8 * weights.lam * np.max(weights.source) * np.linalg.norm(
        state.h.T @ state.h, 2
    )
    step = 1 / max(curvature, np.finfo(float).tiny)
    for _ in range(n_steps):
        gradient = _h_gradient(state, weights)
        for _ in range(20):
            moved = replace(state, h=np.maximum(state.h - step * gradient, 0))
            new = objective(moved, weights, sq_norms)
            if new < value:
                break
            step /= 2
        else:
            return state
        state, value, step = moved, new, step * 1.5
    return state


@checked(op=Made(ScaledOperator), h=Numbers("cells components"), weights=Made(Weights))
def fit_thin(
    op: ScaledOperator,
    h: np.ndarray,
    weights: Weights,
    *,
    w: np.ndarray | None = None,
    column_sums: np.ndarray | float = 1.0,
    max_iter: int = 3,
    tol: float = 1e-4,
    report: Callable[[int, float], None] | None = None,
    resume: tuple[State, list[float]] | None = None,
    keep: Callable[[State, list[float]], None] | None = None,
) -> ThinFit:
    """Descend from a non-negative start with Z = P HᵀH.

    Parameters
    ----------
    op
        The data, TF-IDF scaled, cells × peaks.
    h
        Start of shape (n_obs, k); its columns are scaled once.
    weights
        Weights of the objective.
    w
        Start of W (n_vars × k) for its coordinate sweeps; zeros by default.
    column_sums
        Sums that the columns of the start are scaled to, 1 in the published program.
    max_iter
        Most iterations.
    tol
        Stop when the relative fall of the objective is smaller.
    report
        Called with (iteration, objective).
    resume
        An accepted point and the objective's trace up to it, to go on from; the start is not used then.
    keep
        Called with every accepted point and the trace.

    Returns
    -------
    :class:`ThinFit`
    """
    sq_norms = op.row_sq_norms()
    state, trace = resume or _first_point(op, h, w, weights, sq_norms, column_sums)
    converged = _settled(trace, tol)
    while not converged and len(trace) <= max_iter:
        new = solve_z(op, state, weights, sq_norms, tol=1e-10 if op.dtype == np.float64 else 1e-6)
        new = descend_h(solve_w(new, weights), weights, sq_norms)
        value = objective(new, weights, sq_norms)
        if not value <= trace[-1]:
            converged = True
            break
        state, trace = new, [*trace, value]
        if report is not None:
            report(len(trace) - 1, value)
        if keep is not None:
            keep(state, trace)
        converged = _settled(trace, tol)
    return ThinFit(state=state, objective=np.array(trace), converged=converged)


def _settled(trace: list[float], tol: float) -> bool:
    return len(trace) > 1 and trace[-2] - trace[-1] <= tol * abs(trace[-2])


def _first_point(
    op: ScaledOperator,
    h: np.ndarray,
    w: np.ndarray | None,
    weights: Weights,
    sq_norms: np.ndarray,
    column_sums: np.ndarray | float,
) -> tuple[State, list[float]]:
    total = h.sum(axis=0) / np.where(np.asarray(column_sums) > 0, column_sums, 1)
    h = h / np.where(total > 0, total, 1)
    a = weights.source[:, None] * h
    xa = op.rmatmul(a).astype(np.float64)
    w = np.zeros((op.shape[1], h.shape[1])) if w is None else w * total
    state = solve_w(State(a=a, xa=xa, h_of_z=h, h=h, w=w), weights)
    return state, [objective(state, weights, sq_norms)]


def interpretable_projection(state: State) -> np.ndarray:
    """Return W refitted to XZ without the ridge: non-negative least squares, shape (n_vars, k).

    γ₁ = 1 is large compared with HHᵀ (about 1/n), so the model's own W is shrunk and mixes components; the
    coefficients that rank peaks are those of the unpenalised fit of XZ by WH.
    """
    gram = state.h.T @ state.h
    product = state.xa @ (state.h_of_z.T @ state.h)
    start = np.maximum(state.xa, 0)
    return hals(start, product, gram + 1e-9 * np.trace(gram) * np.eye(len(gram)), n_sweeps=100)
