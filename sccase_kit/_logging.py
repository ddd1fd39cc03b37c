"""The package logger and warnings that point at the caller."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

logger = logging.getLogger("sccase_kit")
logger.addHandler(logging.NullHandler())

_PACKAGE = str(Path(__file__).parent)


@contextmanager
def said_once() -> Iterator[None]:
    """Keep back the messages of a run that repeats one that has been logged; warnings and errors still come."""

    def important(line: logging.LogRecord) -> bool:
        return line.levelno > logging.INFO

    logger.addFilter(important)
    try:
        yield
    finally:
        logger.removeFilter(important)


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Emit a warning attributed to the first frame outside this package."""
    if sys.version_info >= (3, 12):
        warnings.warn(message, category, skip_file_prefixes=(_PACKAGE,), stacklevel=2)
        return
    level = 1
    frame: FrameType | None = sys._getframe(0)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
