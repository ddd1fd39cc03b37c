"""The paper's equations, literally, behind the interface of the methods (:mod:`sccase_kit.enhance.paper`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from scipy import sparse

from ..expected import measured_peaks
from ..method import Method, option, register
from ..paper import PaperFit, PaperModel, fit_paper
from ..paper_start import fit_embedding, matched_scale, paper_similarity, paper_tfidf, paper_weights
from ..preparation import Prepared
from ..published import KEEP_PROBABILITY, LAMBDA, published_nmf
from ..result import Enhancement
from ..run import Inputs

#: Largest data: n × n arrays and a cells × peaks one are dense here, and nowhere else but in "published".
CELLS, ENTRIES = 2_000, 100_000_000


@register
@dataclass(frozen=True)
class Paper(Method):
    """Eqs 1-14 of the paper as printed, dense: for teaching and for work on methods, on small data.

    :mod:`sccase_kit.enhance.paper` says what is read where the printed text leaves a choice.

    Attributes
    ----------
    n_components, n_reference, alpha, lam, gamma1, gamma2, keep_probability, mask, tfidf, step, z_start, h_start, \
    max_iter, tol
        Options; see :meth:`options`.
    """

    name = "paper"
    summary = "the equations of the paper, literally; dense, for small data and teaching"
    takes = frozenset({"reference"})
    iterates = True
    estimated = True

    n_components: int | Literal["auto"] = option("auto", "components of the target; auto: estimated", minimum=1)
    n_reference: int | Literal["auto"] = option(
        "auto", "components k₁ of the reference; auto: one per group", minimum=1, needs="reference"
    )
    alpha: float = option(1.0, "α, weight of ‖P − W₁‖²", minimum=0, needs="reference")
    lam: float = option(LAMBDA, "λ of the similarity", minimum=0, exclusive=True)
    gamma1: float = option(1.0, "γ₁, weight of ‖W‖²", minimum=0)
    gamma2: float = option(1.0, "γ₂, weight of ‖H‖²", minimum=0)
    keep_probability: float = option(
        KEEP_PROBABILITY, "probability that the mask R keeps an entry of Z", minimum=0, maximum=1
    )
    mask: Literal["drawn", "expected"] = option("drawn", "R drawn once, or the expectation over R")
    tfidf: Literal["printed", "program"] = option(
        "printed", "Eq. 1, or the TF-IDF of the program and of all other methods here"
    )
    step: Literal["printed", "exact"] = option("printed", "δ₁ of Eq. 8, which leaves γ₁ out, or the minimiser")
    z_start: Literal["jaccard", "random"] = option("jaccard", "start of Z")
    h_start: Literal["nmf", "random"] = option("nmf", "start of H")
    max_iter: int = option(1000, "most iterations", minimum=1)
    tol: float = option(1e-6, "relative change of F that ends them", minimum=0)

    def explained(self) -> str:
        """Return the spelling of most users."""
        return "solver='paper'"

    def resolve(self, shape: tuple[int, int], n_groups: int) -> Self:
        """Return the method with the numbers of this run; see :meth:`Method.resolve`."""
        if shape[0] > CELLS or shape[0] * shape[1] > ENTRIES:
            msg = f"solver='paper' is dense, for at most {CELLS:,} cells and {ENTRIES:,} entries; the data have "
            msg += f"{shape[0]:,} cells × {shape[1]:,} peaks: use method='sccase', or fewer cells or peaks"
            raise ValueError(msg)
        return super().resolve(shape, n_groups)

    def n_stages(self) -> int:
        """Return the start and the iterations."""
        return 1 + self.max_iter

    def fit(self, data: Prepared, inputs: Inputs) -> Enhancement:
        """Fit the method; see :meth:`Method.fit`."""
        inputs.watch.stage("start")
        counts = self._counts(data)
        weights = paper_weights(counts) if self.tfidf == "printed" else data.op.col_scale
        if not weights.any():
            msg = f"Eq. 1 gives every one of {len(weights)} peaks the weight 0, as each has at least as many counts as "
            msg += f"there are cells ({len(data.depth)}); binarise the counts, or take tfidf='program'"
            raise ValueError(msg)
        x = paper_tfidf(counts, weights, unit_norm=self.tfidf == "program")
        n = x.shape[1]
        z = paper_similarity(counts)
        if self.z_start == "random":
            z = inputs.rng.random((n, n))
            z /= z.sum(axis=0)
        w, h, prior = self._start(x, weights, inputs)
        scale = matched_scale(h, z)
        if scale > 0:
            w, h, prior = w / scale, h * scale, None if prior is None else prior / scale
        s = self.keep_probability
        mask = inputs.rng.binomial(1, s, size=(n, n)).astype(float) if self.mask == "drawn" else s
        inputs.done("start")
        inputs.watch.stage("descent")
        model = PaperModel(x, mask, self.lam, self.gamma1, self.gamma2, prior, 0.0 if prior is None else self.alpha)
        found = fit_paper(
            model, (w, h, z), step=self.step, max_iter=self.max_iter, tol=self.tol, report=inputs.iteration
        )
        return self._result(data, x, weights, found)

    def _counts(self, data: Prepared) -> sparse.csr_matrix:
        n, m = data.op.shape
        return sparse.csr_matrix(data.op.with_scales(np.ones(n), np.ones(m)).to_csr(), dtype=np.float64)

    def _start(
        self, x: sparse.csc_matrix, weights: np.ndarray, inputs: Inputs
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Return W, H and P."""
        w, h = _nmf(x, int(self.n_components))
        prior = None
        if inputs.reference is not None:
            groups = sparse.csr_matrix(inputs.reference)
            groups = paper_tfidf(groups, weights, unit_norm=self.tfidf == "program")
            prior = _nmf(groups, int(self.n_reference))[0]
            w = np.hstack([prior, w])
            h = fit_embedding(x, w)
        if self.h_start == "random":
            h = inputs.rng.random((w.shape[1], x.shape[1]))
        return w, h, prior

    def _result(self, data: Prepared, x: sparse.csc_matrix, weights: np.ndarray, found: PaperFit) -> Enhancement:
        n = data.op.shape[0]
        peaks = measured_peaks(data.op.with_scales(np.ones(n), weights), data.n_cells_open)
        return Enhancement(
            embedding=found.embedding.T,
            projection=found.projection,
            matrix=np.ascontiguousarray((x @ found.similarity).T, dtype=np.float32),
            similarity=found.similarity,
            objective=found.objective,
            peak_scaling=np.column_stack([peaks.idf, peaks.share]),
            info={
                "converged": found.converged,
                "n_iter": len(found.objective) - 1,
                **{f"steps_without_descent_{name}": count for name, count in found.kept.items()},
            },
        )


def _nmf(x: sparse.csc_matrix, n_components: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the conventional NMF of X; its NNDSVD start fails on data of lower rank."""
    with np.errstate(divide="ignore", invalid="ignore"):  # judged by the result
        w, h = published_nmf(x, n_components, max_iter=1000)
    if not (np.isfinite(w).all() and np.isfinite(h).all()):
        msg = f"scikit-learn's NMF with {n_components} components gives NaN on a matrix of shape {x.shape} of "
        msg += "lower rank; lower n_components, or n_reference"
        raise ValueError(msg)
    return w, h
