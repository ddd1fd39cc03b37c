"""Enhance single-cell chromatin accessibility data and interpret the result.

Counts are cells × peaks (AnnData's way) everywhere.
"""

from . import datasets, enhance, fragments, get, io, metrics, motifs, peaks, pl, pp, r, regions, report, tl
from ._settings import settings
from ._version import __version__
from .io import read, read_fragments

__all__ = [
    "__version__",
    "datasets",
    "enhance",
    "fragments",
    "get",
    "io",
    "metrics",
    "motifs",
    "peaks",
    "pl",
    "pp",
    "r",
    "read",
    "read_fragments",
    "regions",
    "report",
    "settings",
    "tl",
]
