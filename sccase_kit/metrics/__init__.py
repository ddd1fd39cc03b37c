"""The scCASE paper's measures, its experiments, and comparisons of enhanced matrices."""

from ..neighbors.communities import Clustering, cluster_to_k
from ..neighbors.nearest import neighbor_graph
from .accuracies import accuracy
from .agreements import agreement, imbalance_degree
from .comparison import compare
from .depth import depth_correlation
from .evaluation import evaluate
from .experiments import batch_experiment, dropout_experiment, imbalance_experiment, size_experiment
from .methods import knn_smoothing, raw_tfidf
from .mixing import batch_asw, kbet
from .profiles import Profiles, pca_from_factors
from .recovery import held_out
from .silhouettes import silhouette, silhouette_samples
from .smoothing import smoothing_scores
from .splits import HiddenEntries, hide_entries
from .verdicts import HeldOut, held_out_verdict, stored_held_out

__all__ = [
    "Clustering",
    "HeldOut",
    "HiddenEntries",
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
    "held_out",
    "held_out_verdict",
    "hide_entries",
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
    "stored_held_out",
]
