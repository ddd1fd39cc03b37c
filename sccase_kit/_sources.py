"""Named sources of tables: one file of a folder per source, or registered from elsewhere."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Generic, Protocol, TypeVar


class _Named(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def labels(self) -> tuple[str, ...]: ...


Entry = TypeVar("Entry", bound=_Named)


class Sources(Generic[Entry]):
    """The sources of one kind.

    Parameters
    ----------
    package
        Dotted name of the folder; every module in it defines `attribute`.
    what
        What the sources give, for messages, such as ``"gene sets"``.
    attribute
        Name in every module under which its source stands.
    """

    def __init__(self, package: str, what: str, *, attribute: str = "SOURCE") -> None:
        self._package, self._what, self._attribute = package, what, attribute
        self._found: dict[str, Entry] | None = None
        self._registered: dict[str, Entry] = {}

    def all(self) -> dict[str, Entry]:
        """Return all sources by name: the files of the folder, then those registered."""
        if self._found is None:
            folder = importlib.import_module(self._package).__path__
            modules = [importlib.import_module(f"{self._package}.{info.name}") for info in pkgutil.iter_modules(folder)]
            found = [getattr(module, self._attribute) for module in modules]
            self._found = {source.name: source for source in found}
        return {**self._found, **self._registered}

    def labels(self) -> list[str]:
        """Return every label of every source."""
        return [label for source in self.all().values() for label in source.labels]

    def of(self, label: object) -> Entry | None:
        """Return the source that a label belongs to, or None."""
        if not isinstance(label, str):
            return None
        return next((source for source in self.all().values() if label in source.labels), None)

    def register(self, source: Entry) -> None:
        """Add a source.

        Raises
        ------
        ValueError
            If its name or one of its labels is taken by another source.
        """
        for other in self.all().values():
            taken = set(other.labels) & set(source.labels)
            if other.name == source.name or taken:
                what = f"labels {sorted(taken)}" if taken else f"name {source.name!r}"
                msg = f"the {what} of the new source of {self._what} belong to the source {other.name!r}"
                raise ValueError(msg)
        self._registered[source.name] = source

    def unregister(self, name: str) -> None:
        """Take back what :meth:`register` added.

        Raises
        ------
        KeyError
            If no source of this name was registered.
        """
        if name not in self._registered:
            msg = f"no source {name!r} was registered; registered are {sorted(self._registered)}"
            raise KeyError(msg)
        del self._registered[name]
