"""Where chromosome sizes come from by name: one file of this folder per source.

A file defines ``SOURCE``, a :class:`SizeSource`; nothing else has to be edited. Its labels are then names of genomes
wherever chromosome sizes are asked for. :func:`register` adds a source from elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..._sources import Sources


@dataclass(frozen=True, slots=True)
class SizeSource:
    """A source of chromosome sizes.

    Attributes
    ----------
    name
        Short name, unique.
    meaning
        One line for lists and help texts.
    labels
        Names of its genomes, such as ``"hg38"``; case counts.
    load
        Called with a label; returns pairs of chromosome and length in bases, in genome order.
    """

    name: str
    meaning: str
    labels: tuple[str, ...]
    load: Callable[[str], Iterable[tuple[str, int]]]


_SOURCES: Sources[SizeSource] = Sources(__name__, "chromosome sizes")
sources, labels, source_of = _SOURCES.all, _SOURCES.labels, _SOURCES.of
register, unregister = _SOURCES.register, _SOURCES.unregister
