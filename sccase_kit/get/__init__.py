"""Read results back out of an AnnData."""

from .chromvar import deviations, variability
from .thin import enhanced, factors, ranges, similarity

__all__ = ["deviations", "enhanced", "factors", "ranges", "similarity", "variability"]
