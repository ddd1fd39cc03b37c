"""How many threads the products of this process use."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ._settings import settings

_Item = TypeVar("_Item")


def available_threads() -> int:
    """Return the number of threads for sparse products (`settings.n_threads` or the CPUs of this process)."""
    if settings.n_threads is not None:
        return max(1, int(settings.n_threads))
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_threads(work: Callable[[_Item], None], items: Sequence[_Item]) -> None:
    """Call `work` for every item, in threads; one after the other where there is one thread or one item."""
    n_threads = min(available_threads(), len(items))
    if n_threads <= 1:
        for item in items:
            work(item)
        return
    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(work, items))
