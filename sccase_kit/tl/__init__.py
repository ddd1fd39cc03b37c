"""Tools: the functions users call on an AnnData."""

from ._enhance import enhance

__all__ = ["enhance"]
