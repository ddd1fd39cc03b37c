"""Where gene sets come from: one file of this folder per source.

A file defines ``SOURCE``, a :class:`Source`; nothing else has to be edited. Its labels then work wherever gene sets are
asked for, in Python and in the shell, and ``sccase-kit gene-sets list`` shows it. :func:`register` adds a source from
elsewhere.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from ..sets import GeneSets

_REGISTERED: dict[str, Source] = {}


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


@cache
def _found() -> dict[str, Source]:
    modules = (importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__))
    return {module.SOURCE.name: module.SOURCE for module in modules}


def sources() -> dict[str, Source]:
    """Return all sources by name: the files of this folder, then those registered."""
    return {**_found(), **_REGISTERED}


def register(source: Source) -> None:
    """Add a source of gene sets.

    Raises
    ------
    ValueError
        If its name or one of its labels is taken by another source.
    """
    for other in sources().values():
        taken = set(other.labels) & set(source.labels)
        if other.name == source.name or taken:
            what = f"labels {sorted(taken)}" if taken else f"name {source.name!r}"
            msg = f"the {what} of the new source of gene sets belong to the source {other.name!r}"
            raise ValueError(msg)
    _REGISTERED[source.name] = source


def unregister(name: str) -> None:
    """Take back what :func:`register` added.

    Raises
    ------
    KeyError
        If no source of this name was registered.
    """
    if name not in _REGISTERED:
        msg = f"no source {name!r} was registered; registered are {sorted(_REGISTERED)}"
        raise KeyError(msg)
    del _REGISTERED[name]


def labels() -> list[str]:
    """Return every label that names gene sets."""
    return [label for source in sources().values() for label in source.labels]


def source_of(label: object) -> Source | None:
    """Return the source that a label belongs to, or None."""
    return next((s for s in sources().values() if isinstance(label, str) and label in s.labels), None)
