"""Read results back out of an AnnData."""

from ._enhanced import enhanced, factors, ranges, similarity

__all__ = ["enhanced", "factors", "ranges", "similarity"]
