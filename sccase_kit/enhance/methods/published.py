"""The published program behind the interface of the methods (:mod:`sccase_kit.enhance.published`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from scipy import sparse

from ..method import Method, option, register
from ..preparation import Prepared
from ..published import LAMBDA, LAMBDA_REFERENCE, PublishedFit, fit_published, published_nmf
from ..result import Enhancement
from ..run import Inputs

DENSE_CELLS = 8_000


@register
@dataclass(frozen=True)
class Published(Method):
    """What the published program computes, literally and dense: for parity and teaching, on small data.

    Attributes
    ----------
    n_components, n_reference, lam, gamma1, gamma2
        Options; see :meth:`options`.
    """

    name = "published"
    summary = "the published program (sccase 0.2.5), literally; dense, for small data"
    takes = frozenset({"reference", "depth", "batch"})
    combines = False
    iterates = True
    estimated = True

    n_components: int | Literal["auto"] = option("auto", "components; auto: estimated", minimum=1)
    n_reference: int | Literal["auto"] = option(
        "auto", "components of the reference; auto: a third of n_components", minimum=1, needs="reference"
    )
    lam: float | None = option(
        None, "λ of the similarity; by default 10⁶, and 10⁵ with a reference", minimum=0, exclusive=True
    )
    gamma1: float = option(1.0, "γ₁, weight of ‖W‖²", minimum=0)
    gamma2: float = option(1.0, "γ₂, weight of ‖H‖²", minimum=0)

    def explained(self) -> str:
        """Return the older spelling, which most users give."""
        return "solver='published'"

    def resolve(self, shape: tuple[int, int], n_groups: int) -> Self:
        """Return the method with the numbers of this run; see :meth:`Method.resolve`."""
        if shape[0] > DENSE_CELLS:
            msg = f"solver='published' is dense, O(peaks × cells²); {shape[0]} cells exceed {DENSE_CELLS}: use "
            msg += "solver='thin'"
            raise ValueError(msg)
        lam = self.lam if self.lam is not None else LAMBDA_REFERENCE if n_groups else LAMBDA
        return super().resolve(shape, n_groups).with_options(lam=lam)

    def groups_used(self, n_groups: int) -> int:
        """Return the program's rule: a third of the components."""
        k = n_groups if self.n_components == "auto" else round(self.n_components / 3)
        return max(1, min(k, n_groups))

    def n_stages(self) -> int:
        """Return 1."""
        return 1

    def fit(self, data: Prepared, inputs: Inputs) -> Enhancement:
        """Fit the method; see :meth:`Method.fit`."""
        inputs.watch.stage("published")
        x = data.op.to_csr().T.tocsc()
        with np.errstate(divide="ignore", invalid="ignore"):  # judged by the result
            fit = self._fit(data, x, inputs)
        enhanced = (x @ fit.similarity).T.astype(np.float32)
        if not (np.isfinite(enhanced).all() and np.isfinite(fit.embedding).all()):
            n, empty = data.op.shape[0], int((data.depth == 0).sum())
            msg = f"the published program gives NaN for these data: {n} cells ({empty} of them empty), {x.shape[0]} "
            msg += f"peaks, n_components={self.n_components}. Drop empty cells, lower n_components, or take "
            msg += "solver='thin'"
            raise ValueError(msg)
        inputs.done("published")
        return Enhancement(
            embedding=fit.embedding.T,
            projection=fit.projection,
            matrix=enhanced,
            similarity=fit.similarity,
            objective=fit.objective,
        )

    def _fit(self, data: Prepared, x: sparse.csc_matrix, inputs: Inputs) -> PublishedFit:
        projection, total = None, int(self.n_components)
        if inputs.reference is not None:
            total += int(self.n_reference)
        w, h = published_nmf(x, total, max_iter=3000 if inputs.depth else 10_000)
        if inputs.reference is not None:
            tfidf = published_tfidf(inputs.reference)
            projection = published_nmf(tfidf.T, int(self.n_reference), max_iter=1000)[0]
        return fit_published(
            x.toarray(),
            w,
            h,
            reference=projection,
            depth=data.depth if inputs.depth else None,
            batch=inputs.batch,
            lam=self.lam,
            gamma1=self.gamma1,
            gamma2=self.gamma2,
        )


def published_tfidf(reference: np.ndarray) -> np.ndarray:
    """Return the TF-IDF of a reference by its own document frequencies, as the program (groups × peaks)."""
    n_open = (reference > 0).sum(axis=0)
    x = reference * np.where(n_open > 0, np.log(len(reference) / np.maximum(n_open, 1)), 0)
    norms = np.linalg.norm(x, axis=1, keepdims=True)
    return x / np.where(norms > 0, norms, 1)
