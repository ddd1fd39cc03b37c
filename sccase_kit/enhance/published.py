r"""The published program, literally: dense, O(m n²) time, for parity and teaching.

Notation of the paper (Tang et al. 2024, Methods): X is peaks × cells (m × n), W is m × k, H is k × n, Z is the
n × n similarity, R an n × n 0/1 mask drawn once. This module reproduces what `sccase` 0.2.5 computes, which
differs from the paper's text:

* H's rows, not Z's columns, are scaled to sum 1 before every iteration; W is not rescaled with them.
* The step length of W leaves γ₁ out although the gradient has it.
* Three iterations (four with a reference); the depth variant stops when the objective changes by less than 1,
  compared with 0 at the first iteration, or after 20 iterations.
* With a reference, α = 0 and W₁ stays at its start; the logged objective uses W₂H in place of [W₁, W₂]H.
* Batch correction rescales the fitted Z; the fit itself does not know the batches.

One difference is kept on purpose: the Jaccard start is counted in 64-bit integers (the program's 16-bit
counts overflow for cells with more than 32,767 open peaks). Nothing is read from or written to disk, and no global
random state is touched.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .._arguments import Labels, Matrix, Number, Numbers, Whole, checked

#: Numbers of the published program.
LAMBDA = 1e6
LAMBDA_REFERENCE = 1e5
KEEP_PROBABILITY = 0.95
SEED = 100


@dataclass(frozen=True)
class PublishedFit:
    """What the published program computes, in the paper's orientation.

    Attributes
    ----------
    similarity
        Z after the last iteration (batch-corrected if batches were given), shape (n, n).
    projection
        W, shape (m, k).
    embedding
        H, shape (k, n).
    objective
        Objective after every iteration.
    trace
        Per iteration (Z, W, H); empty unless asked for.
    uncorrected_similarity
        Z before the batch reweighting; the same object as `similarity` without batches.
    """

    similarity: np.ndarray
    projection: np.ndarray
    embedding: np.ndarray
    objective: np.ndarray
    trace: list[tuple[np.ndarray, np.ndarray, np.ndarray]]
    uncorrected_similarity: np.ndarray


def jaccard_start(x: np.ndarray | sparse.spmatrix) -> np.ndarray:
    """Return the Jaccard similarity of the cells of `x` (peaks × cells), rows scaled to sum 1."""
    cells = sparse.csr_matrix(x.T != 0).astype(np.int64)
    shared = (cells @ cells.T).toarray()
    size = shared.diagonal()
    jaccard = shared / (size[:, None] + size[None, :] - shared)
    return jaccard / jaccard.sum(axis=1, keepdims=True)


def draw_mask(n_cells: int) -> np.ndarray:
    """Return the program's mask R: Bernoulli(0.95), legacy generator seeded with 100."""
    return np.random.RandomState(SEED).binomial(1, KEEP_PROBABILITY, size=(n_cells, n_cells))


@checked(x=Matrix("peaks cells", empty=False, finite=True), n_components=Whole(1), max_iter=Whole(1))
def published_nmf(
    x: np.ndarray | sparse.spmatrix, n_components: int, *, max_iter: int = 10_000
) -> tuple[np.ndarray, np.ndarray]:
    """Factorise by scikit-learn's NMF exactly as the program starts: default NNDSVD start, random_state 100.

    Parameters
    ----------
    x
        TF-IDF of shape (m, n), peaks × cells.
    n_components
        Number k of components.
    max_iter
        Most iterations.

    Returns
    -------
    W of shape (m, k) and H of shape (k, n).
    """
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    model = NMF(n_components=n_components, max_iter=max_iter, random_state=SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        w = model.fit_transform(x)
    return w, model.components_


def _unit_row_sums(h: np.ndarray) -> np.ndarray:
    return h / (h.sum(axis=1, keepdims=True) + np.spacing(1))


def _inner(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.vdot(a, b))


@dataclass
class _Problem:
    """The fixed quantities of one fit and the steps of the program on them."""

    x: np.ndarray  # m × n
    mask: np.ndarray  # R
    lam: float
    gamma1: float
    gamma2: float
    source: np.ndarray  # diagonal of P (ones without depth correction)
    free: np.ndarray  # columns of W that are updated (all, or W₂ of a reference fit)

    def __post_init__(self) -> None:
        self.gram = self.x.T @ self.x

    def objective(self, z: np.ndarray, w: np.ndarray, h: np.ndarray, w_fit: np.ndarray | None = None) -> float:
        fit = w if w_fit is None else w_fit
        return float(
            np.linalg.norm(self.x @ (z * self.mask) - fit @ h) ** 2
            + self.lam * np.linalg.norm(z - self.source[:, None] * (h.T @ h)) ** 2
            + self.gamma1 * np.linalg.norm(w[:, self.free]) ** 2
            + self.gamma2 * np.linalg.norm(h) ** 2
        )

    def z_gradient(self, z: np.ndarray, w: np.ndarray, h: np.ndarray) -> np.ndarray:
        target = self.source[:, None] * (h.T @ h)
        inside = self.gram @ (z * self.mask) - self.x.T @ (w @ h)
        return 2 * inside * self.mask + 2 * self.lam * (z - target)

    def z_step(self, z: np.ndarray, w: np.ndarray, h: np.ndarray) -> np.ndarray:
        """Gradient step of the length that minimises the objective (Eqs 9-12), projected to Z ≥ 0."""
        d = self.z_gradient(z, w, h)
        xd = self.x @ (d * self.mask)
        numerator = (
            2 * _inner(xd, self.x @ (z * self.mask))
            - 2 * _inner(w @ h, xd)
            + 2 * self.lam * (_inner(z, d) - _inner(h.T @ h, d))
        )
        return np.maximum(z - numerator / (2 * _inner(xd, xd) + 2 * self.lam * _inner(d, d)) * d, 0)

    def z_step_backtracking(self, z: np.ndarray, w: np.ndarray, h: np.ndarray) -> np.ndarray:
        """Gradient step of length 0.2ⁱ, i the first of 0..9 that does not raise the objective (depth variant)."""
        d = self.z_gradient(z, w, h)
        return self._backtrack(lambda step: np.maximum(z - step * d, 0), lambda new: self.objective(new, w, h), z)

    def w_step(self, z: np.ndarray, w: np.ndarray, h: np.ndarray) -> np.ndarray:
        """Gradient step on W with the program's length: γ₁ is in the gradient but not in the length."""
        target, fit = self.x @ (z * self.mask) @ h.T, w @ (h @ h.T)
        d = 2 * (fit - target + self.gamma1 * w)
        return np.maximum(w - (_inner(d, fit) - _inner(d, target)) / np.linalg.norm(d @ h) ** 2 * d, 0)

    def w2_step(self, z: np.ndarray, w: np.ndarray, h: np.ndarray) -> np.ndarray:
        """Gradient step on the free columns of W = [W₁, W₂] (scCASER); here γ₁ is in the length too."""
        target, fit = self.x @ (z * self.mask) @ h.T, w @ (h @ h.T)
        d = np.where(self.free, 2 * (fit - target + self.gamma1 * w), 0)
        numerator = 2 * (_inner(d, fit) - _inner(d, target) + self.gamma1 * _inner(d, w))
        step = numerator / (2 * np.linalg.norm(d @ h) ** 2 + 2 * self.gamma1 * _inner(d, d))
        return np.where(self.free, np.maximum(w - step * d, 0), w)

    def h_step(self, z: np.ndarray, w: np.ndarray, h: np.ndarray) -> np.ndarray:
        """Gradient step on H of length 0.2ⁱ, i the first of 0..9 that does not raise the objective."""
        p = self.source
        hh_p2 = (h * p**2) @ h.T
        quartic = 2 * self.lam * ((h @ h.T) @ (h * p**2) + hh_p2 @ h)
        d = (
            -2 * w.T @ self.x @ (z * self.mask)
            + 2 * (w.T @ w) @ h
            - 2 * self.lam * h @ (z.T * p + p[:, None] * z)
            + quartic
            + 2 * self.gamma2 * h
        )
        return self._backtrack(lambda step: np.maximum(h - step * d, 0), lambda new: self.objective(z, w, new), h)

    def _backtrack(
        self, move: Callable[[float], np.ndarray], objective: Callable[[np.ndarray], float], old: np.ndarray
    ) -> np.ndarray:
        before = objective(old)
        for i in range(10):
            new = move(0.2**i)
            if objective(new) <= before:
                return new
        return old


def balance_batches(similarity: np.ndarray, batch: np.ndarray) -> np.ndarray:
    """Return the program's batch-corrected Z.

    For cell j and batch b the rows of Z in b are multiplied by b̄ / (ā + b̄), with ā the mean of column j inside
    b and b̄ outside b.

    Raises
    ------
    ValueError
        If there is only one batch (the program returns NaN there).
    """
    labels = np.unique(batch)
    if len(labels) < 2:
        msg = f"batch correction needs at least two batches, got only {labels.tolist()}"
        raise ValueError(msg)
    factor = np.ones_like(similarity)
    for label in labels:
        inside = batch == label
        a, b = similarity[inside].mean(axis=0), similarity[~inside].mean(axis=0)
        factor[inside] = b / (a + b)
    return similarity * factor


@checked(
    x=Numbers("peaks cells", empty=False),
    w=Numbers("peaks components", empty=False),
    h=Numbers("components cells", empty=False),
    z=Numbers("cells cells"),
    mask=Numbers("cells cells"),
    reference=Numbers("peaks groups"),
    depth=Numbers("cells", finite=True),
    batch=Labels("cells"),
    lam=Number(minimum=0),
    gamma1=Number(minimum=0),
    gamma2=Number(minimum=0),
)
def fit_published(
    x: np.ndarray,
    w: np.ndarray,
    h: np.ndarray,
    *,
    z: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    reference: np.ndarray | None = None,
    depth: np.ndarray | None = None,
    batch: np.ndarray | None = None,
    lam: float | None = None,
    gamma1: float = 1.0,
    gamma2: float = 1.0,
    keep_trace: bool = False,
) -> PublishedFit:
    """Run the published program from a given start.

    Parameters
    ----------
    x
        TF-IDF of shape (m, n), peaks × cells.
    w, h
        Start of shapes (m, k) and (k, n), as :func:`published_nmf` gives it.
    z, mask
        Start of the similarity and the mask R, shape (n, n); by default the Jaccard similarity and the program's draw.
    reference
        Projection P of the reference, shape (m, k₁), k₁ < k (scCASER): W₁ = P stays fixed, as in the program.
    depth
        Read counts per cell, shape (n,): the depth variant.
    batch
        Batch label per cell, shape (n,): reweights the fitted similarity.
    lam
        λ; by default 1e6, and 1e5 with a reference.
    gamma1, gamma2
        Weights of ‖W‖² and ‖H‖².
    keep_trace
        Keep Z, W, H of every iteration.

    Returns
    -------
    :class:`PublishedFit`
    """
    x = np.asarray(x, dtype=np.float64)
    n = x.shape[1]
    w, h = np.asarray(w, dtype=np.float64), np.asarray(h, dtype=np.float64)
    z = jaccard_start(x) if z is None else np.asarray(z, dtype=np.float64)
    mask = draw_mask(n) if mask is None else mask
    source = np.ones(n) if depth is None else np.asarray(depth, dtype=np.float64) / np.median(depth)
    n_reference = 0 if reference is None else reference.shape[1]
    lam = (LAMBDA_REFERENCE if n_reference else LAMBDA) if lam is None else lam
    free = np.arange(w.shape[1]) >= n_reference
    w_start = w
    if reference is not None:
        w = np.hstack([reference, w[:, n_reference:]])
    problem = _Problem(x, np.asarray(mask, dtype=np.float64), lam, gamma1, gamma2, source, free)
    n_iter = 20 if depth is not None else (4 if n_reference else 3)

    objective: list[float] = []
    trace: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    before = 0.0
    for _ in range(n_iter):
        h = _unit_row_sums(h)
        z = problem.z_step(z, w, h) if depth is None else problem.z_step_backtracking(z, w, h)
        w = problem.w2_step(z, w, h) if n_reference else problem.w_step(z, w, h)
        h = problem.h_step(z, w, h)
        objective.append(problem.objective(z, w, h, w_fit=np.where(free, w, w_start)))
        if keep_trace:
            trace.append((z, w, h))
        if depth is not None and abs(objective[-1] - before) < 1:
            break
        before = objective[-1]
    corrected = z if batch is None else balance_batches(z, np.asarray(batch))
    return PublishedFit(corrected, w, h, np.array(objective), trace, z)
