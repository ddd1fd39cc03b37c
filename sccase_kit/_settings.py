"""Package-wide settings: one small typed object."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Literal


@dataclass(slots=True)
class Settings:
    """Settings of :mod:`sccase_kit`; change attributes directly or for a while with :meth:`override`.

    Attributes
    ----------
    progress
        Whether long computations show a progress bar. `"auto"` shows it in a terminal or a notebook
        and stays silent in non-interactive runs. `"lines"` counts without showing: the command line then
        writes a line every few seconds.
    block_bytes
        Target size, in bytes, of the row blocks that are streamed from disk or computed at once.
    n_threads
        Threads used by the sparse products. `None` uses the CPUs this process may run on.
    """

    progress: bool | Literal["auto", "lines"] = "auto"
    block_bytes: int = 64 * 1024 * 1024
    n_threads: int | None = None

    @contextmanager
    def override(self, **values: object) -> Iterator[Settings]:
        """Change settings inside a `with` block and restore them afterwards.

        Raises
        ------
        AttributeError
            If a name is not a setting.
        """
        known = {f.name for f in fields(self)}
        if unknown := sorted(set(values) - known):
            msg = f"unknown settings {unknown}; available: {sorted(known)}"
            raise AttributeError(msg)
        before = {name: getattr(self, name) for name in values}
        try:
            for name, value in values.items():
                setattr(self, name, value)
            yield self
        finally:
            for name, value in before.items():
                setattr(self, name, value)


settings = Settings()
