"""Enhance single-cell chromatin accessibility data and interpret the result.

Counts are cells × peaks (AnnData's way) everywhere. The parts are imported when they are first used.
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False  # as in typing, which takes longer to import than a signal to come
if TYPE_CHECKING:
    from typing import Any

    from . import datasets, enhance, fragments, get, io, metrics, motifs, paper, peaks, pl, pp, r, regions, report, tl
    from ._settings import settings
    from ._version import __version__
    from .io import read, read_fragments
    from .paper import reproduce
    from .report import browse, overview

__all__ = [
    "__version__",
    "browse",
    "datasets",
    "enhance",
    "fragments",
    "genes",
    "get",
    "io",
    "metrics",
    "motifs",
    "overview",
    "paper",
    "peaks",
    "pl",
    "pp",
    "r",
    "read",
    "read_fragments",
    "regions",
    "report",
    "reproduce",
    "settings",
    "tl",
]


#: Functions that stand here under their own names, and the parts that hold them.
_FROM = {"browse": "report", "overview": "report", "read": "io", "read_fragments": "io", "reproduce": "paper"}
_FROM |= {"settings": "_settings", "__version__": "_version"}


def __getattr__(name: str) -> Any:
    """Import a part of the package, or one of its functions, at its first use."""
    if name in _FROM:
        value = getattr(importlib.import_module(f".{_FROM[name]}", __name__), name)
    elif name in __all__:
        value = importlib.import_module(f".{name}", __name__)
    else:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({name for name in globals() if name.startswith("__")} | {*__all__})
