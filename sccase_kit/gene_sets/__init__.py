"""Gene sets: the table of sets, and the sources it comes from."""

from .go import go_from_gaf, go_from_orgdb
from .sets import GeneSets, read_gmt

__all__ = [
    "GeneSets",
    "go_from_gaf",
    "go_from_orgdb",
    "read_gmt",
]
