"""The TF-IDF itself: what the other methods start from, as a baseline."""

from __future__ import annotations

from dataclasses import dataclass

from scipy import sparse

from ...matrix.krylov import leading_components
from ..method import Method, option, register
from ..preparation import Prepared
from ..result import Enhancement
from ..run import Inputs


@register
@dataclass(frozen=True)
class Tfidf(Method):
    """The TF-IDF that the other methods start from, unchanged, with its principal components as the embedding.

    Attributes
    ----------
    n_components
        Option; see :meth:`options`.
    """

    name = "tfidf"
    summary = "the TF-IDF that the others start from, unchanged; a baseline, sparse"

    n_components: int = option(50, "principal components of the embedding", minimum=1)

    def fit(self, data: Prepared, inputs: Inputs) -> Enhancement:
        """Fit the method; see :meth:`Method.fit`."""
        found = inputs.stage(
            "components", lambda: {"scores": leading_components(data.op, self.n_components, rng=inputs.rng)}
        )
        itself = sparse.identity(data.op.shape[0], format="csr")
        return Enhancement(embedding=found["scores"], matrix=data.op.to_csr(), similarity=itself)
