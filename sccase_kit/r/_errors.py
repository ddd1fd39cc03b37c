"""What R says when it fails."""

from __future__ import annotations

from collections.abc import Sequence


class RError(RuntimeError):
    """An error raised by R, with everything R knows about it.

    Attributes
    ----------
    message
        R's own message.
    call
        The R call that failed, empty if R does not name one.
    r_traceback
        The R calls that led to the error, outermost first.
    session_info
        Output of R's ``sessionInfo()``.
    """

    def __init__(
        self, message: str, *, call: str = "", r_traceback: Sequence[str] = (), session_info: str = ""
    ) -> None:
        super().__init__(f"{message} (in R call: {call})" if call else message)
        self.message = message
        self.call = call
        self.r_traceback = tuple(r_traceback)
        self.session_info = session_info
        if self.r_traceback:
            lines = [f"  {depth}: {frame}" for depth, frame in enumerate(self.r_traceback, start=1)]
            self.add_note("\n".join(["R traceback (outermost call first):", *lines]))
        if session_info:
            self.add_note(f"R session:\n{session_info}")


def error_from(problem: dict[str, list[str]]) -> RError:
    """Build an :class:`RError` from what ``guarded()`` in ``r_scripts/lib/guard.R`` reports (lists of strings)."""
    return RError(
        "\n".join(problem["message"]),
        call=" ".join(problem["call"]),
        r_traceback=problem["traceback"],
        session_info="\n".join(problem["session"]),
    )
