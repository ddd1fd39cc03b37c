"""What mends an error, told apart from its text.

The message is written for Python. The command line has words of its own for the same remedy
(:mod:`sccase_kit._commands.hints`), which it finds by name and not by reading the message.
"""

from __future__ import annotations

from typing import TypeVar

Error = TypeVar("Error", bound=BaseException)


def with_remedy(error: Error, remedy: str) -> Error:
    """Return the error with the name of its remedy in the attribute `remedy`.

    Parameters
    ----------
    error
        The error that is about to be raised.
    remedy
        The function to call first, such as ``"tl.enhance"``, or the argument to give, such as ``"chain"``.
    """
    error.__dict__["remedy"] = remedy
    return error


def remedy_of(error: BaseException) -> str:
    """Return the name of the remedy of an error, or an empty text."""
    return str(getattr(error, "remedy", ""))
