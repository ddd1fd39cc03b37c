"""The scCASE paper's measures, its experiments, and comparisons of enhanced matrices."""

from ._accuracy import accuracy
from ._agreement import agreement, imbalance_degree
from ._batch import batch_asw, kbet
from ._clustering import Clustering, cluster_to_k
from ._compare import compare
from ._depth import depth_correlation
from ._evaluate import evaluate
from ._experiments import batch_experiment, dropout_experiment, imbalance_experiment, size_experiment
from ._graph import neighbor_graph
from ._methods import knn_smoothing, raw_tfidf
from ._profiles import Profiles, pca_from_factors
from ._silhouette import silhouette, silhouette_samples
from ._smoothing import smoothing_scores

__all__ = [
    "Clustering",
    "Profiles",
    "accuracy",
    "agreement",
    "batch_asw",
    "batch_experiment",
    "cluster_to_k",
    "compare",
    "depth_correlation",
    "dropout_experiment",
    "evaluate",
    "imbalance_degree",
    "imbalance_experiment",
    "kbet",
    "knn_smoothing",
    "neighbor_graph",
    "pca_from_factors",
    "raw_tfidf",
    "silhouette",
    "silhouette_samples",
    "size_experiment",
    "smoothing_scores",
]
