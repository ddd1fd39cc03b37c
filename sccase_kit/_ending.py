"""How a command ends at a signal; it imports next to nothing, so that signals are met early."""

from __future__ import annotations

import signal
import sys

TYPE_CHECKING = False  # as in typing, which takes longer to import than all the rest
if TYPE_CHECKING:
    from types import FrameType

_SIGNALLED = 128


class Ended(KeyboardInterrupt):
    """A signal that is to end the command, which is cleaned up after as after Ctrl-C."""


def end(number: int, frame: FrameType | None) -> None:
    """End the command; a handler of signals."""
    raise Ended(number)


def meet_signals() -> list[int]:
    """Let the signals of `kill`, batch systems and closed terminals clean up, unless they are ignored (nohup).

    Returns
    -------
    The signals that had no handler. Python has one for Ctrl-C; Windows has no SIGHUP.
    """
    known = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    numbers = [number for number in known if signal.getsignal(number) is signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, end)
    return numbers


def say_ended(stop: KeyboardInterrupt) -> int:
    """Say that a signal has ended the command; return the exit code."""
    number = stop.args[0] if isinstance(stop, Ended) else signal.SIGINT
    print("interrupted; nothing half-written was kept", file=sys.stderr)
    return _SIGNALLED + number
