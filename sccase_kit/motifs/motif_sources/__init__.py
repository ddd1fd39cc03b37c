"""Where motifs come from by name: one file of this folder per source.

A file defines ``SOURCE``, a :class:`MotifSource`; nothing else has to be edited. Its labels then work wherever motifs
are asked for, in Python and in the shell. :func:`register` adds a source from elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..._sources import Sources
from ..motif import Motif


@dataclass(frozen=True, slots=True)
class MotifSource:
    """A source of motifs.

    Attributes
    ----------
    name
        Short name, unique.
    meaning
        One line for lists and help texts.
    labels
        What users write to get motifs of it, such as ``"JASPAR2024"``; case counts.
    load
        Called with a label; returns the motifs.
    """

    name: str
    meaning: str
    labels: tuple[str, ...]
    load: Callable[[str], list[Motif]]


_SOURCES: Sources[MotifSource] = Sources(__name__, "motifs")
sources, labels, source_of = _SOURCES.all, _SOURCES.labels, _SOURCES.of
register, unregister = _SOURCES.register, _SOURCES.unregister
