"""R's printed lines as log records and progress."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from typing import Literal

logger = logging.getLogger("sccase_kit.r")

_BREAK = re.compile(r"[\r\n]")
_PERCENT = re.compile(r"(\d{1,3})\s*%")


class Console:
    """Turn pieces of R output into one log record per line, or print them as they come.

    A carriage return ends a line too (R's progress counters). Lines that start with "Warning" are logged as
    warnings, all others at level INFO.

    Parameters
    ----------
    echo
        Print the pieces to this stream where the log does not take level INFO; `None` only logs.
    on_percent
        Called with the number when a line contains a percentage.
    keep
        How many of the last lines to remember in :attr:`tail`.
    """

    def __init__(
        self,
        on_percent: Callable[[int], None] | None = None,
        *,
        keep: int = 20,
        echo: Literal["stdout", "stderr"] | None = None,
    ) -> None:
        self._echo = echo
        self.tail: list[str] = []
        self._keep = keep
        self._on_percent = on_percent
        self._pending = ""

    def feed(self, text: str) -> None:
        """Take the next piece of output."""
        if self._printing:
            stream = getattr(sys, self._echo or "stdout")
            stream.write(text)
            stream.flush()
        *lines, self._pending = _BREAK.split(self._pending + text)
        for line in lines:
            self._line(line)

    def close(self) -> None:
        """Log what is left of an unfinished line."""
        self._line(self._pending)
        self._pending = ""

    @property
    def _printing(self) -> bool:
        return self._echo is not None and not logger.isEnabledFor(logging.INFO)

    def _line(self, line: str) -> None:
        line = line.rstrip()
        if not line or self.tail[-1:] == [line]:
            return
        self.tail = [*self.tail[1 - self._keep :], line]
        if not self._printing:
            logger.log(logging.WARNING if line.startswith("Warning") else logging.INFO, "%s", line)
        if self._on_percent is not None and (found := _PERCENT.search(line)):
            self._on_percent(min(int(found.group(1)), 100))
