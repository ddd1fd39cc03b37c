"""The one progress bar of the package, and lines that say what a command is at where no bar can be seen."""

from __future__ import annotations

import importlib.util
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from ._settings import settings

#: Seconds between lines of :func:`heartbeat`.
EVERY = 8.0
_bars: list[weakref.ref[Any]] = []


class _Nowhere:
    """A stream that keeps nothing: bars on it count, and are not seen."""

    def write(self, text: str) -> int:
        """Take a text."""
        return len(text)

    def flush(self) -> None:
        """Do nothing."""


def progress(iterable: Iterable[Any] | None = None, *, desc: str, total: int | None = None, **kwargs: Any):
    """Return a tqdm bar over `iterable` (or a manual bar with `total`) that honours `settings.progress`."""
    if importlib.util.find_spec("ipywidgets") is None or settings.progress == "lines":  # tqdm.auto would warn
        from tqdm import tqdm
    else:
        from tqdm.auto import tqdm

    show = settings.progress
    if show == "auto":
        show = sys.stderr.isatty() or "ipykernel" in sys.modules
    if show == "lines":
        kwargs = {"file": _Nowhere(), **kwargs}
    bar = tqdm(iterable, desc=desc, total=total, disable=not show, **kwargs)
    if show:
        _bars[:] = [known for known in _bars if known() is not None]
        _bars.append(weakref.ref(bar))
    return bar


@contextmanager
def stage(desc: str) -> Iterator[None]:
    """Show what is being done, for work that has no steps to count."""
    with progress(total=1, desc=desc, bar_format="{desc}, {elapsed}", leave=False) as bar:
        yield
        bar.update()


def at_work() -> str:
    """Return what the open bars say, the outermost first; "" where there are none."""
    texts = []
    for known in list(_bars):
        bar = known()
        if bar is not None and not bar.disable:
            count = f" {bar.n:,} of {bar.total:,}" if bar.total and bar.total > 1 else ""
            texts.append(f"{str(bar.desc).rstrip(': ')}{count}")
    return ", ".join(texts)


@contextmanager
def heartbeat(say: Callable[[str], None], *, name: str, every: float = EVERY) -> Iterator[None]:
    """Call `say` with a line every few seconds until the work inside is done: what is being done, and for how long.

    Parameters
    ----------
    say
        Takes the line; called in another thread.
    name
        What the lines begin with.
    every
        Seconds between them.
    """
    done, start = threading.Event(), time.monotonic()

    def tell() -> None:
        while not done.wait(every):
            text = at_work().removeprefix(f"{name.split()[-1]}: ")
            say(f"{name}: {text or 'at work'}, {time.monotonic() - start:.0f} s")

    thread = threading.Thread(target=tell, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(timeout=1)
