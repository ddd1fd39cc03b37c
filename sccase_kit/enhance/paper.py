r"""The paper's model, literally: Eqs 1-14 of Tang et al. 2024 on dense n × n arrays, for small data and for teaching.

Notation of the paper: X is peaks × cells (m × n), W is m × k, H is k × n, Z is n × n with columns of sum 1, R an n × n
mask. Where the printed text leaves a choice or contradicts itself, this is what is read, and why (for the data and the
start see :mod:`sccase_kit.enhance.paper_start`):

* Z: "each column sums to 1" stands in the text, not under the min of Eq. 2. Without it Z = W = H = 0 is the minimum, so
  it is a constraint here: a step in Z ends at the nearest point with columns ≥ 0 of sum 1 (Euclidean projection, which
  keeps small steps descending; clipping and dividing would not).
* R: drawn once, since F would not be one function otherwise; the probability .95 is the program's, the paper has
  none. ``mask=.95``, a number, takes the expectation of F over R, which adds s(1−s) Σ ‖x_i‖² Z_ij².
* Eqs 6-8: F at W − δ₁D₁ keeps γ₁‖W‖² at the old W, so the printed δ₁ is not the minimiser that the text asks for (D₁
  of Eq. 5 holds γ₁, as it must). ``step="printed"`` is Eq. 8, ``"exact"`` the minimiser.
* Projections to Z, W ≥ 0 may undo the gain of a step. The rule of δ₃ is applied to all three: a step is halved until F
  falls, and what no step lowers stays for this iteration. δ₃ starts at .2 in every iteration, δ₁ and δ₂ from Eqs 8 and
  11. The order is that of their numbers: W, Z, H.
* "The change between two consecutive iterations is less than 10⁻⁶": the relative change of F, since an absolute one
  would depend on the units of X and could not be seen below λ = 10⁶ times a rounding error.
* Eqs 3, 13, 14: "scCASE" before Eq. 13 is scCASER, its min leaves W₂ out, P is expanded to [P, 0] as W₁ is, and
  W_m = M ∘ W₁ + N ∘ W₂. No steps of W₁ and W₂ are printed (Supplementary Text S2 is not at hand): they are the
  minimisers along M ∘ D₁ and N ∘ D₁.

Everything is compared as a change of F, not as two values of F, so descent is exact far below the size of λ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from scipy import sparse

from .._arguments import Made, Parts, Whole, checked

#: First step δ₃ of H.
FIRST_STEP = 0.2
#: Most halvings of one step.
HALVINGS = 60

Step = Literal["printed", "exact"]


@dataclass(frozen=True)
class PaperFit:
    """What the paper's descent arrives at, in the paper's orientation.

    Attributes
    ----------
    similarity
        Z, (n, n), columns of sum 1.
    projection
        W, or W_m = [W₁, W₂] with a reference, (m, k).
    embedding
        H, (k, n).
    objective
        F at the start and after every iteration; it never rises.
    converged
        Whether the relative change fell below the tolerance before the last iteration that is allowed.
    kept
        Iterations in which no step lowered F: of "w", "z", "h".
    """

    similarity: np.ndarray
    projection: np.ndarray
    embedding: np.ndarray
    objective: np.ndarray
    converged: bool
    kept: dict[str, int]


@dataclass
class PaperModel:
    """The loss F of Eqs 2 and 13 on given data, its derivatives (Eq. 5), and its changes.

    Attributes
    ----------
    x
        X, (m, n), array or sparse.
    mask
        R, 0/1 array of shape (n, n); or a probability s, which stands for the expectation over R.
    lam, gamma1, gamma2
        λ, γ₁, γ₂.
    prior
        P, (m, k₁): the projection of the reference, or None.
    alpha
        α of ‖P − W₁‖².
    gram
        XᵀX, (n, n); computed.
    """

    x: Any
    mask: np.ndarray | float
    lam: float = 1e6
    gamma1: float = 1.0
    gamma2: float = 1.0
    prior: np.ndarray | None = None
    alpha: float = 0.0
    gram: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        gram = self.x.T @ self.x
        self.gram = np.asarray(gram.todense()) if sparse.issparse(gram) else gram

    def first(self, w: np.ndarray) -> np.ndarray:
        """Return the mask M as a row, (1, k): 1 on the columns of W₁; N is 1 − M."""
        n_prior = 0 if self.prior is None else self.prior.shape[1]
        return (np.arange(w.shape[1]) < n_prior).astype(float)[None, :]

    def spread(self, e: np.ndarray) -> float:
        """Return ‖X(E ∘ R)‖², or its expectation."""
        if isinstance(self.mask, np.ndarray):
            seen = e * self.mask
            return _inner(seen, self.gram @ seen)
        s = self.mask
        return s**2 * _inner(e, self.gram @ e) + s * (1 - s) * float(self.gram.diagonal() @ (e**2).sum(axis=1))

    def objective(self, w: np.ndarray, h: np.ndarray, z: np.ndarray) -> float:
        """Return F, with the first term as the traces of Eq. 4."""
        fit = self.spread(z) - 2 * _inner(self._seen_by(w, z), h) + _inner(w.T @ w, h @ h.T)
        similarity, weights = float(np.sum((z - h.T @ h) ** 2)), self.gamma1 * float(np.sum(w**2))
        return (
            fit + self.lam * similarity + weights + self.gamma2 * float(np.sum(h**2)) + self.alpha * self._distance(w)
        )

    def _distance(self, w: np.ndarray) -> float:
        return 0.0 if self.prior is None else float(np.sum((self.prior - w[:, : self.prior.shape[1]]) ** 2))

    def _seen_by(self, w: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Return WᵀX(Z ∘ R), (k, n)."""
        return (self.x.T @ w).T @ (z * self.mask)

    def w_gradient(self, w: np.ndarray, h: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Return ∂F/∂W, with a reference ∂F/∂W_m including α, (m, k)."""
        gradient = -2 * (self.x @ ((z * self.mask) @ h.T)) + 2 * w @ (h @ h.T) + 2 * self.gamma1 * w
        if self.prior is not None:
            k1 = self.prior.shape[1]
            gradient[:, :k1] += 2 * self.alpha * (w[:, :k1] - self.prior)
        return gradient

    def h_gradient(self, w: np.ndarray, h: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Return ∂F/∂H, (k, n)."""
        fit = -2 * self._seen_by(w, z) + 2 * (w.T @ w) @ h
        return fit - 2 * self.lam * h @ (z + z.T) + 4 * self.lam * (h @ h.T) @ h + 2 * self.gamma2 * h

    def z_gradient(self, w: np.ndarray, h: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Return ∂F/∂Z, (n, n)."""
        inside = self.gram @ (z * self.mask) - (self.x.T @ w) @ h
        gradient = 2 * inside * self.mask + 2 * self.lam * (z - h.T @ h)
        if not isinstance(self.mask, np.ndarray):
            gradient += 2 * self.mask * (1 - self.mask) * self.gram.diagonal()[:, None] * z
        return gradient

    def w_curvature(self, d: np.ndarray, h: np.ndarray) -> float:
        """Return the quadratic part of F along D in W: F(W + tD) = F(W) + t⟨∂F/∂W, D⟩ + t² · this."""
        own = 0.0 if self.prior is None else self.alpha * float(np.sum(d[:, : self.prior.shape[1]] ** 2))
        return _inner(d.T @ d, h @ h.T) + self.gamma1 * float(np.sum(d**2)) + own

    def z_curvature(self, d: np.ndarray) -> float:
        """Return the same along D in Z."""
        return self.spread(d) + self.lam * float(np.sum(d**2))

    def h_change(self, w: np.ndarray, h: np.ndarray, z: np.ndarray) -> Callable[[np.ndarray], float]:
        """Return the function E → F(H + E) − F(H), a polynomial of degree 4."""
        inner = w.T @ w
        pull, rest = inner @ h - self._seen_by(w, z), h.T @ h - z

        def change(e: np.ndarray) -> float:
            cross = h.T @ e
            moved = cross + cross.T + e.T @ e  # of HᵀH
            fit = 2 * _inner(pull, e) + _inner(inner, e @ e.T)
            similarity = 2 * _inner(rest, moved) + float(np.sum(moved**2))
            return fit + self.lam * similarity + self.gamma2 * (2 * _inner(h, e) + float(np.sum(e**2)))

        return change

    def printed_step(self, w: np.ndarray, h: np.ndarray, z: np.ndarray, *, d: np.ndarray) -> float:
        """Return δ₁ of Eq. 8 along D."""
        inner = h @ h.T
        target = self.x @ ((z * self.mask) @ h.T)
        return _ratio(_inner(d, w @ inner) - _inner(d, target), _inner(d.T @ d, inner))

    def best_z_step(self, d: np.ndarray) -> float:
        """Return δ₂ of Eq. 11, the minimiser along the gradient D₂."""
        return _ratio(float(np.sum(d**2)), 2 * self.z_curvature(d))

    def w_step(self, w: np.ndarray, h: np.ndarray, z: np.ndarray, *, step: Step) -> np.ndarray | None:
        """Return W after its step (W₁ and then W₂ with a reference), or None where none lowers F."""
        own = self.first(w)
        moved = None
        for part in [np.ones_like(own)] if self.prior is None else [own, 1 - own]:
            at = w if moved is None else moved
            gradient = self.w_gradient(at, h, z)
            d = gradient * part
            if step == "printed" and self.prior is None:
                length = self.printed_step(at, h, z, d=d)
            else:
                length = _ratio(float(np.sum(d**2)), 2 * self.w_curvature(d, h))
            new = self._descend(at, d, length, self._quadratic(gradient, lambda e: self.w_curvature(e, h)))
            moved = moved if new is None else new
        return moved

    def z_step(self, w: np.ndarray, h: np.ndarray, z: np.ndarray) -> np.ndarray | None:
        """Return Z after its step, or None where none lowers F."""
        d = self.z_gradient(w, h, z)
        change = self._quadratic(d, self.z_curvature)
        return self._descend(z, d, self.best_z_step(d), change, project=on_simplex)

    def h_step(self, w: np.ndarray, h: np.ndarray, z: np.ndarray) -> np.ndarray | None:
        """Return H after its step, or None where none lowers F."""
        return self._descend(h, self.h_gradient(w, h, z), FIRST_STEP, self.h_change(w, h, z))

    @staticmethod
    def _quadratic(gradient: np.ndarray, curvature: Callable[[np.ndarray], float]) -> Callable[[np.ndarray], float]:
        return lambda e: _inner(gradient, e) + curvature(e)

    @staticmethod
    def _descend(
        at: np.ndarray,
        d: np.ndarray,
        length: float,
        change: Callable[[np.ndarray], float],
        *,
        project: Callable[[np.ndarray], np.ndarray] = lambda values: np.maximum(values, 0),
    ) -> np.ndarray | None:
        """Return the projected point of the first of the lengths δ, δ/2, δ/4, ... that lowers F."""
        if not length > 0:
            return None
        for i in range(HALVINGS):
            new = project(at - length * 0.5**i * d)
            if change(new - at) < 0:
                return new
        return None


def on_simplex(z: np.ndarray) -> np.ndarray:
    """Return the nearest array whose columns are ≥ 0 and sum to 1 (Duchi et al. 2008)."""
    ordered = -np.sort(-z, axis=0)
    excess = (np.cumsum(ordered, axis=0) - 1) / np.arange(1, len(z) + 1)[:, None]
    last = np.sum(ordered > excess, axis=0) - 1
    result: np.ndarray = np.maximum(z - excess[last, np.arange(z.shape[1])], 0)
    return result


@checked(model=Made(PaperModel), start=Parts(3), max_iter=Whole(0))
def fit_paper(
    model: PaperModel,
    start: tuple[np.ndarray, np.ndarray, np.ndarray],
    *,
    step: Step = "printed",
    max_iter: int = 1000,
    tol: float = 1e-6,
    report: Callable[[int, float], None] | None = None,
) -> PaperFit:
    """Descend from a start.

    Parameters
    ----------
    model
        The loss.
    start
        W, H, Z of shapes (m, k), (k, n), (n, n).
    step
        Which δ₁; see the module.
    max_iter
        Most iterations.
    tol
        Relative change of F that ends them.
    report
        Called with (iteration, F).

    Returns
    -------
    :class:`PaperFit`
    """
    w, h, z = start
    trace = [model.objective(w, h, z)]
    kept = dict.fromkeys(("w", "z", "h"), 0)
    converged = False
    for i in range(max_iter):
        new_w = model.w_step(w, h, z, step=step)
        w = w if new_w is None else new_w
        new_z = model.z_step(w, h, z)
        z = z if new_z is None else new_z
        new_h = model.h_step(w, h, z)
        h = h if new_h is None else new_h
        for name, new in (("w", new_w), ("z", new_z), ("h", new_h)):
            kept[name] += new is None
        trace.append(model.objective(w, h, z))
        if report is not None:
            report(i + 1, trace[-1])
        still = new_w is None and new_z is None and new_h is None
        if still or abs(trace[-2] - trace[-1]) < tol * abs(trace[-2]):
            converged = True
            break
    return PaperFit(z, w, h, np.array(trace), converged, kept)


def _inner(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.vdot(a, b))


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator > 0 else 0.0
