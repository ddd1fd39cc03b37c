"""Ctrl-C while R runs inside this process: R is told to stop, and Python raises KeyboardInterrupt."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def _watch(pipe: int, forward: int, rlib: Any) -> None:
    """Tell R about SIGINT while the main thread is inside R; pass all signals on to whoever listened before."""
    while data := os.read(pipe, 64):
        if signal.SIGINT in data:
            rlib.R_interrupts_pending = 1
        if forward >= 0:
            try:
                os.write(forward, data)
            except OSError:  # its buffer is full or it is gone
                pass


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C end the R code of the block; afterwards the handler that Python had is called.

    R itself decides when it looks: in loops and in most of its own functions, not inside compiled code of packages that
    never asks. (While it sleeps, R takes the signal itself, and R code that catches its own interrupt then goes on.)
    In other threads nothing is done: signals go to the main thread.

    Raises
    ------
    KeyboardInterrupt
        If SIGINT came meanwhile, whatever R did with it.
    """
    previous = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(previous):
        yield
        return
    from rpy2.rinterface_lib import openrlib

    rlib = openrlib.rlib
    frames: list[Any] = []

    def note(_number: int, frame: Any) -> None:
        frames.append(frame)
        rlib.R_interrupts_pending = 1

    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.signal(signal.SIGINT, note)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    watcher = threading.Thread(target=_watch, args=(reader, before, rlib), name="sccase_kit-r-interrupt", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(writer)
        watcher.join()
        os.close(reader)
        signal.signal(signal.SIGINT, previous)
        rlib.R_interrupts_pending = 0
        if frames:
            previous(signal.SIGINT, frames[-1])
            raise KeyboardInterrupt
