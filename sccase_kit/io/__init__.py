"""Read counts; write enhanced matrices and the inputs of other tools; parts are imported when they are first used."""

from __future__ import annotations

import importlib

TYPE_CHECKING = False  # as in the package itself: reading a file needs few of the parts
if TYPE_CHECKING:
    from typing import Any

    from ..great.files import write_great
    from ..ldsc.files import write_bed, write_ldsc_annot
    from ..snpsea.files import write_snpsea
    from ..snpsea.program import run_snpsea
    from ._convert import convert
    from ._errors import FormatError
    from ._fragments import read_fragments
    from ._write_10x import write_10x
    from ._write_enhanced import write_enhanced
    from ._write_tracks import write_tracks
    from .reading import read

__all__ = [
    "FormatError",
    "convert",
    "read",
    "read_fragments",
    "run_snpsea",
    "write_10x",
    "write_bed",
    "write_enhanced",
    "write_great",
    "write_ldsc_annot",
    "write_snpsea",
    "write_tracks",
]

#: The module that holds each.
_FROM = {
    "FormatError": "._errors",
    "convert": "._convert",
    "read": ".reading",
    "read_fragments": "._fragments",
    "run_snpsea": "..snpsea.program",
    "write_10x": "._write_10x",
    "write_bed": "..ldsc.files",
    "write_enhanced": "._write_enhanced",
    "write_great": "..great.files",
    "write_ldsc_annot": "..ldsc.files",
    "write_snpsea": "..snpsea.files",
    "write_tracks": "._write_tracks",
}


def __getattr__(name: str) -> Any:
    """Import a function at its first use."""
    if name not in _FROM:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(importlib.import_module(_FROM[name], __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
