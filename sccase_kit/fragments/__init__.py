"""Fragment files: reading, counting and describing; :func:`sccase_kit.read_fragments` is the front."""

from .calling import cell_threshold, rank_curve

__all__ = ["cell_threshold", "rank_curve"]
