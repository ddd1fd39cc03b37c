"""Enhance single-cell chromatin accessibility data and interpret the result.

Counts are cells × peaks (AnnData's way) everywhere.
"""

from . import datasets, enhance, get, io, metrics, motifs, peaks, pl, pp, r, regions, report, tl
from ._settings import settings
from ._version import __version__
from .io import read

__all__ = [
    "__version__",
    "datasets",
    "enhance",
    "get",
    "io",
    "metrics",
    "motifs",
    "peaks",
    "pl",
    "pp",
    "r",
    "read",
    "regions",
    "report",
    "settings",
    "tl",
]
