"""Read results back out of an AnnData."""

from .chromvar import deviations, variability
from .genes import gene_activity
from .markers import specific_peaks
from .thin import enhanced, factors, ranges, similarity

__all__ = [
    "deviations",
    "enhanced",
    "factors",
    "gene_activity",
    "ranges",
    "similarity",
    "specific_peaks",
    "variability",
]
