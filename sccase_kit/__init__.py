"""Enhance single-cell chromatin accessibility data and interpret the result.

Counts are cells × peaks (AnnData's way) everywhere.
"""

from importlib.metadata import version

from . import datasets, enhance, get, io, metrics, motifs, peaks, pl, pp, r, regions, report, tl
from ._settings import settings
from .io import read

__version__ = version("sccase_kit")
__all__ = [
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
