"""Fragment files: reading, counting and describing, on arrays and text; the front is :func:`sccase_kit.read_fragments`."""

from .calling import cell_threshold, rank_curve

__all__ = ["cell_threshold", "rank_curve"]
