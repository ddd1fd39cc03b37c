"""The scCASE paper's measures, its experiments, and comparisons of enhanced matrices."""

from ._agreement import agreement, imbalance_degree
from ._clustering import Clustering, cluster_to_k
from ._evaluate import evaluate
from ._graph import neighbor_graph
from ._profiles import Profiles, pca_from_factors
from ._silhouette import silhouette, silhouette_samples

__all__ = [
    "Clustering",
    "Profiles",
    "agreement",
    "cluster_to_k",
    "evaluate",
    "imbalance_degree",
    "neighbor_graph",
    "pca_from_factors",
    "silhouette",
    "silhouette_samples",
]
