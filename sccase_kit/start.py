"""The command ``sccase-kit``: signals are met before anything that takes time is imported."""

import sys

from ._ending import meet_signals, say_ended


def main() -> int:
    """Run the command line of the process and return the exit code."""
    try:
        meet_signals()
        from .cli import main as command_line  # noqa: PLC0415  (it is what takes time)

        return command_line()
    except KeyboardInterrupt as stop:
        return say_ended(stop)


if __name__ == "__main__":
    sys.exit(main())
