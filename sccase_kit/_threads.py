"""How many threads the products of this process use."""

from __future__ import annotations

import os

from ._settings import settings


def available_threads() -> int:
    """Return the number of threads for sparse products (`settings.n_threads` or the CPUs of this process)."""
    if settings.n_threads is not None:
        return max(1, int(settings.n_threads))
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
