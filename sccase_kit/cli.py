"""The command line: ``sccase-kit COMMAND``.

Results go to stdout (a table, `name value` lines, or one object with ``--json``), progress and messages to stderr.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import io
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from ._commands.hints import shell_way_out
from ._commands.output import TABLE, show_lines, table_text, to_json
from ._ending import meet_signals, say_ended
from ._progress import EVERY, at_work, heartbeat
from ._settings import settings
from ._version import __version__

#: Modules of :mod:`sccase_kit._commands`, in the order of the help text.
COMMANDS = [
    *["info", "count", "enhance", "held-out", "cluster", "annotate", "peaks", "tracks", "motifs", "links", "traits"],
    *["great", "gene-sets", "interpret", "report", "reproduce", "demo", "doctor"],
]
#: Exit codes: 0 done, 1 the command refused its input or failed, 2 wrong usage (argparse), 128 + a signal that ended it
#: (130 for Ctrl-C).
REFUSED = 1


def build_parser(only: str | None = None) -> argparse.ArgumentParser:
    """Return the parser with the arguments of every command, or of one: the others are then known by name alone."""
    parser = argparse.ArgumentParser(
        prog="sccase-kit",
        description="Enhance single-cell chromatin accessibility data and interpret the result.",
        epilog="sccase-kit COMMAND --help shows the options and an example. Exit codes: 0 done, 1 failed, 2 usage.",
    )
    parser.add_argument("--version", action="version", version=f"sccase-kit {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        if only not in (None, name):
            commands.add_parser(name, help=_summary(name), add_help=False)
            continue
        module = importlib.import_module(f"._commands.{name.replace('-', '_')}", __package__)
        sub = commands.add_parser(
            name,
            help=module.HELP,
            description=module.__doc__,
            epilog=getattr(module, "EXAMPLE", None),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(sub)
        sub.add_argument("--json", action="store_true", help="print the result as one JSON object")
        sub.add_argument("-q", "--quiet", action="store_true", help="no progress and no messages on stderr")
        sub.set_defaults(run=module.run, show=getattr(module, "show", show_lines))
    return parser


def _summary(name: str) -> str:
    """Return the line of a command in the help text, read from its source: importing all of them takes a second."""
    source = Path(__file__).with_name("_commands") / f"{name.replace('-', '_')}.py"
    for node in ast.parse(source.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "HELP":
            return str(ast.literal_eval(node.value))
    msg = f"{source.name} has no HELP"
    raise LookupError(msg)


def _named_command(argv: Sequence[str]) -> str:
    """Return the command among the arguments, or '' where there is none that is known."""
    return next((word for word in argv if word in COMMANDS), "")


@contextlib.contextmanager
def _messages(*, quiet: bool) -> Iterator[None]:
    """Send the package's log and Python's warnings to stderr, a line each, or nowhere."""

    def show(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        if not (quiet or issubclass(category, (DeprecationWarning, FutureWarning))):
            print(f"warning: {message}", file=sys.stderr)

    logger = logging.getLogger("sccase_kit")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    level = logger.level
    if not quiet:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    try:
        with warnings.catch_warnings(), settings.override(progress=False if quiet else settings.progress):
            warnings.showwarning = show
            yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@contextlib.contextmanager
def _said_while_at_work(args: argparse.Namespace) -> Iterator[None]:
    """Write a line to stderr every few seconds: what the command is at; bars of a terminal move on instead."""
    stream = sys.stderr
    try:
        stream.fileno()
    except (OSError, AttributeError, ValueError):  # no file or terminal: somebody else reads it
        yield
        return
    if args.quiet:
        yield
        return
    terminal = stream.isatty()

    def say(text: str) -> None:
        if not (terminal and at_work()):
            with contextlib.suppress(OSError, ValueError):
                print(text, file=stream, flush=True)

    shown = settings.progress if terminal else "lines"
    with settings.override(progress=shown), heartbeat(say, name=f"sccase-kit {args.command}", every=EVERY):
        yield


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """Let the signals of `kill`, batch systems and closed terminals clean up, unless they are ignored."""
    numbers = meet_signals() if threading.current_thread() is threading.main_thread() else []
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def _print_result(result: dict[str, Any], args: argparse.Namespace) -> None:
    """Print one JSON object; or the table on stdout and the rest on stderr; or the rest on stdout."""
    if args.json:
        print(to_json(result), flush=True)
        return
    rest = {name: value for name, value in result.items() if name != TABLE}
    if TABLE not in result:
        print(args.show(rest), flush=True)
        return
    if not args.quiet and rest:
        print(args.show(rest), file=sys.stderr)
    sys.stdout.write(table_text(result[TABLE]))
    sys.stdout.flush()


def _explain(err: BaseException) -> str:
    message = str(err.args[0]) if isinstance(err, KeyError) and err.args else str(err) or type(err).__name__
    if hint := shell_way_out(err):
        message += f" ({hint})"
    return "\n".join([message, *getattr(err, "__notes__", [])])


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    try:
        with _signals():
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(AttributeError, ValueError):  # a stream that has no µ or × shows its code
                    cast("io.TextIOWrapper", stream).reconfigure(errors="backslashreplace")
            argv = sys.argv[1:] if argv is None else list(argv)
            args = build_parser(_named_command(argv)).parse_args(argv)
            return _run(args)
    except KeyboardInterrupt as stop:
        return say_ended(stop)


def _run(args: argparse.Namespace) -> int:
    try:
        with _messages(quiet=args.quiet), _said_while_at_work(args):
            result = args.run(args)
        _print_result(result, args)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        _silence_stdout()
        return 0
    except (ValueError, TypeError, KeyError, OSError, ImportError, RuntimeError, MemoryError) as err:
        print(f"sccase-kit {args.command}: {_explain(err)}", file=sys.stderr)
        if args.json:
            with contextlib.suppress(OSError):  # stdout itself may be what failed
                print(to_json({"error": type(err).__name__, "message": _explain(err)}), flush=True)
        _drop_if_stuck()
        return REFUSED
    return int(result.get("exit_code", 0))


def _drop_if_stuck() -> None:
    """Keep what stdout did not take from failing again at exit."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        _silence_stdout()


def _silence_stdout() -> None:
    """Let the flush at exit go to the null device instead of the broken pipe."""
    with contextlib.suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


if __name__ == "__main__":
    sys.exit(main())
