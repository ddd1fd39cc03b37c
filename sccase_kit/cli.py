"""The command line: ``sccase-kit COMMAND``; progress on stderr, results on stdout, `--json` for programs."""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import sys
from collections.abc import Sequence
from typing import Any

from ._settings import settings

#: Modules of :mod:`sccase_kit._commands`, in the order of the help text.
COMMANDS = ["info", "enhance", "demo", "doctor"]
#: Exit codes: 0 done, 1 the command refused its input, 2 wrong usage, 130 interrupted.
REFUSED, INTERRUPTED = 1, 130


def build_parser() -> argparse.ArgumentParser:
    """Return the parser with every command."""
    from . import __version__

    parser = argparse.ArgumentParser(
        prog="sccase-kit",
        description="Enhance single-cell chromatin accessibility data and interpret the result.",
    )
    parser.add_argument("--version", action="version", version=f"sccase-kit {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        module = importlib.import_module(f"._commands.{name}", __package__)
        sub = commands.add_parser(name, help=module.HELP, description=module.__doc__)
        module.add_arguments(sub)
        sub.add_argument("--json", action="store_true", help="print the result as one JSON object")
        sub.add_argument("-q", "--quiet", action="store_true", help="no progress and no messages on stderr")
        sub.set_defaults(run=module.run, show=getattr(module, "show", show_lines))
    return parser


def show_lines(result: dict[str, Any]) -> str:
    """Return the default text form of a result: one `name: value` per line."""
    width = max((len(k) for k in result), default=0)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in result.items())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    args = build_parser().parse_args(argv)
    logger = logging.getLogger("sccase_kit")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    level = logger.level
    if not args.quiet:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    try:
        with settings.override(progress=False if args.quiet else settings.progress):
            result = args.run(args)
        text = json.dumps(result, default=str, indent=1) if args.json else args.show(result)
        print(text, flush=True)
    except KeyboardInterrupt:
        print("interrupted; nothing half-written was kept", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except (ValueError, TypeError, KeyError, OSError, ImportError, RuntimeError) as err:
        message = err.args[0] if isinstance(err, KeyError) and err.args else str(err)
        for note in getattr(err, "__notes__", []):
            message += f"\n{note}"
        if args.json:
            print(json.dumps({"error": type(err).__name__, "message": str(message)}))
        print(f"sccase-kit {args.command}: {message}", file=sys.stderr)
        return REFUSED
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    return int(result.get("exit_code", 0))


if __name__ == "__main__":
    sys.exit(main())
