"""The mean of the nearest neighbours: the baseline that every other method should beat, and the file to copy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from ...matrix.krylov import leading_components
from ...neighbors.nearest import nearest_neighbors
from ..method import Method, option, register
from ..preparation import Prepared
from ..result import Enhancement
from ..run import Inputs


@register
@dataclass(frozen=True)
class Knn(Method):
    """Mean TF-IDF of every cell's nearest neighbours (itself included) in principal components.

    The result is a sparse layer with up to `n_neighbors` times the nonzeros of the counts.

    Attributes
    ----------
    n_components, n_neighbors
        Options; see :meth:`options`.
    """

    name = "knn"
    summary = "mean TF-IDF of a cell's nearest neighbours; a baseline, sparse"
    takes = frozenset({"checkpoint"})

    n_components: int = option(50, "principal components in which neighbours are found", minimum=1)
    n_neighbors: int = option(15, "neighbours per cell, itself included", minimum=1)

    def fit(self, data: Prepared, inputs: Inputs) -> Enhancement:
        """Fit the method; see :meth:`Method.fit`."""
        n = data.op.shape[0]

        def neighbours() -> dict[str, np.ndarray]:
            scores = leading_components(data.op, self.n_components, rng=inputs.rng)
            nearest, _ = nearest_neighbors(scores, min(self.n_neighbors, n))
            return {"scores": scores, "nearest": nearest}

        found = inputs.stage("neighbours", neighbours)
        k = found["nearest"].shape[1]
        weights = np.full(n * k, 1 / k, dtype=np.float32)
        mean = sparse.csr_matrix((weights, found["nearest"].ravel(), np.arange(0, n * k + 1, k)), shape=(n, n))
        return Enhancement(
            embedding=mean @ found["scores"],
            matrix=(mean @ data.op.to_csr()).tocsr(),
            similarity=mean.T.tocsr(),
        )
