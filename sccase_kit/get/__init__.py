"""Read results back out of an AnnData."""

from ._deviations import deviations, variability
from ._enhanced import enhanced, factors, ranges, similarity

__all__ = ["deviations", "enhanced", "factors", "ranges", "similarity", "variability"]
