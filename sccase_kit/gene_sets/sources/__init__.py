"""Where gene sets come from: one file of this folder per source.

A file defines ``SOURCE``, a :class:`Source`; nothing else has to be edited. Its labels then work wherever gene sets are
asked for, in Python and in the shell, and ``sccase-kit gene-sets list`` shows it. :func:`register` adds a source from
elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..._sources import Sources
from ..sets import GeneSets


@dataclass(frozen=True, slots=True)
class Source:
    """A source of gene sets.

    Attributes
    ----------
    name
        Short name, unique.
    meaning
        One line for lists and help texts.
    labels
        What users write to get sets of it, such as ``"GO:BP"``; case counts.
    load
        Called with a label and a species ("human", "mouse", or None where it is not known); returns the gene sets.
        Without a file of that species it raises FileNotFoundError with the command that gets one.
    status
        Called with a label and a species; returns one line on what :func:`load` would give, or why it would not.
    """

    name: str
    meaning: str
    labels: tuple[str, ...]
    load: Callable[[str, str | None], GeneSets]
    status: Callable[[str, str | None], str]


_SOURCES: Sources[Source] = Sources(__name__, "gene sets")
sources, labels, source_of = _SOURCES.all, _SOURCES.labels, _SOURCES.of
register, unregister = _SOURCES.register, _SOURCES.unregister
